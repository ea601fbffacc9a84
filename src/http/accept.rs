//! Content negotiation, with Phoenix's literal rules.

use hyper::header::{ACCEPT, HeaderValue};

use super::{Error, Request};

/// Checks that the peer accepts JSON.
///
/// `_format` decides if it is present. Otherwise `Accept` must be missing, or have `application/json` or `*/*` among
/// its members; `application/*` and weights are ignored.
///
/// # Errors
///
/// [`Error::NotAcceptable`].
pub fn json(request: &Request) -> Result<(), Error> {
    let right = match request.params().raw("_format") {
        Some(format) => format.get() == "\"json\"",
        None => request.headers().get(ACCEPT).is_none() || lists(request, &["application/json", "*/*"]),
    };
    if right { Ok(()) } else { Err(Error::NotAcceptable) }
}

/// Returns true if `Accept` names JSON.
pub fn names_json(request: &Request) -> bool {
    lists(request, &["application/json"])
}

/// Returns true if the first `Accept` contains `json` anywhere, in lower case: Guardian looks for nothing else when it
/// chooses the form of a refusal.
pub fn mentions_json(request: &Request) -> bool {
    let accept = request.headers().get(ACCEPT).map(HeaderValue::as_bytes).unwrap_or_default();
    accept.windows(4).any(|letters| letters == b"json")
}

/// Returns true if `Accept` asks for pages and for nothing that JSON would satisfy.
pub fn html_only(request: &Request) -> bool {
    lists(request, &["text/html", "application/xhtml+xml"]) && !lists(request, &["application/json", "*/*"])
}

fn lists(request: &Request, types: &[&str]) -> bool {
    let accept = request.header(ACCEPT).unwrap_or_default();
    let mut members = accept.split(',').map(|member| member.split(';').next().unwrap_or_default().trim());
    members.any(|member| types.iter().any(|wanted| member.eq_ignore_ascii_case(wanted)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_acceptable_as_recorded() {
        for (query, accept, right) in [
            ("", None, true),
            ("", Some("application/json"), true),
            ("", Some("*/*"), true),
            ("", Some("text/html, application/json;q=0.5"), true),
            ("", Some("text/html,*/*;q=0.1"), true),
            ("", Some("Application/JSON; charset=utf-8"), true),
            ("", Some(""), false),
            ("", Some("text/html"), false),
            ("", Some("application/xml"), false),
            ("", Some("application/*"), false),
            ("", Some("application/vnd.api+json"), false),
            ("", Some("garbage"), false),
            ("?_format=html", None, false),
            ("?_format[]=json", None, false),
            ("?_format=json", Some("text/html"), true),
        ] {
            let headers: Vec<_> = accept.map(|accept| ("accept", accept)).into_iter().collect();
            let request = Request::test("GET", &format!("/{query}"), &headers);
            assert_eq!(json(&request).is_ok(), right, "{query} {accept:?}");
        }
    }

    #[test]
    fn json_is_mentioned_in_small_letters() {
        for (headers, mentioned) in [
            (&[][..], false),
            (&[("accept", "*/*")], false),
            (&[("accept", "application/json")], true),
            (&[("accept", "*/*, application/vnd.api+json")], true),
            (&[("accept", "Application/JSON")], false),
            (&[("accept", "*/*"), ("accept", "application/json")], false),
        ] {
            assert_eq!(mentions_json(&Request::test("GET", "/", headers)), mentioned, "{headers:?}");
        }
    }

    #[test]
    fn pages_are_for_those_who_ask_for_nothing_else() {
        for (accept, only) in
            [("text/html", true), ("text/html,*/*", false), ("application/json, text/html", false), ("x/y", false)]
        {
            assert_eq!(html_only(&Request::test("GET", "/", &[("accept", accept)])), only, "{accept}");
        }
        assert!(!html_only(&Request::test("GET", "/", &[])));
    }
}
