//! What an application demands of those who connect: for the admins of its organization.

use serde_json::{Map, Value, json};

use super::{Error, applications::find, caller::Caller, data};
use crate::{
    http::{Request, Response, StatusCode},
    operations::policies::{self as operations, CheckedPolicy, WrongEntry},
    store::application_policies::{self, Policy},
    web::App,
};

/// Answers with the policy of an application.
pub(in crate::web) async fn show(app: App, request: Request, caller: Caller) -> Result<Response, Error> {
    let mut conn = app.db.conn().await?;
    let application = find(&caller, &request, &mut conn).await?;
    let policy = application_policies::find(&mut conn, application.id).await?.policy;
    Ok(data(StatusCode::OK, view(&policy)))
}

/// Changes the given parts of the policy.
///
/// # Errors
///
/// 400 without the parameter `policy`; [`Error::Invalid`] for a part that is not known or not understood.
pub(in crate::web) async fn update(app: App, request: Request, caller: Caller) -> Result<Response, Error> {
    let mut conn = app.db.conn().await?;
    let application = find(&caller, &request, &mut conn).await?;
    drop(conn);
    let Some(Value::Object(changes)) = request.params().value("policy")? else {
        return Err(Error::bad_request("the parameter policy is not an object"));
    };
    let actor = caller.actor();
    let apply = |before| read(before, changes).map_err(Error::Invalid);
    let change = app.db.transaction(async |tx| operations::update(tx, &actor, application.id, apply).await);
    let (policy, _) = change.await.map_err(|error| match error {
        // Another request was faster.
        Error::NotFound(_) => Error::NotFound("application"),
        error => error,
    })?;
    Ok(data(StatusCode::OK, view(&policy)))
}

fn view(policy: &Policy) -> Value {
    let Policy { accepts_signed, requires_restricted, named_topics, allowed_origins, ends_expired } = policy;
    let [named_topics, allowed_origins] = [named_topics, allowed_origins].map(|list| list.lines().collect::<Vec<_>>());
    json!({
        "accepts_signed": accepts_signed, "requires_restricted": requires_restricted, "named_topics": named_topics,
        "allowed_origins": allowed_origins, "ends_expired": ends_expired,
    })
}

/// Applies changes to a policy. The error has messages by field.
fn read(mut policy: Policy, changes: Map<String, Value>) -> Result<CheckedPolicy, Value> {
    let mut errors = Map::new();
    for (field, value) in changes {
        let set = match field.as_str() {
            "accepts_signed" => flag(&value).map(|value| policy.accepts_signed = value),
            "requires_restricted" => flag(&value).map(|value| policy.requires_restricted = value),
            "ends_expired" => flag(&value).map(|value| policy.ends_expired = value),
            "named_topics" => list(&value).map(|value| policy.named_topics = value),
            "allowed_origins" => list(&value).map(|value| policy.allowed_origins = value),
            _ => Err("is not known"),
        };
        if let Err(message) = set {
            errors.insert(field, json!([message]));
        }
    }
    let checked = CheckedPolicy::check(policy);
    for WrongEntry { field, message } in checked.as_ref().err().into_iter().flatten() {
        errors.entry(*field).or_insert_with(|| json!([message]));
    }
    match checked {
        Ok(policy) if errors.is_empty() => Ok(policy),
        _ => Err(Value::Object(errors)),
    }
}

/// Reads a truth value, which forms send as text.
fn flag(value: &Value) -> Result<bool, &'static str> {
    match value {
        Value::Bool(value) => Ok(*value),
        Value::String(text) if text == "true" => Ok(true),
        Value::String(text) if text == "false" => Ok(false),
        _ => Err("must be true or false"),
    }
}

/// Reads a list of texts.
fn list(value: &Value) -> Result<String, &'static str> {
    let entries = value.as_array().and_then(|entries| entries.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
    let entries = entries.filter(|entries| !entries.iter().any(|entry| entry.contains(['\n', '\r'])));
    entries.map(|entries| entries.join("\n")).ok_or("must be a list of texts")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_changed_or_refused() {
        let changes = |changes: Value| changes.as_object().unwrap().clone();
        let strict = Policy { requires_restricted: true, named_topics: "private-*".to_owned(), ..Policy::OF_NEW };
        let read_by = |given: Value| read(strict.clone(), changes(given));
        assert_eq!(read_by(json!({})), CheckedPolicy::check(strict.clone()).map_err(|_| Value::Null));
        let lax = Policy { requires_restricted: false, named_topics: String::new(), ..strict.clone() };
        let given = json!({"requires_restricted": "false", "named_topics": []});
        assert_eq!(read_by(given), CheckedPolicy::check(lax).map_err(|_| Value::Null));
        for (given, field) in [
            (json!({"accepts_signed": 1}), "accepts_signed"),
            (json!({"accepts_signed": null}), "accepts_signed"),
            (json!({"named_topics": "private-*"}), "named_topics"),
            (json!({"named_topics": ["a\nb"]}), "named_topics"),
            (json!({"allowed_origins": ["example.com"]}), "allowed_origins"),
            (json!({"require_restricted": true}), "require_restricted"),
        ] {
            let errors = read_by(given.clone()).unwrap_err();
            assert_eq!(errors.as_object().unwrap().keys().collect::<Vec<_>>(), [field], "{given}");
        }
    }
}
