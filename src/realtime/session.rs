//! A socket with its rooms and its outbox: carries out what the messages of a client ask for, whatever the transport.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use pusher_lite_protocol::presence::Meta;
use pusher_lite_protocol::{DecodeError, Message, Outgoing, Payload, reply};

use super::channel::{Channel, Refs};
use super::close::Close;
use super::connection::Connection;
use super::frame;
use super::hub::Shared;
use super::room::{Parting, Room};
use super::socket::{Action, Socket};
use super::topic::Topic;

/// A client's presence on this server. When it is dropped, the client has left all its topics.
#[derive(Debug)]
pub(super) struct Session {
    shared: Arc<Shared>,
    connection: Arc<Connection>,
    socket: Socket,
}

/// A connection's close frame. It is sent when the last room that has something for the connection drops it.
#[derive(Debug)]
pub(super) struct LastWords {
    connection: Arc<Connection>,
    close_frame: Bytes,
}

impl Drop for LastWords {
    fn drop(&mut self) {
        self.connection.outbox.finish(&self.close_frame);
    }
}

impl Session {
    pub(super) fn new(shared: Arc<Shared>, connection: Arc<Connection>) -> Session {
        let socket = Socket::new(connection.vsn);
        Session { shared, connection, socket }
    }

    pub(super) fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    /// Notes that something was received, be it no message.
    pub(super) fn received(&self) {
        self.shared.sockets.received(&self.connection);
    }

    /// Carries out a message that came as text. What the client is to get at once is appended to `replies`, in frames.
    /// Returns the room that wants its publishers held back, if it does.
    pub(super) fn receive_text(&mut self, text: &str, replies: &mut Vec<u8>) -> Result<Option<Arc<Room>>, DecodeError> {
        let message = self.connection.vsn.decode_text(text)?;
        Ok(self.receive(&message, replies))
    }

    /// As [`Session::receive_text`], for a message that came in a binary frame.
    pub(super) fn receive_binary(
        &mut self,
        frame: &[u8],
        replies: &mut Vec<u8>,
    ) -> Result<Option<Arc<Room>>, DecodeError> {
        let message = self.connection.vsn.decode_binary(frame)?;
        Ok(self.receive(&message, replies))
    }

    fn receive(&mut self, message: &Message<'_>, replies: &mut Vec<u8>) -> Option<Arc<Room>> {
        let Session { shared, connection, socket } = self;
        let vsn = connection.vsn;
        match socket.receive(message, &connection.identity, &shared.limits) {
            Action::Nothing => None,
            Action::Reply(reply) => {
                frame::text(vsn, &reply, replies);
                None
            }
            Action::ReplyInOrder(channel, reply) => {
                let held = channel.room.reply(connection, framed(connection, &[reply]));
                held.then(|| Arc::clone(&channel.room))
            }
            Action::Publish(channel) => {
                let held = publish(&channel.room, message);
                held.then(|| Arc::clone(&channel.room))
            }
            Action::Join { topic, refs, replaced } => {
                let channel = join(shared, connection, &topic, refs, replaced, message);
                let held = channel.room.is_behind().then(|| Arc::clone(&channel.room));
                socket.add(channel);
                held
            }
            Action::Leave(channel) => {
                let reply = Outgoing::reply(channel.refs.own(), &message.r#ref, &message.topic.json, reply::OK);
                let frames = framed(connection, &[reply, channel.close(&message.topic.json)]);
                channel.room.leave(connection, channel.phx_ref, Parting { frames, last_words: None });
                None
            }
        }
    }

    /// Leaves all topics, and then closes.
    pub(super) fn close(&mut self, close: Close) {
        let last_words = LastWords { connection: Arc::clone(&self.connection), close_frame: close.frame() };
        self.leave_all(Some(Arc::new(last_words)));
    }

    /// Those who stay are told, together with the leave of all sockets that are closed with this one; when the server
    /// stops, nobody stays.
    fn leave_all(&mut self, last_words: Option<Arc<LastWords>>) {
        let channels = self.socket.take_channels();
        for channel in &channels {
            let parting = Parting { frames: Vec::new(), last_words: last_words.clone() };
            channel.room.part(&self.connection, parting);
        }
        let departure = self.connection.outbox.take_departure();
        if !self.shared.sockets.is_stopping() {
            departure.unwrap_or_default().add(&self.connection, channels);
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.connection.outbox.abandon();
        self.leave_all(None);
        self.shared.sockets.remove(&self.connection);
    }
}

/// Answers, then tells of the end of the channel that is replaced; `presence_state` follows.
fn join(
    shared: &Shared,
    connection: &Arc<Connection>,
    topic: &Topic,
    refs: Refs,
    replaced: Option<Channel>,
    message: &Message<'_>,
) -> Channel {
    let topic_json = &message.topic.json;
    let reply = Outgoing::reply(&message.join_ref, &message.r#ref, topic_json, reply::OK);
    let mut lead = framed(connection, &[reply]);
    if let Some(replaced) = replaced {
        frame::text(connection.vsn, &replaced.close(topic_json), &mut lead);
        replaced.room.leave(connection, replaced.phx_ref, Parting::default());
    }
    let meta = Meta { phx_ref: shared.next_phx_ref(), online_at: milliseconds_since_1970() };
    let room = shared.registry.join(topic, connection, &lead, refs.own(), meta);
    Channel { room, refs, phx_ref: meta.phx_ref }
}

fn publish(room: &Arc<Room>, message: &Message<'_>) -> bool {
    match &message.payload {
        Payload::Json(payload) => {
            room.broadcast(&Outgoing::broadcast(&message.topic.json, &message.event.json, payload))
        }
        Payload::Binary(push) => room.broadcast_binary(push),
    }
}

fn framed(connection: &Connection, messages: &[Outgoing<'_>]) -> Vec<u8> {
    let mut frames = Vec::new();
    for message in messages {
        frame::text(connection.vsn, message, &mut frames);
    }
    frames
}

fn milliseconds_since_1970() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_millis().try_into().unwrap_or(u64::MAX)
}
