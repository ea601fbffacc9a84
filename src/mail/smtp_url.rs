//! URL of the mail server: `smtps://USER:PASSWORD@HOST`.

use std::{fmt, net::IpAddr, path::PathBuf, str::FromStr};

use percent_encoding::percent_decode_str;
use url::{Host, Url};

/// A mail server. `Debug` and `Display` show neither user nor password.
#[derive(Clone, PartialEq, Eq)]
pub struct SmtpUrl {
    pub(super) security: Security,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) credentials: Option<(String, String)>,
    /// PEM file with the authority that signed the server's certificate, instead of the authorities of the system.
    pub(super) root_certificate: Option<PathBuf>,
}

/// Encryption of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Security {
    /// TLS from the first byte on.
    Tls,
    /// TLS by `STARTTLS`; without it the client sends nothing.
    StartTls,
    /// None: for a server on the same machine.
    None,
}

impl Security {
    /// Returns the default port of this kind of server.
    fn port(self) -> u16 {
        match self {
            Self::Tls => 465,
            Self::StartTls => 587,
            Self::None => 25,
        }
    }
}

impl FromStr for SmtpUrl {
    /// The error, without any part of the URL.
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url =
            Url::parse(text).map_err(|_| "is no URL; characters such as @ / # in a password are written as %40 …")?;
        let host = match url.host() {
            Some(Host::Domain(name)) if !name.is_empty() => name.trim_matches(['[', ']']).to_owned(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            _ => return Err("names no host"),
        };
        let options = Options::of(&url)?;
        let security = match (url.scheme(), options.tls.as_deref()) {
            ("smtps", None) => Security::Tls,
            ("smtp", Some("required")) => Security::StartTls,
            ("smtp", Some("none")) => Security::None,
            ("smtp", None) if is_this_machine(&host) => Security::None,
            ("smtp", None) => Security::StartTls,
            ("smtp", Some(_)) => return Err("has a tls that is neither required nor none"),
            ("smtps", Some(_)) => return Err("has both smtps, which is TLS, and tls"),
            _ => return Err("begins with neither smtps:// nor smtp://"),
        };
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err("goes on behind the host");
        }
        let port = url.port().unwrap_or(security.port());
        Ok(Self { security, host, port, credentials: credentials(&url)?, root_certificate: options.sslrootcert })
    }
}

/// The parameters behind `?`.
#[derive(Default)]
struct Options {
    tls: Option<String>,
    sslrootcert: Option<PathBuf>,
}

impl Options {
    fn of(url: &Url) -> Result<Self, &'static str> {
        let mut options = Self::default();
        for (name, value) in url.query_pairs() {
            match name.as_ref() {
                "tls" => options.tls = Some(value.into_owned()),
                "sslrootcert" => options.sslrootcert = Some(value.into_owned().into()),
                _ => return Err("has an option that is neither tls nor sslrootcert"),
            }
        }
        Ok(options)
    }
}

fn credentials(url: &Url) -> Result<Option<(String, String)>, &'static str> {
    let decoded = |text: &str| match percent_decode_str(text).decode_utf8() {
        Ok(text) if !text.contains('\0') => Ok(text.into_owned()),
        _ => Err("has a user or password that is no text"),
    };
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        ("", Some(_)) => Err("has a password, but no user"),
        (_, None) => Err("has a user, but no password"),
        (user, Some(password)) => Ok(Some((decoded(user)?, decoded(password)?))),
    }
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl fmt::Display for SmtpUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let security = match self.security {
            Security::Tls => "TLS",
            Security::StartTls => "STARTTLS",
            Security::None => "no TLS",
        };
        write!(formatter, "{} port {} with {security}", self.host, self.port)
    }
}

impl fmt::Debug for SmtpUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SmtpUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> SmtpUrl {
        text.parse().unwrap_or_else(|reason| panic!("{text} {reason}"))
    }

    #[test]
    fn tls_is_required_but_on_this_machine() {
        for (text, security, port) in [
            ("smtps://mail.example.com", Security::Tls, 465),
            ("smtps://localhost:1465", Security::Tls, 1465),
            ("smtp://mail.example.com", Security::StartTls, 587),
            ("smtp://mail.example.com:25", Security::StartTls, 25),
            ("smtp://localhost", Security::None, 25),
            ("smtp://127.0.0.1:2525/", Security::None, 2525),
            ("smtp://[::1]:2525", Security::None, 2525),
            ("smtp://localhost?tls=required", Security::StartTls, 587),
            ("smtp://mail:1025?tls=none", Security::None, 1025),
        ] {
            let url = parse(text);
            assert_eq!((url.security, url.port), (security, port), "{text}");
        }
        assert_eq!(parse("smtp://[::1]:2525").host, "::1");
        assert_eq!(parse("smtp://mail:1025?tls=none").to_string(), "mail port 1025 with no TLS");
    }

    #[test]
    fn users_and_passwords_are_decoded_and_not_shown() {
        let url = parse("smtps://me%40example.com:p%23ss%2Fw%C3%B6rd@mail.example.com?sslrootcert=/etc/my%20ca.pem");
        assert_eq!(url.credentials, Some(("me@example.com".to_owned(), "p#ss/wörd".to_owned())));
        assert_eq!(url.root_certificate, Some("/etc/my ca.pem".into()));
        assert_eq!(format!("{url:?}"), "SmtpUrl(mail.example.com port 465 with TLS)");
    }

    #[test]
    fn what_is_wrong_is_said_without_the_password() {
        for text in [
            "",
            "mail.example.com",
            "http://mail.example.com",
            "smtp://",
            "smtps://me@h",
            "smtps://:hunter2@h",
            "smtps://h/path",
            "smtps://h?x=1",
            "smtps://h?tls=none",
            "smtp://h?tls=maybe",
            "smtps://me:hunter2@h:99999",
            "smtps://me:%ff@h",
        ] {
            let reason = text.parse::<SmtpUrl>().expect_err(text);
            assert!(!reason.contains("hunter2"), "{reason}");
        }
    }
}
