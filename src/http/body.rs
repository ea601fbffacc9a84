//! Reading of bodies under their limits, and decoding by content type.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::{
    HeaderMap,
    body::{Body, Frame, Incoming},
    header::{CONTENT_TYPE, EXPECT},
};
use tokio::{
    task::spawn_blocking,
    time::{Instant, timeout, timeout_at},
};

use super::{
    Error, Params,
    budget::{Budget, Payer, Portion},
    multipart,
};

/// Limits of a body's size and duration.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimits {
    /// Maximum bytes. A larger body is answered with 413.
    pub max_bytes: usize,
    /// Maximum time from the end of the head to the end of the body. A slower body is answered with 408.
    pub time: Duration,
}

impl Default for BodyLimits {
    /// Returns the limits of 8 MB, as in the original, and a minute.
    fn default() -> Self {
        Self { max_bytes: 8_000_000, time: Duration::from_secs(60) }
    }
}

/// Limits of bodies: of each, and of all that are being read or processed together. Cheap to clone: the clones share
/// the memory budget.
#[derive(Clone, Debug)]
pub struct Bodies {
    limits: BodyLimits,
    memory: Budget,
}

/// Number of the largest bodies that fit in memory at a time; one address may use a quarter of it. Nothing is known of
/// the senders yet.
const LARGEST_AT_ONCE: usize = 32;
/// Minimum progress: time within which this many bytes of a body must come. A slower body is answered with 408.
const STRIDE: (Duration, usize) = (Duration::from_secs(10), 10_000);
/// Pause of a sender after which the refusal of a body that is too large, as its head tells, is sent: a client that sends
/// nothing yet, or waits for an answer, gets it immediately, and one that sends gets it once it can read it.
const PAUSE: Duration = Duration::from_millis(250);
/// A larger body is decoded on a blocking thread, which serves no other client meanwhile.
const DECODED_AT_ONCE: usize = 64 << 10;
/// Bytes that each body may take whatever the budget: as much as most have, so that large ones keep none of those out.
const FREE: usize = 16 << 10;

impl Bodies {
    /// Creates the shared state for bodies under these limits.
    pub fn new(limits: BodyLimits) -> Self {
        Self { limits, memory: Budget::new(limits.max_bytes.saturating_mul(LARGEST_AT_ONCE)) }
    }
}

impl Default for Bodies {
    fn default() -> Self {
        Self::new(BodyLimits::default())
    }
}

/// Memory that one body takes from the budget; dropping this gives it back.
#[derive(Debug, Default)]
pub(super) struct Taken {
    bytes: usize,
    portion: Option<Portion>,
}

impl Taken {
    fn add(&mut self, bodies: &Bodies, payer: Payer, bytes: usize) -> Result<(), Error> {
        let before = self.bytes.max(FREE);
        self.bytes += bytes;
        let Some(more @ 1..) = self.bytes.checked_sub(before) else { return Ok(()) };
        let portion = self.portion.get_or_insert_with(|| bodies.memory.portion(payer));
        if portion.add(more) { Ok(()) } else { Err(Error::BodiesFull) }
    }
}

/// Reads the parameters out of a body. A body of a type without parameters is read and dropped: left in the socket, it
/// would make the kernel reset the connection, and the peer could lose the answer.
pub(super) async fn read_params(
    headers: &HeaderMap,
    body: Incoming,
    bodies: &Bodies,
    payer: Payer,
) -> Result<(Params, Taken), Error> {
    let limits = bodies.limits;
    let Some(kind) = Kind::of(headers)? else {
        let discarding = timeout(limits.time, discard(body, limits.max_bytes, STRIDE.0)).await;
        return discarding.map(|()| Default::default()).map_err(|_| Error::BodyTimeout);
    };
    let (bytes, taken) = read_whole(headers, body, bodies, payer).await?;
    kind.decode(bytes, taken).await
}

/// Reads a body of any type.
pub(super) async fn read_whole(
    headers: &HeaderMap,
    body: Incoming,
    bodies: &Bodies,
    payer: Payer,
) -> Result<(Bytes, Taken), Error> {
    let reading = read(headers, body, bodies, payer);
    timeout(bodies.limits.time, reading).await.unwrap_or(Err(Error::BodyTimeout))
}

