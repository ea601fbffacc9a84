//! Tests of the time limits, and of the bytes that hyper holds, in the order of events.

use tokio::time::timeout;

use super::*;

impl Progress {
    /// Creates the progress of a connection with usual limits.
    pub(crate) fn test() -> Self {
        let timeouts = Timeouts {
            head: Duration::from_secs(30),
            keep_alive: Duration::from_secs(75),
            send: Duration::from_secs(60),
        };
        Self::new(timeouts, Budget::new(1 << 20), Payer::unlimited())
    }
}

const SECOND: Duration = Duration::from_secs(1);

async fn after(progress: &Progress) -> (Overdue, u64) {
    let began = Instant::now();
    let overdue = progress.overdue().await;
    (overdue, began.elapsed().as_secs())
}

/// Runs a request without body and its answer, of which nothing is left to read.
fn exchange(progress: &Progress) {
    progress.read(100);
    progress.arrived(false);
    progress.found_nothing();
    let answer = progress.begin_answer();
    assert!(!progress.is_hypers_own(b"HTTP/1.1 400 Bad Request\r\n"), "it is the answer to the request");
    progress.end_answer(answer);
}

#[tokio::test(start_paused = true)]
async fn a_head_has_its_time_from_its_first_byte_and_a_pause_another() {
    let progress = Progress::test();
    assert_eq!(after(&progress).await, (Overdue::Head, 30), "nothing is asked for");
    exchange(&progress);
    assert_eq!(after(&progress).await, (Overdue::Idle, 75));
    assert_eq!(progress.read(1), Read::Begins);
    assert_eq!(progress.read(1), Read::Continues);
    assert_eq!(after(&progress).await, (Overdue::Head, 30));
}

#[tokio::test(start_paused = true)]
async fn some_of_the_next_head_behind_a_request_has_the_time_of_a_head() {
    let progress = Progress::test();
    progress.read(100);
    progress.arrived(false);
    // hyper has not looked for more, since it has something left.
    progress.end_answer(progress.begin_answer());
    assert_eq!(after(&progress).await, (Overdue::Idle, 30));
    assert_eq!(progress.read(1), Read::Other, "where a line begins is not known");
    progress.arrived(false);
    progress.found_nothing();
    assert_eq!(progress.read(1), Read::Begins, "while the answer is awaited");
    progress.end_answer(progress.begin_answer());
    assert_eq!(after(&progress).await, (Overdue::Head, 30));
}

#[tokio::test(start_paused = true)]
async fn an_answer_must_be_taken_and_not_too_slowly() {
    let progress = Progress::test();
    progress.multiplex();
    let answer = progress.begin_answer();
    assert_eq!(after(&progress).await, (Overdue::Answer, 60));
    progress.answer_sent(answer, 20 << 10);
    assert_eq!(after(&progress).await, (Overdue::Answer, 20), "20 KiB in 80 s");
    progress.end_answer(answer);
    progress.stall();
    tokio::time::sleep(SECOND).await;
    progress.stall();
    assert_eq!(after(&progress).await, (Overdue::Answer, 59), "of the stream");
    progress.go_on();
    assert!(timeout(SECOND * 1000, progress.overdue()).await.is_err(), "nothing is waited for");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_hands_the_stream_on_has_the_time_of_a_head() {
    let progress = Progress::test();
    progress.read(100);
    progress.arrived(false);
    tokio::time::sleep(SECOND * 7).await;
    progress.switch();
    progress.end_answer(progress.begin_answer());
    assert_eq!(after(&progress).await, (Overdue::Switch, 30));
}

#[test]
fn hypers_own_answers_are_told_from_others() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let _entered = runtime.enter();
    let progress = Progress::test();
    exchange(&progress);
    progress.read(10);
    assert!(!progress.is_hypers_own(b"HTTP/1.1 100 Continue\r\n\r\n"));
    assert!(!progress.is_hypers_own(b"the rest of an answer"));
    assert!(progress.is_hypers_own(b"HTTP/1.1 400 Bad Request\r\n"));
}

#[test]
fn large_heads_share_a_budget() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let _entered = runtime.enter();
    let budget = Budget::new(40 << 10);
    let open = || Progress::new(Progress::test().timeouts(), budget.clone(), Payer::unlimited());
    let connections = [open(), open(), open()];
    for connection in &connections {
        assert_eq!(connection.read(FREE_HEAD), Read::Begins);
    }
    assert_eq!(connections[0].read(40 << 10), Read::Continues);
    assert_eq!(connections[1].read(1), Read::NoRoom);
    connections[0].arrived(false);
    assert_eq!(connections[2].read(1), Read::Continues);
}
