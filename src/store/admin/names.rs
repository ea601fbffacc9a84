//! Names of the rows that other rows refer to.

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
    /// Key by which sockets name it.
    pub app_key: Option<String>,
}
