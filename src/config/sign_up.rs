//! Settings of sign-up.

use super::{SettingError, Settings};
use crate::{
    mail::is_address,
    operations::accounts::{SignUpMode, SignUpPolicy},
};

/// Reads the policy for new accounts.
pub(super) fn policy(settings: &Settings, is_demo: bool) -> Result<SignUpPolicy, SettingError> {
    let mode = match settings.get("sign_up") {
        Some(_) => Some(settings.parse("sign_up", "open, invited or off", SignUpMode::parse)?),
        None => None,
    };
    let expected =
        "mail domains with commas between them, such as example.com, example.org; xn--… for those not in ASCII";
    let domains = settings.parse("sign_up_domains", expected, domains)?;
    Ok(SignUpPolicy::new(mode, domains, is_demo))
}

/// Reads a list of domains; `None` if one of them can be in no address.
fn domains(text: &str) -> Option<Vec<String>> {
    if text.trim().is_empty() {
        return Some(Vec::new());
    }
    let domain =
        |text: &str| Some(text.trim().to_ascii_lowercase()).filter(|domain| is_address(&format!("a@{domain}")));
    text.split(',').map(domain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(key: &'static str, value: &str, is_demo: bool) -> Result<SignUpPolicy, String> {
        let mut settings = Settings::default();
        settings.set_flag(key, value.to_owned());
        policy(&settings, is_demo).map_err(|error| error.to_string())
    }

    #[test]
    fn a_mode_wins_over_demo_mode_and_without_one_the_installation_decides() {
        for (text, mode) in [("open", SignUpMode::Open), ("invited", SignUpMode::Invited), ("off", SignUpMode::Off)] {
            for is_demo in [false, true] {
                assert_eq!(read("sign_up", text, is_demo).unwrap().known_mode(), Some(mode));
            }
        }
        for text in ["Open", "closed", "true", ""] {
            let error = read("sign_up", text, true).unwrap_err();
            assert!(error.starts_with("--sign-up must be open, invited or off"), "{error}");
        }
        assert_eq!(policy(&Settings::default(), false).unwrap().known_mode(), None);
        assert_eq!(policy(&Settings::default(), true).unwrap().known_mode(), Some(SignUpMode::Open));
    }

    #[test]
    fn domains_are_read_as_addresses_have_them() {
        let domains = |text: &str| read("sign_up_domains", text, false).map(|policy| policy.domains().to_vec());
        assert_eq!(domains("").unwrap(), [""; 0]);
        assert_eq!(domains("Example.com, xn--bcher-kva.example").unwrap(), ["example.com", "xn--bcher-kva.example"]);
        for text in [
            "bücher.example",
            "example.com,",
            "@example.com",
            "ann@example.com",
            "example..com",
            "exa mple.com",
            "*.example.com",
            "example.com.",
        ] {
            let error = domains(text).unwrap_err();
            assert!(error.starts_with("--sign-up-domains must be mail domains"), "{text}: {error}");
        }
    }
}
