//! Paths of organizations and applications.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::store::{Reference, applications::Application, organizations::Organization};

/// Characters that may not stand in a segment of a path, nor in a text of any programming language.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Names that are not read as a slug or key: a page of its own, and names that browsers take for folders.
const NO_NAMES: [&str; 4] = ["", "new", ".", ".."];

/// Returns the page of an organization.
pub(super) fn of_organization(organization: &Organization) -> String {
    format!("/account/organizations/{}", organization_segment(organization))
}

/// Returns the page of an application of this organization.
pub(super) fn of_application(organization: &Organization, application: &Application) -> String {
    format!("{}/applications/{}", of_organization(organization), application_segment(application))
}

/// Returns the path at which REST publishes events to the application, without the name of the event.
pub(super) fn of_events(organization: &Organization, application: &Application) -> String {
    let (organization, application) = (organization_segment(organization), application_segment(application));
    format!("/api/organizations/{organization}/applications/{application}/event")
}

fn organization_segment(organization: &Organization) -> String {
    segment(organization.id, organization.slug.as_deref())
}

fn application_segment(application: &Application) -> String {
    segment(application.id, application.app_key.as_deref())
}

/// Returns the slug or key, or the id if those would be read as something else.
fn segment(id: i32, name: Option<&str>) -> String {
    match name {
        Some(name) if !NO_NAMES.contains(&name) && Reference::parse(name) == Reference::Name(name) => {
            utf8_percent_encode(name, ESCAPED).to_string()
        }
        _ => id.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_named_by_what_leads_to_it() {
        for (name, expected) in [
            (Some("acme-inc"), "acme-inc"),
            (Some("a/b 'c\" \\ ü"), "a%2Fb%20%27c%22%20%5C%20%C3%BC"),
            (Some("2000"), "7"),
            (Some("new"), "7"),
            (Some(".."), "7"),
            (Some(""), "7"),
            (None, "7"),
        ] {
            assert_eq!(segment(7, name), expected);
        }
    }
}
