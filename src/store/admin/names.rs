//! The rows that other rows refer to, as far as they are named.

use diesel::prelude::*;

use crate::store::schema::{applications, organizations, users};

/// A user as others refer to it.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = users)]
pub struct UserName {
    /// The primary key.
    pub id: i32,
    /// The name to show.
    pub name: Option<String>,
    /// The address.
    pub email: Option<String>,
}

/// An organization as others refer to it.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = organizations)]
pub struct OrganizationName {
    /// The primary key.
    pub id: i32,
    /// The name to show.
    pub name: Option<String>,
    /// The name in URLs.
    pub slug: Option<String>,
}

/// An application as others refer to it.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = applications)]
pub struct ApplicationName {
    /// The primary key.
    pub id: i32,
    /// The name to show.
    pub name: Option<String>,
    /// What sockets name it by.
    pub app_key: Option<String>,
}
