//! Accounts: created, confirmed, changed, locked, suspended, deleted; their passwords, and their browser sessions.

mod addresses;
mod creating;
mod editing;
mod leaving;
mod locking;
mod passwords;
mod proven;
mod roots;
mod sessions;
mod sign_up_policy;
mod suspending;

pub use self::{
    addresses::{Confirming, ask_for_link, ask_to_change_address, change_address, confirm},
    creating::{NewAccount, SignUp, create, sign_up},
    editing::{AccountChanges, rename, update},
    leaving::{Outlook, delete, leave, outlook},
    locking::{count_nobodys_failure, count_wrong_password, unlock},
    passwords::{RemainingTokens, TOKENS, change_own_password, reset_password},
    proven::ProvenUser,
    sessions::{Proof, end_every_browser, sign_in, sign_out},
    sign_up_policy::{SignUpMode, SignUpPolicy},
    suspending::{reinstate, suspend},
};

pub(super) use self::creating::{claim, create_for_invited};
use super::record;
use crate::store::{
    Result, Transaction,
    audit::{Actor, Differences},
    users::User,
};

const RESOURCE: &str = "users";

/// Records an action on an account, named by its address.
async fn record_user(tx: &mut Transaction<'_>, actor: &Actor, action: &str, user: &User) -> Result<()> {
    record(tx, actor, action, (RESOURCE, user.id), &named(user)).await
}

fn named(user: &User) -> Differences {
    let mut details = Differences::default();
    details.column("email", None, user.email.as_deref());
    details
}
