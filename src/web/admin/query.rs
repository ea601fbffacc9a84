//! What a list is asked for: in the query of its address.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate, NaiveDateTime, TimeDelta};
use form_urlencoded::Serializer;
use minijinja::{Value, context, value::Serde};

use super::{Description, FilterKind};
use crate::{
    http::Params,
    store::admin::{Order, Slice},
};

/// How many rows a page has.
pub(super) const PAGE: i64 = 30;

/// The longest text to search for.
const MAX_CHARACTERS: usize = 255;

/// Search, filters, order and page.
#[derive(Clone, Debug)]
pub(super) struct Query {
    /// What was typed, by parameter: `q`, and those of the filters. Without what is empty.
    typed: Vec<(&'static str, String)>,
    /// The column's key.
    pub(super) sort: &'static str,
    pub(super) descending: bool,
    /// From 1.
    pub(super) page: i64,
}

impl Query {
    /// Reads the query of a request. What makes no sense is left out.
    pub(super) fn of(params: &Params, table: &Description) -> Self {
        let names = std::iter::once("q").chain(table.filters.iter().map(|filter| filter.name));
        let typed = names.filter_map(|name| {
            let text: String = params.text(name)?.trim().chars().filter(|c| *c != '\0').take(MAX_CHARACTERS).collect();
            (!text.is_empty()).then_some((name, text))
        });
        let asked = params.text("sort");
        let mut keys = table.columns.iter().filter_map(|column| column.key);
        let sort = keys.find(|key| asked.as_deref() == Some(*key));
        let (sort, descending) = match sort {
            Some(key) => (key, params.text("direction").as_deref() == Some("desc")),
            None => table.order,
        };
        let page = params.text("page").and_then(|page| page.parse().ok()).unwrap_or(1);
        Self { typed: typed.collect(), sort, descending, page: i64::clamp(page, 1, i64::from(i32::MAX)) }
    }

    /// The rows for which a filter has this id, in the table's order.
    pub(super) fn related(table: &Description, filter: &'static str, id: i32) -> Self {
        let (sort, descending) = table.order;
        Self { typed: vec![(filter, id.to_string())], sort, descending, page: 1 }
    }

    /// What was typed into a field.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.typed.iter().find(|(other, _)| *other == name).map(|(_, text)| text.clone())
    }

    /// Yes or no.
    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        match self.text(name)?.as_str() {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        }
    }

    /// An id. One that no row can have finds nothing.
    pub(super) fn id(&self, name: &str) -> Option<i32> {
        self.text(name).map(|text| text.parse().unwrap_or(-1))
    }

    /// The beginning of a day, in UTC, so many days later. Years of other than four digits are not understood.
    pub(super) fn day(&self, name: &str, later: i64) -> Option<NaiveDateTime> {
        let day: NaiveDate = self.text(name)?.parse().ok()?;
        if !(1..9999).contains(&day.year()) {
            return None;
        }
        day.and_hms_opt(0, 0, 0)?.checked_add_signed(TimeDelta::days(later))
    }

    /// As the store takes it.
    pub(super) fn order<S>(&self, by: S) -> Order<S> {
        Order { by, descending: self.descending }
    }

    /// The rows of the page.
    pub(super) fn slice(&self) -> Slice {
        Slice { offset: (self.page - 1) * PAGE, limit: PAGE }
    }

    /// Whether all rows are listed.
    pub(super) fn is_everything(&self) -> bool {
        self.typed.is_empty()
    }

    /// Search and filters as a query, encoded: `q=ann&is_root=yes`.
    pub(super) fn encoded(&self) -> String {
        Serializer::new(String::new()).extend_pairs(self.typed.iter().map(|(name, text)| (*name, text))).finish()
    }

    /// As the templates have it: `list` of `macros/table.html.j2`.
    pub(super) fn list(&self, total: i64) -> Value {
        let Slice { offset, limit } = self.slice();
        context! {
            sort => self.sort,
            direction => if self.descending { "desc" } else { "asc" },
            page => self.page,
            pages => pages(total),
            total,
            from => (offset + 1).min(total),
            to => (offset + limit).min(total),
            query => self.encoded(),
        }
    }

    /// As a form that is filled in: the fields above the list.
    pub(super) fn form(&self) -> Value {
        let values: BTreeMap<&str, &str> = self.typed.iter().map(|(name, text)| (*name, text.as_str())).collect();
        context! { values => Value::from(Serde(values)), errors => context! {} }
    }
}

/// How many pages so many rows make.
pub(super) fn pages(total: i64) -> i64 {
    total.div_euclid(PAGE) + i64::from(total.rem_euclid(PAGE) > 0 || total == 0)
}

/// What a filter is in a template: its kind, and what there is to choose from.
pub(super) fn choices(kind: FilterKind, found: &[String]) -> Vec<(String, String)> {
    match kind {
        FilterKind::YesNo => [("yes", "Yes"), ("no", "No")].map(|(value, label)| (value.into(), label.into())).into(),
        FilterKind::Choice => found.iter().map(|value| (value.clone(), value.replace('_', " "))).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::admin::Table;

    fn query(encoded: &str) -> Query {
        Query::of(&Params::from_query(encoded).unwrap(), Table::Users.description())
    }

    #[test]
    fn what_makes_no_sense_is_left_out() {
        let read = query("q=+%C3%9Cbung+&is_root=yes&is_locked=&page=2&sort=email&direction=desc&x=1");
        assert_eq!(read.encoded(), "q=%C3%9Cbung&is_root=yes");
        assert_eq!((read.sort, read.descending, read.slice().offset), ("email", true, 30));
        assert_eq!((read.flag("is_root"), read.flag("is_locked")), (Some(true), None));
        let read = query("q[]=1&page=-1&sort=password_hash&direction=desc&is_root=perhaps");
        assert_eq!((read.sort, read.page, read.flag("is_root")), ("id", 1, None));
        assert_eq!(query("page=999999999999999999999").page, 1);
    }

    #[test]
    fn every_thirty_rows_are_a_page_and_no_rows_are_one() {
        assert_eq!([0, 1, 30, 31, 60, 61].map(pages), [1, 1, 1, 2, 2, 3]);
    }
}
