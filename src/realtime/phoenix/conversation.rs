//! The conversation with one Phoenix client: reads its messages, and makes actions of the steps that [`Socket`] decides on.

use pusher_lite_protocol::{
    DecodeError, Message, Outgoing, Spelling, Vsn,
    phoenix::{event, message, reply, topic},
};

use super::{
    channel::{Channel, Refs},
    reply::{framed, push_frame, refusal, without_payload},
    socket::{Socket, Step},
};
use crate::realtime::{
    action::{Action, Appearance, Join, Membership},
    executor::{Executor, Outcome},
    room::{
        hold::Hold,
        publication::{CheckedPayload, Publication, Source},
    },
    topic::Topic,
};

/// The conversation with one Phoenix client.
#[derive(Debug)]
pub(crate) struct PhoenixConversation {
    socket: Socket,
}

impl PhoenixConversation {
    pub(crate) fn new(vsn: Vsn) -> PhoenixConversation {
        PhoenixConversation { socket: Socket::new(vsn) }
    }

    /// Carries out a message that came as text.
    pub(crate) fn receive_text(
        &mut self,
        text: &str,
        executor: &mut Executor,
        replies: &mut Vec<u8>,
    ) -> Result<Option<Hold>, DecodeError> {
        match self.socket.vsn().decode_text(text) {
            Ok(message) => Ok(self.receive(&message, text.len(), executor, replies)),
            Err(error) => self.receive_mended(text, error, executor, replies),
        }
    }

    /// Carries out a message that could not be read, because of `error`, if it can be mended and is not too long then.
    #[cold]
    fn receive_mended(
        &mut self,
        text: &str,
        error: DecodeError,
        executor: &mut Executor,
        replies: &mut Vec<u8>,
    ) -> Result<Option<Hold>, DecodeError> {
        let (vsn, longest) = (self.socket.vsn(), executor.limits().message_bytes);
        let mended = vsn.mend_text(text).filter(|mended| mended.len() <= longest);
        match mended.as_deref().ok_or(error).and_then(|mended| vsn.decode_text(mended)) {
            Ok(message) => Ok(self.receive(&message, text.len(), executor, replies)),
            Err(error) => Err(unreadable(error, text.len(), executor)),
        }
    }

    /// Carries out a message that came in a binary frame.
    pub(crate) fn receive_binary(
        &mut self,
        frame: &[u8],
        executor: &mut Executor,
        replies: &mut Vec<u8>,
    ) -> Result<Option<Hold>, DecodeError> {
        let vsn = self.socket.vsn();
        if vsn == Vsn::V1
            && let Ok(text) = std::str::from_utf8(frame)
        {
            return self.receive_text(text, executor, replies);
        }
        match vsn.decode_binary(frame) {
            Ok(message) => Ok(self.receive(&message, frame.len(), executor, replies)),
            Err(error) => Err(unreadable(error, frame.len(), executor)),
        }
    }

    /// Takes the memberships of all channels away.
    pub(crate) fn take_memberships(&mut self) -> Vec<Membership> {
        self.socket.take_channels().into_iter().map(|channel| channel.membership).collect()
    }

    fn receive(
        &mut self,
        message: &Message<'_>,
        received: usize,
        executor: &mut Executor,
        replies: &mut Vec<u8>,
    ) -> Option<Hold> {
        let vsn = self.socket.vsn();
        let (answered, mut of_join) = (replies.len(), None);
        let action = match self.socket.receive(message, &executor.connection().identity, executor.limits()) {
            Step::Nothing => Action::Done,
            Step::Reply(reply) => {
                answer(vsn, &reply, executor, replies);
                Action::Done
            }
            Step::ReplyInOrder(channel, reply) => {
                count_refusal(&reply, executor);
                Action::ReplyInOrder { room: channel.room(), frames: framed(vsn, &[reply]) }
            }
            // Not through the end of this function: nothing is more frequent.
            Step::Publish(channel, payload) if executor.may_push() => {
                let action = Action::Publish { room: channel.room(), publication: publication(message, payload) };
                return executor.carry_out(action, received, 0).hold;
            }
            Step::Publish(channel, _) => {
                let own = channel.refs.own();
                let limited = Outgoing::reply(own, &message.r#ref, &message.topic.json, reply::RATE_LIMITED);
                answer(vsn, &limited, executor, replies);
                Action::Done
            }
            Step::Join { topic, refs, rights, replaced, is_free } => {
                let appearance = rights.presence.then(|| Appearance::of(&executor.connection().identity));
                let join = join(vsn, message, topic, &refs, appearance, replaced, is_free);
                of_join = Some((refs, rights.send));
                Action::Join(join)
            }
            Step::Leave(channel) => leave(vsn, message, channel),
        };
        let Outcome { hold, joined } = executor.carry_out(action, received, replies.len() - answered);
        if let (Some(membership), Some((refs, may_send))) = (joined, of_join) {
            self.socket.add(Channel { membership, refs, may_send });
        }
        hold
    }
}

/// A long-poll session goes on, so that it is charged for what cannot be read, too.
fn unreadable(error: DecodeError, received: usize, executor: &mut Executor) -> DecodeError {
    executor.charge(received, 0);
    error
}

/// Answers immediately.
fn answer(vsn: Vsn, reply: &Outgoing<'_>, executor: &Executor, replies: &mut Vec<u8>) {
    count_refusal(reply, executor);
    push_frame(vsn, reply, replies);
}

/// Counts the refusal that a reply states, if it states one.
fn count_refusal(reply: &Outgoing<'_>, executor: &Executor) {
    if let Some(refusal) = refusal(reply.payload) {
        executor.refused(refusal);
    }
}

fn publication<'a>(message: &'a Message<'_>, payload: CheckedPayload<'a>) -> Publication<'a> {
    let (topic, event) = (Spelling::Phoenix(&message.topic.json), &*message.event.json);
    Publication { topic, event, payload, source: Source::Push, except: None }
}

/// The client is answered, then told of the end of the channel that is replaced; `presence_state` follows.
fn join(
    vsn: Vsn,
    message: &Message<'_>,
    topic: Topic,
    refs: &Refs,
    appearance: Option<Appearance>,
    replaced: Option<Channel>,
    is_free: bool,
) -> Join {
    let topic_json = &message.topic.json;
    let mut lead = framed(vsn, &[Outgoing::reply(&message.join_ref, &message.r#ref, topic_json, reply::OK)]);
    if let Some(replaced) = &replaced {
        push_frame(vsn, &replaced.close(topic_json), &mut lead);
    }
    let topic_json = topic::quoted(topic.app_key(), topic.name());
    let state = Outgoing {
        join_ref: refs.own(),
        r#ref: message::NULL,
        topic: &topic_json,
        event: event::PRESENCE_STATE_JSON,
        payload: "",
    };
    Join {
        state: Some(without_payload(vsn, &state)),
        appearance,
        topic,
        lead,
        replaced: replaced.map(|channel| channel.membership),
        is_free,
    }
}

fn leave(vsn: Vsn, message: &Message<'_>, channel: Channel) -> Action<'static> {
    let reply = Outgoing::reply(channel.refs.own(), &message.r#ref, &message.topic.json, reply::OK);
    let frames = framed(vsn, &[reply, channel.close(&message.topic.json)]);
    Action::Leave { membership: channel.membership, frames }
}
