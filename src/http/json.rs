//! JSON bodies as members whose names and values keep their spelling.

use std::{cell::Cell, fmt};

use pusher_lite_json_text::{check_surrogates, escape_controls};
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value, value::RawValue};

use super::{Error, params::Member};

/// Maximum number of members on the top level of a JSON body.
const MAX_MEMBERS: usize = 100_000;

/// Reads a JSON body. An empty one has no members, and a value that is not an object is the one member `_json`, as in
/// Plug.
pub(super) fn decode(body: &[u8]) -> Result<Vec<Member>, Error> {
    if body.is_empty() {
        return Ok(Vec::new());
    }
    let text = std::str::from_utf8(body).map_err(|_| Error::bad_request("the JSON body is not UTF-8"))?;
    let members = members(text).or_else(|error| members(&escape_controls(text).ok_or(error)?)).map_err(malformed)?;
    check_surrogates(text).map_err(|_| Error::bad_request("the JSON body escapes half a surrogate pair"))?;
    Ok(members)
}

fn members(text: &str) -> serde_json::Result<Vec<Member>> {
    if text.trim_ascii_start().starts_with('{') {
        return serde_json::from_str(text).map(|Members(members)| members);
    }
    Ok(vec![Member::new("_json", serde_json::from_str(text)?)])
}

fn malformed(error: serde_json::Error) -> Error {
    Error::bad_request(format!("the body is not valid JSON: {error}"))
}

struct Members(Vec<Member>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Vec::new();
        while let Some((spelling, value)) = map.next_entry::<&RawValue, Box<RawValue>>()? {
            if members.len() == MAX_MEMBERS {
                return Err(de::Error::custom(format_args!("more than {MAX_MEMBERS} members")));
            }
            let name = serde_json::from_str(spelling.get()).map_err(de::Error::custom)?;
            members.push(Member::spelled(name, spelling.get(), value));
        }
        Ok(Members(members))
    }
}

/// Maximum number of values in a tree. One takes some 30 bytes beside its text, and may be written with two.
const MAX_VALUES: usize = 10_000;

/// Parses JSON into a tree. Of members with the same name the first counts, as in the original; `serde_json` takes the
/// last.
pub(super) fn tree(json: &str) -> serde_json::Result<Value> {
    let (mut deserializer, values) = (serde_json::Deserializer::from_str(json), Cell::new(0));
    let value = Tree { values: &values }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

/// A tree, and the number of values beside it and in it.
#[derive(Clone, Copy)]
struct Tree<'a> {
    values: &'a Cell<usize>,
}

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let values = self.values.get() + 1;
        if values > MAX_VALUES {
            return Err(de::Error::custom(format_args!("more than {MAX_VALUES} values")));
        }
        self.values.set(values);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(self)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            let value = map.next_value_seed(self)?;
            members.entry(name).or_insert(value);
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(body: &str) -> String {
        let members = decode(body.as_bytes()).unwrap();
        let spelled: Vec<_> = members.iter().map(|m| format!("{}={}", m.spelling(), m.value().get())).collect();
        spelled.join(" ")
    }

    #[test]
    fn keeps_order_duplicates_and_spelling() {
        assert_eq!(
            joined(r#" {"z":1e3, "a" : -0 ,"z":{ "b":1,"b":2 },"\u0061":"\u00e9/\/"} "#),
            r#""z"=1e3 "a"=-0 "z"={ "b":1,"b":2 } "\u0061"="\u00e9/\/""#
        );
        assert_eq!(decode(br#"{"\u0061":1}"#).unwrap()[0].name(), "a");
    }

    #[test]
    fn a_tree_is_what_anybody_reads_but_for_duplicates() {
        let text = r#"{"n":[null,true,-1,18446744073709551615,1.5,"\u00e9"],"o":{},"":[[]]}"#;
        assert_eq!(tree(text).unwrap(), serde_json::from_str::<Value>(text).unwrap());
        assert_eq!(tree(r#"[{"a":1,"\u0061":2}]"#).unwrap(), serde_json::json!([{"a": 1}]));
        for bad in ["1e400", "[", "{}{}", &"[".repeat(1000)] {
            assert!(tree(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_tree_has_so_many_values() {
        let list = |count| format!("[{}]", vec!["[]"; count - 1].join(","));
        assert!(tree(&list(MAX_VALUES)).is_ok());
        assert!(tree(&list(MAX_VALUES + 1)).is_err());
        let object = vec!["\"a\":1"; MAX_VALUES].join(",");
        assert!(tree(&format!("{{{object}}}")).is_err());
    }

    #[test]
    fn what_is_no_object_is_one_member() {
        for body in ["5", "[1,2]", "\"x\"", "null", " true "] {
            assert_eq!(joined(body), format!("\"_json\"={}", body.trim()));
        }
        assert_eq!(joined(""), "");
    }

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(joined("{\"a\nb\" :\n\"\\\"\t\u{0}\\\\\"}"), r#""a\u000ab"="\"\u0009\u0000\\""#);
        assert_eq!(decode(b"{\"a\nb\":1}").unwrap()[0].name(), "a\nb");
        assert_eq!(joined("\"\r\""), r#""_json"="\u000d""#);
        for body in ["{\"a\":\"\\\n\"}", "{\u{b}}", "{\"\n\":1", "{\"a\":\"\n\\ud800\"}"] {
            assert!(decode(body.as_bytes()).is_err(), "{body:?}");
        }
    }

    #[test]
    fn refuses_malformed_bodies() {
        for body in
            ["{\"token\":", " ", "{} {}", "{\"a\":01}", "{a:1}", "\u{feff}{}", "{\"\\ud800\":1}", "{\"a\":\"\\x\"}"]
        {
            assert!(decode(body.as_bytes()).is_err(), "{body}");
        }
        assert!(decode(b"{\"a\":\"\xff\"}").is_err());
    }

    #[test]
    fn limits_the_number_of_members() {
        let body = |count| format!("{{{}}}", vec!["\"a\":1"; count].join(","));
        assert_eq!(decode(body(MAX_MEMBERS).as_bytes()).unwrap().len(), MAX_MEMBERS);
        assert!(decode(body(MAX_MEMBERS + 1).as_bytes()).is_err());
    }

    #[test]
    fn depth_costs_no_stack() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(200_000), "]".repeat(200_000));
        assert_eq!(decode(deep.as_bytes()).unwrap().len(), 1);
    }
}
