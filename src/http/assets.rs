//! Static files that never change while the server runs: found by path, compressed once, validated by ETag.

use std::{borrow::Cow, collections::HashMap, io::Write};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use hyper::{
    Method, StatusCode,
    header::{
        ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH, VARY,
        X_CONTENT_TYPE_OPTIONS,
    },
};
use sha2::{Digest, Sha256};

use super::{Request, Response, cors};

const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const REVALIDATED: HeaderValue = HeaderValue::from_static("public, max-age=300");

/// Files by path.
#[derive(Debug, Default)]
pub struct Assets {
    files: HashMap<String, Asset>,
}

#[derive(Debug)]
struct Asset {
    /// Twelve hexadecimal digits of the content's SHA-256.
    version: String,
    content_type: HeaderValue,
    plain: Bytes,
    gzip: Option<Bytes>,
}

impl Assets {
    /// Takes files by path (`js/app.js`, without a leading slash), and compresses those that are text.
    pub fn new(files: impl IntoIterator<Item = (String, Cow<'static, [u8]>)>) -> Self {
        let files = files.into_iter().map(|(path, content)| {
            let asset = Asset::new(&path, into_bytes(content));
            (path, asset)
        });
        Self { files: files.collect() }
    }

    /// Returns the URL of a file with its version in it, so that it can be cached forever. A missing file keeps its
    /// plain path.
    pub fn url(&self, path: &str) -> String {
        match self.files.get(path) {
            Some(asset) => format!("/{path}?v={}", asset.version),
            None => format!("/{path}"),
        }
    }

    /// Returns the answer to a GET or HEAD whose path is that of a file.
    pub fn respond(&self, request: &Request) -> Option<Response> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return None;
        }
        let asset = self.files.get(&request.segments().join("/"))?;
        Some(asset.respond(request))
    }

    /// Returns true if the path of a request is that of a file.
    pub fn has(&self, request: &Request) -> bool {
        self.files.contains_key(&request.segments().join("/"))
    }

    /// The paths of all files, without the first slash.
    #[cfg(test)]
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }
}

impl Asset {
    fn new(path: &str, plain: Bytes) -> Self {
        let (content_type, is_text) = content_type(path);
        Self {
            version: Sha256::digest(&plain)[..6].iter().map(|byte| format!("{byte:02x}")).collect(),
            content_type: HeaderValue::from_static(content_type),
            gzip: is_text.then(|| gzip(&plain)).filter(|gzip| gzip.len() < plain.len()),
            plain,
        }
    }

    fn respond(&self, request: &Request) -> Response {
        let compressed = self.gzip.as_ref().filter(|_| accepts_gzip(request));
        let suffix = if compressed.is_some() { "-gzip" } else { "" };
        let etag = format!("\"{}{suffix}\"", self.version);
        let known = request.header(IF_NONE_MATCH).is_some_and(|tags| matches(tags, &etag));
        let response = match compressed {
            _ if known => Response::empty(StatusCode::NOT_MODIFIED),
            Some(gzip) => self.content(gzip).header(CONTENT_ENCODING, HeaderValue::from_static("gzip")),
            None => self.content(&self.plain),
        };
        let current = request.params().text("v").is_some_and(|version| version == self.version);
        // Always, with or without an `Origin` in the request: shared caches give one answer to all.
        cors::allow(response, true)
            .header(ETAG, HeaderValue::try_from(etag).expect("hexadecimal digits may stand in a header"))
            .header(VARY, HeaderValue::from_static("accept-encoding"))
            .header(CACHE_CONTROL, if current { IMMUTABLE } else { REVALIDATED })
            .header(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"))
    }

    fn content(&self, body: &Bytes) -> Response {
        Response::bytes(StatusCode::OK, body.clone()).shared().header(CONTENT_TYPE, self.content_type.clone())
    }
}

/// Returns true if `Accept-Encoding` names gzip without the weight 0.
fn accepts_gzip(request: &Request) -> bool {
    let accepted = request.header(ACCEPT_ENCODING).unwrap_or_default();
    accepted.split(',').any(|item| {
        let (name, weight) = item.split_once(';').unwrap_or((item, ""));
        let refused = weight.trim().strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0));
        name.trim().eq_ignore_ascii_case("gzip") && !refused
    })
}

