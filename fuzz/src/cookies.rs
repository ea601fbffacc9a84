//! Cookies: a cookie that was set comes back, whatever else a browser sends; and the server accepts only signatures of
//! its own.

#[path = "../../src/http/cookie.rs"]
#[allow(dead_code, unreachable_pub, reason = "the server uses more of it")]
mod cookie;
#[path = "../../src/auth/signer.rs"]
#[allow(dead_code, unreachable_pub, reason = "the server uses more of it")]
mod signer;

use self::{
    cookie::{Cookie, pairs},
    signer::Signer,
};

const SECRET: &str = "a secret that no input holds";
const NAME: &str = "pusher_lite_session";

/// Runs the target `cookies`. The input is a `Cookie` header; also a text to sign.
pub fn check(input: &[u8]) {
    let Ok(input) = std::str::from_utf8(input) else { return };
    let signer = Signer::new(SECRET);
    let mut length = 0;
    for (name, value) in pairs(input) {
        assert!(!name.is_empty(), "a cookie has a name");
        assert!(input.contains(name) && input.contains(value), "made up: {name}={value}");
        assert_eq!(signer.verify("cookie", value), None, "nobody knows the secret");
        length += name.len() + value.len();
    }
    assert!(length <= input.len(), "more than came");
    check_signed(&signer, input);
    check_set(&signer, input);
}

fn check_signed(signer: &Signer, text: &str) {
    let signed = signer.sign("cookie", text);
    assert_eq!(signer.verify("cookie", &signed), Some(text));
    assert_eq!(signer.verify("form", &signed), None, "signed for something else");
    assert_eq!(signer.verify("cookie", &format!("{signed}A")), None);
    assert_eq!(signer.verify("cookie", &format!("A{signed}")), None);
}

/// Checks that a cookie that was set is found among others, if it is the first of its name.
fn check_set(signer: &Signer, others: &str) {
    if others.contains(NAME) {
        return;
    }
    let signed = signer.sign("cookie", "id");
    let header = Cookie::new(NAME, signed.clone(), true).to_header();
    let set = header.to_str().expect("it is ASCII").split(';').next().expect("there is a first part").to_owned();
    for header in [format!("{others};{set}"), format!("{set}; {others}")] {
        let found = pairs(&header).find(|(name, _)| *name == NAME);
        assert_eq!(found, Some((NAME, signed.as_str())), "{header}");
    }
}
