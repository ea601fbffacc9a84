//! Long-polling over real requests.

mod client;
mod ending;
mod leaving;
mod messages;
mod opening;

/// Of the original's database: the key of Test App, which belongs to Acme Inc.
const APP_KEY: &str = "88911bb8-e6c9-11f1-bf84-f2fc4c7451a7";
/// Root, and admin of Acme.
const ADMIN: i32 = 1;
/// Member of Acme.
const MEMBER: i32 = 3;
/// Enrolled nowhere.
const LONE: i32 = 5;
