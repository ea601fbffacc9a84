//! Two requests that do the same at the same time: one does it and writes the entry, the other finds it done.

use pusher_lite::{
    auth::{NewPassword, password},
    operations::{
        Refusal, Rule, accounts, applications, members, organizations, ownerships,
        policies::{self, CheckedPolicy},
        tokens,
    },
    store::{
        self, Db, Transaction, application_policies::Policy, applications::Changes, audit::Actor, credentials,
        organizations::Changes as OrganizationChanges, users,
    },
};
use tokio::sync::oneshot;

use super::{ADMIN, MEMBER, PLAIN_ADMIN};
use crate::support::database::TestDatabase;

/// An operation that does nothing the second time.
#[derive(Clone, Copy, Debug)]
enum Once {
    ChangePolicy,
    EndPreviousSecret,
    ArchiveApplication,
    RestoreApplication,
    RenameApplication,
    ArchiveOrganization,
    RestoreOrganization,
    RenameOrganization,
    Promote,
    PutOwnershipOutOfForce,
    InvalidateToken,
    RestoreToken,
    Suspend,
    Reinstate,
    Unlock,
    DeleteOwnership,
    DeleteToken,
    DeleteApplication,
    Remove,
    DeleteOrganization,
    DeleteUser,
}

use Once::*;

/// In an order in which each has something to do.
const ALL: [Once; 21] = [
    ChangePolicy,
    EndPreviousSecret,
    ArchiveApplication,
    RestoreApplication,
    RenameApplication,
    ArchiveOrganization,
    RestoreOrganization,
    RenameOrganization,
    Promote,
    PutOwnershipOutOfForce,
    InvalidateToken,
    RestoreToken,
    Suspend,
    Reinstate,
    Unlock,
    DeleteOwnership,
    DeleteToken,
    DeleteApplication,
    Remove,
    DeleteOrganization,
    DeleteUser,
];

impl Once {
    /// Returns true if it was done.
    async fn carry_out(self, tx: &mut Transaction<'_>) -> Result<bool, Refusal> {
        let actor = &Actor { id: Some(ADMIN), ..Actor::default() };
        let last = members::LastAdmin::MayGo;
        match self {
            ChangePolicy => {
                let end_expired = |policy| Ok(checked(Policy { ends_expired: true, ..policy }));
                Ok(policies::update::<Refusal>(tx, actor, 1, end_expired).await?.1)
            }
            EndPreviousSecret => Ok(applications::end_previous_secret(tx, actor, 1).await?.is_some()),
            ArchiveApplication => Ok(applications::archive(tx, actor, 1).await?.is_some()),
            RestoreApplication => Ok(applications::restore(tx, actor, 1).await?.is_some()),
            RenameApplication => {
                let changes = Changes { name: Some("New".to_owned()), ..Changes::default() };
                Ok(applications::update(tx, actor, 1, &changes, None).await?.1)
            }
            ArchiveOrganization => Ok(organizations::archive(tx, actor, 1).await?.is_some()),
            RestoreOrganization => Ok(organizations::restore(tx, actor, 1).await?.is_some()),
            RenameOrganization => {
                let changes = OrganizationChanges { name: Some("New".to_owned()), ..OrganizationChanges::default() };
                Ok(organizations::update(tx, actor, 1, &changes).await?.1)
            }
            Promote => members::set_admin(tx, actor, (MEMBER, 1), true, last).await,
            PutOwnershipOutOfForce => Ok(ownerships::set_owned(tx, actor, 1, false).await?),
            InvalidateToken => Ok(tokens::invalidate(tx, actor, 1).await?.1),
            RestoreToken => Ok(tokens::restore(tx, actor, 1).await?),
            Suspend => accounts::suspend(tx, actor, MEMBER).await,
            Reinstate => Ok(accounts::reinstate(tx, actor, MEMBER).await?),
            Unlock => Ok(accounts::unlock(tx, actor, MEMBER).await?),
            DeleteOwnership => done(ownerships::delete(tx, actor, 2).await),
            DeleteToken => done(tokens::delete(tx, actor, 1).await),
            DeleteApplication => done(applications::delete(tx, actor, 1).await),
            Remove => done(members::remove(tx, actor, PLAIN_ADMIN, 2, last).await),
            DeleteOrganization => done(organizations::delete(tx, actor, 2).await),
            DeleteUser => done(accounts::delete(tx, actor, PLAIN_ADMIN).await),
        }
    }
}

/// Returns true for what was done, and false for a row that is gone.
fn done<E: Into<Refusal>>(outcome: Result<(), E>) -> Result<bool, Refusal> {
    match outcome.map_err(Into::into) {
        Ok(()) => Ok(true),
        Err(Refusal::Store(store::Error::NotFound)) => Ok(false),
        Err(refusal) => Err(refusal),
    }
}

fn checked(policy: Policy) -> CheckedPolicy {
    CheckedPolicy::check(policy).unwrap()
}

