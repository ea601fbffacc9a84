//! Nested parameters as Plug writes them: `a[b]=c` is `{"a":{"b":"c"}}`, `a[]=1&a[]=2` is `{"a":["1","2"]}`.

use serde_json::{Map, Value};

use super::{Error, percent::decode_form};

/// Maximum number of `name=value` pairs in one query, form or multipart body.
pub(super) const MAX_PAIRS: usize = 10_000;
/// Maximum depth: `a[b][c]` has depth 3.
const MAX_DEPTH: usize = 32;
/// Maximum number of arrays and objects: each takes some 600 bytes, and three in a name.
const MAX_CONTAINERS: usize = 10_000;

/// Parameters as a tree, with counters.
#[derive(Debug, Default)]
pub(super) struct Tree {
    members: Map<String, Value>,
    pairs: usize,
    containers: usize,
}

impl Tree {
    /// Decodes `a=1&b[c]=2`, a query string or a form body. A name without `=` gets `null`, as in Plug; the text behind
    /// the last `&` of `a=1&` is such a name, an empty one.
    pub(super) fn from_pairs(encoded: &str) -> Result<Self, Error> {
        let mut tree = Self::default();
        if encoded.is_empty() {
            return Ok(tree);
        }
        for pair in encoded.split('&') {
            tree.count_pair()?;
            let (name, value) = match pair.split_once('=') {
                Some((name, value)) => (name, Value::String(decode_form(value)?)),
                None => (pair, Value::Null),
            };
            tree.insert(&decode_form(name)?, value)?;
        }
        Ok(tree)
    }

    /// Counts a pair, whether it is used or not, and refuses it when there are too many.
    pub(super) fn count_pair(&mut self) -> Result<(), Error> {
        self.pairs += 1;
        if self.pairs > MAX_PAIRS {
            return Err(Error::bad_request(format!("more than {MAX_PAIRS} parameters")));
        }
        Ok(())
    }

    /// Inserts `value` at the place that `name` gives. If that contradicts an existing value (`a=1&a[b]=2`), the later
    /// one stays.
    pub(super) fn insert(&mut self, name: &str, value: Value) -> Result<(), Error> {
        let keys = keys(name);
        if keys.len() > MAX_DEPTH {
            return Err(Error::bad_request(format!("a parameter is nested more than {MAX_DEPTH} levels deep")));
        }
        let slot = self.members.entry(keys[0]).or_insert(Value::Null);
        assign(slot, &keys[1..], value, &mut self.containers);
        if self.containers > MAX_CONTAINERS {
            return Err(Error::bad_request(format!(
                "the parameters have more than {MAX_CONTAINERS} lists and objects"
            )));
        }
        Ok(())
    }

    pub(super) fn into_members(self) -> Map<String, Value> {
        self.members
    }
}

/// Splits `a[b][c]` into `a`, `b`, `c`. A name that does not end with `]` or has no `[` is one plain name.
fn keys(name: &str) -> Vec<&str> {
    match name.strip_suffix(']').and_then(|nested| nested.split_once('[')) {
        Some((first, rest)) => std::iter::once(first).chain(rest.split("][")).collect(),
        None => vec![name],
    }
}

fn assign(slot: &mut Value, keys: &[&str], value: Value, containers: &mut usize) {
    match keys {
        [] => *slot = value,
        ["", rest @ ..] => {
            let mut item = Value::Null;
            assign(&mut item, rest, value, containers);
            let list = become_array(slot, containers);
            if !item.is_null() {
                list.push(item);
            }
        }
        [key, rest @ ..] => {
            let slot = become_object(slot, containers).entry(*key).or_insert(Value::Null);
            assign(slot, rest, value, containers);
        }
    }
}

fn become_array<'a>(slot: &'a mut Value, containers: &mut usize) -> &'a mut Vec<Value> {
    if !slot.is_array() {
        *containers += 1;
        *slot = Value::Array(Vec::new());
    }
    slot.as_array_mut().expect("it was made an array above")
}

fn become_object<'a>(slot: &'a mut Value, containers: &mut usize) -> &'a mut Map<String, Value> {
    if !slot.is_object() {
        *containers += 1;
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
            assert_eq!(Value::Object(Tree::from_pairs(encoded).unwrap().into_members()), expected, "{encoded}");
        }
    }

    #[test]
    fn refuses_depth_count_and_bad_escapes() {
        assert!(Tree::from_pairs(&format!("a{}=1", "[b]".repeat(MAX_DEPTH - 1))).is_ok());
        assert!(Tree::from_pairs(&format!("a{}=1", "[b]".repeat(MAX_DEPTH))).is_err());
        assert!(Tree::from_pairs(&["a[]=1"; MAX_PAIRS].join("&")).is_ok());
        assert!(Tree::from_pairs(&["a[]=1"; MAX_PAIRS + 1].join("&")).is_err());
        let deep = |count| (0..count).map(|n| format!("a{n}{}=", "[b]".repeat(10))).collect::<Vec<_>>().join("&");
        assert!(Tree::from_pairs(&deep(MAX_CONTAINERS / 10)).is_ok());
        assert!(Tree::from_pairs(&deep(MAX_CONTAINERS / 10 + 1)).is_err());
        assert!(Tree::from_pairs("a=%zz").is_err());
        assert!(Tree::from_pairs("%ff=1").is_err());
    }
}
