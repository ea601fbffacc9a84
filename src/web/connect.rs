//! What a client says of itself when it opens a socket.

use pusher_lite_protocol::Vsn;

use crate::http::Params;

/// The parameters of a connect, none of them looked up yet.
pub(super) struct Connect {
    pub(super) vsn: Vsn,
    pub(super) app_key: String,
    pub(super) unique_identifier: String,
    pub(super) jwt: String,
}

impl Connect {
    /// Reads the parameters. `auth_token` is the JWT of phoenix.js's `authToken`; where there is none, it is the
    /// parameter `guardian_token`. `None` when one of them is missing or no string, or no such version is spoken.
    pub(super) fn read(params: &Params, auth_token: Option<&str>) -> Option<Self> {
        Some(Self {
            vsn: vsn(params)?,
            app_key: params.text("app_key")?,
            unique_identifier: params.text("unique_identifier")?,
            jwt: match auth_token {
                Some(jwt) => jwt.to_owned(),
                None => params.text("guardian_token")?,
            },
        })
    }
}

fn vsn(params: &Params) -> Option<Vsn> {
    let parameter = match params.raw("vsn") {
        Some(_) => Some(params.text("vsn")?),
        None => None,
    };
    Vsn::negotiate(parameter.as_deref()).ok()
}
