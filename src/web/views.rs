//! Pages: the templates of `templates/`, and the headers that keep them safe.

use std::{fmt, sync::Arc};

use minijinja::{Environment, UndefinedBehavior, Value};

use super::{Error, embedded};
use crate::http::{
    Response, StatusCode,
    assets::Assets,
    header::{
        CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
    },
};

/// Allows scripts, styles, images and connections of this server alone, nothing inline, and no embedding in pages of
/// others.
const CONTENT_SECURITY: &str = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; \
    frame-ancestors 'none'";
const SAFETY: [(HeaderName, &str); 4] = [
    (CONTENT_SECURITY_POLICY, CONTENT_SECURITY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "strict-origin-when-cross-origin"),
];

/// The templates, ready to be rendered.
pub struct Views {
    environment: Environment<'static>,
}

impl Views {
    /// Parses the embedded templates. In them, `asset("js/app.js")` is the URL of a file with its version.
    ///
    /// # Panics
    ///
    /// Panics if a template cannot be parsed; every start would show that.
    pub fn new(assets: &Arc<Assets>) -> Self {
        let assets = Arc::clone(assets);
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        environment.add_function("asset", move |path: &str| assets.url(path));
        environment.add_global("version", env!("CARGO_PKG_VERSION"));
        for (name, source) in embedded::templates() {
            environment.add_template_owned(name, source).expect("the embedded templates can be parsed");
        }
        Self { environment }
    }

    /// Renders a page: the template `name` (`home`) filled in with `context`.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] when the template uses a variable that `context` does not have.
    pub fn page(&self, status: StatusCode, name: &str, context: Value) -> Result<Response, Error> {
        let template = self.environment.get_template(&format!("{name}.html.j2")).map_err(Error::internal)?;
        let page = Response::html(status, template.render(context).map_err(Error::internal)?);
        Ok(SAFETY.into_iter().fold(page, |page, (name, value)| page.header(name, HeaderValue::from_static(value))))
    }

    /// Renders a text: the template `file` (`mail/welcome.txt.j2`) filled in with `context`. Values in a `.txt.j2` are
    /// not escaped.
    ///
    /// # Errors
    ///
    /// The errors of [`Views::page`].
    pub fn text(&self, file: &str, context: Value) -> Result<String, Error> {
        let template = self.environment.get_template(file).map_err(Error::internal)?;
        template.render(context).map_err(Error::internal)
    }
}

impl fmt::Debug for Views {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Views").finish_non_exhaustive()
    }
}
