//! A submitted form: the typed values, and their errors.

use std::collections::BTreeMap;

use minijinja::{Value, value::Serde};
use serde::Serialize;

use crate::{auth::NewPassword, http::Params, store};

/// The fields of a form with the errors beside them. Templates get it as `form`.
#[derive(Debug, Default, Serialize)]
pub(in crate::web) struct Form {
    values: BTreeMap<&'static str, String>,
    errors: BTreeMap<&'static str, Vec<String>>,
}

impl Form {
    /// Creates a form that is filled in already: `[("name", "Acme")]`.
    pub(in crate::web) fn filled<'a>(values: impl IntoIterator<Item = (&'static str, Option<&'a str>)>) -> Self {
        let values = values.into_iter().map(|(name, value)| (name, value.unwrap_or_default().to_owned()));
        Self { values: values.collect(), errors: BTreeMap::new() }
    }

    /// Reads the fields of these names: the value under `scope` (`user[email]`), otherwise the one at the top
    /// (`email`), without surrounding blanks. A field that is missing, or not a text, is empty. A value that no column
    /// can hold becomes an error of the field.
    pub(in crate::web) fn read(params: &Params, scope: &str, names: &[&'static str]) -> Self {
        let scoped = params.value(scope).ok().flatten();
        let mut form = Self::default();
        for name in names {
            let scoped = scoped.as_ref().and_then(|scope| scope.get(name)).and_then(|value| value.as_str());
            let typed = scoped.map(str::to_owned).or_else(|| params.text(name)).unwrap_or_default();
            // Passwords are never changed, not even by removing blanks.
            let value = if name.contains("password") { typed.as_str() } else { typed.trim() };
            form.set(name, value);
        }
        form
    }

    /// Fills in a field that is empty.
    pub(in crate::web) fn fill(&mut self, name: &'static str, value: Option<String>) {
        if let (true, Some(value)) = (self.value(name).is_empty(), value) {
            self.set(name, value.trim());
        }
    }

    /// Reads one more field, a text of several lines and up to `max_characters`, including surrounding blanks.
    pub(in crate::web) fn read_long(&mut self, params: &Params, name: &'static str, max_characters: usize) {
        let typed = params.text(name).unwrap_or_default();
        if typed.chars().nth(max_characters).is_some() {
            self.error(name, format!("should be at most {max_characters} character(s)"));
        }
        self.values.insert(name, typed);
    }

    /// Returns the value of a field.
    pub(in crate::web) fn value(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }

    /// Returns all errors in a sentence, for pages without a field to show them beside.
    pub(in crate::web) fn complaint(&self) -> String {
        let said = self.errors.iter().flat_map(|(name, messages)| {
            let field = if *name == "base" { String::new() } else { name.trim_start_matches("is_").replace('_', " ") };
            messages.iter().map(move |message| format!("{field} {message}").trim().to_owned())
        });
        let mut sentence = said.collect::<Vec<_>>().join("; ");
        if let Some(first) = sentence.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        if !sentence.ends_with('.') {
            sentence.push('.');
        }
        sentence
    }

    /// Returns true if a checkbox is ticked.
    pub(in crate::web) fn is_checked(&self, name: &str) -> bool {
        matches!(self.value(name), "true" | "on" | "1")
    }

    /// Returns the new password in the field `password`, if one was typed and suits the rules; otherwise the field gets
    /// the error.
    pub(in crate::web) fn new_password(&mut self) -> Option<NewPassword> {
        match NewPassword::check(self.value("password")) {
            Ok(password) => return Some(password),
            Err(_) if self.value("password").is_empty() => {}
            Err(reason) => self.error("password", reason.to_string()),
        }
        None
    }

    /// Adds an error beside a field: "can't be blank".
    pub(in crate::web) fn error(&mut self, name: &'static str, message: impl Into<String>) {
        self.errors.entry(name).or_default().push(message.into());
    }

    /// Adds an error beside each of these fields that is empty.
    pub(in crate::web) fn require(&mut self, names: &[&'static str]) {
        for name in names {
            if self.value(name).is_empty() {
                self.error(name, "can't be blank");
            }
        }
    }

    /// Returns true if there are no errors.
    pub(in crate::web) fn is_valid(&self) -> bool {
        self.errors.is_empty()
    }

    /// Returns the errors by field, for scripts.
    pub(in crate::web) fn errors(&self) -> &BTreeMap<&'static str, Vec<String>> {
        &self.errors
    }

    /// Sets a field, whatever is in it. A value that no column can hold becomes an error of the field.
    pub(in crate::web) fn set(&mut self, name: &'static str, value: &str) {
        if let Err(reason) = store::check_text(value) {
            self.error(name, reason.to_string());
        }
        self.values.insert(name, value.to_owned());
    }

    /// Returns the values for templates, without passwords.
    pub(in crate::web) fn context(&self) -> Value {
        let mut values = self.values.clone();
        values.retain(|name, _| !name.contains("password"));
        Value::from(Serde(Self { values, errors: self.errors.clone() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Form {
        Form::read(&Params::from_query(query).unwrap(), "user", &["name", "email", "password"])
    }

    #[test]
    fn fields_are_read_in_their_scope_or_at_the_top() {
        for query in ["user[name]=+Ann+&email=a@b&user[password]=+x+", "name=Ann&user[email]=a@b&password=+x+"] {
            let form = read(query);
            assert_eq!((form.value("name"), form.value("email"), form.value("password")), ("Ann", "a@b", " x "));
            assert!(form.is_valid());
        }
        let form = read("user=1&name[]=x");
        assert_eq!((form.value("name"), form.value("email")), ("", ""));
    }

    #[test]
    fn long_texts_are_read_whole_up_to_their_limit() {
        let params = Params::from_query("text=+a%0Ab+").unwrap();
        let mut form = Form::default();
        form.read_long(&params, "text", 5);
        assert!(form.is_valid() && form.value("text") == " a\nb ");
        form.read_long(&params, "text", 4);
        assert_eq!(form.errors()["text"], ["should be at most 4 character(s)"]);
    }

    #[test]
    fn errors_stand_beside_fields_and_what_was_typed_is_kept() {
        let mut form = read(&format!("name={}&password=secret", "ü".repeat(256)));
        form.require(&["email"]);
        assert!(!form.is_valid());
        let context = serde_json::to_value(form.context()).unwrap();
        assert_eq!(context["errors"]["email"][0], "can't be blank");
        assert_eq!(context["errors"]["name"][0], "should be at most 255 character(s)");
        assert_eq!(context["values"]["name"], "ü".repeat(256));
        assert_eq!(context["values"]["password"], serde_json::Value::Null);
    }

    #[test]
    fn what_is_wrong_can_be_said_in_a_sentence() {
        let mut form = Form::default();
        form.error("is_root", "cannot be taken from yourself");
        assert_eq!(form.complaint(), "Root cannot be taken from yourself.");
        let mut form = Form::default();
        form.error("base", "This is the last root user.");
        assert_eq!(form.complaint(), "This is the last root user.");
    }
}
