//! Refused connects of each application, for its console.

use std::{collections::VecDeque, convert::Infallible, sync::Arc};

use chrono::{NaiveDateTime, SubsecRound, Utc};
use parking_lot::Mutex;
use quick_cache::sync::Cache;

/// Maximum number of refusals of one application.
const PER_APPLICATION: usize = 20;

/// Maximum number of keys. Those that no application has are among them, and are the first to go.
const KEYS: usize = 1000;

/// Maximum length of a key, in bytes: that of its column.
const MAX_KEY: usize = 255;

/// Maximum length of a text that a client chose, in bytes.
const MAX_TEXT: usize = 100;

/// The last refused connects of each application, while the server runs. They hold no JWT.
#[derive(Debug)]
pub struct RecentRefusals(Cache<String, Arc<Mutex<VecDeque<RecentRefusal>>>>);

/// A refused connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecentRefusal {
    /// Time of the refusal.
    pub at: NaiveDateTime,
    /// The reason, with its details.
    pub reason: String,
    /// Advice to the developer of the client.
    pub advice: &'static str,
    /// Address of the client.
    pub ip: String,
    /// Origin of the page, if it was one.
    pub origin: Option<String>,
    /// The name that the client chose.
    pub unique_identifier: Option<String>,
}

impl Default for RecentRefusals {
    fn default() -> Self {
        Self(Cache::new(KEYS))
    }
}

impl RecentRefusals {
    /// Adds a refusal to those of the key, the texts cut. The oldest goes when there are too many. The database is not asked
    /// for the application: refused clients must not cost more than others.
    pub(super) fn note(&self, app_key: &str, refusal: RecentRefusal) {
        if app_key.len() > MAX_KEY {
            return;
        }
        let cut = |text: Option<String>| {
            text.map(|mut text| {
                text.truncate(text.floor_char_boundary(MAX_TEXT));
                text
            })
        };
        let RecentRefusal { origin, unique_identifier, .. } = refusal;
        let refusal = RecentRefusal { origin: cut(origin), unique_identifier: cut(unique_identifier), ..refusal };
        let Ok(all) = self.0.get_or_insert_with(app_key, || Ok::<_, Infallible>(Arc::default()));
        let mut all = all.lock();
        all.truncate(PER_APPLICATION - 1);
        all.push_front(refusal);
    }

    /// Returns the refusals of an application, the newest first.
    pub(super) fn of(&self, app_key: &str) -> Vec<RecentRefusal> {
        self.0.get(app_key).map(|all| all.lock().iter().cloned().collect()).unwrap_or_default()
    }
}

/// Returns the time of a refusal now, to the second.
pub(super) fn now() -> NaiveDateTime {
    Utc::now().naive_utc().trunc_subsecs(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept_and_their_texts_cut() {
        let recent = RecentRefusals::default();
        for number in 0..PER_APPLICATION + 5 {
            let (ip, long) = (number.to_string(), Some("ä".repeat(MAX_TEXT)));
            let refusal = RecentRefusal {
                at: now(),
                reason: "bad signature".to_owned(),
                advice: "",
                ip,
                origin: long.clone(),
                unique_identifier: long,
            };
            recent.note("key", refusal.clone());
            recent.note(&"k".repeat(MAX_KEY + 1), refusal);
        }
        let kept = recent.of("key");
        assert_eq!((kept.len(), kept[0].ip.as_str(), kept[19].ip.as_str()), (20, "24", "5"));
        assert_eq!(kept[0].origin.as_ref().map(String::len), Some(MAX_TEXT));
        assert!(recent.of("other").is_empty() && recent.0.len() == 1);
    }
}
