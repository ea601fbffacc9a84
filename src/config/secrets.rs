//! The two secrets: given, or made once and kept in files beside an SQLite database.

use std::{
    fmt,
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use super::settings::{SettingError, Settings, malformed};

/// A made secret has this many random bytes: as many as HS512 can use.
const SECRET_BYTES: usize = 64;
/// The shortest cookie secret that is accepted, in bytes.
const MIN_COOKIE_SECRET: usize = 32;

/// The shortest token for the metrics that is accepted, in bytes.
const MIN_METRICS_TOKEN: usize = 16;

const WITH_POSTGRES: &str = "with Postgres nothing is generated, since every node must have the same one; \
    `openssl rand -base64 48` makes a good one, an existing installation's is Guardian's secret_key";

/// What signs JWTs and cookies. `Debug` shows neither.
#[derive(Clone)]
pub struct Secrets {
    /// The raw string of the original's Guardian `secret_key`; HS512 over its bytes.
    pub jwt: String,
    /// Signs cookies and session tokens.
    pub cookie: String,
    /// Who knows it may read the metrics on the main listener; without one nobody may.
    pub metrics: Option<String>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").finish_non_exhaustive()
    }
}

/// Where a secret is, before it is read or made.
#[derive(Debug)]
pub(super) enum Keep {
    /// In this folder, under the setting's name.
    Folder(PathBuf),
    /// Nowhere: it must be set.
    Nowhere,
}

impl Secrets {
    /// Takes the secrets from the settings, else from the data folder, where they are made if they are missing.
    pub(super) fn load(settings: &Settings, keep: &Keep) -> Result<Self, SettingError> {
        let secrets = Self {
            jwt: load("jwt_secret", "PUSHER_LITE_JWT_SECRET", settings, keep)?,
            cookie: load("cookie_secret", "PUSHER_LITE_COOKIE_SECRET", settings, keep)?,
            metrics: settings.get("metrics_token").map(|(token, _)| token.to_owned()),
        };
        if secrets.metrics.as_ref().is_some_and(|token| token.len() < MIN_METRICS_TOKEN) {
            let source = settings.get("metrics_token").map_or(super::Source::File, |(_, source)| source);
            return Err(malformed("metrics_token", "at least 16 characters long", "", source));
        }
        if secrets.cookie.len() < MIN_COOKIE_SECRET {
            let source = settings.get("cookie_secret").map_or(super::Source::File, |(_, source)| source);
            return Err(malformed("cookie_secret", "at least 32 characters long", "", source));
        }
        Ok(secrets)
    }
}

fn load(key: &'static str, env: &'static str, settings: &Settings, keep: &Keep) -> Result<String, SettingError> {
    match (settings.get(key), keep) {
        (Some((value, _)), _) => Ok(value.to_owned()),
        (None, Keep::Nowhere) => Err(SettingError::Missing { name: env, reason: WITH_POSTGRES }),
        (None, Keep::Folder(folder)) => read_or_make(&folder.join(key)),
    }
}

fn read_or_make(path: &Path) -> Result<String, SettingError> {
    let file_error =
        |error: io::Error| SettingError::File { path: path.display().to_string(), reason: error.to_string() };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(file_error)?;
    }
    match make(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => return made.map_err(file_error),
    }
    let secret = fs::read_to_string(path).map_err(file_error)?.trim().to_owned();
    if secret.is_empty() {
        return Err(file_error(io::Error::other("is empty; delete it and a new secret is made")));
    }
    Ok(secret)
}

/// Writes a new secret to a file that must not exist yet: it appears whole or not at all.
fn make(path: &Path) -> io::Result<String> {
    if path.exists() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let mut random = [0; SECRET_BYTES];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let secret = BASE64_URL_SAFE_NO_PAD.encode(random);

    let unfinished = path.with_extension(format!("new-{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(secret.as_bytes())?;
    file.sync_all()?;
    // A link, not a rename: of two processes starting at once the second must not replace the first one's secret.
    let linked = fs::hard_link(&unfinished, path);
    fs::remove_file(&unfinished)?;
    linked.map(|()| secret)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn with_sqlite_they_are_made_once_and_readable_by_the_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let keep = Keep::Folder(folder.path().join("data"));
        let first = Secrets::load(&Settings::default(), &keep).unwrap();
        let second = Secrets::load(&Settings::default(), &keep).unwrap();
        assert_eq!((&first.jwt, &first.cookie), (&second.jwt, &second.cookie));
        assert!(first.jwt != first.cookie && first.jwt.len() >= 64);
        let mode = fs::metadata(folder.path().join("data/jwt_secret")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path().join("data")).unwrap().count(), 2);
    }

    #[test]
    fn with_postgres_both_must_be_set() {
        let mut settings = Settings::default();
        let error = Secrets::load(&settings, &Keep::Nowhere).unwrap_err().to_string();
        assert!(error.contains("PUSHER_LITE_JWT_SECRET must be set"), "{error}");
        settings.set_flag("jwt_secret", "a".repeat(64));
        let error = Secrets::load(&settings, &Keep::Nowhere).unwrap_err().to_string();
        assert!(error.contains("PUSHER_LITE_COOKIE_SECRET must be set"), "{error}");
        settings.set_flag("cookie_secret", "short".to_owned());
        let error = Secrets::load(&settings, &Keep::Nowhere).unwrap_err().to_string();
        assert!(error.contains("at least 32 characters") && !error.contains("\"short\""), "{error}");
    }
}
