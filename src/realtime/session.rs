//! A socket with its rooms and its outbox: carries out what the messages of a client ask for, whatever the transport.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use pusher_lite_protocol::presence::Meta;
use pusher_lite_protocol::{DecodeError, Message, Outgoing, Payload, Vsn, reply};

use super::bucket::Bucket;
use super::channel::{Channel, Refs};
use super::close::Close;
use super::connection::Connection;
use super::counters::Count;
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
    /// What of the events that it may push a second is used up.
    events: Bucket,
    /// The messages that were received, those included that could not be read.
    messages: u32,
    /// The bytes that were received.
    bytes: u64,
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
        Session { shared, connection, socket, events: Bucket::default(), messages: 0, bytes: 0 }
    }

    pub(super) fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    /// Counts what was written to the client outside of its topics.
    pub(super) fn count_out(&self, bytes: usize) {
        if bytes > 0 {
            self.shared.counters.add(Count::ByteOut, bytes as u64);
        }
    }

    /// Counts and logs how the connection ended; `None` when the client just went away.
    pub(super) fn log_end(&self, close: Option<Close>) {
        self.shared.counters.closed(close);
        let Connection { id, vsn, identity, outbox, .. } = &*self.connection;
        let duration_ms = self.connection.age(self.shared.counters.uptime_ms()).as_millis() as u64;
        tracing::info!(
            socket = id,
            transport = if outbox.is_polled() { "longpoll" } else { "websocket" },
            ?vsn,
            app_key = &*identity.app_key,
            user_id = identity.user_id,
            duration_ms,
            messages = self.messages,
            bytes = self.bytes,
            reason = close.map_or("gone", |close| Close::KINDS[close.kind()]),
            code = close.and_then(|close| close.code_and_reason().0),
            "A socket was closed."
        );
    }

    /// Notes that so many bytes were received, be it no message.
    pub(super) fn received(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        self.shared.counters.add(Count::ByteIn, bytes as u64);
        self.shared.sockets.received(&self.connection);
    }

    /// Carries out a message that came as text. What the client is to get at once is appended to `replies`, in frames.
    /// Returns the room that wants its publishers held back, if it does.
    pub(super) fn receive_text(&mut self, text: &str, replies: &mut Vec<u8>) -> Result<Option<Arc<Room>>, DecodeError> {
        self.messages = self.messages.wrapping_add(1);
        match self.connection.vsn.decode_text(text) {
            Ok(message) => Ok(self.receive(&message, replies)),
            Err(error) => self.receive_mended(text, error, replies),
        }
    }

    /// Carries out a message that could not be read, because of `error`, if it can be mended and is not too long then.
    #[cold]
    fn receive_mended(
        &mut self,
        text: &str,
        error: DecodeError,
        replies: &mut Vec<u8>,
    ) -> Result<Option<Arc<Room>>, DecodeError> {
        let (vsn, longest) = (self.connection.vsn, self.shared.limits.message_bytes);
        let mended = vsn.mend_text(text).filter(|mended| mended.len() <= longest).ok_or(error)?;
        Ok(self.receive(&vsn.decode_text(&mended)?, replies))
    }

    /// As [`Session::receive_text`], for a message that came in a binary frame.
    pub(super) fn receive_binary(
        &mut self,
        frame: &[u8],
        replies: &mut Vec<u8>,
    ) -> Result<Option<Arc<Room>>, DecodeError> {
        let vsn = self.connection.vsn;
        if vsn == Vsn::V1
            && let Ok(text) = std::str::from_utf8(frame)
        {
            return self.receive_text(text, replies);
        }
        self.messages = self.messages.wrapping_add(1);
        Ok(self.receive(&vsn.decode_binary(frame)?, replies))
    }

    fn receive(&mut self, message: &Message<'_>, replies: &mut Vec<u8>) -> Option<Arc<Room>> {
        let Session { shared, connection, socket, events, .. } = self;
        let vsn = connection.vsn;
        match socket.receive(message, &connection.identity, &shared.limits) {
            Action::Nothing => None,
            Action::Reply(reply) => {
                shared.count_reply(&reply);
                frame::text(vsn, &reply, replies);
                None
            }
            Action::ReplyInOrder(channel, reply) => {
                shared.count_reply(&reply);
                let held = channel.room.reply(connection, framed(connection, &[reply]));
                held.then(|| Arc::clone(&channel.room))
            }
            Action::Publish(channel) if !connection.application.may_push(events, || shared.now()) => {
                let own = channel.refs.own();
                let reply = Outgoing::reply(own, &message.r#ref, &message.topic.json, reply::RATE_LIMITED);
                shared.count_reply(&reply);
                frame::text(vsn, &reply, replies);
                None
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
                shared.counters.add(Count::Leave, 1);
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
        self.shared.counters.add(Count::Leave, channels.len() as u64);
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
        shared.counters.add(Count::Leave, 1);
        replaced.room.leave(connection, replaced.phx_ref, Parting::default());
    }
    let meta = Meta { phx_ref: shared.next_phx_ref(), online_at: milliseconds_since_1970() };
    shared.counters.add(Count::Join, 1);
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
