//! Parameters of a client that opens a socket.

use pusher_lite_protocol::Vsn;
use serde_json::value::RawValue;

use crate::http::Params;

/// The parameters of a connect, before any look-up.
pub(super) struct Connect {
    pub(super) vsn: Vsn,
    pub(super) app_key: String,
    pub(super) unique_identifier: String,
    pub(super) jwt: String,
}

/// Error: a parameter of a connect is not as it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WrongParameter {
    /// It is missing or not a string.
    Missing(&'static str),
    /// `vsn` asks for an unsupported version.
    Version,
}

impl Connect {
    /// Reads the parameters. `auth_token` is the JWT of phoenix.js's `authToken`; without one it is the parameter
    /// `guardian_token`. A `vsn` without a value is treated as missing, as in Phoenix.
    ///
    /// # Errors
    ///
    /// [`WrongParameter`].
    pub(super) fn read(params: &Params, auth_token: Option<&str>) -> Result<Self, WrongParameter> {
        let text = |name| params.text(name).ok_or(WrongParameter::Missing(name));
        Ok(Self {
            vsn: vsn(params).ok_or(WrongParameter::Version)?,
            app_key: text("app_key")?,
            unique_identifier: text("unique_identifier")?,
            jwt: match auth_token {
                Some(jwt) => jwt.to_owned(),
                None => text("guardian_token")?,
            },
        })
    }
}

fn vsn(params: &Params) -> Option<Vsn> {
    let parameter = match params.raw("vsn").map(RawValue::get) {
        None | Some("null") => None,
        Some(_) => Some(params.text("vsn")?),
    };
    Vsn::negotiate(parameter.as_deref()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_without_a_value_is_the_first() {
        for (query, expected) in [
            ("", Some(Vsn::V1)),
            ("&vsn", Some(Vsn::V1)),
            ("&vsn=1.0.0", Some(Vsn::V1)),
            ("&vsn=2.0.0", Some(Vsn::V2)),
            ("&vsn=", None),
            ("&vsn=null", None),
            ("&vsn[]=1.0.0", None),
        ] {
            let query = format!("app_key=a&unique_identifier=u&guardian_token=t{query}");
            let params = Params::from_query(&query).unwrap();
            assert_eq!(Connect::read(&params, None).ok().map(|connect| connect.vsn), expected, "{query}");
        }
    }
}
