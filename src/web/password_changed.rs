//! Messages after a change of a password: they name the API tokens that stay valid.

use crate::operations::accounts::{RemainingTokens, TOKENS};

/// Maximum number of tokens in a message of a page.
const NAMED: usize = 5;

/// Returns the path to sign in, which leads, if there are tokens, to the page on which they are ended.
pub(super) fn sign_in_path(remaining: &RemainingTokens) -> String {
    if remaining.0.is_empty() {
        return "/sessions/new".to_owned();
    }
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("return_to", TOKENS).finish();
    format!("/sessions/new?{query}")
}

/// Returns the message of a page, as additional sentences; empty when there are none.
pub(super) fn sentence(remaining: &RemainingTokens) -> String {
    let named: Vec<&str> =
        remaining.0.iter().map(String::as_str).filter(|ending| !ending.is_empty()).take(NAMED).collect();
    let (count, named) = (remaining.0.len(), named.join(", "));
    match count {
        0 => String::new(),
        1 if named.is_empty() => " One API token stays valid; end it under Tokens if others may have it.".to_owned(),
        1 => format!(" The API token ending in {named} stays valid; end it under Tokens if others may have it."),
        _ if named.is_empty() => {
            format!(" {count} API tokens stay valid; end them under Tokens if others may have them.")
        }
        _ => {
            let more = if count > NAMED { " and others" } else { "" };
            format!(
                " {count} API tokens stay valid, ending in {named}{more}; end them under Tokens if others may have \
                 them."
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_named_and_not_too_many() {
        let said = |count: usize| sentence(&RemainingTokens((0..count).map(|i| format!("tok{i}")).collect()));
        assert_eq!(said(0), "");
        assert!(said(1).contains("ending in tok0 stays valid"));
        assert!(said(2).contains("2 API tokens stay valid, ending in tok0, tok1;"));
        assert!(said(1000).contains("1000 API tokens") && said(1000).contains("tok4 and others;"));
        assert!(sentence(&RemainingTokens(vec![String::new()])).contains("One API token"));
    }
}
