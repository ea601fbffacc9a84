//! What fields of these forms must hold.

use crate::{auth::password, mail, web::visits::Form};

/// Where mail can be sent.
pub(super) fn check_email(form: &mut Form) {
    form.require(&["email"]);
    if !form.value("email").is_empty() && !mail::is_address(form.value("email")) {
        form.error("email", "is no email address");
    }
}

/// A new password, typed twice.
pub(super) fn check_new_password(form: &mut Form) {
    form.require(&["password"]);
    let (typed, again) = (form.value("password"), form.value("password_confirmation"));
    let (is_short, is_long) = (typed.chars().count() < password::MIN_CHARACTERS, typed.len() > password::MAX_BYTES);
    let differs = typed != again;
    if form.value("password").is_empty() {
        return;
    }
    if is_short {
        form.error("password", format!("should be at least {} characters", password::MIN_CHARACTERS));
    }
    if is_long {
        form.error("password", format!("should be at most {} bytes", password::MAX_BYTES));
    }
    if differs {
        form.error("password_confirmation", "does not match the password");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Params;

    fn errors(query: &str, check: fn(&mut Form)) -> serde_json::Value {
        let params = Params::from_query(query).unwrap();
        let mut form = Form::read(&params, "x", &["email", "password", "password_confirmation"]);
        check(&mut form);
        serde_json::to_value(form.context()).unwrap()["errors"].clone()
    }

    #[test]
    fn addresses_are_checked() {
        assert_eq!(errors("email=ann@example.com", check_email), serde_json::json!({}));
        assert_eq!(errors("", check_email)["email"][0], "can't be blank");
        assert_eq!(errors("email=ann", check_email)["email"][0], "is no email address");
    }

    #[test]
    fn passwords_are_long_enough_and_typed_twice() {
        let of = |typed: &str, again: &str| {
            errors(&format!("password={typed}&password_confirmation={again}"), check_new_password)
        };
        assert_eq!(of("12345678", "12345678"), serde_json::json!({}));
        assert_eq!(of("", ""), serde_json::json!({ "password": ["can't be blank"] }));
        assert_eq!(of("1234567", "1234567")["password"][0], "should be at least 8 characters");
        assert_eq!(of(&"ü".repeat(37), &"ü".repeat(37))["password"][0], "should be at most 72 bytes");
        assert_eq!(of("12345678", "1234567")["password_confirmation"][0], "does not match the password");
    }
}
