//! Both versions carry the same messages: clients of either see the same in one topic.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use pusher_lite_protocol::phoenix::message::NULL;
use pusher_lite_protocol::{Message, Outgoing, Vsn, quote};

/// Generates JSON text of every kind and spelling, including white space inside and repeated keys.
fn json() -> impl Strategy<Value = String> {
    let number = select(vec!["0", "-0", "7", "1.10", "1e3", "1E-7", "1e999", "18446744073709551616"]);
    let scalar = prop_oneof![
        select(vec!["null", "true", "false", r#""\u00e9\ud83d\ude42\/""#, "[ ]", "{ }"]).prop_map(str::to_owned),
        number.prop_map(str::to_owned),
        ".{0,20}".prop_map(|text| quote(&text)),
    ];
    scalar.prop_recursive(4, 32, 5, |value| {
        let pair = ("[ab]", value.clone()).prop_map(|(key, value)| format!(r#""{key}" : {value}"#));
        prop_oneof![
            vec(value, 0..5).prop_map(|values| format!("[{}]", values.join(",\n"))),
            vec(pair, 0..5).prop_map(|pairs| format!("{{{}}}", pairs.join(", "))),
        ]
    })
}

fn encode(vsn: Vsn, message: &Outgoing<'_>) -> String {
    let mut buffer = Vec::new();
    vsn.encode(message, &mut buffer);
    assert_eq!(buffer.len(), vsn.encoded_len(message));
    String::from_utf8(buffer).unwrap()
}

fn payload<'a>(message: &Message<'a>) -> &'a str {
    message.payload.json().expect("a text message has no binary payload")
}

proptest! {
    #[test]
    fn both_read_the_same_from_what_they_write(
        join_ref in json(), r#ref in json(), topic in json(), event in json(), payload in json(),
    ) {
        let message =
            Outgoing { join_ref: &join_ref, r#ref: &r#ref, topic: &topic, event: &event, payload: &payload };
        let (v1, v2) = (encode(Vsn::V1, &message), encode(Vsn::V2, &message));
        let (v1, v2) = (Vsn::V1.decode_text(&v1).unwrap(), Vsn::V2.decode_text(&v2).unwrap());
        prop_assert_eq!(&v2.join_ref, &join_ref);
        prop_assert_eq!(&v2.r#ref, &r#ref);
        prop_assert_eq!(&v2.topic.json, &topic);
        prop_assert_eq!(&v2.event.json, &event);
        prop_assert_eq!(v2.payload.json(), Some(payload.as_str()));
        prop_assert_eq!(&v1.join_ref, NULL);
        prop_assert_eq!(Message { join_ref: v2.join_ref.clone(), ..v1 }, v2);
    }

    #[test]
    fn a_push_of_either_becomes_the_same_broadcast(topic in ".{0,30}", event in ".{0,30}", sent in json()) {
        let (topic, event) = (quote(&topic), quote(&event));
        let v1 = format!(r#"{{"ref":"5","topic": {topic},"event": {event},"payload": {sent} }}"#);
        let v2 = format!(r#" ["1","5", {topic}, {event}, {sent} ] "#);
        let (v1, v2) = (Vsn::V1.decode_text(&v1).unwrap(), Vsn::V2.decode_text(&v2).unwrap());
        for vsn in [Vsn::V1, Vsn::V2] {
            let [from_v1, from_v2] = [&v1, &v2]
                .map(|sent| encode(vsn, &Outgoing::broadcast(&sent.topic.json, &sent.event.json, payload(sent))));
            prop_assert_eq!(&from_v1, &from_v2);
            prop_assert_eq!(from_v1, encode(vsn, &Outgoing::broadcast(&topic, &event, &sent)));
        }
    }
}
