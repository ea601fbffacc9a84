//! Passwords, hashed by bcrypt as Comeonin does it: the original's hashes are verified, and it can verify ours.

use std::sync::LazyLock;

use tokio::{sync::Semaphore, task::spawn_blocking};

/// The work factor of new hashes: each hash takes some 250 ms of a core. What Comeonin uses, and OWASP's minimum is 10.
const COST: u32 = 12;

/// Fewest characters of a new password.
pub const MIN_CHARACTERS: usize = 8;
/// bcrypt uses 72 bytes of a password and ignores the rest.
pub const MAX_BYTES: usize = 72;

/// A hash like any other, of a password that nobody knows: what is compared when there is no user.
const NOBODY: &str = "$2b$12$P/Dm0Y30ZZFM3XHm4kWZ9uR6qt5OIoBt0t.UCMslNKA5eUPYhbLOi";

/// A password cannot be hashed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Longer than [`MAX_BYTES`]: what comes after would not count, without a word about it.
    #[error("a password may have at most {MAX_BYTES} bytes")]
    TooLong,
    /// The operating system has no random numbers, or the server is shutting down.
    #[error("the password could not be hashed")]
    Failed,
}

/// Hashes a password, as `$2b$12$…`, on a thread of its own.
///
/// # Errors
///
/// [`Error::TooLong`] for more than [`MAX_BYTES`] bytes.
pub async fn hash(password: &str) -> Result<String, Error> {
    if password.len() > MAX_BYTES {
        return Err(Error::TooLong);
    }
    let password = password.to_owned();
    let hashed = in_turn(move || bcrypt::hash_with_result(password, COST)).await;
    let parts = hashed.ok_or(Error::Failed)?.map_err(|_| Error::Failed)?;
    Ok(parts.format_for_version(bcrypt::Version::TwoB))
}

/// Whether the password belongs to the hash (`$2a$`, `$2b$`, `$2y$`), found out on a thread of its own.
///
/// Without a hash it does not, but it takes as long: the time does not tell whether there is such a user.
pub async fn verify(password: &str, hash: Option<&str>) -> bool {
    let is_somebody = hash.is_some();
    let (password, hash) = (password.to_owned(), hash.unwrap_or(NOBODY).to_owned());
    let verified = in_turn(move || bcrypt::verify(password, &hash)).await;
    is_somebody && matches!(verified, Some(Ok(true)))
}

/// Whether a hash was made with less work than new ones are: worth replacing once the password is known.
pub fn is_outdated(hash: &str) -> bool {
    let cost =
        hash.strip_prefix("$2").and_then(|rest| rest.split('$').nth(1)).and_then(|cost| cost.parse::<u32>().ok());
    cost.is_none_or(|cost| cost < COST)
}

/// Runs the work on a blocking thread, on as many at once as there are cores: more would only slow down all else.
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

    /// On the task's own thread the work would be done when it is first looked at.
    #[tokio::test]
    async fn the_work_is_left_to_another_thread() {
        assert!(hash("password").now_or_never().is_none());
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
    async fn a_new_hash_is_salted_and_verifies_its_password() {
        let (first, second) = (hash("pässword").await.unwrap(), hash("pässword").await.unwrap());
        assert!(first.starts_with("$2b$12$") && first.len() == 60);
        assert_ne!(first, second);
        assert!(verify("pässword", Some(&first)).await);
        assert!(matches!(hash(&"x".repeat(73)).await, Err(Error::TooLong)));
    }
}
