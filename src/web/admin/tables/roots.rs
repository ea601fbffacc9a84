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

/// Makes sure that whoever takes a root user's right away is root and stays so until the transaction ends: then somebody
/// is left. Of two root users who do that to each other at once, the second finds that it is root no more.
///
/// # Errors
///
/// [`Refusal::Because`] the actor is not root any more.
pub(super) async fn require_remaining(tx: &mut Transaction<'_>, actor_id: i32) -> Result<(), Refusal> {
    let roots = users::lock_roots(tx).await?;
    if roots.contains(&actor_id) { Ok(()) } else { Err(Refusal::Because("You are not root any more.")) }
}
