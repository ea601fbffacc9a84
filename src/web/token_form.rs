//! Fields of a new token, in the forms of the portal and the admin.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

use super::session::Form;
use crate::{
    operations::tokens::{NewToken, TokenFault},
    store::token_scope::TokenScope,
};

/// Field of the last day on which the token is valid, in UTC.
pub(super) const LAST_DAY: &str = "expires_on";

/// Labels of the scopes, by their names, in the order of the forms: the first one is preselected.
pub(super) const SCOPES: [(&str, &str); 4] = [
    (TokenScope::Publish.name(), "Publish only"),
    (TokenScope::Read.name(), "Read"),
    (TokenScope::Manage.name(), "Manage"),
    (TokenScope::All.name(), "All"),
];

/// Returns the label of a scope.
pub(super) fn label_of(scope: TokenScope) -> &'static str {
    SCOPES.iter().find(|(name, _)| *name == scope.name()).map_or(scope.name(), |(_, label)| label)
}

/// Returns the settings of the token that the fields `name` and `scope` describe. `None` if the form has errors, which are
/// then beside its fields.
pub(super) fn read(form: &mut Form, expires_at: Option<NaiveDateTime>) -> Option<NewToken> {
    let scope = TokenScope::parse(form.value("scope"));
    match scope {
        None if form.value("scope").is_empty() => form.error("scope", "can't be blank"),
        None => form.error("scope", "is invalid"),
        Some(_) => {}
    }
    // The other fields of a form without a scope are checked all the same.
    let checked = NewToken::check(Some(form.value("name")), scope.unwrap_or(TokenScope::Publish), expires_at);
    for fault in checked.as_ref().err().into_iter().flatten() {
        match fault {
            TokenFault::ExpiryPast => form.error(LAST_DAY, "must be today or later"),
            TokenFault::ExpiryTooLate | TokenFault::ExpiryAfterOwn => form.error(LAST_DAY, fault.to_string()),
            TokenFault::NameTooLong | TokenFault::NameInvalid => form.error("name", fault.to_string()),
            TokenFault::ScopeInvalid | TokenFault::ScopeTooWide => form.error("scope", fault.to_string()),
        }
    }
    checked.ok().filter(|_| form.is_valid())
}

/// Returns the expiry of a token whose last day is in the form, if it is: the end of that day in UTC.
pub(super) fn end_of_last_day(form: &mut Form) -> Option<NaiveDateTime> {
    let typed = form.value(LAST_DAY);
    if typed.is_empty() {
        return None;
    }
    let next = NaiveDate::parse_from_str(typed, "%Y-%m-%d").ok().and_then(|day| day.succ_opt());
    if next.is_none() {
        form.error(LAST_DAY, "is no date");
    }
    next.map(|day| day.and_time(NaiveTime::MIN))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Params;

    fn form(query: &str) -> Form {
        Form::read(&Params::from_query(query).unwrap(), "token", &["name", "scope", LAST_DAY])
    }

    #[test]
    fn the_first_scope_publishes_and_nothing_else() {
        assert_eq!(SCOPES[0].0, "publish");
        assert_eq!(SCOPES.map(|(name, _)| TokenScope::parse(name)), TokenScope::ALL.map(Some));
    }

    #[test]
    fn a_token_is_valid_until_its_last_day_is_over() {
        let end = |query: &str| {
            let mut form = form(query);
            let end = end_of_last_day(&mut form).map(|end| end.to_string());
            (end, form.is_valid())
        };
        assert_eq!(end("expires_on=2027-02-28"), (Some("2027-03-01 00:00:00".to_owned()), true));
        assert_eq!(end("expires_on="), (None, true));
        for typed in ["tomorrow", "2027-02-29", "2027-13-01", "28.02.2027", "999999999-01-01"] {
            assert_eq!(end(&format!("expires_on={typed}")), (None, false), "{typed}");
        }
    }

    #[test]
    fn errors_stand_beside_their_fields() {
        let errors = |query: &str| {
            let mut form = form(query);
            let expires_at = end_of_last_day(&mut form);
            assert_eq!(read(&mut form, expires_at), None, "{query}");
            form.errors().keys().copied().collect::<Vec<_>>()
        };
        assert_eq!(errors("name=a"), ["scope"]);
        assert_eq!(errors("scope=everything"), ["scope"]);
        assert_eq!(errors(&format!("name={}", "x".repeat(101))), ["name", "scope"]);
        assert_eq!(errors("scope=all&expires_on=2020-01-01"), ["expires_on"]);
        assert_eq!(errors("scope=all&expires_on=9999-12-31"), ["expires_on"]);
        assert_eq!(errors("scope=all&expires_on=soon"), ["expires_on"]);
        assert!(read(&mut form("scope=read&name=+"), None).is_some());
    }
}
