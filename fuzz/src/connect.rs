//! The connect parameters: read from a query if and only if all are present, and never changed on the way.

#[path = "../../src/web/connect.rs"]
mod source;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use pusher_lite_protocol::Vsn;
use serde_json::Value;

use self::source::Connect;
use crate::http::{Params, query};

/// Runs the target `connect`. The input is a query string.
pub fn check(query: &[u8]) {
    let Ok(query) = std::str::from_utf8(query) else { return };
    if let Some(params) = query::check(query) {
        check_read(&params);
        check_appended(query, "any");
    }
    query::check_text(query);
    check_appended("", query);
}

/// Checks that a connect is read if its parameters are strings and its version is supported.
fn check_read(params: &Params) {
    let texts = ["app_key", "unique_identifier", "guardian_token"].map(|name| text(params, name));
    let vsn = match params.value("vsn").expect("a query is a tree") {
        None | Some(Value::Null) => Vsn::negotiate(None).ok(),
        Some(Value::String(vsn)) => Vsn::negotiate(Some(&vsn)).ok(),
        Some(_) => None,
    };
    let read = |auth_token| Connect::read(params, auth_token).ok().map(parts);
    let [app_key, unique_identifier, guardian_token] = texts;
    let expected = |jwt: Option<String>| Some((vsn?, app_key.clone()?, unique_identifier.clone()?, jwt?));
    assert_eq!(read(None), expected(guardian_token));
    assert_eq!(read(Some("jwt")), expected(Some("jwt".to_owned())));
}

fn text(params: &Params, name: &str) -> Option<String> {
    match params.value(name).expect("a query is a tree")? {
        Value::String(text) => Some(text),
        _ => None,
    }
}

fn parts(connect: Connect) -> (Vsn, String, String, String) {
    let Connect { vsn, app_key, unique_identifier, jwt } = connect;
    (vsn, app_key, unique_identifier, jwt)
}

/// Checks that parameters with the value `text` come back the same, whatever is before them.
fn check_appended(before: &str, text: &str) {
    let escaped = utf8_percent_encode(text, NON_ALPHANUMERIC);
    let form: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
    let query = format!("{before}&vsn=2.0.0&app_key={escaped}&unique_identifier={form}&guardian_token={form}");
    let params = query::check(&query).expect("it is encoded");
    let connect = Connect::read(&params, None).expect("all parameters are there");
    assert_eq!(parts(connect), (Vsn::V2, text.to_owned(), text.to_owned(), text.to_owned()));
}
