//! The database.

use super::{
    SettingError, Settings, Source,
    secrets::Keep,
    settings::unusable,
    values::{number, seconds},
};
use crate::store::{self, DatabaseUrl};

/// The database and the options of its pool.
#[derive(Debug, Clone)]
pub struct Database {
    /// The database URL.
    pub url: DatabaseUrl,
    /// Options of the pool.
    pub options: store::Options,
}

impl Database {
    pub(super) fn from_settings(settings: &Settings) -> Result<Self, SettingError> {
        let (url, source) = settings.get("database_url").expect("the setting has a default");
        let url = url.parse().map_err(|reason: store::Error| unusable("database_url", reason, source))?;
        let pool_size = settings.parse("database_connections", "a whole number from 1 to 1000", |text| {
            number(text).filter(|connections| (1..=1000).contains(connections))
        })?;
        Ok(Self { url, options: store::Options { pool_size, timeout: seconds(settings, "database_timeout")? } })
    }

    /// Checks that the files of an SQLite database can be written, or created if missing, and creates none.
    ///
    /// # Errors
    /// Names the file or folder that cannot be written.
    pub fn check_files(&self, settings: &Settings) -> Result<(), SettingError> {
        let source = settings.get("database_url").map_or(Source::Default, |(_, source)| source);
        self.url.check_files().map_err(|reason| unusable("database_url", reason, source))
    }

    /// Returns the place of the secrets: for SQLite, the folder of the database file.
    pub(super) fn keep_secrets(&self) -> Keep {
        match &self.url {
            DatabaseUrl::Sqlite(file) => Keep::Folder(file.parent().unwrap_or(file).to_owned()),
            DatabaseUrl::Postgres(_) => Keep::Nowhere,
        }
    }
}
