//! Nested parameters as Plug writes them: `a[b]=c` is `{"a":{"b":"c"}}`, `a[]=1&a[]=2` is `{"a":["1","2"]}`.

use serde_json::{Map, Value};

use super::{Error, percent::decode_form};

/// So many `name=value` pairs are read from one query, form or multipart body.
pub(super) const MAX_PAIRS: usize = 10_000;
/// `a[b][c]` has depth 3.
const MAX_DEPTH: usize = 32;

/// Decodes `a=1&b[c]=2`, a query string or a form body. A name without `=` gets `null`, as in Plug; what is behind the
/// last `&` of `a=1&` is such a name, an empty one.
pub(super) fn decode_pairs(encoded: &str) -> Result<Map<String, Value>, Error> {
    let mut tree = Map::new();
    if encoded.is_empty() {
        return Ok(tree);
    }
    for (count, pair) in encoded.split('&').enumerate() {
        check_count(count)?;
        let (name, value) = match pair.split_once('=') {
            Some((name, value)) => (name, Value::String(decode_form(value)?)),
            None => (pair, Value::Null),
        };
        insert(&mut tree, &decode_form(name)?, value)?;
    }
    Ok(tree)
}

/// Refuses the pair at position `count` when that is too many.
pub(super) fn check_count(count: usize) -> Result<(), Error> {
    if count < MAX_PAIRS {
        return Ok(());
    }
    Err(Error::bad_request(format!("more than {MAX_PAIRS} parameters")))
}

/// Puts `value` where `name` says. Where that contradicts what is there (`a=1&a[b]=2`), the later one stays.
pub(super) fn insert(tree: &mut Map<String, Value>, name: &str, value: Value) -> Result<(), Error> {
    let keys = keys(name);
    if keys.len() > MAX_DEPTH {
        return Err(Error::bad_request(format!("a parameter is nested more than {MAX_DEPTH} levels deep")));
    }
    let slot = tree.entry(keys[0]).or_insert(Value::Null);
    assign(slot, &keys[1..], value);
    Ok(())
}

/// `a[b][c]` is `a`, `b`, `c`. What does not end with `]` or has no `[` is one plain name.
fn keys(name: &str) -> Vec<&str> {
    match name.strip_suffix(']').and_then(|nested| nested.split_once('[')) {
        Some((first, rest)) => std::iter::once(first).chain(rest.split("][")).collect(),
        None => vec![name],
    }
}

fn assign(slot: &mut Value, keys: &[&str], value: Value) {
    match keys {
        [] => *slot = value,
        ["", rest @ ..] => {
            let mut item = Value::Null;
            assign(&mut item, rest, value);
            let list = become_array(slot);
            if !item.is_null() {
                list.push(item);
            }
        }
        [key, rest @ ..] => assign(become_object(slot).entry(*key).or_insert(Value::Null), rest, value),
    }
}

fn become_array(slot: &mut Value) -> &mut Vec<Value> {
    if !slot.is_array() {
        *slot = Value::Array(Vec::new());
    }
    slot.as_array_mut().expect("it was made an array above")
}

fn become_object(slot: &mut Value) -> &mut Map<String, Value> {
    if !slot.is_object() {
        *slot = Value::Object(Map::new());
    }
    slot.as_object_mut().expect("it was made an object above")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn decodes_as_plug_does() {
        let cases = [
            ("", json!({})),
            ("a=1&b=2", json!({"a": "1", "b": "2"})),
            ("a=1&a=2", json!({"a": "2"})),
            ("a=1&", json!({"a": "1", "": null})),
            ("&&a=1", json!({"": null, "a": "1"})),
            ("&", json!({"": null})),
            ("&=x", json!({"": "x"})),
            ("a", json!({"a": null})),
            ("a=", json!({"a": ""})),
            ("a=b=c", json!({"a": "b=c"})),
            ("a[]=1&a[]=2", json!({"a": ["1", "2"]})),
            ("a[]", json!({"a": []})),
            ("a[b]=1&a[c]=2", json!({"a": {"b": "1", "c": "2"}})),
            ("a[b][c]=1", json!({"a": {"b": {"c": "1"}}})),
            ("a[][b]=1&a[][b]=2", json!({"a": [{"b": "1"}, {"b": "2"}]})),
            ("a%5Bb%5D=%C3%A9+x", json!({"a": {"b": "\u{e9} x"}})),
            ("a=1&a[b]=2", json!({"a": {"b": "2"}})),
            ("a[b]=2&a=1", json!({"a": "1"})),
            ("a[b=1", json!({"a[b": "1"})),
            ("a]=1", json!({"a]": "1"})),
            ("[a]=1", json!({"": {"a": "1"}})),
        ];
        for (encoded, expected) in cases {
            assert_eq!(Value::Object(decode_pairs(encoded).unwrap()), expected, "{encoded}");
        }
    }

    #[test]
    fn refuses_depth_count_and_bad_escapes() {
        assert!(decode_pairs(&format!("a{}=1", "[b]".repeat(MAX_DEPTH - 1))).is_ok());
        assert!(decode_pairs(&format!("a{}=1", "[b]".repeat(MAX_DEPTH))).is_err());
        assert!(decode_pairs(&["a[]=1"; MAX_PAIRS].join("&")).is_ok());
        assert!(decode_pairs(&["a[]=1"; MAX_PAIRS + 1].join("&")).is_err());
        assert!(decode_pairs("a=%zz").is_err());
        assert!(decode_pairs("%ff=1").is_err());
    }
}
