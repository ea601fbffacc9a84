//! Checks of the guides' statements about refused sockets.

const SIGNED_JWTS: &str = include_str!("../../docs/signed-jwts.md");
const MONITORING: &str = include_str!("../../docs/monitoring.md");
const FORBIDDEN: &str = include_str!("../../src/web/forbidden.rs");

/// The texts of all reasons, from the function that returns them.
fn reasons() -> Vec<&'static str> {
    let (_, function) = FORBIDDEN.split_once("pub fn reason(self)").unwrap();
    let (function, _) = function.split_once("\n    }\n").unwrap();
    let reasons = function.lines().filter_map(|line| line.split_once("=> \"")?.1.strip_suffix("\","));
    reasons.collect()
}

#[test]
fn every_reason_has_advice_in_the_guide_and_is_among_the_labels() {
    let reasons = reasons();
    assert!(reasons.len() > 20, "{reasons:?}");
    for reason in &reasons {
        assert!(SIGNED_JWTS.contains(&format!("\n| `{reason}`")), "{reason} has no row in docs/signed-jwts.md");
        assert!(MONITORING.contains(&format!("`{reason}`")), "{reason} is missing in docs/monitoring.md");
    }
    let (_, table) = SIGNED_JWTS.split_once("\n## Refusals\n").unwrap();
    assert_eq!(table.matches("\n| `").count(), reasons.len(), "rows for reasons that there are");
}
