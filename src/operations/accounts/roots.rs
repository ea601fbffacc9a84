//! The rule of the last root user: one who can sign in always remains, so that the server has an administrator.

use crate::{
    operations::{Refusal, Rule},
    store::{
        Result, Transaction,
        audit::Actor,
        roots::{self, Root},
        users::User,
    },
};

/// The root users. No other transaction can change who they are until this one ends.
///
/// Take it before the row of a user is locked: in another order two transactions could wait for each other.
#[derive(Debug)]
pub(super) struct Roots(Vec<Root>);

impl Roots {
    pub(super) async fn lock(tx: &mut Transaction<'_>) -> Result<Self> {
        roots::lock(tx).await.map(Self)
    }

    /// Checks that this actor may end another user's root rights, or the ability to sign in that they need.
    ///
    /// If two root users remove each other at the same time, the second one fails, who no longer has the right to.
    ///
    /// # Errors
    ///
    /// [`Rule::NoLongerRoot`], [`Rule::LastRoot`].
    pub(super) fn check_end_of(&self, user: &User, actor: &Actor) -> Result<(), Refusal> {
        if !user.is_root {
            return Ok(());
        }
        if !self.0.iter().any(|root| Some(root.id) == actor.id) {
            return Err(Rule::NoLongerRoot.into());
        }
        if remain_without(&self.0, user.id) { Ok(()) } else { Err(Rule::LastRoot.into()) }
    }

    /// Checks that this user may delete the own account.
    ///
    /// # Errors
    ///
    /// [`Rule::LastRoot`].
    pub(super) fn check_leaving_of(&self, user: &User) -> Result<(), Refusal> {
        if user.is_root && !remain_without(&self.0, user.id) { Err(Rule::LastRoot.into()) } else { Ok(()) }
    }
}

/// Returns true if a root user who can sign in remains when this user is no longer one.
pub(super) fn remain_without(roots: &[Root], user_id: i32) -> bool {
    roots.iter().any(|root| root.id != user_id && root.can_sign_in)
}
