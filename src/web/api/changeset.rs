//! Values that a request sets: read, and refused with the messages of Ecto 2.0.

use chrono::{NaiveDate, NaiveDateTime};
use serde_json::{Map, Value, json};

use super::Error;
use crate::{http::Request, store};

const BLANK: &str = "can't be blank";
const INVALID: &str = "is invalid";
const TAKEN: &str = "has already been taken";

/// The members of one parameter, such as `organization`, and their errors.
#[derive(Debug)]
pub(super) struct Changeset {
    name: &'static str,
    members: Map<String, Value>,
    errors: Map<String, Value>,
    /// True for a new row: its errors are nested under the name of the parameter, as in the original.
    is_nested: bool,
}

/// Change of one column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change<T> {
    /// No value, or an invalid one.
    Keep,
    /// An empty value: null, or an empty string.
    Clear,
    /// A new value.
    Set(T),
}

impl Changeset {
    /// Reads the parameter that describes a row to create.
    ///
    /// # Errors
    ///
    /// 400 when it is missing or an array, 422 when it is anything else but an object: as in the original, except for
    /// null.
    pub(super) fn to_create(request: &Request, name: &'static str) -> Result<Self, Error> {
        match request.params().value(name)? {
            Some(Value::Object(members)) => Ok(Self { name, members, errors: Map::new(), is_nested: true }),
            Some(Value::Array(_)) => Err(Error::bad_request(format!("the parameter {name} is not an object"))),
            Some(_) => Err(Error::invalid(name, INVALID)),
            None => Err(Error::bad_request(format!("the parameter {name} is missing"))),
        }
    }

    /// Reads the parameter that describes changes.
    ///
    /// # Errors
    ///
    /// 400 when it is missing or anything but an object.
    pub(super) fn to_update(request: &Request, name: &'static str) -> Result<Self, Error> {
        match request.params().value(name)? {
            Some(Value::Object(members)) => Ok(Self { name, members, errors: Map::new(), is_nested: false }),
            Some(_) => Err(Error::bad_request(format!("the parameter {name} is not an object"))),
            None => Err(Error::bad_request(format!("the parameter {name} is missing"))),
        }
    }

    /// Reads a text of up to 255 characters.
    pub(super) fn text(&mut self, field: &str) -> Change<String> {
        let text = match self.members.get(field) {
            None => return Change::Keep,
            Some(Value::Null) => return Change::Clear,
            Some(Value::String(text)) if text.is_empty() => return Change::Clear,
            Some(Value::String(text)) => text,
            Some(_) => return self.refuse(field, INVALID),
        };
        if let Err(reason) = store::check_text(text) {
            return self.refuse(field, &reason.to_string());
        }
        if text.trim().is_empty() {
            return self.refuse(field, BLANK);
        }
        Change::Set(text.clone())
    }

    /// Reads a time in UTC: a string, or an object of year, month, day, hour and minute, and perhaps second and
    /// microsecond.
    pub(super) fn time(&mut self, field: &str) -> Change<NaiveDateTime> {
        let time = match self.members.get(field) {
            None => return Change::Keep,
            Some(Value::Null) => return Change::Clear,
            Some(Value::String(text)) if text.is_empty() => return Change::Clear,
            Some(Value::String(text)) => parse_time(text),
            Some(Value::Object(parts)) if is_unset(parts) => return Change::Clear,
            Some(Value::Object(parts)) => time_of_parts(parts),
            Some(_) => None,
        };
        match time {
            Some(time) => Change::Set(time),
            None => self.refuse(field, INVALID),
        }
    }

    /// Records that a value is invalid.
    pub(super) fn invalid(&mut self, field: &str) {
        self.refuse::<()>(field, INVALID);
    }

    /// Records that a required field is empty, unless it has an error already.
    pub(super) fn blank(&mut self, field: &str) {
        if !self.errors.contains_key(field) {
            self.refuse::<()>(field, BLANK);
        }
    }

    /// Returns the given text, valid or not.
    pub(super) fn given_text(&self, field: &str) -> Option<&str> {
        self.members.get(field).and_then(Value::as_str)
    }

    /// Returns true if the request has a value for this field.
    pub(super) fn has(&self, field: &str) -> bool {
        self.members.contains_key(field)
    }

    /// Fails with 422 and all recorded errors, if there are any.
    pub(super) fn finish(&mut self) -> Result<(), Error> {
        let errors = std::mem::take(&mut self.errors);
        if errors.is_empty() { Ok(()) } else { Err(self.errors(Value::Object(errors))) }
    }

    /// Returns the 422 for a value that another row has already.
    pub(super) fn taken(&self, field: &str) -> Error {
        self.errors(json!({ field: [TAKEN] }))
    }

    fn errors(&self, errors: Value) -> Error {
        Error::Invalid(if self.is_nested { json!({ self.name: errors }) } else { errors })
    }

