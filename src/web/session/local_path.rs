//! Redirect targets that a request names: only paths of this server.

/// Maximum length of such a path.
const MAX_BYTES: usize = 2000;

/// Returns the path, with or without a query, if no browser can take it for the address of another server:
/// `//evil.example` and `/\evil.example` are such addresses, and so is a path with a tab or a line end in the middle,
/// which browsers skip.
pub(in crate::web) fn local_path(path: &str) -> Option<&str> {
    let is_local = path.starts_with('/') && !path.starts_with("//") && path.len() <= MAX_BYTES;
    (is_local && !path.contains(['\\', '\u{7f}']) && !path.contains(char::is_control)).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_server_are_local() {
        for good in ["/", "/account", "/account?page=2&q=%2F%2F", "/a//b", "/?return_to=//x"] {
            assert_eq!(local_path(good), Some(good));
        }
        let long = format!("/{}", "x".repeat(MAX_BYTES));
        for bad in [
            "",
            "account",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https://evil.example/",
            "javascript:alert(1)",
            "/\t/evil.example",
            "/\n/evil.example",
            " /account",
            &long,
        ] {
            assert_eq!(local_path(bad), None, "{bad:?}");
        }
    }
}
