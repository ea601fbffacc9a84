//! All topics that have members.

use std::{
    hash::{BuildHasher, RandomState},
    sync::Arc,
    time::Duration,
};

use dashmap::DashMap;

use super::{due::Due, membership::Joining, room::Room};
use crate::realtime::{
    connection::{budget::Budget, connection::Connection},
    supervision::Supervision,
    topic::Topic,
    usage::{applications::Applications, stats::Sizes},
};

/// Rooms by topic.
#[derive(Debug)]
pub(crate) struct Registry {
    rooms: DashMap<Topic, Arc<Room>>,
    applications: Arc<Applications>,
    due: Box<[Arc<Due<Room>>]>,
    hasher: RandomState,
    presence_window: Duration,
}

impl Registry {
    /// A registry whose topics are spread over so many flushers. `presence_window`: see [`Limits`](crate::realtime::Limits). Messages
    /// count against `budget` until they are sent.
    pub(crate) fn new(
        flushers: usize,
        presence_window: Duration,
        applications: Arc<Applications>,
        budget: &Arc<Budget>,
        supervision: &Supervision,
    ) -> Registry {
        let due = || Arc::new(Due::new(Arc::clone(budget), supervision.clone()));
        let due = (0..flushers.max(1)).map(|_| due()).collect();
        Registry { rooms: DashMap::new(), applications, due, hasher: RandomState::new(), presence_window }
    }

    /// Rooms that wait, for each flusher.
    pub(crate) fn due(&self) -> &[Arc<Due<Room>>] {
        &self.due
    }

    pub(crate) fn get(&self, topic: &Topic) -> Option<Arc<Room>> {
        self.rooms.get(topic).map(|room| Arc::clone(&room))
    }

    pub(crate) fn len(&self) -> usize {
        self.rooms.len()
    }

    /// Adds the sizes of all rooms.
    pub(crate) fn measure(&self, sizes: &mut Sizes) {
        self.rooms.iter().for_each(|room| room.measure(sizes));
    }

    /// Joins a topic, see [`Room::join`]. Returns the bytes that are sent by it, too.
    pub(crate) fn join(
        &self,
        topic: &Topic,
        connection: &Arc<Connection>,
        joining: &Joining<'_>,
    ) -> (Arc<Room>, usize) {
        loop {
            let room = self.get(topic).unwrap_or_else(|| self.create(topic));
            // It may have been closed since it was looked up: then there is, or will be, another.
            if let Some(caused) = room.join(connection, joining) {
                return (room, caused);
            }
        }
    }

    pub(crate) fn remove_if_unused(&self, room: &Arc<Room>) {
        self.rooms.remove_if(room.topic(), |_, found| Arc::ptr_eq(found, room) && room.close_if_unused());
    }

    /// Removes a room that was given up. Its members go, and those who come get another room.
    pub(crate) fn remove(&self, room: &Arc<Room>) {
        self.rooms.remove_if(room.topic(), |_, found| Arc::ptr_eq(found, room));
    }

    fn create(&self, topic: &Topic) -> Arc<Room> {
        let new = || {
            let shard = self.hasher.hash_one(topic) % self.due.len() as u64;
            let due = Arc::clone(&self.due[shard as usize]);
            let application = self.applications.get(topic.app_key());
            Arc::new(Room::new(topic.clone(), application, due, self.presence_window))
        };
        Arc::clone(&self.rooms.entry(topic.clone()).or_insert_with(new))
    }
}
