//! The sockets that a change ends.

use crate::realtime::Hub;

/// What is no more, and whose sockets are to be closed once that is committed (D5).
#[derive(Debug, Default)]
pub(super) struct Closing(Vec<Gone>);

#[derive(Debug)]
enum Gone {
    Application(String),
    Token(i32),
    Enrollment { user_id: i32, organization_id: i32 },
    Ownership { app_key: String, organization_id: i32 },
    User(i32),
}

impl Closing {
    /// An application was archived or deleted, or has another key now.
    pub(super) fn application(&mut self, app_key: Option<&str>) {
        self.0.extend(app_key.map(|app_key| Gone::Application(app_key.to_owned())));
    }

    /// A token is not valid any more.
    pub(super) fn token(&mut self, id: i32) {
        self.0.push(Gone::Token(id));
    }

    /// A user is not enrolled any more.
    pub(super) fn enrollment(&mut self, user_id: i32, organization_id: i32) {
        self.0.push(Gone::Enrollment { user_id, organization_id });
    }

    /// An organization does not own an application any more.
    pub(super) fn ownership(&mut self, app_key: Option<&str>, organization_id: i32) {
        self.0.extend(app_key.map(|app_key| Gone::Ownership { app_key: app_key.to_owned(), organization_id }));
    }

    /// A user was deleted, or is not root or not confirmed any more.
    pub(super) fn user(&mut self, id: i32) {
        self.0.push(Gone::User(id));
    }

    /// Closes along what another change ends.
    pub(super) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Closes the sockets.
    pub(super) fn close(self, hub: &Hub) {
        for gone in self.0 {
            match gone {
                Gone::Application(app_key) => hub.close_application(&app_key),
                Gone::Token(id) => hub.close_token(id.into()),
                Gone::Enrollment { user_id, organization_id } => {
                    hub.close_enrollment(user_id.into(), organization_id.into());
                }
                Gone::Ownership { app_key, organization_id } => hub.close_ownership(&app_key, organization_id.into()),
                Gone::User(id) => hub.close_user(id.into()),
            }
        }
    }
}
