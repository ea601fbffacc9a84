//! Query strings and form bodies: exactly the well-formed ones are read, with the same result as other readers have.

use std::collections::HashMap;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Map, Value};

use super::{Params, nested, percent};

/// The limit on the depth of a parameter: `a[b][c]` has depth 3.
const MAX_DEPTH: usize = 32;

/// Reads a query; returns `None` if it has to be refused.
pub(crate) fn check(query: &str) -> Option<Params> {
    let is_sound = has_whole_escapes(query) && percent_decode_str(query).decode_utf8().is_ok();
    match Params::from_query(query) {
        Ok(params) => {
            assert!(is_sound, "took for a query: {query}");
            check_tree(query, &tree(&params));
            Some(params)
        }
        Err(error) => {
            assert!(!is_sound || is_too_large(query), "refused: {error}");
            assert_eq!(error.status(), 400);
            assert!(error.to_string().len() < 100, "an error that may quote the query: {error}");
            None
        }
    }
}

/// Checks that any text comes back from a name, a value or a segment of a path that was encoded in one way or the
/// other.
pub(crate) fn check_text(text: &str) {
    let escaped = utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let form: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
    assert_eq!(percent::decode_form(&escaped).expect("it is encoded"), text);
    assert_eq!(percent::decode_form(&form).expect("it is encoded"), text);
    match percent::decode_segment(&escaped) {
        Ok(segment) => assert_eq!(segment, text),
        Err(error) => assert!(text.contains('\0'), "{error}"),
    }
}

fn has_whole_escapes(query: &str) -> bool {
    let mut pieces = query.split('%').map(str::as_bytes);
    pieces.next();
    pieces.all(|piece| piece.len() >= 2 && piece[..2].iter().all(u8::is_ascii_hexdigit))
}

fn is_too_large(query: &str) -> bool {
    let decoded = percent_decode_str(query).decode_utf8_lossy();
    query.split('&').count() > nested::MAX_PAIRS || decoded.matches("][").count() + 2 > MAX_DEPTH
}

/// Returns the parameters as the JSON object that is made of them.
fn tree(params: &Params) -> Map<String, Value> {
    let object = params.object_without(&[]);
    serde_json::from_str(object.get()).unwrap_or_else(|error| panic!("{object}: {error}"))
}

fn check_tree(query: &str, tree: &Map<String, Value>) {
    let object = Value::Object(tree.clone());
    assert!(depth(&object) <= MAX_DEPTH);
    assert!(object.to_string().len() <= 8 * (query.len() + 1), "{} bytes became {object}", query.len());
    for (name, value) in plain_values(query) {
        assert_eq!(tree[&name], value, "{name}");
    }
    let again = Params::from_query(&encode(tree)).expect("it is encoded");
    assert_eq!(self::tree(&again), *tree);
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// Returns the values of those names that are not nested, as the URL standard reads them; `null` if there is no `=`,
/// even if there is nothing else.
fn plain_values(query: &str) -> HashMap<String, Value> {
    let mut values = HashMap::new();
    for pair in query.split('&').filter(|_| !query.is_empty()) {
        let (name, value) = form_urlencoded::parse(pair.as_bytes()).next().unwrap_or_default();
        match name.split_once('[').filter(|_| name.ends_with(']')) {
            Some((first, _)) => values.remove(first),
            None => {
                let value = pair.contains('=').then(|| value.into_owned());
                values.insert(name.into_owned(), Value::from(value))
            }
        };
    }
    values
}

/// Returns the query for the contents of `tree`.
fn encode(tree: &Map<String, Value>) -> String {
    let mut pairs = Vec::new();
    tree.iter().for_each(|(name, value)| push_pairs(&mut pairs, name, value));
    // The empty query has no name at all, not even the empty one.
    if pairs == [""] { "&".to_owned() } else { pairs.join("&") }
}

fn push_pairs(pairs: &mut Vec<String>, name: &str, value: &Value) {
    let escaped = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
    match value {
        Value::Array(items) if items.is_empty() => pairs.push(format!("{}[]", escaped(name))),
        Value::Array(items) => items.iter().for_each(|item| push_pairs(pairs, &format!("{name}[]"), item)),
        Value::Object(members) => {
            members.iter().for_each(|(key, value)| push_pairs(pairs, &format!("{name}[{key}]"), value));
        }
        Value::Null => pairs.push(escaped(name).to_string()),
        Value::String(text) => pairs.push(format!("{}={}", escaped(name), escaped(text))),
        other => panic!("a query of {other}"),
    }
}
