//! Users who have typed their password.

use crate::{
    auth::ProvenPassword,
    operations::{Refusal, Rule},
    store::{
        Transaction,
        users::{self, User},
    },
};

/// A user who has typed the password that the account still has. The row stays locked until the transaction ends, so that
/// of two requests with the old password only the first changes something. Operations that need the current password
/// take this.
#[derive(Debug)]
pub struct ProvenUser(User);

impl ProvenUser {
    /// Locks the row and compares the hash with the one that the password was found to belong to. Takes no time for
    /// hashing: that is done before, outside of the transaction.
    ///
    /// # Errors
    ///
    /// [`Rule::OtherPassword`] if the hash is another one by now. The password may be right all the same, since a
    /// sign-in hashes old ones again: check it again outside of the transaction.
    /// [`Error::NotFound`](crate::store::Error::NotFound) when there is no such user.
    pub async fn lock(tx: &mut Transaction<'_>, id: i32, password: &ProvenPassword) -> Result<Self, Refusal> {
        let user = users::lock(tx, id).await?;
        let hash = users::password_hash(tx, id).await?;
        if password.is_of(hash.as_deref()) { Ok(Self(user)) } else { Err(Rule::OtherPassword.into()) }
    }

    pub(super) fn user(&self) -> &User {
        &self.0
    }
}