    fn refuse<T>(&mut self, field: &str, message: &str) -> Change<T> {
        self.errors.insert(field.to_owned(), json!([message]));
        Change::Keep
    }
}

impl<T> Change<T> {
    /// Returns the value to set, if there is one.
    pub(super) fn value(self) -> Option<T> {
        if let Self::Set(value) = self { Some(value) } else { None }
    }

    /// Returns `None` to keep the column, `Some(None)` to empty it.
    pub(super) fn nullable(self) -> Option<Option<T>> {
        match self {
            Self::Keep => None,
            Self::Clear => Some(None),
            Self::Set(value) => Some(Some(value)),
        }
    }
}

/// Parses `2020-01-02T03:04:05`, or with a space for the `T`, then an optional fraction, then an optional `Z`. No other
/// part may be left out: Ecto reads every part at its place.
pub(super) fn parse_time(text: &str) -> Option<NaiveDateTime> {
    let (moment, fraction) = text.split_at_checked("2020-01-02T03:04:05".len())?;
    let separators = [4, 7, 10, 13, 16].map(|at| moment.as_bytes()[at]);
    if !matches!(separators, [b'-', b'-', b'T' | b' ', b':', b':']) {
        return None;
    }
    let part = |from: usize, to: usize| moment.get(from..to)?.parse().ok();
    let date = [part(0, 4)?, part(5, 7)?, part(8, 10)?];
    time_of(date, [part(11, 13)?, part(14, 16)?, part(17, 19)?], microseconds(fraction)?)
}

/// Parses the text behind the seconds; more digits than the databases keep are dropped.
fn microseconds(fraction: &str) -> Option<u32> {
    let fraction = fraction.strip_suffix('Z').unwrap_or(fraction);
    if fraction.is_empty() {
        return Some(0);
    }
    let digits = fraction.strip_prefix('.')?;
    let kept = digits.get(..digits.len().min(6))?;
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    format!("{kept:0<6}").parse().ok()
}

const DATE: [&str; 3] = ["year", "month", "day"];
/// Names of hour, minute, second and microsecond in Ecto 1, and in Ecto 2.
const CLOCKS: [[&str; 4]; 2] = [["hour", "min", "sec", "usec"], ["hour", "minute", "second", "microsecond"]];

/// Reads the form in which HTML forms of Phoenix send a time; the parts may be strings. The last two may be left out.
fn time_of_parts(parts: &Map<String, Value>) -> Option<NaiveDateTime> {
    let part = |name: &str| match parts.get(name)? {
        Value::Number(number) => number.as_u64()?.try_into().ok(),
        Value::String(digits) => digits.parse::<u32>().ok(),
        _ => None,
    };
    let optional = |name: &str| if parts.contains_key(name) { part(name) } else { Some(0) };
    let [hour, minute, second, microsecond] = *CLOCKS.iter().find(|[_, minute, ..]| parts.contains_key(*minute))?;
    let [year, month, day] = DATE.map(part);
    time_of([year?, month?, day?], [part(hour)?, part(minute)?, optional(second)?], optional(microsecond)?)
}

/// Returns true if all required parts are there, and all are empty or all null: a time that was not chosen.
fn is_unset(parts: &Map<String, Value>) -> bool {
    let [_, [hour, minute, ..]] = CLOCKS;
    let all = |empty: &Value| DATE.iter().chain([&hour, &minute]).all(|name| parts.get(*name) == Some(empty));
    !parts.contains_key("min") && (all(&Value::Null) || all(&Value::from("")))
}

/// Creates a time. Refuses a leap second, as Ecto does and the databases would.
fn time_of(date: [u32; 3], clock: [u32; 3], microsecond: u32) -> Option<NaiveDateTime> {
    let ([year, month, day], [hour, minute, second]) = (date, clock);
    let date = NaiveDate::from_ymd_opt(year.try_into().ok()?, month, day)?;
    let time = date.and_hms_micro_opt(hour, minute, second, microsecond).filter(|_| microsecond < 1_000_000);
    time.filter(is_storable)
}

