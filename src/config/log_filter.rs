//! Values of `PUSHER_LITE_LOG`. The library takes every word for a target, so that a misspelt level logs nothing at
//! all.

use tracing_subscriber::EnvFilter;

/// Completes "must be …".
pub(super) const EXPECTED: &str = "a level (error, warn, info, debug, trace or off), or a tracing filter such as \
    info,pusher_lite::mail=debug";

const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];

/// The crates that write to the log: this server's, and libraries of it.
const TARGETS: [&str; 15] = [
    "pusher_lite",
    "pusher_lite_protocol",
    "bb8",
    "diesel",
    "diesel_async",
    "h2",
    "hyper",
    "hyper_util",
    "lettre",
    "mio",
    "rustls",
    "tokio",
    "tokio_postgres",
    "tokio_tungstenite",
    "tungstenite",
];

/// Returns the filter, if it logs anything or says `off`.
pub(super) fn parse(text: &str) -> Option<String> {
    EnvFilter::try_new(text).ok()?;
    let directives = directives(text);
    let words_are_known = directives.iter().filter(|word| !word.contains(['=', '['])).all(|word| is_known(word));
    let says_something = directives.iter().any(|directive| is_known(directive));
    (words_are_known && says_something).then(|| text.to_owned())
}

/// Returns true if it is a level for everything, or for a target that exists.
fn is_known(directive: &str) -> bool {
    let target = directive.split(['=', '[']).next().unwrap_or_default().trim();
    let is_for_all = directive.starts_with('[');
    let root = target.split("::").next().unwrap_or_default();
    is_for_all || LEVELS.iter().any(|level| level.eq_ignore_ascii_case(directive)) || TARGETS.contains(&root)
}

/// Splits the text at commas, except commas between the fields of a span.
fn directives(text: &str) -> Vec<&str> {
    let mut depth = 0;
    let parts = text.split(|character| {
        match character {
            '[' | '{' => depth += 1,
            ']' | '}' => depth -= 1,
            _ => {}
        }
        depth == 0 && character == ','
    });
    parts.map(str::trim).filter(|directive| !directive.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_logs_something_is_taken() {
        for good in [
            "info",
            "INFO",
            "off",
            "warn,pusher_lite=debug",
            "pusher_lite",
            "pusher_lite::mail=trace",
            "info,my_proxy=debug",
            "[request]=debug",
            "pusher_lite[request{id=1}]=trace",
        ] {
            assert_eq!(parse(good).as_deref(), Some(good));
        }
    }

    #[test]
    fn one_that_nothing_comes_of_is_not() {
        for bad in
            ["verbose", "quiet", "informational", "debg,hyper=off", "info,verbose", "ExPusherLite=debug", "=", ","]
        {
            assert_eq!(parse(bad), None, "{bad}");
        }
        assert_eq!(parse("pusher_lite=verbose"), None);
    }
}
