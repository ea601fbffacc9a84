//! Files embedded in the binary, so that it is a single file.

use std::borrow::Cow;

use rust_embed::RustEmbed;

use crate::http::assets::Assets;

/// The bundle that `make assets` builds.
#[derive(RustEmbed)]
#[folder = "assets/dist"]
struct Bundle;

/// The templates of the pages.
#[derive(RustEmbed)]
#[folder = "templates"]
struct Templates;

/// Returns the files served by path: `/js/pusher.js`, styles, images.
pub fn assets() -> Assets {
    Assets::new(Bundle::iter().filter_map(|path| {
        let content = Bundle::get(&path)?.data;
        Some((path.into_owned(), content))
    }))
}

/// Returns the name and source of each template.
pub(super) fn templates() -> impl Iterator<Item = (Cow<'static, str>, String)> {
    Templates::iter().filter_map(|name| {
        let source = String::from_utf8(Templates::get(&name)?.data.into_owned()).ok()?;
        Some((name, source))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_is_embedded() {
        for path in ["js/pusher.js", "js/pusher.mjs", "js/pusher.d.ts", "css/app.css"] {
            assert!(assets().url(path).contains("?v="), "{path} is missing from the bundle");
        }
    }
}
