//! JSON bodies: any JSON program sees the same members, and they keep their spelling.

use pusher_lite_protocol::Vsn;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, value::RawValue};

use super::{Params, json};
use crate::expected::{Pairs, is_beyond_a_tree};

/// Runs the target `json_body`.
pub fn check(body: &[u8]) {
    let params = Params::from_json(body);
    let mended = std::str::from_utf8(body).ok().and_then(|text| Vsn::V1.mend_text(text));
    let body = mended.as_deref().map_or(body, str::as_bytes);
    if let Err(error) = &params {
        assert_eq!(error.status(), 400);
        assert!(error.to_string().len() < 200, "an error that may quote the body: {error}");
    }
    match (expected(body), params) {
        (Expected::Members(expected), Ok(params)) => check_members(body, &expected, params),
        (Expected::Members(expected), Err(error)) => panic!("refused the members {expected:?}: {error}"),
        (Expected::Refused, Ok(params)) => panic!("took for JSON: {params:?}"),
        (Expected::Unknown, Ok(params)) => assert!(is_object(&params)),
        (Expected::Refused | Expected::Unknown, Err(_)) => {}
    }
}

type Members = Vec<(String, Value)>;

/// Expected result of reading a body.
enum Expected {
    Members(Members),
    Refused,
    /// JSON that a tree cannot hold: nested too deep, or a number too large.
    Unknown,
}

fn expected(body: &[u8]) -> Expected {
    if body.is_empty() {
        return Expected::Members(Vec::new());
    }
    let object = serde_json::from_slice(body).map(|Pairs(members)| members);
    let members = match object {
        Err(error) if !is_beyond_a_tree(&error) => {
            serde_json::from_slice(body).map(|value| vec![("_json".to_owned(), value)])
        }
        object => object,
    };
    match members {
        Ok(members) => Expected::Members(members),
        Err(error) if is_beyond_a_tree(&error) => Expected::Unknown,
        Err(_) => Expected::Refused,
    }
}

fn is_object(params: &Params) -> bool {
    let object = params.object_without(&[]);
    object.get().starts_with('{') && serde_json::from_str::<IgnoredAny>(object.get()).is_ok()
}

fn check_members(body: &[u8], expected: &Members, params: Params) {
    assert_eq!(written(&params, &[]), *expected);
    let body = std::str::from_utf8(body).expect("JSON is UTF-8");
    for member in json::decode(body.as_bytes()).expect("it was read before") {
        assert!(body.contains(member.value().get()), "{} is not spelled as it was", member.value());
    }
    for (name, _) in expected {
        check_member(expected, &params, name);
    }
    check_precedence(expected, params);
}

/// Returns the members of the object made of all parameters except those named.
fn written(params: &Params, without: &[&str]) -> Members {
    let object = params.object_without(without);
    let Pairs(members) = serde_json::from_str(object.get()).unwrap_or_else(|error| panic!("{object}: {error}"));
    members
}

fn check_member(expected: &Members, params: &Params, name: &str) {
    let (_, first) = expected.iter().find(|(other, _)| other == name).expect("a name that is there");
    let raw = params.raw(name).expect("a name that is there");
    assert_eq!(serde_json::from_str::<Value>(raw.get()).expect("it fits a tree"), *first);
    assert_eq!(params.value(name).expect("it fits a tree"), Some(tree(raw)));
    assert_eq!(params.text(name).as_deref(), first.as_str());
    assert_eq!(params.require_text(name).is_ok(), first.is_string());
    let others: Members = expected.iter().filter(|(other, _)| other != name).cloned().collect();
    assert_eq!(written(params, &[name]), others);
}

/// Returns the value, with the first of members that have the same name.
fn tree(json: &RawValue) -> Value {
    let read = "it was read before";
    match json.get().as_bytes()[0] {
        b'{' => {
            let Pairs(members): Pairs<Box<RawValue>> = serde_json::from_str(json.get()).expect(read);
            members.iter().rev().map(|(name, value)| (name.clone(), tree(value))).collect()
        }
        b'[' => {
            let items: Vec<&RawValue> = serde_json::from_str(json.get()).expect(read);
            items.into_iter().map(tree).collect()
        }
        _ => serde_json::from_str(json.get()).expect(read),
    }
}

/// Checks that the body wins over the query, and the path over the body.
fn check_precedence(expected: &Members, params: Params) {
    let lost: Map<_, _> = expected.iter().map(|(name, _)| (name.clone(), Value::String("lost".to_owned()))).collect();
    let mut merged =
        Params::from_json(&serde_json::to_vec(&lost).expect("a map of strings is JSON")).expect("it is valid");
    merged.merge(params);
    assert_eq!(written(&merged, &[]), *expected);
    let Some((name, _)) = expected.first() else { return };
    merged.set_text(name, "won");
    assert_eq!(merged.text(name).as_deref(), Some("won"));
    let in_path = written(&merged, &[]).into_iter().filter(|(other, _)| other == name).count();
    assert_eq!(in_path, 1);
}
