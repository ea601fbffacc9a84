//! `multipart/form-data` bodies, whose parts become parameters like the pairs of a form.

use bytes::Bytes;
use futures_util::{FutureExt, stream};
use serde_json::Value;

use super::{Error, nested::Tree, params::Params};

/// Reads the parts of a body that is in memory already, so that its size is bounded. Files are skipped, as no endpoint
/// takes one; so is a file field without a chosen file, which has an empty file name.
pub(super) fn decode(body: Bytes, boundary: &str) -> Result<Params, Error> {
    let decoded = parts(body, boundary).now_or_never();
    decoded.unwrap_or_else(|| Err(Error::bad_request("the multipart body ends early")))
}

async fn parts(body: Bytes, boundary: &str) -> Result<Params, Error> {
    let whole = stream::iter([Ok::<_, std::convert::Infallible>(body)]);
    let mut parts = multer::Multipart::new(whole, boundary);
    let mut tree = Tree::default();
    while let Some(part) = parts.next_field().await.map_err(malformed)? {
        tree.count_pair()?;
        let Some(name) = part.name().filter(|_| part.file_name().is_none()).map(str::to_owned) else {
            continue;
        };
        let bytes = part.bytes().await.map_err(malformed)?;
        let text = String::from_utf8(bytes.into())
            .map_err(|_| Error::bad_request("a part of the multipart body is not UTF-8"))?;
        tree.insert(&name, Value::String(text))?;
    }
    Ok(Params::from_tree(tree))
}

fn malformed(error: multer::Error) -> Error {
    Error::bad_request(format!("the multipart body is malformed: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(body: &str) -> Result<String, Error> {
        let params = decode(Bytes::copy_from_slice(body.as_bytes()), "X")?;
        Ok(params.object_without(&[]).get().to_owned())
    }

    fn part(disposition: &str, content: &str) -> String {
        format!("--X\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{content}\r\n")
    }

    #[test]
    fn parts_are_parameters() {
        let body = part("name=\"a[b]\"", "1")
            + &part("name=\"l[]\"", "x\r\ny")
            + &part("name=\"f\"; filename=\"\"", "")
            + &part("name=\"a[b]\"; filename=\"a.txt\"", "\r\n2")
            + "--X--\r\n";
        assert_eq!(decoded(&body).unwrap(), r#"{"a":{"b":"1"},"l":["x\r\ny"]}"#);
        assert_eq!(decoded("--X--\r\n").unwrap(), "{}");
    }

    #[test]
    fn refuses_malformed_bodies() {
        for body in ["", "garbage", "--X\r\nnonsense", &part("name=\"a\"", "cut")] {
            assert!(decoded(body).is_err(), "{body:?}");
        }
    }

    #[test]
    fn limits_the_number_of_parts() {
        let body = part("name=\"a\"", "").repeat(super::super::nested::MAX_PAIRS + 1) + "--X--\r\n";
        assert!(decoded(&body).is_err());
    }
}
