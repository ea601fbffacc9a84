//! Code that uses an application, with its key and this server's address filled in. Secrets are placeholders.

use minijinja::{Value, context, value::Serde};
use serde::Serialize;

use super::{organization_access::OrganizationAccess, paths};
use crate::{
    http::Request,
    store::applications::Application,
    web::{App, Error, pages},
};

/// For a backend: get a JWT, publish an event. The file in `templates/account/snippets` of each language.
const BACKEND: [(&str, &str); 5] =
    [("curl", "curl"), ("Ruby", "ruby"), ("Node.js", "node"), ("Python", "python"), ("PHP", "php")];
/// For a page: join a topic, bind an event.
const BROWSER: [(&str, &str); 3] = [("Script tag", "script_tag"), ("ES module", "module"), ("npm", "npm")];

/// Returns the snippets of an application, as `backend` and `browser`, each a list of `{name, code}`; and `page_jwt`,
/// the command that gets a JWT for a page.
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
    let context = context! {
        events => paths::of_events(&access.organization, application),
        // As a JavaScript string, valid also within a script tag.
        app_key => js_text(application.app_key.as_deref().unwrap_or_default()),
        topic => js_text(&format!("lobby:{}:general", application.app_key.as_deref().unwrap_or_default())),
        ..address
    };
    let render = |name: &str| app.pages.views.text(&format!("portal/snippets/{name}.txt.j2"), context.clone());
    let all = |list: &[(&'static str, &str)]| {
        let snippet = |(name, file): &(&'static str, &str)| Ok(Snippet { name, code: render(file)? });
        list.iter().map(snippet).collect::<Result<Vec<_>, Error>>()
    };
    let (backend, browser) = (Value::from(Serde(all(&BACKEND)?)), Value::from(Serde(all(&BROWSER)?)));
    Ok(context! { backend, browser, page_jwt => render("page_jwt")? })
}

#[derive(Serialize)]
struct Snippet {
    name: &'static str,
    code: String,
}

/// Formats a JavaScript string, with the quotes. A `<` is escaped, since `</script>` would end the script.
fn js_text(text: &str) -> String {
    let quoted = serde_json::to_string(text).expect("a text can be written as JSON");
    quoted.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}
