//! The two secrets: set by the operator, or created once and kept in files beside an SQLite database.

use std::{
    fmt,
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use super::settings::{SettingError, Settings, malformed};

/// Number of random bytes of a created secret: as many as HS512 can use.
const SECRET_BYTES: usize = 64;
/// Minimum length of the cookie secret, in bytes.
const MIN_COOKIE_SECRET: usize = 32;

/// Minimum length of the token for the metrics, in bytes.
const MIN_METRICS_TOKEN: usize = 16;

const WITH_POSTGRES: &str = "with Postgres nothing is generated, since every node must have the same one; \
    `openssl rand -base64 48` makes a good one, an existing installation's is Guardian's secret_key";

/// Placeholder for a missing secret, while the other settings are checked.
const EXAMPLE: &str = "an example of a secret with 32 characters";

/// A setting's key, which is also the name of its file, and its environment variable.
type Names = (&'static str, &'static str);

const JWT: Names = ("jwt_secret", "PUSHER_LITE_JWT_SECRET");
const COOKIE: Names = ("cookie_secret", "PUSHER_LITE_COOKIE_SECRET");

/// The secrets that sign JWTs and cookies. `Debug` shows neither.
#[derive(Clone)]
pub struct Secrets {
    /// The raw string of the original's Guardian `secret_key`; HS512 over its bytes.
    pub jwt: String,
    /// Signs cookies and session tokens.
    pub cookie: String,
    /// Token that gives access to the metrics on the main listener; without one nothing does.
    pub metrics: Option<String>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").finish_non_exhaustive()
    }
}

/// Place of a secret before it is read or created.
#[derive(Debug)]
pub(super) enum Keep {
    /// In this folder, under the setting's name.
    Folder(PathBuf),
    /// Nowhere: it must be set.
    Nowhere,
}

/// Result of looking for a secret.
enum Found {
    Secret(String),
    /// It does not exist yet, and would be created here.
    Missing(PathBuf),
}

impl Secrets {
    /// Takes the secrets from the settings, otherwise from the data folder, where missing ones are created.
    pub(super) fn load(settings: &Settings, keep: &Keep) -> Result<Self, SettingError> {
        let secrets = Self {
            jwt: load(JWT, settings, keep)?,
            cookie: load(COOKIE, settings, keep)?,
            metrics: settings.get("metrics_token").map(|(token, _)| token.to_owned()),
        };
        check_lengths(settings, Some(&secrets.cookie))?;
        Ok(secrets)
    }

    /// Looks for the secrets as [`Secrets::load`] does, and creates none; returns the keys of those that are missing.
    pub(super) fn check(settings: &Settings, keep: &Keep) -> Result<Vec<&'static str>, SettingError> {
        let (jwt, cookie) = (find(JWT, settings, keep)?, find(COOKIE, settings, keep)?);
        check_lengths(settings, cookie.secret())?;
        let found = [(JWT.0, jwt), (COOKIE.0, cookie)].into_iter();
        Ok(found.filter(|(_, found)| found.secret().is_none()).map(|(key, _)| key).collect())
    }
}

/// Returns the secret that signs JWTs, if it exists and can be read.
pub(super) fn jwt_secret(settings: &Settings, keep: &Keep) -> Option<String> {
    find(JWT, settings, keep).ok().and_then(|found| found.secret().map(str::to_owned))
}

impl Keep {
    /// Returns the files that hold the secrets, whether they exist or not.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        match self {
            Self::Folder(folder) => [JWT, COOKIE].map(|(key, _)| folder.join(key)).to_vec(),
            Self::Nowhere => Vec::new(),
        }
    }
}

impl Found {
    fn secret(&self) -> Option<&str> {
        match self {
            Self::Secret(secret) => Some(secret),
            Self::Missing(_) => None,
        }
    }
}

fn check_lengths(settings: &Settings, cookie: Option<&str>) -> Result<(), SettingError> {
    let source = |key| settings.get(key).map_or(super::Source::File, |(_, source)| source);
    if settings.get("metrics_token").is_some_and(|(token, _)| token.len() < MIN_METRICS_TOKEN) {
        return Err(malformed("metrics_token", "at least 16 characters long", "", source("metrics_token")));
    }
    if cookie.is_some_and(|secret| secret.len() < MIN_COOKIE_SECRET) {
        return Err(malformed("cookie_secret", "at least 32 characters long", "", source("cookie_secret")));
    }
    Ok(())
}

fn load(names: Names, settings: &Settings, keep: &Keep) -> Result<String, SettingError> {
    match find(names, settings, keep)? {
        Found::Secret(secret) => Ok(secret),
        Found::Missing(path) => make_or_read(&path),
    }
}

fn find((key, env): Names, settings: &Settings, keep: &Keep) -> Result<Found, SettingError> {
    match (settings.get(key), keep) {
        (Some((value, _)), _) => Ok(Found::Secret(value.to_owned())),
        (None, Keep::Nowhere) => Err(SettingError::Missing { name: env, reason: WITH_POSTGRES, example: EXAMPLE }),
        (None, Keep::Folder(folder)) => {
            let path = folder.join(key);
            match read(&path) {
                Ok(secret) => Ok(Found::Secret(secret)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Found::Missing(path)),
                Err(error) => Err(unusable_file(&path, &error)),
            }
        }
    }
}

fn make_or_read(path: &Path) -> Result<String, SettingError> {
    let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
    let secret = folder.and_then(|()| match make(path) {
        // Another process was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => read(path),
        made => made,
    });
    secret.map_err(|error| unusable_file(path, &error))
}

fn read(path: &Path) -> io::Result<String> {
    let secret = fs::read_to_string(path)?.trim().to_owned();
    if secret.is_empty() {
        return Err(io::Error::other("is empty; delete it and a new secret is made"));
    }
    Ok(secret)
}

fn unusable_file(path: &Path, error: &io::Error) -> SettingError {
    let whose = match error.kind() {
        io::ErrorKind::PermissionDenied => "; run this as the server's user, to whom it has to belong",
        _ => "",
    };
    SettingError::SecretFile { path: path.display().to_string(), reason: format!("{error}{whose}") }
}

/// Writes a new secret to a file that must not exist yet. The file appears complete or not at all.
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
    // A link, not a rename: if two processes start together, the second must not replace the secret of the first.
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
        assert_eq!(Secrets::check(&Settings::default(), &keep), Ok(vec!["jwt_secret", "cookie_secret"]));
        assert!(!folder.path().join("data").exists(), "a check makes nothing");
        let first = Secrets::load(&Settings::default(), &keep).unwrap();
        let second = Secrets::load(&Settings::default(), &keep).unwrap();
        assert_eq!((&first.jwt, &first.cookie), (&second.jwt, &second.cookie));
        assert_eq!(Secrets::check(&Settings::default(), &keep), Ok(vec![]));
        assert!(first.jwt != first.cookie && first.jwt.len() >= 64);
        let mode = fs::metadata(folder.path().join("data/jwt_secret")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path().join("data")).unwrap().count(), 2);
    }

    #[test]
    fn a_file_that_cannot_be_used_is_named_as_what_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let keep = Keep::Folder(folder.path().to_owned());
        // Root may read every file, but even root cannot read a folder as a file.
        fs::create_dir(folder.path().join("jwt_secret")).unwrap();
        let expected = format!("the secret's file {}/jwt_secret: ", folder.path().display());
        for error in
            [Secrets::load(&Settings::default(), &keep).err(), Secrets::check(&Settings::default(), &keep).err()]
        {
            let error = error.unwrap().to_string();
            assert!(error.starts_with(&expected), "{error}");
        }
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
