//! Policies of applications: what they demand of those who connect.

use super::{applications::RESOURCE, origins, record};
use crate::store::{
    self, Transaction,
    application_policies::{self, Policy},
    applications,
    audit::{Actor, Differences},
};

/// Maximum number of entries in a list.
pub const MAX_ENTRIES: usize = 100;

/// Maximum length of an entry, in bytes.
const MAX_ENTRY_BYTES: usize = 255;

/// A policy whose lists were checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedPolicy(Policy);

/// Error: an entry of a list is not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongEntry {
    /// The column of the list.
    pub field: &'static str,
    /// Message for people, to stand behind the name of the field.
    pub message: String,
}

impl CheckedPolicy {
    /// Checks the lists of a policy, and writes each entry in one way. Blanks around an entry, and lines without one, are left
    /// out.
    ///
    /// # Errors
    ///
    /// The first wrong entry of each list.
    pub fn check(policy: Policy) -> Result<Self, Vec<WrongEntry>> {
        let topics = checked("named_topics", &policy.named_topics, |pattern| {
            if pattern.chars().any(char::is_control) {
                Err("must be the name of a topic")
            } else {
                Ok(pattern.to_owned())
            }
        });
        let origins = checked("allowed_origins", &policy.allowed_origins, |origin| {
            origins::parse(origin).ok_or("must be an origin such as https://example.com or https://*.example.com")
        });
        match (topics, origins) {
            (Ok(named_topics), Ok(allowed_origins)) => Ok(Self(Policy { named_topics, allowed_origins, ..policy })),
            (topics, origins) => Err([topics, origins].into_iter().filter_map(Result::err).collect()),
        }
    }
}

fn checked(
    field: &'static str,
    list: &str,
    check: impl Fn(&str) -> Result<String, &'static str>,
) -> Result<String, WrongEntry> {
    let wrong = |message| WrongEntry { field, message };
    let mut entries = Vec::new();
    for entry in list.lines().map(str::trim).filter(|entry| !entry.is_empty()) {
        if entries.len() == MAX_ENTRIES {
            return Err(wrong(format!("can have at most {MAX_ENTRIES} entries")));
        }
        if entry.len() > MAX_ENTRY_BYTES {
            return Err(wrong(format!("can have entries of at most {MAX_ENTRY_BYTES} bytes")));
        }
        entries.push(check(entry).map_err(|message| wrong(format!("has the entry {entry:?}, which {message}")))?);
    }
    Ok(entries.join("\n"))
}

/// Changes the policy of an application to what `change` makes of it. Returns it, and whether anything changed. New demands
/// hold for sockets that are opened from then on; no longer accepting signed JWTs closes the sockets that were opened with one.
///
/// # Errors
///
/// [`store::Error::NotFound`] when there is no such application, and those of `change`.
pub async fn update<E: From<store::Error>>(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    id: i32,
    change: impl FnOnce(Policy) -> Result<CheckedPolicy, E>,
) -> Result<(Policy, bool), E> {
    // Of two changes at once, the second is made of what the first left.
    applications::lock(tx, id).await?;
    let before = application_policies::find(tx, id).await?.policy;
    let CheckedPolicy(new) = change(before.clone())?;
    let mut differences = Differences::default();
    for ((column, old), (_, new)) in before.columns().into_iter().zip(new.columns()) {
        differences.column(column, Some(&old), Some(&new));
    }
    if differences.is_empty() {
        return Ok((new, false));
    }
    application_policies::set(tx, id, &new).await?;
    record(tx, actor, "update", (RESOURCE, id), &differences).await?;
    Ok((new, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(named_topics: &str, allowed_origins: &str) -> Result<(String, String), Vec<&'static str>> {
        let [named_topics, allowed_origins] = [named_topics, allowed_origins].map(str::to_owned);
        let checked = CheckedPolicy::check(Policy { named_topics, allowed_origins, ..Policy::NONE });
        let fields = |wrong: Vec<WrongEntry>| wrong.into_iter().map(|wrong| wrong.field).collect();
        checked.map(|CheckedPolicy(policy)| (policy.named_topics, policy.allowed_origins)).map_err(fields)
    }

    #[test]
    fn lists_are_written_in_one_way_or_refused() {
        let (topics, origins) = check(" private-* \r\n\n presence-*", "HTTPS://Example.com:443\n").unwrap();
        assert_eq!((topics.as_str(), origins.as_str()), ("private-*\npresence-*", "https://example.com"));
        assert_eq!(check("", ""), Ok(Default::default()));
        let many = "t\n".repeat(MAX_ENTRIES + 1);
        let long = "t".repeat(MAX_ENTRY_BYTES + 1);
        for (topics, origins, fields) in [
            (many.as_str(), "", &["named_topics"][..]),
            (&long, "", &["named_topics"]),
            ("a\u{7}b", "", &["named_topics"]),
            ("", "example.com", &["allowed_origins"]),
            (&long, "*", &["named_topics", "allowed_origins"]),
        ] {
            assert_eq!(check(topics, origins), Err(fields.to_vec()), "{topics} {origins}");
        }
    }
}
