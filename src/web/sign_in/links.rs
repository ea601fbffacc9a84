//! The links in mails, as forms and limits name them.

use crate::{auth::Attempt, operations::Link};

/// Returns the scope of the form's fields, as in the original.
pub(super) fn scope(link: Link) -> &'static str {
    match link {
        Link::Confirmation => "confirmation",
        Link::Reset => "password",
        Link::Unlock => "unlock",
    }
}

/// Returns the kind of attempt that a request for such a link counts as.
pub(super) fn attempt(link: Link) -> Attempt {
    match link {
        Link::Confirmation => Attempt::Confirmation,
        Link::Reset => Attempt::Reset,
        Link::Unlock => Attempt::Unlock,
    }
}
