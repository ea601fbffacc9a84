//! The handles that every request shares.

use std::sync::Arc;

use crate::{http::assets::Assets, web::Views};

/// What handlers work with. Cheap to clone: every field is shared.
#[derive(Clone, Debug)]
pub struct App {
    /// Where people reach the server, without a slash at the end.
    pub public_url: Arc<str>,
    /// The pages.
    pub views: Arc<Views>,
    /// Scripts, styles, images.
    pub assets: Arc<Assets>,
}