/// A policy that demands nothing of Test App, and a secret that a rotation replaced.
const ROTATED: &str = "INSERT INTO application_policies VALUES \
    (1, true, false, '', '', false, 'a secret', '2026-11-30 00:00:00', '2026-11-30 00:00:00')";

/// Carries an operation out in two transactions, of which the first has done it, but not committed, when the second
/// begins.
async fn twice(db: &Db, database: &TestDatabase, once: Once) -> [bool; 2] {
    let (done, is_done) = oneshot::channel();
    let (commit, may_commit) = oneshot::channel();
    let first = db.transaction(async |tx: &mut Transaction<'_>| {
        let changed = once.carry_out(tx).await?;
        done.send(()).unwrap();
        may_commit.await.unwrap();
        Ok::<_, Refusal>(changed)
    });
    let second = async {
        is_done.await.unwrap();
        db.transaction(async |tx: &mut Transaction<'_>| once.carry_out(tx).await).await
    };
    let releasing = async {
        database.until_somebody_waits().await;
        commit.send(()).unwrap();
    };
    let (first, second, ()) = tokio::join!(first, second, releasing);
    [first, second].map(|outcome| outcome.unwrap_or_else(|refusal| panic!("{once:?}: {refusal:?}")))
}

db_test!(of_two_at_once_one_does_it_and_writes_the_entry);
async fn of_two_at_once_one_does_it_and_writes_the_entry(database: TestDatabase) {
    let db = database.with_original_rows().await;
    let locked_at = store::now().format("%Y-%m-%d %H:%M:%S");
    database.execute(&format!("UPDATE users SET locked_at = '{locked_at}' WHERE id = {MEMBER}")).await;
    database.execute(ROTATED).await;
    for once in ALL {
        let before = database.texts("id", "audit_entries").await.len();
        assert_eq!(twice(&db, &database, once).await, [true, false], "{once:?}");
        let told = database.texts("resource || ' ' || action", "audit_entries ORDER BY id").await.split_off(before);
        // What is archived along has an entry of its own.
        let own = told.iter().filter(|entry| *entry != "applications archive" || matches!(once, ArchiveApplication));
        assert_eq!(own.count(), 1, "{once:?}: {told:?}");
    }
}

db_test!(of_two_changes_of_a_policy_at_once_both_stay);
async fn of_two_changes_of_a_policy_at_once_both_stay(database: TestDatabase) {
    let db = database.with_original_rows().await;
    database.execute(ROTATED).await;
    let actor = &Actor::default();
    let (done, is_done) = oneshot::channel();
    let (commit, may_commit) = oneshot::channel();
    let first = db.transaction(async |tx: &mut Transaction<'_>| {
        let change = |policy| Ok(checked(Policy { ends_expired: true, ..policy }));
        policies::update::<Refusal>(tx, actor, 1, change).await?;
        done.send(()).unwrap();
        may_commit.await.unwrap();
        Ok::<_, Refusal>(())
    });
    let second = async {
        is_done.await.unwrap();
        let change = |policy| Ok(checked(Policy { requires_restricted: true, ..policy }));
        db.transaction(async |tx: &mut Transaction<'_>| policies::update::<Refusal>(tx, actor, 1, change).await).await
    };
    let releasing = async {
        database.until_somebody_waits().await;
        commit.send(()).unwrap();
    };
    let (first, second, ()) = tokio::join!(first, second, releasing);
    first.unwrap();
    let (policy, _) = second.unwrap();
    assert!(policy.ends_expired && policy.requires_restricted, "{policy:?}");
}

// The check of the old password takes long, and comes before the transaction.
db_test!(a_password_that_was_changed_meanwhile_is_wrong);
async fn a_password_that_was_changed_meanwhile_is_wrong(database: TestDatabase) {
    let db = database.with_original_rows().await;
    let hash = users::password_hash(&mut db.conn().await.unwrap(), MEMBER).await.unwrap();
    let proven = &password::prove("password", hash.as_deref()).await.unwrap();
    let new = NewPassword::check("correct horse").unwrap().hash().await.unwrap();
    let actor = &Actor { id: Some(MEMBER), ..Actor::default() };
    let (done, is_done) = oneshot::channel();
    let (commit, may_commit) = oneshot::channel();
    let first = db.transaction(async |tx: &mut Transaction<'_>| {
        accounts::ProvenUser::lock(tx, MEMBER, proven).await?;
        credentials::set_password(tx, MEMBER, new.as_str()).await?;
        done.send(()).unwrap();
        may_commit.await.unwrap();
        Ok::<_, Refusal>(())
    });
    let second = async {
        is_done.await.unwrap();
        db.transaction(async |tx: &mut Transaction<'_>| accounts::leave(tx, actor, (MEMBER, proven)).await).await
    };
    let releasing = async {
        database.until_somebody_waits().await;
        commit.send(()).unwrap();
    };
    let (first, second, ()) = tokio::join!(first, second, releasing);
    first.unwrap();
    assert!(matches!(second, Err(Refusal::Rule(Rule::OtherPassword))), "{second:?}");
    assert_eq!(database.texts("id", "users WHERE id = 3").await, ["3"]);
}
