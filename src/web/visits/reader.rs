//! Who reads the page of an error. It may be answered when nothing else can be: whatever is not known is left out.

use minijinja::{Value, context};

use super::{navigation, remembered, session};
use crate::{app::App, http::Request};

/// What a request says of its reader.
#[derive(Debug)]
pub(in crate::web) struct Reader {
    /// The session cookie, whoever signed it.
    session: Option<String>,
    /// Whether somebody may stay signed in in this browser without a session.
    is_remembered: bool,
}

impl Reader {
    /// Reads cookies alone.
    pub(in crate::web) fn of(request: &Request) -> Self {
        Self {
            session: request.cookie(session::SESSION_COOKIE).map(str::to_owned),
            is_remembered: request.cookie(remembered::COOKIE).is_some(),
        }
    }

    /// What the navigation shows: the links of whoever is signed in, or those of a visitor. Where only the database would
    /// know, and it does not say, neither.
    pub(in crate::web) async fn navigation(&self, app: &App) -> Value {
        let known = self.session.as_deref().and_then(|cookie| session::id_in(&app.accounts.signer, cookie));
        let user = match known {
            Some(id) => session::user_of(&app.db, id).await,
            None => Ok(None),
        };
        match user {
            Ok(None) if self.is_remembered => context! {},
            Ok(user) => navigation(app, known.unwrap_or_default(), user.as_ref()),
            // Whatever it is, the page tells of something else.
            Err(error) => {
                tracing::debug!(%error, "It is not known who reads the page of an error.");
                context! {}
            }
        }
    }
}
