//! Frames in bytes that come in pieces.

use proptest::prelude::*;

use super::*;

const LONGEST: usize = 1 << 20;

/// A masked frame.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [0x12, 0x34, 0x56, 0x78];
    let mut bytes = vec![first];
    match payload.len() {
        len @ 0..126 => bytes.push(0x80 | len as u8),
        len @ 126..65_536 => {
            bytes.push(0x80 | 126);
            bytes.extend_from_slice(&(len as u16).to_be_bytes());
        }
        len => {
            bytes.push(0x80 | 127);
            bytes.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(&mask);
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

fn owned(message: Incoming<'_>) -> Incoming<'static> {
    match message {
        Incoming::Text(text) => Incoming::Text(text.into_owned().into()),
        Incoming::Binary(data) => Incoming::Binary(data.into_owned().into()),
        Incoming::Ping(data) => Incoming::Ping(data.into_owned().into()),
        Incoming::Pong => Incoming::Pong,
        Incoming::Close(code) => Incoming::Close(code),
    }
}

/// Reads all messages in bytes that come in pieces of these lengths. The last length is repeated.
fn read(reader: &mut Reader, bytes: &[u8], lens: &[usize]) -> Result<Vec<Incoming<'static>>, Fault> {
    let (mut messages, mut at, mut lens) = (Vec::new(), 0, lens.iter().copied().peekable());
    while at < bytes.len() {
        let len = if lens.len() > 1 { lens.next() } else { lens.peek().copied() };
        let end = (at + len.unwrap().max(1)).min(bytes.len());
        let mut piece = bytes[at..end].to_vec();
        let mut input = &mut piece[..];
        while let Some(message) = reader.next(&mut input)? {
            messages.push(owned(message));
        }
        assert!(input.is_empty());
        assert!(reader.memory() <= reader.longest + 1000, "{}", reader.memory());
        at = end;
    }
    Ok(messages)
}

fn text(text: &str) -> Incoming<'static> {
    Incoming::Text(text.to_owned().into())
}

#[test]
fn frames_are_read_however_they_come() {
    let long = "x".repeat(70_000);
    let bytes = [
        frame(0x81, b"one"),
        frame(0x81, b""),
        frame(0x01, b"tw"),
        frame(0x89, b"ping"),
        frame(0x00, b""),
        frame(0x80, "o\u{2603}".as_bytes()),
        frame(0x8a, b"pong"),
        frame(0x82, &[0xff; 300]),
        frame(0x81, long.as_bytes()),
        frame(0x88, b"\x03\xe8bye"),
    ]
    .concat();
    let expected = [
        text("one"),
        text(""),
        Incoming::Ping(b"ping".into()),
        text("two\u{2603}"),
        Incoming::Pong,
        Incoming::Binary(vec![0xff; 300].into()),
        text(&long),
        Incoming::Close(Some(1000)),
    ];
    for lens in [&[1][..], &[2], &[3], &[7], &[64], &[16 << 10], &[usize::MAX >> 1], &[5, 1, 40, 3]] {
        let mut reader = Reader::new(LONGEST);
        assert!(read(&mut reader, &bytes, lens).unwrap() == expected, "{lens:?}");
        assert_eq!(reader.memory(), 0, "nothing is kept between messages");
    }
}

#[test]
fn a_whole_frame_is_read_where_it_lies() {
    let mut bytes = frame(0x81, b"text");
    let place = bytes[6..].as_ptr();
    let (mut reader, mut input) = (Reader::new(LONGEST), &mut bytes[..]);
    let Ok(Some(Incoming::Text(Cow::Borrowed(text)))) = reader.next(&mut input) else { panic!("it is copied") };
    assert_eq!((text, text.as_ptr()), ("text", place));
}

#[test]
fn what_clients_must_not_send_is_a_fault() {
    for (bytes, fault) in [
        (frame(0x83, b""), Fault::Protocol),
        (frame(0x8b, b""), Fault::Protocol),
        (frame(0xc1, b""), Fault::Protocol),
        (frame(0x09, b""), Fault::Protocol),
        (frame(0x89, &[0; 126]), Fault::Protocol),
        (frame(0x80, b""), Fault::Protocol),
        ([frame(0x01, b"a"), frame(0x81, b"b")].concat(), Fault::Protocol),
        (b"\x81\x01a".to_vec(), Fault::Protocol),
        (frame(0x88, b"\x03"), Fault::Protocol),
        (frame(0x88, b"\x03\xe8\xff"), Fault::Utf8),
        (frame(0x81, b"\xff"), Fault::Utf8),
        ([frame(0x01, b"\xe2\x98"), frame(0x80, b"")].concat(), Fault::Utf8),
        (frame(0x82, &[0; 1001]), Fault::TooBig),
        (b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff".to_vec(), Fault::TooBig),
        ([frame(0x02, &[0; 600]), frame(0x00, &[0; 600])].concat(), Fault::TooBig),
    ] {
        for lens in [&[1][..], &[1 << 20]] {
            assert_eq!(read(&mut Reader::new(1000), &bytes, lens), Err(fault), "{bytes:?}");
        }
    }
    for (code, told) in [(1000, 1000), (1001, 1001), (4000, 4000), (1005, 1002), (1006, 1002), (999, 1002)] {
        let bytes = frame(0x88, &u16::to_be_bytes(code));
        let expected = vec![Incoming::Close(Some(told))];
        assert_eq!(read(&mut Reader::new(1000), &bytes, &[1 << 20]).unwrap(), expected);
    }
}

#[test]
fn memory_is_what_has_come_and_no_more_than_the_largest_message() {
    let unfinished = frame(0x01, &vec![b'x'; LONGEST]);
    let mut reader = Reader::new(LONGEST);
    assert!(read(&mut reader, &unfinished[..14], &[1 << 20]).unwrap().is_empty());
    assert!(reader.memory() < 1000, "nothing is reserved for what is announced");
    assert!(read(&mut reader, &unfinished[14..], &[16 << 10]).unwrap().is_empty());
    assert!((LONGEST..LONGEST + 1000).contains(&reader.memory()), "{}", reader.memory());
    assert_eq!(read(&mut reader, &frame(0x80, b""), &[1]).unwrap().len(), 1);
    assert_eq!(reader.memory(), 0);
    assert!(read(&mut reader, &unfinished, &[1000]).unwrap().is_empty());
    reader.clear();
    assert_eq!(reader.memory(), 0);
}

proptest! {
    #[test]
    fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300), lens in prop::collection::vec(0..40usize, 1..9)) {
        let _ = read(&mut Reader::new(200), &bytes, &lens);
    }

    #[test]
    fn pieces_make_no_difference(
        payloads in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..300)), 1..6),
        lens in prop::collection::vec(1..50usize, 1..9),
    ) {
        let bytes: Vec<u8> = payloads
            .iter()
            .flat_map(|(split, payload)| {
                let middle = payload.len() / 2;
                if *split {
                    [frame(0x02, &payload[..middle]), frame(0x80, &payload[middle..])].concat()
                } else {
                    frame(0x82, payload)
                }
            })
            .collect();
        let expected: Vec<Incoming<'_>> =
            payloads.iter().map(|(_, payload)| Incoming::Binary(payload.clone().into())).collect();
        prop_assert_eq!(read(&mut Reader::new(LONGEST), &bytes, &lens).unwrap(), expected);
    }
}
