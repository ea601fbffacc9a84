//! Nobody can take their own rights away in the admin, so that there is always somebody left who can come back.

use super::{Draft, Refusal};
use crate::store::{Transaction, admin::users};

/// Notes beside the fields what root users cannot take from themselves: that they are root, that they are confirmed.
///
/// # Errors
///
/// [`Refusal::Invalid`] when either is tried.
pub(super) fn keep_oneself(draft: &mut Draft, no_root: bool, unconfirmed: bool) -> Result<(), Refusal> {
    for (field, is_taken) in [("is_root", no_root), ("confirmed", unconfirmed)] {
        if is_taken {
            draft.form.error(field, "cannot be taken from yourself");
        }
    }
    draft.check()
}

/// Makes sure that whoever takes a root user's rights away is root, can sign in, and stays so until the transaction ends:
/// then somebody is left. Of two root users who do that to each other at once, the second finds that it has them no more.
///
/// # Errors
///
/// [`Refusal::Because`] the actor is not root any more, or could not come back.
pub(super) async fn require_remaining(tx: &mut Transaction<'_>, actor_id: i32) -> Result<(), Refusal> {
    let roots = users::lock_roots(tx).await?;
    match roots.iter().find(|root| root.id == actor_id) {
        Some(actor) if actor.can_sign_in => Ok(()),
        Some(_) => Err(Refusal::Because("You could not sign in again, so another root user has to stay.")),
        None => Err(Refusal::Because("You are not root any more.")),
    }
}