/// Reads and drops a body, since left in the socket it would do harm. Does not read beyond the limits, nor a body that
/// the peer only sends when told to continue.
pub(super) async fn discard_whole(headers: &HeaderMap, body: Incoming, bodies: &Bodies) {
    let limits = bodies.limits;
    if headers.contains_key(EXPECT) {
        return;
    }
    // A body that is too slow is treated like one that is too large: the connection is closed after the answer.
    let patience = if announced(&body) > limits.max_bytes { PAUSE } else { STRIDE.0 };
    let _ = timeout(limits.time, discard(body, limits.max_bytes, patience)).await;
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

    /// Decodes the parameters of a body; also returns the memory that it takes. A large body is decoded on a blocking
    /// thread: that can take tens of milliseconds.
    async fn decode(self, body: Bytes, taken: Taken) -> Result<(Params, Taken), Error> {
        if body.len() <= DECODED_AT_ONCE {
            return Ok((self.params(body)?, taken));
        }
        let decoding = spawn_blocking(move || Ok((self.params(body)?, taken)));
        decoding.await.unwrap_or_else(|_| Err(Error::bad_request("the body cannot be decoded")))
    }

    fn params(self, body: Bytes) -> Result<Params, Error> {
        match self {
            Self::Json => Params::from_json(&body),
            Self::Form => Params::from_query(std::str::from_utf8(&body).map_err(|_| Error::BadEncoding)?),
            Self::Multipart { boundary } => multipart::decode(body, &boundary),
        }
    }
}

fn is_subtype(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-+".contains(&byte))
}

/// Returns the boundary, if this parameter of a content type is one. Other parameters are ignored, however malformed.
fn boundary(parameter: &str) -> Option<String> {
    multer::parse_boundary(format!("multipart/form-data;{parameter}")).ok()
}

async fn read(headers: &HeaderMap, mut body: Incoming, bodies: &Bodies, payer: Payer) -> Result<(Bytes, Taken), Error> {
    let limit = bodies.limits.max_bytes;
    let announced = announced(&body);
    if announced > limit {
        // A peer that waits for `100 Continue` gets the refusal instead and sends nothing.
        if !headers.contains_key(EXPECT) {
            discard(body, limit.saturating_mul(2), PAUSE).await;
        }
        return Err(Error::BodyTooLarge { limit });
    }
    // Bytes that are only announced take no memory yet.
    let (mut bytes, mut taken) = (BytesMut::with_capacity(announced.min(FREE)), Taken::default());
    let mut stride = Stride::begin();
    while let Some(frame) = stride.next(&mut body).await? {
        let frame = frame.map_err(|_| Error::bad_request("the body ended early or is malformed"))?;
        let Ok(data) = frame.into_data() else { continue };
        let refused = match bytes.len() + data.len() > limit {
            true => Err(Error::BodyTooLarge { limit }),
            false => taken.add(bodies, payer, data.len()),
        };
        if let Err(error) = refused {
            drop((bytes, taken));
            discard(body, limit, STRIDE.0).await;
            return Err(error);
        }
        bytes.extend_from_slice(&data);
    }
    Ok((bytes.freeze(), taken))
}

/// Minimum progress of a body.
struct Stride {
    ends: Instant,
    missing: usize,
}

impl Stride {
    fn begin() -> Self {
        let (time, bytes) = STRIDE;
        Self { ends: Instant::now() + time, missing: bytes }
    }

    /// Returns the next frame, or an error if too little came for too long.
    async fn next(&mut self, body: &mut Incoming) -> Result<Option<hyper::Result<Frame<Bytes>>>, Error> {
        let frame = timeout_at(self.ends, body.frame()).await.map_err(|_| Error::BodyTimeout)?;
        let bytes = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref()).map_or(0, Bytes::len);
        match self.missing.checked_sub(bytes) {
            Some(missing @ 1..) => self.missing = missing,
            _ => *self = Self::begin(),
        }
        Ok(frame)
    }
}

/// Returns the number of bytes that the head announces, 0 if it does not.
fn announced(body: &Incoming) -> usize {
    usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX)
}

/// Reads on and drops up to `limit` bytes, as long as there is progress, and no pause is longer than `patience`.
async fn discard(mut body: Incoming, limit: usize, patience: Duration) {
    let (mut seen, mut stride) = (0, Stride::begin());
    while let Ok(Ok(Some(Ok(frame)))) = timeout(patience, stride.next(&mut body)).await {
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

    #[test]
    fn a_form_that_is_no_utf8_is_of_an_unsupported_type() {
        let error = Kind::Form.params(Bytes::from_static(b"a=\xff")).unwrap_err();
        assert_eq!(error.status(), 415);
        let error = Kind::Form.params(Bytes::from_static(b"a=%ff")).unwrap_err();
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
