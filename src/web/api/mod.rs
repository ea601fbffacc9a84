//! The REST API under `/api`: the paths, JSON and refusals of the original.
//!
//! The table of routes recognizes the caller ([`caller`]). A handler checks the permission, reads the parameters
//! (`Changeset`), and calls an operation.

pub(super) mod applications;
pub(super) mod caller;
mod changeset;
pub(super) mod events;
pub(super) mod organizations;
mod permit;
pub(super) mod policies;
pub(super) mod sessions;
pub(super) mod user_tokens;

use chrono::{NaiveDateTime, Timelike};
use serde::Serialize;
use serde_json::Value;

use super::Error;
use crate::http::{Response, StatusCode, header::LOCATION};

/// Returns an answer with data, in the form of all answers but errors.
fn data(status: StatusCode, data: impl Serialize) -> Response {
    #[derive(Serialize)]
    struct Data<T> {
        data: T,
    }

    Response::json(status, &Data { data })
}

/// Returns the answer for a created row, with its path.
fn created(path: &str, created: Value) -> Response {
    data(StatusCode::CREATED, created).with_text(LOCATION, path)
}

/// Formats a time as Ecto writes it: UTC without a zone (D15), with microseconds only when there are any.
fn timestamp(time: Option<NaiveDateTime>) -> Option<String> {
    let pattern =
        |time: &NaiveDateTime| if time.nanosecond() == 0 { "%Y-%m-%dT%H:%M:%S" } else { "%Y-%m-%dT%H:%M:%S%.6f" };
    time.map(|time| time.format(pattern(&time)).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_microseconds_only_when_there_are_any() {
        let written = |time: &str| timestamp(Some(time.parse().unwrap())).unwrap();
        assert_eq!(written("2026-11-22T22:32:19"), "2026-11-22T22:32:19");
        assert_eq!(written("2020-01-02T03:04:05.678"), "2020-01-02T03:04:05.678000");
        assert_eq!(timestamp(None), None);
    }
}
