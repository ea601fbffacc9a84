use super::*;

#[test]
fn the_first_segment_is_compared_as_the_router_does() {
    for (path, is_below) in [
        ("/api", true),
        ("//api/x", true),
        ("/%61pi/x", true),
        ("/%61%70%69", true),
        ("/api/%zz", true),
        ("/API", false),
        ("/%41pi", false),
        ("/api%2Fx", false),
        ("/api%", false),
        ("/%2561pi", false),
        ("/x/api", false),
        ("/apis", false),
        ("/", false),
    ] {
        assert_eq!(Request::unchecked("GET", path, &[]).is_below("api"), is_below, "{path}");
    }
}

#[test]
fn segments_are_decoded_and_empty_ones_left_out() {
    let request = Request::test("GET", "/api//a%2Fb/%25/?x=1", &[]);
    assert_eq!(request.segments(), ["api", "a/b", "%"]);
    assert_eq!(request.canonical_path(), "/api/a%2Fb/%25");
    assert_eq!(request.params().text("x").unwrap(), "1");
    assert_eq!(Request::test("GET", "//", &[]).canonical_path(), "/");
}

#[test]
fn bearer_tokens() {
    for (header, token) in [
        ("Bearer abc", Some("abc")),
        ("bEARER   abc ", Some("abc")),
        ("Bearer: abc", Some("abc")),
        ("Bearer:abc", None),
        ("Bearer :abc", Some(":abc")),
        ("Bearer:: abc", None),
        ("Foo Bearer abc", None),
        ("Bearer ", None),
        ("Bearer: ", None),
        ("Bearer", None),
        ("Token abc", None),
        ("abc", None),
    ] {
        let request = Request::test("GET", "/", &[("authorization", header)]);
        assert_eq!(request.bearer_token(), token, "{header}");
    }
    let several = |headers: [&'static str; 3]| {
        let headers = headers.map(|header| ("authorization", header));
        Request::test("GET", "/", &headers).bearer_token().map(str::to_owned)
    };
    assert_eq!(several(["Basic YTpi", "Bearer ", "Bearer abc"]).as_deref(), Some("abc"));
    assert_eq!(several(["Bearer abc", "Bearer def", ""]).as_deref(), Some("abc"));
}

#[test]
fn a_request_id_is_taken_over_when_its_length_is_right() {
    let given = |id: &str| Request::test("GET", "/", &[("x-request-id", id)]).id() == id;
    for (length, taken) in [(0, false), (19, false), (20, true), (200, true), (201, false)] {
        assert_eq!(given(&"a".repeat(length)), taken, "{length}");
    }
    assert_eq!(Request::test("GET", "/", &[]).id().len(), 32);
}

#[test]
fn the_origin_is_where_the_client_asked() {
    for (headers, origin) in [
        (&[][..], "http://test"),
        (&[("x-forwarded-proto", "https")], "https://test"),
        (
            &[("x-forwarded-proto", "https"), ("x-forwarded-host", "chat.example.com:8443")],
            "https://chat.example.com:8443",
        ),
        (&[("x-forwarded-host", "\"><script>")], "http://localhost"),
        (&[("forwarded", "proto=https;host=evil.example")], "http://test"),
    ] {
        assert_eq!(Request::test("GET", "/", headers).origin(), origin, "{headers:?}");
    }
    assert_eq!(Request::test("GET", "https://[::1]:4000/x", &[]).host(), Some("[::1]:4000"));
    let request = Request::test("GET", "/", &[("x-forwarded-for", "6.6.6.6, 203.0.113.9")]);
    assert_eq!(request.client_addr(), IpAddr::from([203, 0, 113, 9]));
}

#[test]
fn forms_override_the_method() {
    let method = |form: &str| overriding_method(&Params::from_query(form).unwrap());
    assert_eq!(method("_method=put"), Some(Method::PUT));
    assert_eq!(method("_method=DELETE"), Some(Method::DELETE));
    assert_eq!(method("_method=GET"), None);
    assert_eq!(method("_method[]=PUT"), None);
    assert_eq!(method("a=1"), None);
}

#[test]
fn cookies_are_found_by_name() {
    let headers = [("cookie", "a=1; b=\"2\"; ; =; c; b=3"), ("cookie", "d=4=5")];
    let request = Request::test("GET", "/", &headers);
    for (name, value) in [("a", Some("1")), ("b", Some("\"2\"")), ("c", None), ("d", Some("4=5")), ("e", None)] {
        assert_eq!(request.cookie(name), value, "{name}");
    }
}
