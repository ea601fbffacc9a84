//! Outboxes over streams whose other end is slow.

use std::future::poll_fn;

use socket2::SockRef;
use tokio::{io::AsyncReadExt, net::TcpStream};

use super::*;
use crate::realtime::{connection::queue::CHUNK_BYTES, tests::loopback};

const CLOSE: Bytes = Bytes::from_static(b"\x88\x00");

/// A text frame of so many bytes, at least 130, recognizable by its fill byte.
fn framed(fill: u8, len: usize) -> Bytes {
    let mut frame = vec![0x81, 126];
    match u16::try_from(len - 4) {
        Ok(payload) => frame.extend_from_slice(&payload.to_be_bytes()),
        Err(_) => {
            frame[1] = 127;
            frame.extend_from_slice(&(len as u64 - 10).to_be_bytes());
        }
    }
    frame.resize(len, fill);
    frame.into()
}

fn send(outbox: &Outbox, frames: &Bytes) {
    outbox.send(Frames::shared(frames.clone()));
}

fn queued(outbox: &Outbox) -> usize {
    outbox.state.lock().queue.size()
}

async fn outbox(limit: usize) -> (Outbox, TcpStream) {
    let (ours, theirs) = loopback().await;
    SockRef::from(&ours).set_send_buffer_size(4096).unwrap();
    SockRef::from(&theirs).set_recv_buffer_size(4096).unwrap();
    // The reading half is not needed, and must not close the stream.
    let (reader, writer) = ours.into_split();
    std::mem::forget(reader);
    (Outbox::new(Sink::Stream(writer), limit, Arc::default()), theirs)
}

/// Sends frames until one has to wait, in part or whole. Returns the number of frames.
fn fill(outbox: &Outbox, frame: &Bytes) -> usize {
    (1..)
        .find(|_| {
            send(outbox, frame);
            !outbox.is_empty()
        })
        .unwrap()
}

/// Receives all that the client gets, while the connection's task writes.
async fn received(outbox: &Outbox, client: &mut TcpStream) -> Vec<u8> {
    let mut received = Vec::new();
    let written = async {
        poll_fn(|cx| outbox.poll_flush(cx)).await.unwrap();
        assert!(outbox.shut_down_if_finished());
    };
    let (_, read) = tokio::join!(written, client.read_to_end(&mut received));
    read.unwrap();
    received
}

#[tokio::test]
async fn what_the_socket_does_not_take_waits_in_order() {
    let (outbox, mut client) = outbox(1 << 20).await;
    let sent = fill(&outbox, &framed(b'a', 50_000));
    send(&outbox, &framed(b'b', 200));
    send(&outbox, &framed(b'c', 60_000));
    outbox.finish(&CLOSE);
    send(&outbox, &framed(b'd', 200));

    let received = received(&outbox, &mut client).await;
    let expected =
        [framed(b'a', 50_000).repeat(sent), framed(b'b', 200).to_vec(), framed(b'c', 60_000).to_vec(), CLOSE.to_vec()];
    assert!(received == expected.concat());
    assert_eq!((queued(&outbox), outbox.budget.used()), (0, 0));
}

#[tokio::test]
async fn an_overflow_keeps_the_frame_that_is_partly_out() {
    for task_comes_first in [true, false] {
        let (outbox, mut client) = outbox(100_000).await;
        // A run of several frames is one chunk; the cut is inside it.
        let run: Bytes = framed(b'a', 5_000).repeat(10).into();
        let sent = fill(&outbox, &run);
        for _ in 0..2 {
            send(&outbox, &framed(b'b', 50_000));
            assert_eq!(outbox.close_requested(), None);
        }
        send(&outbox, &framed(b'c', 200));
        assert_eq!(outbox.close_requested(), Some(Close::TooSlow));
        send(&outbox, &framed(b'd', 200));
        if task_comes_first {
            outbox.clear_up();
            assert!(queued(&outbox) < 5_000 + CHUNK_BYTES);
        }
        outbox.finish(&CLOSE);

        let received = received(&outbox, &mut client).await;
        let frames = received.strip_suffix(&CLOSE[..]).unwrap();
        assert_eq!(frames.len() % 5_000, 0, "only whole frames");
        assert!(frames.len() <= run.len() * sent);
        assert!(frames.chunks(5_000).all(|frame| frame == framed(b'a', 5_000)));
        assert_eq!(outbox.budget.used(), 0);
    }
}

