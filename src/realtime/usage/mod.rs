//! Limits and figures.
//!
//! - [`quotas`], [`settings`], [`applications`], [`reservations`]: limits for the server, applications and addresses, and their
//!   use
//! - [`bucket`], [`allowance`]: rates; the cost of requests that are not events
//! - [`counters`], [`refusal`], [`stats`], [`samples`]: everything counted, and its public form

pub(crate) mod allowance;
pub(crate) mod applications;
pub(crate) mod bucket;
pub(crate) mod counters;
pub(crate) mod quotas;
pub(crate) mod refusal;
pub(crate) mod reservations;
pub(crate) mod samples;
pub(crate) mod settings;
pub(crate) mod stats;
