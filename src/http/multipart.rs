//! `multipart/form-data` bodies, whose parts become parameters like the pairs of a form.

use bytes::Bytes;
use futures_util::stream;
use serde_json::{Map, Value};

use super::{Error, nested, params::Params};

/// Reads the parts of a body that is in memory already, so that its size is bounded. Files are passed over, as nothing
/// here takes one; so is the field for a file where none was chosen, which has an empty file name.
pub(super) async fn decode(body: Bytes, boundary: &str) -> Result<Params, Error> {
    let whole = stream::iter([Ok::<_, std::convert::Infallible>(body)]);
    let mut parts = multer::Multipart::new(whole, boundary);
    let mut tree = Map::new();
    let mut count = 0;
    while let Some(part) = parts.next_field().await.map_err(malformed)? {
        nested::check_count(count)?;
        count += 1;
        let Some(name) = part.name().filter(|_| part.file_name().is_none()).map(str::to_owned) else {
            continue;
        };
        let bytes = part.bytes().await.map_err(malformed)?;
        let text = String::from_utf8(bytes.into())
            .map_err(|_| Error::bad_request("a part of the multipart body is not UTF-8"))?;
        nested::insert(&mut tree, &name, Value::String(text))?;
    }
    Ok(Params::from_tree(tree))
}

fn malformed(error: multer::Error) -> Error {
    Error::bad_request(format!("the multipart body is malformed: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn decoded(body: &str) -> Result<String, Error> {
        let params = decode(Bytes::copy_from_slice(body.as_bytes()), "X").await?;
        Ok(params.object_without(&[]).get().to_owned())
    }

    fn part(disposition: &str, content: &str) -> String {
        format!("--X\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{content}\r\n")
    }

    #[tokio::test]
    async fn parts_are_parameters() {
        let body = part("name=\"a[b]\"", "1")
            + &part("name=\"l[]\"", "x\r\ny")
            + &part("name=\"f\"; filename=\"\"", "")
            + &part("name=\"a[b]\"; filename=\"a.txt\"", "\r\n2")
            + "--X--\r\n";
        assert_eq!(decoded(&body).await.unwrap(), r#"{"a":{"b":"1"},"l":["x\r\ny"]}"#);
        assert_eq!(decoded("--X--\r\n").await.unwrap(), "{}");
    }

    #[tokio::test]
    async fn refuses_malformed_bodies() {
        for body in ["", "garbage", "--X\r\nnonsense", &part("name=\"a\"", "cut")] {
            assert!(decoded(body).await.is_err(), "{body:?}");
        }
    }

    #[tokio::test]
    async fn limits_the_number_of_parts() {
        let body = part("name=\"a\"", "").repeat(nested::MAX_PAIRS + 1) + "--X--\r\n";
        assert!(decoded(&body).await.is_err());
    }
}
