//! Which sockets end when what they live by is taken away (D5), by REST and by the pages alike.
//!
//! To be called when the change is committed: a socket that comes back meets the new state.

use crate::{
    realtime::Hub,
    store::{applications::Application, organizations::Deleted},
};

/// An application was archived, or has another key: `before` is how its sockets know it.
pub(super) fn application_taken_away(hub: &Hub, before: &Application) {
    if let Some(app_key) = &before.app_key {
        hub.close_application(app_key);
    }
}

/// A token opens no sessions any more.
pub(super) fn token_invalidated(hub: &Hub, token_id: i32) {
    hub.close_token(token_id.into());
}

/// A user is not enrolled in an organization any more.
pub(super) fn enrollment_ended(hub: &Hub, user_id: i32, organization_id: i32) {
    hub.close_enrollment(user_id.into(), organization_id.into());
}

/// An organization was deleted, and with it what it alone owned was archived.
pub(super) fn organization_deleted(hub: &Hub, organization_id: i32, deleted: &Deleted) {
    for user_id in &deleted.user_ids {
        enrollment_ended(hub, *user_id, organization_id);
    }
    for application in &deleted.archived {
        application_taken_away(hub, application);
    }
}
