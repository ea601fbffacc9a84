//! Parameters of a list, in the query of its URL.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate, NaiveDateTime, TimeDelta};
use form_urlencoded::Serializer;
use minijinja::{Value, context, value::Serde};

use super::{Description, FilterKind};
use crate::{
    http::Params,
    store::admin::{Order, Slice, SortKey},
};

/// Number of rows on a page.
pub(super) const PAGE: i64 = 30;

/// Maximum length of a text to search for.
const MAX_CHARACTERS: usize = 255;

/// Search, filters, order and page.
#[derive(Clone, Debug)]
pub(super) struct Query {
    /// Typed values by parameter: `q`, and those of the filters. Without empty ones.
    typed: Vec<(&'static str, String)>,
    /// The column's key.
    pub(super) sort: &'static str,
    pub(super) descending: bool,
    /// The page, from 1.
    pub(super) page: i64,
}

impl Query {
    /// Reads the query of a request. Invalid values are left out.
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

    /// Creates the query for the rows for which a filter has this id, in the table's order.
    pub(super) fn related(table: &Description, filter: &'static str, id: i32) -> Self {
        let (sort, descending) = table.order;
        Self { typed: vec![(filter, id.to_string())], sort, descending, page: 1 }
    }

    /// Returns the text in a field.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.typed.iter().find(|(other, _)| *other == name).map(|(_, text)| text.clone())
    }

    /// Returns the value of a yes-or-no field.
    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        match self.text(name)?.as_str() {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        }
    }

    /// Returns the id in a field. An id that no row can have finds nothing.
    pub(super) fn id(&self, name: &str) -> Option<i32> {
        self.text(name).map(|text| text.parse().unwrap_or(-1))
    }

    /// Returns the beginning of the day in a field, in UTC, plus this number of days. Only years of four digits are
    /// understood.
    pub(super) fn day(&self, name: &str, later: i64) -> Option<NaiveDateTime> {
        let day: NaiveDate = self.text(name)?.parse().ok()?;
        if !(1..9999).contains(&day.year()) {
            return None;
        }
        day.and_hms_opt(0, 0, 0)?.checked_add_signed(TimeDelta::days(later))
    }

    /// Returns the order for the store.
    pub(super) fn order<S: SortKey>(&self) -> Order<S> {
        let by = S::ALL.iter().find(|(key, _)| *key == self.sort).unwrap_or(&S::ALL[0]).1;
        Order { by, descending: self.descending }
    }

    /// Returns the slice of the page.
    pub(super) fn slice(&self) -> Slice {
        Slice { offset: (self.page - 1) * PAGE, limit: PAGE }
    }

    /// Returns true if all rows are listed.
    pub(super) fn is_everything(&self) -> bool {
        self.typed.is_empty()
    }

    /// Returns search and filters as an encoded query: `q=ann&is_root=yes`.
    pub(super) fn encoded(&self) -> String {
        Serializer::new(String::new()).extend_pairs(self.typed.iter().map(|(name, text)| (*name, text))).finish()
    }

    /// Returns the values for the templates: `list` of `macros/table.html.j2`.
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

    /// Returns the fields above the list, as a form that is filled in.
    pub(super) fn form(&self) -> Value {
        let values: BTreeMap<&str, &str> = self.typed.iter().map(|(name, text)| (*name, text.as_str())).collect();
        context! { values => Value::from(Serde(values)), errors => context! {} }
    }
}

/// Returns the number of pages for this many rows.
pub(super) fn pages(total: i64) -> i64 {
    total.div_euclid(PAGE) + i64::from(total.rem_euclid(PAGE) > 0 || total == 0)
}

/// Returns the values of a filter for a template.
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
    use crate::{store::admin, web::admin::Table};

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
    fn a_table_is_sorted_by_the_columns_that_offer_it() {
        fn check<S: SortKey>(table: Table) {
            let mut offered: Vec<_> = table.description().columns.iter().filter_map(|column| column.key).collect();
            let mut known: Vec<_> = S::ALL.iter().map(|(key, _)| *key).collect();
            offered.sort_unstable();
            known.sort_unstable();
            assert_eq!(offered, known, "{table:?}");
        }
        check::<admin::users::Sort>(Table::Users);
        check::<admin::user_tokens::Sort>(Table::UserTokens);
        check::<admin::organizations::Sort>(Table::Organizations);
        check::<admin::enrollments::Sort>(Table::Enrollments);
        check::<admin::applications::Sort>(Table::Applications);
        check::<admin::ownerships::Sort>(Table::Ownerships);
        check::<admin::mails::Sort>(Table::Mails);
        check::<admin::audit::Sort>(Table::Audit);
    }

    #[test]
    fn every_thirty_rows_are_a_page_and_no_rows_are_one() {
        assert_eq!([0, 1, 30, 31, 60, 61].map(pages), [1, 1, 1, 2, 2, 3]);
    }
}
