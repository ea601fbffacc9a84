//! Reading a body under its limits, and what its content type makes of it.

use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::{
    HeaderMap,
    body::{Body, Incoming},
    header::{CONTENT_TYPE, EXPECT},
};
use mime::Mime;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::{Error, Params, multipart};

/// How much a body may hold, and how long it may take.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimits {
    /// In bytes. A larger body is answered with 413.
    pub max_bytes: usize,
    /// From the end of the head to the end of the body. A slower body is answered with 408.
    pub time: Duration,
}

impl Default for BodyLimits {
    /// 8 MB as the original, and a minute.
    fn default() -> Self {
        Self { max_bytes: 8_000_000, time: Duration::from_secs(60) }
    }
}

/// What bodies may take: each, and all that are being read or worked on together. Cheap to clone: the clones share it.
#[derive(Clone, Debug)]
pub struct Bodies {
    limits: BodyLimits,
    /// A permit is a byte.
    memory: Arc<Semaphore>,
}

/// How many of the largest bodies there may be at a time, in memory. Nothing is known of who sends them yet.
const LARGEST_AT_ONCE: usize = 32;
/// What each body may take whatever there is: as much as most have, so that large ones keep those out of nothing.
const FREE: usize = 16 << 10;

impl Bodies {
    /// Bodies under these limits.
    pub fn new(limits: BodyLimits) -> Self {
        let bytes = limits.max_bytes.saturating_mul(LARGEST_AT_ONCE).min(Semaphore::MAX_PERMITS);
        Self { limits, memory: Arc::new(Semaphore::new(bytes)) }
    }
}

impl Default for Bodies {
    fn default() -> Self {
        Self::new(BodyLimits::default())
    }
}

/// What one body takes of the memory of all; it is given back with this.
#[derive(Debug, Default)]
pub(super) struct Taken {
    bytes: usize,
    permit: Option<OwnedSemaphorePermit>,
}

impl Taken {
    fn add(&mut self, bodies: &Bodies, bytes: usize) -> Result<(), Error> {
        let before = self.bytes.max(FREE);
        self.bytes += bytes;
        let Some(more @ 1..) = self.bytes.checked_sub(before) else { return Ok(()) };
        let more = u32::try_from(more).map_err(|_| Error::BodiesFull)?;
        let permit = Arc::clone(&bodies.memory).try_acquire_many_owned(more).map_err(|_| Error::BodiesFull)?;
        match &mut self.permit {
            Some(permits) => permits.merge(permit),
            None => self.permit = Some(permit),
        }
        Ok(())
    }
}

/// Reads the parameters out of a body. A body of a type that holds none is read and dropped: left in the socket, it would
/// make the kernel reset the connection, and the peer could lose the answer.
pub(super) async fn read_params(
    headers: &HeaderMap,
    body: Incoming,
    bodies: &Bodies,
) -> Result<(Params, Taken), Error> {
    let limits = bodies.limits;
    let reading = async {
        let Some(kind) = Kind::of(headers)? else {
            discard(body, limits.max_bytes).await;
            return Ok((Params::default(), Taken::default()));
        };
        let (bytes, taken) = read(headers, body, bodies).await?;
        Ok((kind.decode(bytes).await?, taken))
    };
    timeout(limits.time, reading).await.unwrap_or(Err(Error::BodyTimeout))
}

/// Reads a body of whatever type.
pub(super) async fn read_whole(headers: &HeaderMap, body: Incoming, bodies: &Bodies) -> Result<(Bytes, Taken), Error> {
    let reading = read(headers, body, bodies);
    timeout(bodies.limits.time, reading).await.unwrap_or(Err(Error::BodyTimeout))
}

/// Reads a body for nothing, since left in the socket it would do harm; not what is beyond the limits.
pub(super) async fn discard_whole(body: Incoming, bodies: &Bodies) {
    let limits = bodies.limits;
    // Too slow is as good as too much: the connection is closed after the answer.
    let _ = timeout(limits.time, discard(body, limits.max_bytes)).await;
}

/// The kinds of body that hold parameters.
enum Kind {
    Json,
    Form,
    Multipart { boundary: String },
}

