//! All errors in the settings, found in one run.

use std::fmt;

use super::settings::{SettingError, Settings};

/// One or several errors in the settings.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct SettingErrors(Vec<SettingError>);

impl SettingErrors {
    /// Adds those of the other list that are not in this one.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        other.0.into_iter().for_each(|error| self.add(error));
        self
    }

    /// Adds one, unless it is there already.
    pub(super) fn add(&mut self, error: SettingError) {
        if !self.0.contains(&error) {
            self.0.push(error);
        }
    }

    /// Returns `Ok` when there are no errors.
    ///
    /// # Errors
    /// The list itself, when there are.
    pub(super) fn none(self) -> Result<(), Self> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl From<SettingError> for SettingErrors {
    fn from(error: SettingError) -> Self {
        Self(vec![error])
    }
}

impl std::error::Error for SettingErrors {}

/// Displays one error as a sentence, several as a list.
impl fmt::Display for SettingErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [only] => only.fmt(f),
            several => {
                write!(f, "{} settings are wrong:", several.len())?;
                several.iter().try_for_each(|error| write!(f, "\n  {error}"))
            }
        }
    }
}

/// Reads the settings again and again, each time without the one that was wrong, so that all errors are reported
/// together. An error that is only a consequence of another reported one is not reported.
///
/// # Errors
/// All errors that were found.
pub fn read_all<T>(
    settings: &Settings,
    read: impl Fn(&Settings) -> Result<T, SettingError>,
) -> Result<T, SettingErrors> {
    let mut sound = settings.clone();
    let mut wrong = SettingErrors::default();
    let mut told = Vec::new();
    loop {
        match read(&sound) {
            Ok(value) => return wrong.none().map(|()| value),
            Err(error) => {
                let key = error.key();
                if key.is_none_or(|key| !told.contains(&key)) {
                    wrong.add(error.clone());
                }
                // A setting is put right at most twice: first by its default, and then, if it has to be set, by an
                // example.
                let done = match key {
                    Some(key) => !sound.put_right(key, &error),
                    None => true,
                };
                if done {
                    return Err(wrong);
                }
                told.extend(key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Log};

    fn errors(pairs: &[(&str, &str)]) -> Vec<String> {
        let mut settings = Settings::default();
        settings.read_environment(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))).unwrap();
        let read = read_all(&settings, |settings| {
            Log::from_settings(settings)?;
            let config = Config::from_settings(settings)?;
            config.check_secrets(settings)
        });
        read.err().map_or_else(Vec::new, |errors| errors.0.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn all_that_are_wrong_are_told_and_nothing_else() {
        let found = errors(&[
            ("PUSHER_LITE_LOG", "verbose"),
            ("PORT", "x"),
            ("HOST", "nowhere"),
            ("PUSHER_LITE_IDLE_TIMEOUT", "0"),
            ("PUSHER_LITE_TLS_CERTIFICATE", "c.pem"),
            ("PUSHER_LITE_REDIRECT_PORT", "80"),
            ("PUSHER_LITE_SMTP_URL", "smtp://localhost"),
            ("PUSHER_LITE_MAIL_FROM", "nobody"),
            ("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none"),
            ("PUSHER_LITE_METRICS_TOKEN", "short"),
        ]);
        for named in [
            "PUSHER_LITE_LOG must be",
            "PORT must be",
            "HOST must be",
            "PUSHER_LITE_IDLE_TIMEOUT must be",
            "PUSHER_LITE_TLS_KEY must be set",
            "PUSHER_LITE_MAIL_FROM must be an address",
            "PUSHER_LITE_PUBLIC_URL must be set",
            "PUSHER_LITE_JWT_SECRET must be set",
            "PUSHER_LITE_COOKIE_SECRET must be set",
            "PUSHER_LITE_METRICS_TOKEN must be",
        ] {
            assert_eq!(found.iter().filter(|error| error.starts_with(named)).count(), 1, "{named}: {found:#?}");
        }
        assert_eq!(found.len(), 10, "{found:#?}");
    }

    /// Each setting that can be wrong is found beside another one.
    #[test]
    fn one_wrong_setting_hides_no_other() {
        for setting in crate::config::SETTINGS.iter().filter(|setting| setting.env != "PORT") {
            let alone = errors(&[(setting.env, "\u{7f}")]);
            let with_port = errors(&[(setting.env, "\u{7f}"), ("PORT", "x")]);
            assert_eq!(with_port.len(), alone.len() + 1, "{}: {with_port:#?}", setting.env);
        }
        assert!(errors(&[]).is_empty());
    }
}
