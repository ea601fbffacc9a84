//! The link of an invitation.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{
    auth::{Signer, mailed_token},
    operations::Mailing,
    store::{
        Result, Transaction,
        invitations::{self, Invitation},
    },
};

/// Characters that need no escape in a path (RFC 3986, 2.3).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// The purpose of the signature that is the token.
const PURPOSE: &str = "invitation";

/// Returns the URL to accept the invitation, with a token that the database knows from now on.
pub(super) async fn url(tx: &mut Transaction<'_>, mailing: Mailing<'_>, invitation: &Invitation) -> Result<String> {
    let token = match &invitation.token {
        Some(plain) if !mailed_token::is_hashed(plain) => plain.clone(),
        stored => {
            let token = token(mailing.signer, invitation);
            let [hashed, _] = mailed_token::stored_forms(&token).expect("a signature can be a token");
            if stored.as_ref() != Some(&hashed) {
                invitations::keep_token(tx, invitation.id, &hashed).await?;
            }
            token
        }
    };
    Ok(mailing.url(&path(&token)))
}

/// Returns the page that the link leads to.
pub fn path(token: &str) -> String {
    format!("/invitations/{}/edit", utf8_percent_encode(token, UNRESERVED))
}

/// Returns a text that only the server's secret can produce, and that is the same each time. So each mail about an
/// invitation has the same link, and a later one does not invalidate an earlier one.
fn token(signer: &Signer, invitation: &Invitation) -> String {
    let email = invitation.email.as_deref().unwrap_or_default();
    signer.signature(PURPOSE, &format!("{} {email}", invitation.id))
}