impl Kind {
    fn of(headers: &HeaderMap) -> Result<Option<Self>, Error> {
        let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let (media_type, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
        let media_type = media_type.trim().to_ascii_lowercase();
        Ok(match media_type.split_once('/') {
            Some(("application", "json")) => Some(Self::Json),
            Some(("application", subtype)) if subtype.ends_with("+json") && is_subtype(subtype) => Some(Self::Json),
            Some(("application", "x-www-form-urlencoded")) => Some(Self::Form),
            Some(("multipart", "form-data" | "mixed")) => {
                let boundary = parameters.split(';').find_map(boundary);
                let boundary = boundary.ok_or_else(|| Error::bad_request("the multipart body has no boundary"))?;
                Some(Self::Multipart { boundary })
            }
            _ => None,
        })
    }

    async fn decode(self, body: Bytes) -> Result<Params, Error> {
        match self {
            Self::Json => Params::from_json(&body),
            Self::Form => Params::from_query(std::str::from_utf8(&body).map_err(|_| Error::BadEncoding)?),
            // Rare, and large: in a box, so that every other request is smaller.
            Self::Multipart { boundary } => Box::pin(multipart::decode(body, &boundary)).await,
        }
    }
}

fn is_subtype(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-+".contains(&byte))
}

/// The boundary, if that is what this parameter of a content type gives. Others do not matter, however malformed.
fn boundary(parameter: &str) -> Option<String> {
    let alone: Mime = format!("multipart/form-data;{parameter}").parse().ok()?;
    Some(alone.get_param(mime::BOUNDARY)?.as_str().to_owned())
}

async fn read(headers: &HeaderMap, mut body: Incoming, bodies: &Bodies) -> Result<(Bytes, Taken), Error> {
    let limit = bodies.limits.max_bytes;
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > limit {
        // A peer that waits for `100 Continue` gets the refusal instead and sends nothing.
        if !headers.contains_key(EXPECT) {
            discard(body, limit.saturating_mul(2)).await;
        }
        return Err(Error::BodyTooLarge { limit });
    }
    // What is only announced takes nothing yet.
    let (mut bytes, mut taken) = (BytesMut::with_capacity(announced.min(FREE)), Taken::default());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Error::bad_request("the body ended early or is malformed"))?;
        let Ok(data) = frame.into_data() else { continue };
        let refused = match bytes.len() + data.len() > limit {
            true => Err(Error::BodyTooLarge { limit }),
            false => taken.add(bodies, data.len()),
        };
        if let Err(error) = refused {
            drop((bytes, taken));
            discard(body, limit).await;
            return Err(error);
        }
        bytes.extend_from_slice(&data);
    }
    Ok((bytes.freeze(), taken))
}

/// Reads on without keeping anything, up to `limit` bytes.
async fn discard(mut body: Incoming, limit: usize) {
    let mut seen = 0;
    while let Some(Ok(frame)) = body.frame().await {
        seen += frame.data_ref().map_or(0, Bytes::len);
        if seen > limit {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(content_type: &str) -> String {
        let headers = [(CONTENT_TYPE, content_type.parse().unwrap())].into_iter().collect();
        match Kind::of(&headers) {
            Ok(Some(Kind::Json)) => "JSON".to_owned(),
            Ok(Some(Kind::Form)) => "form".to_owned(),
            Ok(Some(Kind::Multipart { boundary })) => format!("multipart {boundary}"),
            Ok(None) => "ignored".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[tokio::test]
    async fn a_form_that_is_no_utf8_is_of_an_unsupported_type() {
        let error = Kind::Form.decode(Bytes::from_static(b"a=\xff")).await.unwrap_err();
        assert_eq!(error.status(), 415);
        let error = Kind::Form.decode(Bytes::from_static(b"a=%ff")).await.unwrap_err();
        assert_eq!(error.status(), 400);
    }

    #[test]
    fn the_content_type_is_read_as_plug_does() {
        for (content_type, expected) in [
            ("application/json", "JSON"),
            ("Application/JSON;charset=utf-8", "JSON"),
            (" application/json ; charset=utf-8", "JSON"),
            ("application/json; charset", "JSON"),
            ("application/json;;=;\"", "JSON"),
            ("application/vnd.api+json", "JSON"),
            ("application/vnd api+json", "ignored"),
            ("application/json, text/plain", "ignored"),
            ("application/jsonp", "ignored"),
            ("text/json", "ignored"),
            ("garbage", "ignored"),
            ("", "ignored"),
            ("application/x-www-form-urlencoded ;x", "form"),
            ("multipart/form-data; charset; Boundary=X", "multipart X"),
            ("multipart/mixed ;boundary=\"a b\" ; x", "multipart a b"),
            ("multipart/form-data; charset", "the multipart body has no boundary"),
        ] {
            assert_eq!(kind(content_type), expected, "{content_type}");
        }
    }
}
