//! Order and completeness under load.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{super::Limits, *};

const PUSHES: usize = 300;
const PINGS: usize = 43;

/// A client's frame, with a mask of zero.
fn client_frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode];
    match payload.len() {
        len @ 0..126 => frame.push(0x80 | len as u8),
        len => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&(len as u16).to_be_bytes());
        }
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(payload);
    frame
}

/// The server's frames, as opcode and payload. All must be whole, final and unmasked.
fn server_frames(mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut frames = Vec::new();
    while let [first, len, rest @ ..] = bytes {
        assert_eq!(first & 0xf0, 0x80, "final, without extensions");
        let (len, rest) = match *len {
            126 => (usize::from(u16::from_be_bytes([rest[0], rest[1]])), &rest[2..]),
            127 => (u64::from_be_bytes(rest[..8].try_into().unwrap()) as usize, &rest[8..]),
            len => (usize::from(len), rest),
        };
        frames.push((first & 0x0f, rest[..len].to_vec()));
        bytes = &rest[len..];
    }
    assert!(bytes.is_empty(), "{bytes:?} is no frame");
    frames
}

fn push(number: usize) -> String {
    format!(r#"["1","{number}","lobby:key:t","e",{{"n":{number},"s":"{}"}}]"#, "x".repeat(3000))
}

fn broadcast(number: usize) -> String {
    format!(r#"[null,null,"lobby:key:t","e",{{"n":{number},"s":"{}"}}]"#, "x".repeat(3000))
}

/// Pushes, pings between them and a close, without pauses.
fn conversation() -> Vec<u8> {
    let mut bytes = client_frame(1, br#"["1","1","lobby:key:t","phx_join",{}]"#);
    for number in 0..PUSHES {
        bytes.extend(client_frame(1, push(number).as_bytes()));
        if number % 7 == 0 {
            bytes.extend(client_frame(9, number.to_string().as_bytes()));
        }
    }
    bytes.extend(client_frame(8, &4001_u16.to_be_bytes()));
    bytes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_are_whole_and_in_order_between_pongs_and_before_the_close() {
    let hub = Hub::new(Limits::default());
    let mut watcher = Client::joined(&hub, "watcher", Vsn::V2, "t").await;
    let (mut reader, mut writer) = open(&hub, identity("alice"), Vsn::V2).await.into_split();
    let write = tokio::spawn(async move {
        writer.write_all(&conversation()).await.unwrap();
        writer
    });
    let mut received = Vec::new();
    reader.read_to_end(&mut received).await.unwrap();
    write.await.unwrap();

    let frames = server_frames(&received);
    let payloads = |opcode| frames.iter().filter(move |frame| frame.0 == opcode).map(|frame| frame.1.as_slice());
    let pings = (0..PUSHES).step_by(7).map(|number| number.to_string().into_bytes());
    assert_eq!(payloads(10).count(), PINGS);
    assert!(payloads(10).eq(pings), "a pong for each ping, in order");
    assert_eq!(frames.last().unwrap(), &(8, 4001_u16.to_be_bytes().to_vec()));
    let texts: Vec<_> = payloads(1).collect();
    assert_eq!(texts.len(), 3 + PUSHES, "the reply, the presence, and all pushes");
    assert!(
        texts[3..].iter().copied().eq((0..PUSHES).map(broadcast).map(String::into_bytes).collect::<Vec<_>>().iter())
    );

    assert_eq!(watcher.expect_diff().await.0, ["alice"]);
    for number in 0..PUSHES {
        assert_eq!(watcher.receive_text().await, broadcast(number));
    }
    assert_eq!(watcher.expect_diff().await.1, ["alice"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_each_publisher_sends_arrives_in_order_at_every_subscriber() {
    const PUBLISHERS: usize = 8;
    const EVENTS: usize = 200;
    let hub = Hub::new(Limits::default());
    let mut clients = Vec::new();
    for number in 0..PUBLISHERS {
        let vsn = if number % 2 == 0 { Vsn::V1 } else { Vsn::V2 };
        clients.push(Client::joined(&hub, &number.to_string(), vsn, "t").await);
    }
    let clients = clients.into_iter().enumerate().map(|(me, mut client)| {
        tokio::spawn(async move {
            for number in 0..EVENTS {
                client.send("1", "2", "t", "e", &format!(r#"{{"from":{me},"n":{number}}}"#)).await;
            }
            let mut next = [0; PUBLISHERS];
            while next != [EVENTS; PUBLISHERS] {
                let received = client.receive().await;
                if received.event == "e" {
                    let from = received.payload["from"].as_u64().unwrap() as usize;
                    assert_eq!(received.payload["n"], next[from]);
                    next[from] += 1;
                }
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn joins_and_leaves_in_a_busy_topic_fall_between_events() {
    let hub = Hub::new(Limits::default());
    let mut publisher = Client::joined(&hub, "publisher", Vsn::V2, "t").await;
    let mut visitor = Client::connect(&hub, "visitor", Vsn::V2).await;
    let busy = tokio::spawn(async move {
        for number in 0..2000 {
            publisher.send("1", "2", "t", "e", &format!(r#"{{"n":{number}}}"#)).await;
        }
        publisher
    });
    for visit in 0..50 {
        let r#ref = visit.to_string();
        visitor.join("t", &r#ref).await;
        visitor.send(&r#ref, "leave", "t", "phx_leave", "{}").await;
        visitor.expect(Some(&r#ref), Some(&r#ref), "phx_reply", json!({"status": "ok", "response": {}})).await;
        assert_eq!(visitor.receive().await.event, "presence_state");
        let mut last = None;
        loop {
            let received = visitor.receive().await;
            match received.event.as_str() {
                "presence_diff" => {}
                "e" => {
                    let number = received.payload["n"].as_u64().unwrap();
                    assert!(last.is_none_or(|last| number == last + 1), "no gap while joined");
                    last = Some(number);
                }
                "phx_reply" => break assert_eq!(received.r#ref, "leave"),
                other => panic!("{other}"),
            }
        }
        assert_eq!(visitor.receive().await.event, "phx_close");
    }
    drop(busy.await.unwrap());
}
