//! The table `ownerships`: the organizations that own each application.
//!
//! Only rows with `is_owned` count, as in the original's queries.

use std::collections::{BTreeSet, HashMap, HashSet};

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{
    DbConn, Result, Transaction, now,
    schema::{enrollments, organizations, ownerships},
};

/// Gives an application to an organization.
///
/// # Errors
///
/// [`Error::NotFound`](super::Error::NotFound) when one of the two is missing.
pub async fn create(tx: &mut Transaction<'_>, organization_id: i32, application_id: i32) -> Result<()> {
    let now = now();
    on_conn!(tx, |raw| diesel::insert_into(ownerships::table)
        .values((
            ownerships::organization_id.eq(organization_id),
            ownerships::application_id.eq(application_id),
            ownerships::is_owned.eq(true),
            ownerships::inserted_at.eq(now),
            ownerships::updated_at.eq(now),
        ))
        .execute(raw))?;
    Ok(())
}

/// The organizations, archived ones excluded, that own applications and have users enrolled.
#[derive(Debug)]
pub(super) struct Shared {
    by_application: HashMap<i32, BTreeSet<i32>>,
    /// Applications that an archived organization owns.
    by_archived: HashSet<i32>,
    by_user: HashMap<i32, BTreeSet<i32>>,
}

impl Shared {
    /// Returns the organizations that own this application and have this user enrolled, ordered by id.
    pub(super) fn organizations(&self, application_id: i32, user_id: i32) -> Vec<i32> {
        let (owners, enrolled) = (self.by_application.get(&application_id), self.by_user.get(&user_id));
        owners.zip(enrolled).map(|(owners, enrolled)| owners & enrolled).into_iter().flatten().collect()
    }

    /// Returns true if an application that is owned at all has an owner that is not archived.
    pub(super) fn is_open(&self, application_id: i32) -> bool {
        self.by_application.contains_key(&application_id) || !self.by_archived.contains(&application_id)
    }
}

/// Returns the organizations that own one of these applications, and those that have one of these users enrolled. The
/// result is two lists, which stay short even if many organizations own what many users use.
pub(super) async fn shared(conn: &mut DbConn, application_ids: &[i32], user_ids: &[i32]) -> Result<Shared> {
    let mut shared = Shared { by_application: HashMap::new(), by_archived: HashSet::new(), by_user: HashMap::new() };
    if application_ids.is_empty() {
        return Ok(shared);
    }
    let owned = || {
        ownerships::table
            .filter(ownerships::application_id.eq_any(application_ids))
            .filter(ownerships::is_owned.eq(true))
    };
    let owners: Vec<(i32, i32, bool)> = on_conn!(conn, |raw| owned()
        .inner_join(organizations::table)
        .select((ownerships::application_id, ownerships::organization_id, organizations::archived_at.is_null()))
        .load(raw))?;
    for (application_id, organization_id, is_active) in owners {
        if is_active {
            shared.by_application.entry(application_id).or_default().insert(organization_id);
        } else {
            shared.by_archived.insert(application_id);
        }
    }
    let of_owners = enrollments::table
        .filter(enrollments::user_id.eq_any(user_ids))
        .filter(enrollments::organization_id.eq_any(owned().select(ownerships::organization_id)));
    let enrolled: Vec<(i32, i32)> =
        on_conn!(conn, |raw| of_owners.select((enrollments::user_id, enrollments::organization_id)).load(raw))?;
    for (user_id, organization_id) in enrolled {
        shared.by_user.entry(user_id).or_default().insert(organization_id);
    }
    Ok(shared)
}
