//! Parameters of a request: query, body and path together, as JSON members.

use std::collections::HashSet;

use serde_json::{
    Value,
    value::{RawValue, to_raw_value},
};

use super::{Error, json, nested};

/// Parameters by name.
///
/// Every value is JSON text. A value from a JSON body keeps its spelling (`1e3`, `-0`, duplicate names, order); one
/// from a query, a form or the path is a string, or arrays and objects of strings. A name of the body wins over the
/// same name of the query, and one of the path over both. Of duplicate names in a JSON body the first counts, as in the
/// original; in a query or a form the last.
#[derive(Debug, Default)]
pub struct Params {
    members: Vec<Member>,
}

impl Params {
    /// Parses a query string or a form body.
    ///
    /// # Errors
    ///
    /// [`Error::BadRequest`] for a malformed escape, text that is not UTF-8, or parameters that are too many or too
    /// deeply nested.
    pub fn from_query(encoded: &str) -> Result<Self, Error> {
        nested::Tree::from_pairs(encoded).map(Self::from_tree)
    }

    pub(super) fn from_json(body: &[u8]) -> Result<Self, Error> {
        json::decode(body).map(|members| Self { members })
    }

    pub(super) fn from_tree(tree: nested::Tree) -> Self {
        let members = tree.into_members().into_iter().map(|(name, value)| {
            let value = to_raw_value(&value).expect("a tree of strings is valid JSON");
            Member::new(&name, value)
        });
        Self { members: members.collect() }
    }

    /// Returns the value of `name` as JSON text; the first one when a body gave several.
    pub fn raw(&self, name: &str) -> Option<&RawValue> {
        self.members.iter().find(|member| member.name() == name).map(Member::value)
    }

    /// Returns the value of `name`, parsed. Of duplicate names in it, too, the first counts.
    ///
    /// # Errors
    ///
    /// [`Error::BadRequest`] when it is nested over 128 levels deep, holds more than 10,000 values, or a number beyond
    /// what a 64-bit float can hold.
    pub fn value(&self, name: &str) -> Result<Option<Value>, Error> {
        let Some(raw) = self.raw(name) else { return Ok(None) };
        let value = json::tree(raw.get()).map_err(|_| {
            Error::bad_request(format!(
                "the parameter {name} is nested too deeply, or holds more than 10000 values or too large a number"
            ))
        })?;
        Ok(Some(value))
    }

    /// Returns the value of `name` when it is a string.
    pub fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.raw(name)?.get()).ok()
    }

    /// Returns the value of `name`, which must be a string.
    ///
    /// # Errors
    ///
    /// [`Error::BadRequest`] naming the parameter when it is missing or anything but a string.
    pub fn require_text(&self, name: &str) -> Result<String, Error> {
        self.text(name).ok_or_else(|| match self.raw(name) {
            None => Error::bad_request(format!("the parameter {name} is missing")),
            Some(_) => Error::bad_request(format!("the parameter {name} is not a string")),
        })
    }

    /// Returns a JSON object of all members except those named, with names, values and order exactly as they were sent.
    pub fn object_without(&self, names: &[&str]) -> Box<RawValue> {
        let kept = || self.members.iter().filter(|member| !names.contains(&member.name()));
        let size: usize = kept().map(|member| member.spelling().len() + member.value().get().len() + 2).sum();
        let mut object = String::with_capacity(size + 2);
        object.push('{');
        for (position, member) in kept().enumerate() {
            if position > 0 {
                object.push(',');
            }
            object.push_str(member.spelling());
            object.push(':');
            object.push_str(member.value().get());
        }
        object.push('}');
        RawValue::from_string(object).expect("members are valid JSON, and so is an object of them")
    }

    /// Adds `later`, whose names win.
    pub(super) fn merge(&mut self, later: Self) {
        if !self.members.is_empty() {
            let won: HashSet<&str> = later.members.iter().map(Member::name).collect();
            self.members.retain(|member| !won.contains(member.name()));
        }
        self.members.extend(later.members);
    }

    /// Sets `name` to a string, over whatever query and body said.
    pub(super) fn set_text(&mut self, name: &str, text: &str) {
        self.members.retain(|member| member.name() != name);
        let value = to_raw_value(text).expect("a string is valid JSON");
        self.members.push(Member::new(name, value));
    }
}

/// One name with its value.
#[derive(Debug)]
pub(super) struct Member {
    name: Box<str>,
    /// The name as JSON text: with its quotes, escaped as it was sent.
    spelling: Box<str>,
    value: Box<RawValue>,
}

impl Member {
    pub(super) fn new(name: &str, value: Box<RawValue>) -> Self {
        let spelling = serde_json::to_string(name).expect("a string is valid JSON");
        Self { name: name.into(), spelling: spelling.into(), value }
    }

    pub(super) fn spelled(name: String, spelling: &str, value: Box<RawValue>) -> Self {
        Self { name: name.into(), spelling: spelling.into(), value }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn spelling(&self) -> &str {
        &self.spelling
    }

    pub(super) fn value(&self) -> &RawValue {
        &self.value
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn merged(query: &str, body: &str) -> Params {
        let mut params = Params::from_query(query).unwrap();
        params.merge(Params::from_json(body.as_bytes()).unwrap());
        params
    }

    #[test]
    fn the_path_wins_over_the_body_and_the_body_over_the_query() {
        let mut params = merged("event=q&topic=q&x=q", r#"{"event":"b","topic":"b"}"#);
        params.set_text("event", "p");
        assert_eq!(params.text("event").unwrap(), "p");
        assert_eq!(params.text("topic").unwrap(), "b");
        assert_eq!(params.text("x").unwrap(), "q");
    }

    #[test]
    fn an_object_of_members_is_spelled_as_it_was_sent() {
        let params = merged("topic=t&q=1", r#"{ "z":1e3,"\u0061":-0,"topic":"u","z":[ 1 ] }"#);
        assert_eq!(params.object_without(&["topic"]).get(), r#"{"q":"1","z":1e3,"\u0061":-0,"z":[ 1 ]}"#);
        assert_eq!(merged("", "[1,2]").object_without(&[]).get(), r#"{"_json":[1,2]}"#);
        assert_eq!(merged("", "").object_without(&[]).get(), "{}");
    }

    #[test]
    fn texts_are_strings_only() {
        let params = merged("a=1&l[]=1&n", r#"{"i":5}"#);
        assert_eq!(params.require_text("a").unwrap(), "1");
        for name in ["l", "n", "i", "missing"] {
            assert!(params.require_text(name).is_err(), "{name}");
        }
        assert_eq!(params.value("l").unwrap(), Some(json!(["1"])));
        assert_eq!(params.value("n").unwrap(), Some(Value::Null));
        assert_eq!(params.value("missing").unwrap(), None);
    }

    #[test]
    fn of_duplicates_in_a_json_body_the_first_is_read_and_in_a_query_the_last() {
        let params = merged("q=1&q=2", r#"{"a":"1","a":"2","o":{"b":1,"b":2,"l":[{"c":null,"c":[3]}]},"o":5}"#);
        assert_eq!(params.text("a").unwrap(), "1");
        assert_eq!(params.value("o").unwrap(), Some(json!({"b": 1, "l": [{"c": null}]})));
        assert_eq!(params.text("q").unwrap(), "2");
    }

    #[test]
    fn what_cannot_be_parsed_is_the_peers_error() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(1000), "]".repeat(1000));
        assert!(merged("", &deep).value("a").is_err());
        assert!(merged("", r#"{"a":1e999}"#).value("a").is_err());
    }
}
