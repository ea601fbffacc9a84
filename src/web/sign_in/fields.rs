//! Checks of the fields of these forms.

use crate::{auth::NewPassword, mail, web::session::Form};

/// Checks that mail can be sent to the address.
pub(super) fn check_email(form: &mut Form) {
    form.require(&["email"]);
    if !form.value("email").is_empty() && !mail::is_address(form.value("email")) {
        form.error("email", "is not an email address");
    }
}

/// Reads a new password, typed twice. The form gets an error if it does not suit the rules.
pub(super) fn new_password(form: &mut Form) -> Option<NewPassword> {
    form.require(&["password"]);
    let password = form.new_password();
    if !form.value("password").is_empty() && form.value("password") != form.value("password_confirmation") {
        form.error("password_confirmation", "does not match the password");
    }
    password
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
        assert_eq!(errors("email=ann", check_email)["email"][0], "is not an email address");
    }

    #[test]
    fn passwords_are_long_enough_and_typed_twice() {
        let of = |typed: &str, again: &str| {
            errors(&format!("password={typed}&password_confirmation={again}"), |form| drop(new_password(form)))
        };
        assert_eq!(of("12345678", "12345678"), serde_json::json!({}));
        assert_eq!(of("", ""), serde_json::json!({ "password": ["can't be blank"] }));
        assert_eq!(of("1234567", "1234567")["password"][0], "should be at least 8 characters");
        assert_eq!(of(&"ü".repeat(37), &"ü".repeat(37))["password"][0], "should be at most 72 bytes");
        assert_eq!(of("12345678", "1234567")["password_confirmation"][0], "does not match the password");
    }
}