/// Counts work: the cost of an overflow for the sender, and the memory it keeps, do not depend on how much waits.
#[tokio::test]
async fn an_overflow_copies_nothing_and_drops_nothing_for_whoever_sends() {
    let run = framed(b'a', 7_500_000);
    let mut outboxes = Vec::new();
    for _ in 0..20 {
        let (outbox, client) = outbox(1000).await;
        fill(&outbox, &run);
        for _ in 0..6 {
            send(&outbox, &framed(b'b', 200));
        }
        assert_eq!(outbox.close_requested(), Some(Close::TooSlow));
        assert!(outbox.state.lock().queue.size_behind_first() > 1000, "that is left to the connection's task");
        outbox.clear_up();
        let state = outbox.state.lock();
        let (first, _) = state.queue.first().unwrap();
        assert_eq!((state.queue.size_behind_first(), first.own_memory()), (0, 0));
        let rest = first.as_slice().unwrap();
        assert_eq!(rest.as_ptr_range().end, run.as_ptr_range().end, "the rest is a part of what all share");
        drop(state);
        outboxes.push((outbox, client));
    }
    let own: usize = outboxes.iter().map(|(outbox, _)| outbox.budget.used()).sum();
    assert_eq!(own, outboxes.len() * CHUNK_BYTES);
}

#[tokio::test]
async fn whoever_sends_writes_no_more_than_so_much() {
    let (ours, _client) = loopback().await;
    SockRef::from(&ours).set_send_buffer_size(16 << 20).unwrap();
    let (_reader, writer) = ours.into_split();
    let outbox = Outbox::new(Sink::Stream(writer), 1 << 20, Arc::default());
    let written = outbox.send(Frames::shared(framed(b'a', 4 << 20)));
    assert!((1..=SEND_BYTES).contains(&written), "{written}");
}

#[tokio::test]
async fn a_chunk_of_any_size_may_wait_behind_the_first() {
    for len in [60_000, 3_000_000, 8_000_000] {
        let (outbox, _client) = outbox(2000).await;
        fill(&outbox, &framed(b'a', len));
        send(&outbox, &framed(b'b', 1_000_000));
        assert_eq!(outbox.close_requested(), None, "something as large as that is accepted");
        send(&outbox, &framed(b'c', 200));
        assert_eq!(outbox.close_requested(), Some(Close::TooSlow));
        outbox.abandon();
        assert!(poll_fn(|cx| outbox.poll_flush(cx)).await.is_err());
        assert_eq!(outbox.budget.used(), 0);
    }
}

#[tokio::test]
async fn a_poller_may_have_the_limit_waiting_behind_the_first_chunk() {
    let outbox = Outbox::polled(1_000_000, Arc::default(), Arc::default());
    for _ in 0..4 {
        outbox.send(Frames::from(framed(b'a', 300_000).to_vec()));
    }
    assert!(outbox.budget.used() > 1_200_000);
    assert_eq!(outbox.close_requested(), None);
    let taken = outbox.take();
    assert_eq!((taken.len(), outbox.budget.used()), (4, 0));
    send(&outbox, &framed(b'b', 200_000));
    outbox.put_back(taken);
    assert!(outbox.budget.used() > 1_200_000);
    send(&outbox, &framed(b'c', 100_000));
    assert_eq!(outbox.close_requested(), Some(Close::TooSlow));
    let fills: Vec<u8> = outbox.take().into_iter().map(|frames| frames.into_bytes()[10]).collect();
    assert_eq!(fills, b"aaaab");
    outbox.abandon();
    assert_eq!(outbox.budget.used(), 0);
}

#[tokio::test]
async fn an_eviction_frees_what_waits() {
    let (evicted, mut client) = outbox(1 << 20).await;
    fill(&evicted, &framed(b'a', 50_000));
    evicted.send(framed(b'b', 100_000).to_vec().into());
    let before = evicted.budget.used();
    evicted.evict();
    assert!(evicted.budget.used() + 90_000 < before);
    assert_eq!(evicted.evicted(), Some(Close::Evicted));
    evicted.finish(&CLOSE);
    assert!(received(&evicted, &mut client).await.ends_with(&CLOSE));

    let (evicted, _client) = outbox(1 << 20).await;
    fill(&evicted, &framed(b'a', 5_000_000));
    evicted.evict();
    assert_eq!(evicted.budget.used(), 0, "a frame that is too long to be ended");
    assert!(poll_fn(|cx| evicted.poll_flush(cx)).await.is_err());
}
