//! The log.

use super::{SettingError, Settings, log_filter};

/// Format and filter of the log.
#[derive(Debug, Clone)]
pub struct Log {
    /// A level or a tracing filter.
    pub filter: String,
    /// True for JSON, for machines; false for text, for people.
    pub json: bool,
}

impl Log {
    /// Checks the two settings of the log, which is set up before everything else.
    ///
    /// # Errors
    /// Names the malformed one.
    pub fn from_settings(settings: &Settings) -> Result<Self, SettingError> {
        let filter = settings.parse("log", log_filter::EXPECTED, log_filter::parse)?;
        let json = settings.parse("log_format", "text or json", |text| match text {
            "json" => Some(true),
            "text" => Some(false),
            _ => None,
        })?;
        Ok(Self { filter, json })
    }
}
