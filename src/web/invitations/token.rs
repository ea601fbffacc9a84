//! The link of an invitation.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{
    app::App,
    auth::{Signer, mailed_token},
    store::{
        self, Transaction,
        invitations::{self, Invitation},
    },
};

/// What stands in a path as it is (RFC 3986, 2.3).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// The purpose of the signature that is the token.
const PURPOSE: &str = "invitation";

/// Where the invitation is accepted, with a token that the database knows from now on.
pub(super) async fn url(tx: &mut Transaction<'_>, app: &App, invitation: &Invitation) -> store::Result<String> {
    let token = match &invitation.token {
        Some(plain) if !mailed_token::is_hashed(plain) => plain.clone(),
        stored => {
            let token = token(&app.accounts.signer, invitation);
            let [hashed, _] = mailed_token::stored_forms(&token).expect("a signature can be a token");
            if stored.as_ref() != Some(&hashed) {
                invitations::keep_token(tx, invitation.id, &hashed).await?;
            }
            token
        }
    };
    Ok(format!("{}{}", app.pages.site.base_url, path(&token)))
}

/// The page that the link leads to.
pub(super) fn path(token: &str) -> String {
    format!("/invitations/{}/edit", utf8_percent_encode(token, UNRESERVED))
}

/// A text that nobody can make who does not know the server's secret, and that is the same each time: so each mail about
/// an invitation has the same link, and an earlier one is not made useless by a later one.
fn token(signer: &Signer, invitation: &Invitation) -> String {
    let email = invitation.email.as_deref().unwrap_or_default();
    signer.signature(PURPOSE, &format!("{} {email}", invitation.id))
}