/// Returns true for years that both databases write with four digits.
fn is_storable(time: &NaiveDateTime) -> bool {
    use chrono::Datelike;
    (1..=9999).contains(&time.year())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changeset(members: Value) -> Changeset {
        let Value::Object(members) = members else { unreachable!("the tests give objects") };
        Changeset { name: "thing", members, errors: Map::new(), is_nested: true }
    }

    fn errors(outcome: Result<(), Error>) -> Value {
        match outcome {
            Err(Error::Invalid(errors)) => errors,
            other => panic!("{other:?} is no refusal of values"),
        }
    }

    #[test]
    fn texts_are_taken_cleared_or_refused() {
        let long = "ü".repeat(256);
        let mut changes = changeset(json!({
            "set": " a ", "null": null, "empty": "", "blank": " \t", "long": long, "nul": "a\u{0}b", "number": 3,
        }));
        assert_eq!(changes.text("set"), Change::Set(" a ".to_owned()));
        assert_eq!(changes.text("missing"), Change::Keep);
        assert_eq!((changes.text("null"), changes.text("empty")), (Change::Clear, Change::Clear));
        for name in ["blank", "long", "nul", "number"] {
            assert_eq!(changes.text(name), Change::Keep, "{name}");
        }
        let expected = json!({
            "blank": [BLANK], "long": ["should be at most 255 character(s)"], "nul": [INVALID], "number": [INVALID],
        });
        assert_eq!(errors(changes.finish()), json!({ "thing": expected }));
    }

    #[test]
    fn errors_are_nested_when_creating_and_flat_when_updating() {
        let mut changes = changeset(json!({"name": 3}));
        changes.text("name");
        changes.blank("name");
        changes.blank("slug");
        assert_eq!(errors(changes.finish()), json!({"thing": {"name": [INVALID], "slug": [BLANK]}}));
        changes.is_nested = false;
        assert_eq!(errors(Err(changes.taken("slug"))), json!({"slug": ["has already been taken"]}));
        assert!(changes.finish().is_ok());
    }

    #[test]
    fn times_come_in_several_forms() {
        for (time, read) in [
            (json!("2020-01-02T03:04:05Z"), "2020-01-02T03:04:05"),
            (json!("2020-01-02T03:04:05.678"), "2020-01-02T03:04:05.678"),
            (json!("2020-01-02T03:04:05.123456789Z"), "2020-01-02T03:04:05.123456"),
            (json!("2020-01-02 03:04:05"), "2020-01-02T03:04:05"),
            (json!("2020-01-02 03:04:05.5Z"), "2020-01-02T03:04:05.500"),
            (json!({"year": 2020, "month": 1, "day": 2, "hour": 3, "min": 4}), "2020-01-02T03:04:00"),
            (
                json!({"year": "2020", "month": "1", "day": "2", "hour": "3", "min": "4", "sec": "5", "usec": "6"}),
                "2020-01-02T03:04:05.000006",
            ),
            (
                json!({"year": 2020, "month": 1, "day": 2, "hour": 3, "minute": 4, "second": 5, "microsecond": 600}),
                "2020-01-02T03:04:05.000600",
            ),
            // The name of the minute decides which names the rest has.
            (
                json!({"year": 2020, "month": 1, "day": 2, "hour": 3, "min": 4, "minute": 5, "second": 6}),
                "2020-01-02T03:04:00",
            ),
        ] {
            let expected = read.parse().unwrap();
            assert_eq!(changeset(json!({"at": time})).time("at"), Change::Set(expected), "{time}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for time in [
            json!("yesterday"),
            json!("2020-01-02"),
            json!("2020-13-02T03:04:05"),
            json!("2020-01-02T25:04:05"),
            json!("2020-01-02T03:04:60"),
            json!("2020-01-02 03:04"),
            json!("2020-01-02T03:04Z"),
            json!("2020-1-2 3:4:5"),
            json!("2020-01-02t03:04:05"),
            json!("2020-01-02T03:04:05z"),
            json!("2020-01-02T03:04:05."),
            json!("2020-01-02T03:04:05,5"),
            json!("2020-01-02T03:04:05+00:00"),
            json!("2020-01-02T03:04:05.5Z "),
            json!("2020-02-30T03:04:05"),
            json!("2020-01-02T03:04:0\u{fc}"),
            json!("2020-01-02T03:04:05.12345\u{fc}"),
            json!("0000-01-02T03:04:05"),
            json!("99999-01-02T03:04:05"),
            json!(5),
            json!([]),
            json!({"year": 2020}),
            json!({"year": 2020, "month": 1, "day": 2, "hour": 3, "min": 4, "sec": "x"}),
            json!({"year": 2020, "month": 1, "day": 2, "hour": 3, "min": 4, "usec": 1_000_000}),
            json!({"year": 2020, "month": 1, "day": 2, "hour": 3, "minute": 4, "second": null}),
            json!({"year": "", "month": "", "day": "", "hour": "", "min": ""}),
            json!({"year": "", "month": "", "day": "", "hour": "", "minute": null}),
            json!({"year": "", "month": "", "day": ""}),
        ] {
            let mut changes = changeset(json!({"at": time}));
            assert_eq!(changes.time("at"), Change::Keep, "{time}");
            assert!(changes.finish().is_err(), "{time}");
        }
        assert_eq!(changeset(json!({})).time("at"), Change::Keep);
    }

    #[test]
    fn what_is_empty_is_no_time() {
        for time in [
            json!(null),
            json!(""),
            json!({"year": "", "month": "", "day": "", "hour": "", "minute": ""}),
            json!({"year": null, "month": null, "day": null, "hour": null, "minute": null, "second": 5}),
        ] {
            let mut changes = changeset(json!({"at": time}));
            assert_eq!(changes.time("at"), Change::Clear, "{time}");
            assert!(changes.finish().is_ok(), "{time}");
        }
    }
}
