//! Origins of pages that may connect to an application, as a list with an entry on each line.

/// Returns true if the list, with an entry on each line, includes the origin of a page.
pub fn include(list: &str, origin: &str) -> bool {
    list.lines().any(|entry| fits(entry, origin))
}

/// Returns true if `entry` is the origin, or has `*.` where the origin has one or more labels of its host.
fn fits(entry: &str, origin: &str) -> bool {
    let Some((scheme, rest)) = entry.split_once("://*.") else { return entry == origin };
    let host = origin.strip_prefix(scheme).and_then(|origin| origin.strip_prefix("://"));
    let labels = host.and_then(|host| host.strip_suffix(rest)).and_then(|host| host.strip_suffix('.'));
    labels.is_some_and(|labels| !labels.is_empty() && labels.bytes().all(is_of_host))
}

/// Reads an entry of the list: an origin as browsers write it, such as `https://example.com:8443`, in which `*.` may stand at the
/// beginning of the host. Letters become lower case, and a port that the scheme implies is left out. `None` for anything else.
pub fn parse(entry: &str) -> Option<String> {
    let entry = entry.trim().to_ascii_lowercase();
    let (scheme, rest) = entry.split_once("://")?;
    let implied = match scheme {
        "http" => Some(":80"),
        "https" => Some(":443"),
        _ => None,
    };
    let rest = implied.and_then(|port| rest.strip_suffix(port)).unwrap_or(rest);
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let host = rest.strip_prefix("*.").unwrap_or(rest);
    let with_port = host.rsplit_once(':').filter(|_| !host.ends_with(']'));
    let (host, port) = with_port.map_or((host, None), |(host, port)| (host, Some(port)));
    let is_host = !host.is_empty() && host.bytes().all(|byte| is_of_host(byte) || b"[]:_".contains(&byte));
    let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok());
    (is_scheme && is_host && is_port).then(|| format!("{scheme}://{rest}"))
}

fn is_of_host(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_compared_in_full() {
        for (list, origin, is_allowed) in [
            ("", "https://evil.example", false),
            ("https://example.com", "https://example.com", true),
            ("https://example.com", "http://example.com", false),
            ("https://example.com", "https://example.com:8443", false),
            ("https://example.com", "https://example.com.evil.example", false),
            ("https://example.com", "https://a.example.com", false),
            ("https://example.com", "null", false),
            ("https://a.example\nhttps://b.example:8443", "https://b.example:8443", true),
            ("https://*.example.com", "https://a.example.com", true),
            ("https://*.example.com", "https://a.b.example.com", true),
            ("https://*.example.com", "https://example.com", false),
            ("https://*.example.com", "https://.example.com", false),
            ("https://*.example.com", "https://evil.example/.example.com", false),
            ("https://*.example.com", "https://evil.example:1.example.com", false),
            ("https://*.example.com", "https://evilexample.com", false),
            ("https://*.example.com", "http://a.example.com", false),
            ("https://*.example.com:8443", "https://a.example.com:8443", true),
        ] {
            assert_eq!(include(list, origin), is_allowed, "{origin} by {list}");
        }
    }

    #[test]
    fn entries_are_read_as_browsers_write_origins() {
        for (entry, read) in [
            ("https://Example.com", Some("https://example.com")),
            (" https://example.com:443 ", Some("https://example.com")),
            ("http://localhost:3000", Some("http://localhost:3000")),
            ("http://localhost:80", Some("http://localhost")),
            ("https://*.example.com", Some("https://*.example.com")),
            ("http://[::1]:3000", Some("http://[::1]:3000")),
            ("http://[::1]", Some("http://[::1]")),
            ("capacitor://localhost", Some("capacitor://localhost")),
            ("https://example.com/", None),
            ("https://example.com/path", None),
            ("https://a*.example.com", None),
            ("https://*", None),
            ("*", None),
            ("example.com", None),
            ("https://", None),
            ("https://example.com:99999", None),
            ("https://exa mple.com", None),
            ("https://user@example.com", None),
        ] {
            assert_eq!(parse(entry).as_deref(), read, "{entry}");
        }
    }
}
