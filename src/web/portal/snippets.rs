//! Code that uses an application, with its key and this server's address filled in. Secrets are placeholders.

use minijinja::{Value, context, value::Serde};
use serde::Serialize;

use super::{organization_access::OrganizationAccess, paths};
use crate::{
    http::Request,
    store::applications::Application,
    web::{App, Error, pages},
};

/// For a backend: get a JWT, publish an event. The file in `templates/portal/snippets` of each language.
const BACKEND: [(&str, &str); 5] =
    [("curl", "curl"), ("Ruby", "ruby"), ("Node.js", "node"), ("Python", "python"), ("PHP", "php")];
/// For a backend: sign a JWT for a page. The name of the language, and of the file in which the code may be saved.
const SIGNING: [(&str, &str, &str); 5] = [
    ("Shell", "sign.sh", "sign_shell"),
    ("Ruby", "sign.rb", "sign_ruby"),
    ("Node.js", "sign.mjs", "sign_node"),
    ("Python", "sign.py", "sign_python"),
    ("PHP", "sign.php", "sign_php"),
];
/// For a page: join a topic, bind an event.
const BROWSER: [(&str, &str); 3] = [("Script tag", "script_tag"), ("ES module", "module"), ("npm", "npm")];

/// Returns the snippets of an application, as `backend`, `signing` and `browser`, each a list of `{name, caption, code}`; and
/// `page_jwt`, the command that gets a JWT for a page.
///
/// # Errors
///
/// [`Error::Internal`] when a template uses a variable that it does not get.
pub(super) fn of(
    app: &App,
    request: &Request,
    access: &OrganizationAccess,
    application: &Application,
) -> Result<Value, Error> {
    let address = pages::address(&app.pages.site, request);
    let app_key = application.app_key.as_deref().unwrap_or_default();
    let context = context! {
        events => paths::of_events(&access.organization, application),
        // As a JavaScript string, valid also within a script tag, and in Python.
        app_key => js_text(app_key),
        app_key_quoted => quoted_text(app_key),
        app_key_in_shell => js_text(app_key).replace('\'', r"'\''"),
        topic => js_text(&format!("lobby:{app_key}:general")),
        ..address
    };
    let snippet = |(name, caption, file): (&'static str, &'static str, &str)| {
        let code = app.pages.views.text(&format!("portal/snippets/{file}.txt.j2"), context.clone())?;
        Ok::<_, Error>(Snippet { name, caption, code })
    };
    let all = |list: &[(&'static str, &'static str, &str)]| {
        let snippets = list.iter().copied().map(snippet).collect::<Result<Vec<_>, Error>>()?;
        Ok::<_, Error>(Value::from(Serde(snippets)))
    };
    let page_jwt = snippet(("Terminal", "Terminal", "page_jwt"))?.code;
    Ok(context! {
        backend => all(&BACKEND.map(|(name, file)| (name, name, file)))?,
        signing => all(&SIGNING)?,
        browser => all(&BROWSER.map(|(name, file)| (name, name, file)))?,
        page_jwt,
    })
}

#[derive(Serialize)]
struct Snippet {
    name: &'static str,
    caption: &'static str,
    code: String,
}

/// Formats a JavaScript string, with the quotes. A `<` is escaped, since `</script>` would end the script.
fn js_text(text: &str) -> String {
    let quoted = serde_json::to_string(text).expect("a text can be written as JSON");
    quoted.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

/// Formats a string of Ruby and PHP in single quotes, which neither interpolates.
fn quoted_text(text: &str) -> String {
    format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'"))
}