/// Returns true if `If-None-Match` has this tag, compared weakly as RFC 9110 (section 13.1.2) asks.
fn matches(tags: &str, etag: &str) -> bool {
    tags.split(',').map(str::trim).any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
}

/// Returns the content type for the extension of the name, and whether that type is worth compressing.
fn content_type(path: &str) -> (&'static str, bool) {
    match path.rsplit('.').next().unwrap_or_default() {
        "js" | "mjs" => ("text/javascript; charset=utf-8", true),
        "css" => ("text/css; charset=utf-8", true),
        "html" => ("text/html; charset=utf-8", true),
        "txt" | "ts" => ("text/plain; charset=utf-8", true),
        "json" | "map" => ("application/json; charset=utf-8", true),
        "webmanifest" => ("application/manifest+json", true),
        "svg" => ("image/svg+xml", true),
        "ico" => ("image/x-icon", true),
        "png" => ("image/png", false),
        "jpg" | "jpeg" => ("image/jpeg", false),
        "webp" => ("image/webp", false),
        "woff2" => ("font/woff2", false),
        _ => ("application/octet-stream", false),
    }
}

fn gzip(plain: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).expect("writing to memory does not fail");
    encoder.finish().expect("writing to memory does not fail").into()
}

fn into_bytes(content: Cow<'static, [u8]>) -> Bytes {
    match content {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => Bytes::from(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assets() -> Assets {
        Assets::new([
            ("js/app.js".to_owned(), Cow::Owned(b"let a = 1;".repeat(100))),
            ("images/a.png".to_owned(), Cow::Borrowed(b"png".as_slice())),
        ])
    }

    fn get(path: &str, headers: &[(&str, &str)]) -> Option<Response> {
        assets().respond(&Request::test("GET", path, headers))
    }

    #[test]
    fn text_is_compressed_for_those_who_take_it() {
        for (path, accepted, compressed) in [
            ("/js/app.js", "gzip, deflate, br", true),
            ("/js/app.js", "br, GZIP;q=0.5", true),
            ("/js/app.js", "gzip;q=0, br", false),
            ("/js/app.js", "identity", false),
            ("/images/a.png", "gzip", false),
        ] {
            let response = get(path, &[("accept-encoding", accepted)]).unwrap();
            assert_eq!(response.headers().contains_key(CONTENT_ENCODING), compressed, "{path} {accepted}");
        }
    }

    #[test]
    fn known_content_is_not_sent_again() {
        let etag = get("/js/app.js", &[]).unwrap().headers()[ETAG].to_str().unwrap().to_owned();
        for tags in [etag.clone(), format!("\"x\", W/{etag}"), "*".to_owned()] {
            let response = get("/js/app.js", &[("if-none-match", &tags)]).unwrap();
            assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "{tags}");
        }
        let compressed = get("/js/app.js", &[("if-none-match", &etag), ("accept-encoding", "gzip")]).unwrap();
        assert_eq!(compressed.status(), StatusCode::OK);
    }

    #[test]
    fn only_the_current_version_is_cached_for_good() {
        let cache = |path: &str| get(path, &[]).unwrap().headers()[CACHE_CONTROL].clone();
        assert_eq!(cache(&assets().url("js/app.js")), IMMUTABLE);
        assert_eq!(cache("/js/app.js?v=other"), REVALIDATED);
        assert_eq!(cache("/js/app.js"), REVALIDATED);
    }

    #[test]
    fn every_origin_may_read_files_and_caches_need_not_know_which() {
        for headers in [&[][..], &[("origin", "https://example.com")], &[("if-none-match", "*")]] {
            let response = get("/js/app.js", headers).unwrap();
            assert_eq!(response.headers()["access-control-allow-origin"], "*", "{headers:?}");
        }
    }

    #[test]
    fn only_files_by_get_and_head() {
        assert!(get("/js", &[]).is_none());
        assert!(get("/js/../js/app.js", &[]).is_none());
        assert!(assets().respond(&Request::test("HEAD", "/js/app.js", &[])).is_some());
        assert!(assets().respond(&Request::test("POST", "/js/app.js", &[])).is_none());
        assert_eq!(assets().url("nope.js"), "/nope.js");
    }
}
