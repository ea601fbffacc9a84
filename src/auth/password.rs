//! Passwords, hashed by bcrypt as Comeonin does it: the original's hashes are verified, and it can verify ours.

use std::{fmt, sync::LazyLock};

use tokio::{sync::Semaphore, task::spawn_blocking};

/// The work factor of new hashes: each hash takes some 250 ms of a core. Comeonin uses the same, and OWASP's minimum is
/// 10.
const COST: u32 = 12;

/// Minimum length of a new password, in characters.
const MIN_CHARACTERS: usize = 8;
/// Maximum length of a password: bcrypt uses 72 bytes and ignores the rest.
const MAX_BYTES: usize = 72;

/// A hash like any other, of an unknown password: verified when there is no user.
const NOBODY: &str = "$2b$12$P/Dm0Y30ZZFM3XHm4kWZ9uR6qt5OIoBt0t.UCMslNKA5eUPYhbLOi";

/// Error when hashing a password.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The password is longer than 72 bytes: bcrypt would silently ignore the rest.
    #[error("a password may have at most {MAX_BYTES} bytes")]
    TooLong,
    /// The operating system has no random numbers, or the server is shutting down.
    #[error("the password could not be hashed")]
    Failed,
}

/// A password that meets the rules for new ones. Only [`NewPassword::check`] makes one.
#[derive(Clone, PartialEq, Eq)]
pub struct NewPassword(String);

/// Reason why a text may not be a new password, as the end of a sentence that begins with "The password".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsuitable {
    /// It has too few characters.
    #[error("should be at least {MIN_CHARACTERS} characters")]
    TooShort,
    /// It has more bytes than bcrypt uses.
    #[error("should be at most {MAX_BYTES} bytes")]
    TooLong,
}

/// The bcrypt hash of a new password. Operations that set a password take this, so that none can set an unchecked one.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

/// A password that was typed and found to belong to a hash. Only [`prove`] makes one.
///
/// The account may have another password by the time this is used: a transaction that relies on it compares the hash with the
/// stored one.
#[derive(Clone)]
pub struct ProvenPassword {
    typed: String,
    hash: String,
}

impl NewPassword {
    /// Checks a text against the rules for new passwords: at least 8 characters, and at most 72 bytes.
    ///
    /// # Errors
    ///
    /// [`Unsuitable`].
    pub fn check(typed: &str) -> Result<Self, Unsuitable> {
        if typed.chars().count() < MIN_CHARACTERS {
            return Err(Unsuitable::TooShort);
        }
        if typed.len() > MAX_BYTES { Err(Unsuitable::TooLong) } else { Ok(Self(typed.to_owned())) }
    }

    /// Hashes the password. That takes some 250 ms on a thread of its own: too long within a transaction.
    ///
    /// # Errors
    ///
    /// [`Error::Failed`].
    pub async fn hash(&self) -> Result<PasswordHash, Error> {
        rehash(&self.0).await.map(PasswordHash)
    }
}

/// Omits the password.
impl fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewPassword").finish_non_exhaustive()
    }
}

impl PasswordHash {
    /// Returns the hash as the database keeps it: `$2b$12$…`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Omits the hash.
impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordHash").finish_non_exhaustive()
    }
}

impl ProvenPassword {
    /// Returns true if this is the hash that the password was found to belong to. Another hash may belong to the same
    /// password, when it was hashed again meanwhile: [`prove`] tells.
    pub fn is_of(&self, hash: Option<&str>) -> bool {
        hash == Some(self.hash.as_str())
    }

    /// Returns the hash.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Hashes the password again if the hash was made with less work than new ones are. Returns `None` if it was not, or
    /// if the password has more bytes than bcrypt uses, which is no reason to refuse it now.
    ///
    /// # Errors
    ///
    /// [`Error::Failed`].
    pub async fn improved(&self) -> Result<Option<Self>, Error> {
        if !is_outdated(&self.hash) {
            return Ok(None);
        }
        match rehash(&self.typed).await {
            Ok(hash) => Ok(Some(Self { typed: self.typed.clone(), hash })),
            Err(Error::TooLong) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Omits the password and its hash.
impl fmt::Debug for ProvenPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProvenPassword").finish_non_exhaustive()
    }
}

/// Returns the password if it belongs to the hash, as [`verify`] finds.
pub async fn prove(typed: &str, hash: Option<&str>) -> Option<ProvenPassword> {
    let is_right = verify(typed, hash).await;
    hash.filter(|_| is_right).map(|hash| ProvenPassword { typed: typed.to_owned(), hash: hash.to_owned() })
}

/// Hashes a password that an account has already, as `$2b$12$…`, on a thread of its own. The rules for new passwords do
/// not apply to it.
///
/// # Errors
///
/// [`Error::TooLong`] for more than 72 bytes.
async fn rehash(password: &str) -> Result<String, Error> {
    if password.len() > MAX_BYTES {
        return Err(Error::TooLong);
    }
    let password = password.to_owned();
    let hashed = in_turn(move || bcrypt::hash_with_result(password, COST)).await;
    let parts = hashed.ok_or(Error::Failed)?.map_err(|_| Error::Failed)?;
    Ok(parts.format_for_version(bcrypt::Version::TwoB))
}

/// Returns true if the password belongs to the hash (`$2a$`, `$2b$`, `$2y$`). The work runs on a thread of its own.
///
/// Without a hash the result is false, but it takes as long: the time does not tell whether there is such a user.
pub async fn verify(password: &str, hash: Option<&str>) -> bool {
    let is_somebody = hash.is_some();
    let (password, hash) = (password.to_owned(), hash.unwrap_or(NOBODY).to_owned());
    let verified = in_turn(move || bcrypt::verify(password, &hash)).await;
    is_somebody && matches!(verified, Some(Ok(true)))
}

/// Returns true if a hash was made with less work than new ones are: worth replacing once the password is known.
fn is_outdated(hash: &str) -> bool {
    let cost =
        hash.strip_prefix("$2").and_then(|rest| rest.split('$').nth(1)).and_then(|cost| cost.parse::<u32>().ok());
    cost.is_none_or(|cost| cost < COST)
}

/// Runs the work on a blocking thread. As many run at the same time as there are cores: more would only slow down
/// everything else.
async fn in_turn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    static TURNS: LazyLock<Semaphore> =
        LazyLock::new(|| Semaphore::new(std::thread::available_parallelism().map_or(1, usize::from)));

