//! Meaning of a text message, read into a tree as any JSON program would: slow, and without any code of the protocol.

use std::fmt;
use std::marker::PhantomData;

use pusher_lite_protocol::Vsn;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

/// Expected result of decoding.
#[derive(Debug)]
pub(crate) enum Expected {
    /// A message of `join_ref`, `ref`, topic, event and payload.
    Message([Value; 5]),
    /// No message.
    Refused,
    /// JSON that a tree cannot hold: nested too deep, or a number too large. The protocol can pass it on without a
    /// tree.
    Unknown,
}

pub(crate) fn read(vsn: Vsn, text: &str) -> Expected {
    let elements = match vsn {
        Vsn::V1 => serde_json::from_str(text).map(|Pairs(pairs)| object_elements(&pairs)),
        Vsn::V2 => serde_json::from_str(text).map(|elements: Vec<Value>| array_elements(&elements)),
    };
    match elements {
        Ok(Some(elements)) => Expected::Message(elements),
        Ok(None) => Expected::Refused,
        Err(error) if is_beyond_a_tree(&error) => Expected::Unknown,
        Err(_) => Expected::Refused,
    }
}

fn object_elements(pairs: &[(String, Value)]) -> Option<[Value; 5]> {
    let first = |name| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    Some([Value::Null, first("ref")?, first("topic")?, first("event")?, first("payload")?])
}

fn array_elements(elements: &[Value]) -> Option<[Value; 5]> {
    elements.first_chunk().cloned()
}

pub(crate) fn is_beyond_a_tree(error: &serde_json::Error) -> bool {
    let error = error.to_string();
    error.starts_with("recursion limit exceeded") || error.starts_with("number out of range")
}

/// An object with its keys in their order, including repeated ones.
pub(crate) struct Pairs<V = Value>(pub(crate) Vec<(String, V)>);

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Pairs<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PairsVisitor<V>(PhantomData<V>);

        impl<'de, V: Deserialize<'de>> Visitor<'de> for PairsVisitor<V> {
            type Value = Pairs<V>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<V>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }

        deserializer.deserialize_map(PairsVisitor(PhantomData))
    }
}
