//! Bodies of answers on their way to a client: waiting bytes are counted, and the sender of the answer learns that it
//! was sent.

use std::{
    convert::Infallible,
    fmt,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use parking_lot::Mutex;
use tokio::sync::OwnedSemaphorePermit;

use super::{
    budget::{Budget, Payer, Portion},
    progress::Progress,
};

/// Number of bytes handed to hyper at a time. It asks for more when the peer has room.
const CHUNK: usize = 64 << 10;
/// Bytes that each answer may take whatever the budget.
const FREE: usize = 16 << 10;

type WhenSent = Box<dyn FnOnce() + Send + Sync>;

/// Body of an answer.
#[derive(Default)]
pub struct Body {
    bytes: Bytes,
    /// True if the bytes are in memory anyway, such as those of a file.
    is_shared: bool,
    when_sent: Option<WhenSent>,
    sending: Option<Arc<Sending>>,
}

/// Error: the memory for answers that wait for slow clients is used up.
#[derive(Debug)]
pub struct NoRoom;

/// An answer that is not completely sent.
struct Sending {
    progress: Progress,
    id: u64,
    /// Bytes that hyper has not asked for yet.
    rest: AtomicUsize,
    /// Bytes that the connection had written when hyper took the last of them.
    written_before: AtomicU64,
    when_sent: Mutex<Option<WhenSent>>,
    _portion: Option<Portion>,
    _turn: Option<OwnedSemaphorePermit>,
}

/// A part of an answer that hyper has taken and not written yet.
struct Chunk {
    bytes: Bytes,
    sending: Arc<Sending>,
}

impl Body {
    /// Creates a body of these bytes.
    pub(super) fn new(bytes: Bytes) -> Self {
        Self { bytes, ..Self::default() }
    }

    /// Returns the bytes that are not sent yet.
    pub fn whole(&self) -> &Bytes {
        &self.bytes
    }

    /// Marks the bytes as in memory anyway.
    pub(super) fn share(&mut self) {
        self.is_shared = true;
    }

    /// Sets a function to call when the last byte is handed to the operating system. It is dropped uncalled if that
    /// never happens.
    pub(super) fn when_sent(&mut self, when_sent: impl FnOnce() + Send + Sync + 'static) {
        self.when_sent = Some(Box::new(when_sent));
    }

    /// Sends the body on a connection, whose turn it keeps until it is sent. The bytes take memory from `budget`, for
    /// `payer`.
    ///
    /// # Errors
    ///
    /// [`NoRoom`] when there is no memory for it.
    pub fn send_on(
        mut self,
        progress: &Progress,
        budget: &Budget,
        payer: Payer,
        turn: Option<OwnedSemaphorePermit>,
    ) -> Result<Self, NoRoom> {
        let portion = match self.bytes.len().checked_sub(FREE) {
            Some(bytes @ 1..) if !self.is_shared => {
                let mut portion = budget.portion(payer);
                if !portion.add(bytes) {
                    return Err(NoRoom);
                }
                Some(portion)
            }
            _ => None,
        };
        self.sending = Some(Arc::new(Sending {
            id: progress.begin_answer(),
            progress: progress.clone(),
            rest: AtomicUsize::new(self.bytes.len()),
            written_before: AtomicU64::new(u64::MAX),
            when_sent: Mutex::new(self.when_sent.take()),
            _portion: portion,
            _turn: turn,
        }));
        Ok(self)
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.bytes.is_empty() {
            return Poll::Ready(None);
        }
        let part = self.bytes.len().min(CHUNK);
        let bytes = self.bytes.split_to(part);
        let data = match &self.sending {
            Some(sending) => {
                sending.took(part);
                Bytes::from_owner(Chunk { bytes, sending: Arc::clone(sending) })
            }
            None => bytes,
        };
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.len() as u64)
    }
}

impl Sending {
    fn took(&self, bytes: usize) {
        if self.rest.fetch_sub(bytes, Ordering::Relaxed) == bytes {
            self.written_before.store(self.progress.written().0, Ordering::Relaxed);
        }
    }

    /// Returns true if the last bytes were written. It is not enough that hyper has dropped them: it also does so when
    /// the connection fails, or the peer resets a stream.
    fn is_sent(&self) -> bool {
        let (written, has_failed) = self.progress.written();
        self.rest.load(Ordering::Relaxed) == 0 && !has_failed && written > self.written_before.load(Ordering::Relaxed)
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        if let Some(when_sent) = self.when_sent.get_mut().take()
            && self.is_sent()
        {
            when_sent();
        }
        self.progress.end_answer(self.id);
    }
}

impl AsRef<[u8]> for Chunk {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        self.sending.progress.answer_sent(self.sending.id, self.bytes.len());
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Body").field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use http_body_util::BodyExt;
    use hyper::body::Body as _;

    use super::*;

    fn noted(body: &mut Body) -> Arc<AtomicBool> {
        let sent = Arc::new(AtomicBool::new(false));
        let note = Arc::clone(&sent);
        body.when_sent(move || note.store(true, Ordering::Relaxed));
        sent
    }

    async fn next(body: &mut Body) -> Bytes {
        body.frame().await.unwrap().unwrap().into_data().unwrap()
    }

    #[tokio::test]
    async fn an_answer_is_sent_when_its_last_byte_is_written() {
        for (fails, writes, expected) in [(false, true, true), (true, true, false), (false, false, false)] {
            let (progress, budget) = (Progress::test(), Budget::new(1 << 20));
            let mut body = Body::new(vec![1; CHUNK + 1].into());
            let sent = noted(&mut body);
            let mut body = body.send_on(&progress, &budget, Payer::unlimited(), None).unwrap();
            assert_eq!(budget.used(), CHUNK + 1 - FREE);
            let chunks = [next(&mut body).await, next(&mut body).await];
            assert!(body.is_end_stream());
            assert_eq!(chunks.iter().map(Bytes::len).sum::<usize>(), CHUNK + 1);
            drop(body);
            if writes {
                progress.wrote(CHUNK + 1);
            }
            if fails {
                progress.fail();
            }
            assert!(!sent.load(Ordering::Relaxed));
            drop(chunks);
            assert_eq!(sent.load(Ordering::Relaxed), expected, "failed: {fails}, written: {writes}");
            assert_eq!(budget.used(), 0);
        }
    }

    #[tokio::test]
    async fn an_answer_that_is_dropped_half_way_is_not_sent() {
        let progress = Progress::test();
        let mut body = Body::new(vec![1; CHUNK + 1].into());
        let sent = noted(&mut body);
        let mut body = body.send_on(&progress, &Budget::new(1 << 20), Payer::unlimited(), None).unwrap();
        let chunk = next(&mut body).await;
        progress.wrote(CHUNK);
        drop((chunk, body));
        assert!(!sent.load(Ordering::Relaxed));
    }

    #[tokio::test]
    async fn answers_beyond_the_budget_find_no_room() {
        let (progress, budget) = (Progress::test(), Budget::new(CHUNK));
        let send = |body: Body| body.send_on(&progress, &budget, Payer::unlimited(), None);
        let first = send(Body::new(vec![1; CHUNK].into())).unwrap();
        assert!(send(Body::new(vec![1; CHUNK].into())).is_err());
        assert!(send(Body::new(vec![1; FREE].into())).is_ok());
        let mut shared = Body::new(vec![1; CHUNK].into());
        shared.share();
        assert!(send(shared).is_ok());
        drop(first);
        assert!(send(Body::new(vec![1; CHUNK].into())).is_ok());
    }
}