    let _turn = TURNS.acquire().await.ok()?;
    spawn_blocking(work).await.ok()
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    /// On the task's own thread the work would be done at the first poll.
    #[tokio::test]
    async fn the_work_is_left_to_another_thread() {
        assert!(rehash("password").now_or_never().is_none());
        assert!(verify("password", None).now_or_never().is_none());
    }

    #[tokio::test]
    async fn hashes_of_the_original_are_verified() {
        for hash in [
            "$2b$12$5fZJXWCMrb7V1WDhqwabm.0pPuVHB9/DEMDMer2zuI/70L44HxZ46",
            "$2b$10$PCt1QQE/dEd/U7HxBjcPnu2Uw44E08zkRVY/lUM24YfK7d3NsIQMO",
            "$2a$10$PCt1QQE/dEd/U7HxBjcPnu2Uw44E08zkRVY/lUM24YfK7d3NsIQMO",
        ] {
            assert!(verify("password", Some(hash)).await, "{hash}");
            assert!(!verify("Password", Some(hash)).await, "{hash}");
        }
    }

    #[tokio::test]
    async fn what_is_no_hash_verifies_nothing() {
        for hash in [Some(""), Some("password"), Some("$2b$12$short"), Some("$1$x$y"), None] {
            assert!(!verify("password", hash).await, "{hash:?}");
        }
        assert!(bcrypt::verify("", NOBODY).is_ok(), "the hash of nobody is one");
    }

    #[test]
    fn hashes_of_lower_cost_are_outdated() {
        for (hash, outdated) in [
            ("$2b$10$PCt1QQE/dEd/U7HxBjcPnu2Uw44E08zkRVY/lUM24YfK7d3NsIQMO", true),
            ("$2a$04$PCt1QQE/dEd/U7HxBjcPnu2Uw44E08zkRVY/lUM24YfK7d3NsIQMO", true),
            (NOBODY, false),
            ("$2b$14$PCt1QQE/dEd/U7HxBjcPnu2Uw44E08zkRVY/lUM24YfK7d3NsIQMO", false),
        ] {
            assert_eq!(is_outdated(hash), outdated, "{hash}");
        }
    }

    #[tokio::test]
    async fn a_proven_password_gets_a_better_hash_once() {
        let old = "$2b$10$PCt1QQE/dEd/U7HxBjcPnu2Uw44E08zkRVY/lUM24YfK7d3NsIQMO";
        assert!(prove("Password", Some(old)).await.is_none());
        let proven = prove("password", Some(old)).await.unwrap();
        assert!(proven.is_of(Some(old)) && !proven.is_of(Some(NOBODY)) && !proven.is_of(None));
        let better = proven.improved().await.unwrap().unwrap();
        assert!(verify("password", Some(better.hash())).await && !better.is_of(Some(old)));
        assert!(better.improved().await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_new_hash_is_salted_and_verifies_its_password() {
        let password = NewPassword::check("pässword").unwrap();
        let (first, second) = (password.hash().await.unwrap(), password.hash().await.unwrap());
        assert!(first.as_str().starts_with("$2b$12$") && first.as_str().len() == 60);
        assert_ne!(first, second);
        assert!(verify("pässword", Some(first.as_str())).await);
        assert!(matches!(rehash(&"x".repeat(73)).await, Err(Error::TooLong)));
    }

    #[test]
    fn a_new_password_has_enough_characters_and_no_more_bytes_than_count() {
        for (typed, expected) in [
            ("", Some(Unsuitable::TooShort)),
            ("1234567", Some(Unsuitable::TooShort)),
            ("üüüüüüü", Some(Unsuitable::TooShort)),
            ("12345678", None),
            ("üüüüüüüü", None),
            (&"x".repeat(72), None),
            (&"x".repeat(73), Some(Unsuitable::TooLong)),
            (&"ü".repeat(37), Some(Unsuitable::TooLong)),
        ] {
            assert_eq!(NewPassword::check(typed).err(), expected, "{typed}");
        }
        assert_eq!(Unsuitable::TooShort.to_string(), "should be at least 8 characters");
        assert_eq!(Unsuitable::TooLong.to_string(), "should be at most 72 bytes");
    }
}
