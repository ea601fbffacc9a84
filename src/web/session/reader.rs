//! Reader of an error's page. The page may be needed when nothing else works: unknown parts are left out.

use minijinja::{Value, context};

use super::{browser_session, navigation, offers_sign_up, remembered};
use crate::{http::Request, web::App};

/// Information about the reader in a request.
#[derive(Debug)]
pub(in crate::web) struct Reader {
    /// The session cookie, with any signature.
    session: Option<String>,
    /// True if the browser may be remembered without a session.
    is_remembered: bool,
}

impl Reader {
    /// Reads cookies only.
    pub(in crate::web) fn of(request: &Request) -> Self {
        Self {
            session: request.cookie(browser_session::SESSION_COOKIE).map(str::to_owned),
            is_remembered: request.cookie(remembered::COOKIE).is_some(),
        }
    }

    /// Returns the navigation: the links of a signed-in user, or those of a visitor. If only the database would know,
    /// and it does not answer, neither.
    pub(in crate::web) async fn navigation(&self, app: &App) -> Value {
        let known = self.session.as_deref().and_then(|cookie| browser_session::id_in(&app.accounts.signer, cookie));
        let user = match known {
            Some(id) => browser_session::user_of(&app.db, id).await,
            None => Ok(None),
        };
        match user {
            Ok(None) if self.is_remembered => context! {},
            Ok(user) => {
                let offers_sign_up = offers_sign_up(app, user.as_ref()).await;
                navigation(app, known.unwrap_or_default(), user.as_ref(), offers_sign_up)
            }
            // The page reports another error.
            Err(error) => {
                tracing::debug!(%error, "Could not look up the reader of an error page.");
                context! {}
            }
        }
    }
}
