//! All topics that have members.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use dashmap::DashMap;
use pusher_lite_protocol::presence::Meta;

use super::applications::Applications;
use super::connection::Connection;
use super::flusher::Flusher;
use super::room::Room;
use super::stats::Sizes;
use super::topic::Topic;

/// Rooms by topic.
#[derive(Debug)]
pub(super) struct Registry {
    rooms: DashMap<Topic, Arc<Room>>,
    applications: Arc<Applications>,
    flushers: Box<[Arc<Flusher>]>,
    hasher: RandomState,
    presence_window: Duration,
}

impl Registry {
    /// A registry whose topics are spread over so many flushers. `presence_window`: see [`Limits`](super::Limits).
    pub(super) fn new(flushers: usize, presence_window: Duration, applications: Arc<Applications>) -> Registry {
        let flushers = (0..flushers.max(1)).map(|_| Arc::default()).collect();
        Registry { rooms: DashMap::new(), applications, flushers, hasher: RandomState::new(), presence_window }
    }

    /// The flushers, which somebody has to run.
    pub(super) fn flushers(&self) -> &[Arc<Flusher>] {
        &self.flushers
    }

    pub(super) fn get(&self, topic: &Topic) -> Option<Arc<Room>> {
        self.rooms.get(topic).map(|room| Arc::clone(&room))
    }

    pub(super) fn len(&self) -> usize {
        self.rooms.len()
    }

    /// Adds the sizes of all rooms.
    pub(super) fn measure(&self, sizes: &mut Sizes) {
        self.rooms.iter().for_each(|room| room.measure(sizes));
    }

    /// Joins a topic, see [`Room::join`].
    pub(super) fn join(
        &self,
        topic: &Topic,
        connection: &Arc<Connection>,
        lead: &[u8],
        join_ref: &str,
        meta: Meta,
    ) -> Arc<Room> {
        loop {
            let room = self.get(topic).unwrap_or_else(|| self.create(topic));
            // It may have been closed since it was looked up: then there is, or will be, another.
            if room.join(connection, lead, join_ref, meta) {
                return room;
            }
        }
    }

    pub(super) fn remove_if_unused(&self, room: &Arc<Room>) {
        self.rooms.remove_if(room.topic(), |_, found| Arc::ptr_eq(found, room) && room.close_if_unused());
    }

    fn create(&self, topic: &Topic) -> Arc<Room> {
        let new = || {
            let shard = self.hasher.hash_one(topic) % self.flushers.len() as u64;
            let flusher = Arc::clone(&self.flushers[shard as usize]);
            let application = self.applications.get(topic.app_key());
            Arc::new(Room::new(topic.clone(), application, flusher, self.presence_window))
        };
        Arc::clone(&self.rooms.entry(topic.clone()).or_insert_with(new))
    }
}
