//! Values that a request wants to set: read, and refused with the messages of Ecto 2.0.

use chrono::{NaiveDate, NaiveDateTime, Timelike};
use serde_json::{Map, Value, json};

use super::Error;
use crate::http::Request;

const BLANK: &str = "can't be blank";
const INVALID: &str = "is invalid";
const TOO_LONG: &str = "should be at most 255 character(s)";
const TAKEN: &str = "has already been taken";

/// What the original's columns hold.
const MAX_CHARACTERS: usize = 255;

/// The members of one parameter, such as `organization`, and what is wrong with them.
#[derive(Debug)]
pub(super) struct Changeset {
    name: &'static str,
    members: Map<String, Value>,
    errors: Map<String, Value>,
    /// Errors of what is created are nested under the name of the parameter, as the original has it.
    is_nested: bool,
}

/// What a request says about one column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change<T> {
    /// Nothing, or something that cannot be taken.
    Keep,
    /// That it shall be empty: null, or an empty string.
    Clear,
    /// What it shall be.
    Set(T),
}

impl Changeset {
    /// The parameter that describes something to create.
    ///
    /// # Errors
    ///
    /// 400 when it is missing or an array, 422 when it is anything else but an object: as the original, but for null.
    pub(super) fn to_create(request: &Request, name: &'static str) -> Result<Self, Error> {
        match request.params().value(name)? {
            Some(Value::Object(members)) => Ok(Self { name, members, errors: Map::new(), is_nested: true }),
            Some(Value::Array(_)) => Err(Error::bad_request(format!("the parameter {name} is not an object"))),
            Some(_) => Err(Error::invalid(name, INVALID)),
            None => Err(Error::bad_request(format!("the parameter {name} is missing"))),
        }
    }

    /// The parameter that describes changes.
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

    /// A text of up to 255 characters.
    pub(super) fn text(&mut self, field: &str) -> Change<String> {
        let text = match self.members.get(field) {
            None => return Change::Keep,
            Some(Value::Null) => return Change::Clear,
            Some(Value::String(text)) if text.is_empty() => return Change::Clear,
            Some(Value::String(text)) => text,
            Some(_) => return self.refuse(field, INVALID),
        };
        if text.contains('\0') {
            return self.refuse(field, INVALID);
        }
        if text.chars().nth(MAX_CHARACTERS).is_some() {
            return self.refuse(field, TOO_LONG);
        }
        if text.trim().is_empty() {
            return self.refuse(field, BLANK);
        }
        Change::Set(text.clone())
    }

    /// A time in UTC: a string, or an object of year, month, day, hour, min and perhaps sec.
    pub(super) fn time(&mut self, field: &str) -> Change<NaiveDateTime> {
        let time = match self.members.get(field) {
            None => return Change::Keep,
            Some(Value::Null) => return Change::Clear,
            Some(Value::String(text)) if text.is_empty() => return Change::Clear,
            Some(Value::String(text)) => parse_time(text),
            Some(Value::Object(parts)) => time_of_parts(parts),
            Some(_) => None,
        };
        match time {
            Some(time) => Change::Set(time),
            None => self.refuse(field, INVALID),
        }
    }

    /// Notes that a value is wrong.
    pub(super) fn invalid(&mut self, field: &str) {
        self.refuse::<()>(field, INVALID);
    }

    /// Notes that a field is empty which must not be, unless it is noted already what is wrong with it.
    pub(super) fn blank(&mut self, field: &str) {
        if !self.errors.contains_key(field) {
            self.refuse::<()>(field, BLANK);
        }
    }

    /// A text as it was given, whatever is wrong with it.
    pub(super) fn given_text(&self, field: &str) -> Option<&str> {
        self.members.get(field).and_then(Value::as_str)
    }

    /// Whether anything was given for this field.
    pub(super) fn has(&self, field: &str) -> bool {
        self.members.contains_key(field)
    }

    /// 422 with all that was noted, if anything was.
    pub(super) fn finish(&mut self) -> Result<(), Error> {
        let errors = std::mem::take(&mut self.errors);
        if errors.is_empty() { Ok(()) } else { Err(self.errors(Value::Object(errors))) }
    }

    /// 422 because another row has this value already.
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
    /// The value to set, if there is one.
    pub(super) fn value(self) -> Option<T> {
        if let Self::Set(value) = self { Some(value) } else { None }
    }

    /// `None` to keep the column, `Some(None)` to empty it.
    pub(super) fn nullable(self) -> Option<Option<T>> {
        match self {
            Self::Keep => None,
            Self::Clear => Some(None),
            Self::Set(value) => Some(Some(value)),
        }
    }
}

/// `2020-01-02T03:04:05`, with a space instead of the `T`, without seconds, with a fraction, with a `Z` at the end.
fn parse_time(text: &str) -> Option<NaiveDateTime> {
    let text = text.strip_suffix('Z').unwrap_or(text);
    let (date, time) = text.split_once(['T', ' '])?;
    let date = NaiveDate::parse_from_str(date, "%Y-%m-%d").ok()?;
    let time =
        ["%H:%M:%S%.f", "%H:%M"].into_iter().find_map(|form| chrono::NaiveTime::parse_from_str(time, form).ok())?;
    // A leap second is one nanosecond too many for the databases.
    let time = NaiveDateTime::new(date, time);
    (time.nanosecond() < 1_000_000_000).then(|| to_microseconds(time)).filter(is_storable)
}

/// The form in which HTML forms of Phoenix send a time; the parts may be strings.
fn time_of_parts(parts: &Map<String, Value>) -> Option<NaiveDateTime> {
    let part = |name: &str| match parts.get(name)? {
        Value::Number(number) => number.as_u64()?.try_into().ok(),
        Value::String(digits) => digits.parse::<u32>().ok(),
        _ => None,
    };
    let minute = part("min").or_else(|| part("minute"))?;
    let second = if parts.contains_key("sec") { part("sec")? } else { 0 };
    let date = NaiveDate::from_ymd_opt(part("year")?.try_into().ok()?, part("month")?, part("day")?)?;
    date.and_hms_opt(part("hour")?, minute, second).filter(is_storable)
}

/// The databases keep microseconds.
fn to_microseconds(time: NaiveDateTime) -> NaiveDateTime {
    time.with_nanosecond(time.nanosecond() / 1000 * 1000).expect("a smaller fraction of the same second exists")
}

/// Years that both databases write with four digits.
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
            (json!("2020-01-02 03:04"), "2020-01-02T03:04:00"),
            (json!({"year": 2020, "month": 1, "day": 2, "hour": 3, "min": 4}), "2020-01-02T03:04:00"),
            (
                json!({"year": "2020", "month": "1", "day": "2", "hour": "3", "min": "4", "sec": "5"}),
                "2020-01-02T03:04:05",
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
            json!("0000-01-02T03:04:05"),
            json!("99999-01-02T03:04:05"),
            json!(5),
            json!([]),
            json!({"year": 2020}),
            json!({"year": 2020, "month": 1, "day": 2, "hour": 3, "min": 4, "sec": "x"}),
        ] {
            let mut changes = changeset(json!({"at": time}));
            assert_eq!(changes.time("at"), Change::Keep, "{time}");
            assert!(changes.finish().is_err(), "{time}");
        }
        assert_eq!(changeset(json!({"at": null})).time("at"), Change::Clear);
        assert_eq!(changeset(json!({})).time("at"), Change::Keep);
    }
}
