//! The queue of one connection's outbox.

use std::{collections::VecDeque, io::IoSlice};

use super::{budget::Budget, frames::Frames};

/// Pieces given to the kernel in one call.
const SLICES: usize = 64;

/// Memory of a chunk beyond its bytes: its place in the queue, which may be half empty, and the allocation of its
/// bytes.
pub(crate) const CHUNK_BYTES: usize = 2 * size_of::<Chunk>() + 64;

/// Chunks that wait. The first may be partly written. The memory that no other connection shares counts against a
/// budget, which is always the same one.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    chunks: VecDeque<Chunk>,
    /// Size of all chunks, see [`Chunk::size`].
    size: usize,
    /// Memory that is counted against the budget.
    charged: usize,
}

/// Frames that were sent together.
#[derive(Debug)]
pub(crate) struct Chunk {
    frames: Frames,
    written: usize,
}

impl Queue {
    pub(crate) fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// Returns the size of all chunks, with their overhead. The first chunk counts whole, since its memory is kept
    /// whole.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Returns the size of the chunks behind the first.
    pub(crate) fn size_behind_first(&self) -> usize {
        self.size - self.chunks.front().map_or(0, Chunk::size)
    }

    /// Returns how many bytes of the first chunk are written.
    pub(crate) fn written(&self) -> usize {
        self.chunks.front().map_or(0, |chunk| chunk.written)
    }

    /// Returns how many bytes of the first chunk are not written.
    pub(crate) fn rest_of_first(&self) -> usize {
        self.chunks.front().map_or(0, |chunk| chunk.frames.len() - chunk.written)
    }

    pub(crate) fn push(&mut self, frames: Frames, written: usize, budget: &Budget) {
        let chunk = Chunk { frames, written };
        budget.charge(chunk.own_memory());
        self.charged += chunk.own_memory();
        self.size += chunk.size();
        self.chunks.push_back(chunk);
    }

    /// Returns the first bytes that wait, up to so many.
    pub(crate) fn slices(&self, bytes: usize) -> Vec<IoSlice<'_>> {
        up_to(self.chunks.iter().flat_map(|chunk| chunk.frames.slices_from(chunk.written)), bytes)
    }

    /// Notes that so many more bytes are written.
    pub(crate) fn advance(&mut self, mut written: usize, budget: &Budget) {
        while let Some(chunk) = self.chunks.front_mut() {
            let rest = chunk.frames.len() - chunk.written;
            if written < rest {
                chunk.written += written;
                self.shrink();
                return;
            }
            written -= rest;
            self.pop(budget);
        }
        self.clear(budget);
    }

    /// Takes all chunks.
    pub(crate) fn take(&mut self, budget: &Budget) -> impl Iterator<Item = Frames> + use<> {
        // A new queue, so that the old one's memory is freed.
        let taken = std::mem::take(self);
        budget.release(taken.charged);
        taken.chunks.into_iter().map(|chunk| chunk.frames)
    }

    pub(crate) fn clear(&mut self, budget: &Budget) {
        drop(self.take(budget));
    }

    /// Adds chunks in front that were taken before.
    pub(crate) fn put_back(&mut self, frames: Vec<Frames>, budget: &Budget) {
        let later = std::mem::take(self);
        for frames in frames {
            self.push(frames, 0, budget);
        }
        self.append(later);
    }

    /// Removes all chunks except the first, if that is partly written. The caller drops the returned chunks.
    pub(crate) fn keep_first(&mut self, budget: &Budget) -> VecDeque<Chunk> {
        let mut taken = std::mem::take(self);
        budget.release(taken.charged);
        if taken.written() > 0
            && let Some(Chunk { frames, written }) = taken.chunks.pop_front()
        {
            self.push(frames, written, budget);
        }
        taken.chunks
    }

    /// Returns the first chunk, and how many of its bytes are written.
    pub(crate) fn first(&self) -> Option<(Frames, usize)> {
        self.chunks.front().map(|chunk| (chunk.frames.clone(), chunk.written))
    }

    /// Cuts the first chunk behind the frame that is partly written.
    pub(crate) fn cut_first(&mut self, budget: &Budget) {
        if let Some((frames, written)) = self.first() {
            self.replace_first(frames.rest_of_frame(written), budget);
        }
    }

    /// Replaces the first chunk with these frames, unless it is gone.
    pub(crate) fn replace_first(&mut self, frames: Frames, budget: &Budget) {
        if self.pop(budget) && frames.len() > 0 {
            let later = std::mem::take(self);
            self.push(frames, 0, budget);
            self.append(later);
        }
    }

    fn append(&mut self, later: Queue) {
        self.size += later.size;
        self.charged += later.charged;
        self.chunks.extend(later.chunks);
    }

    fn pop(&mut self, budget: &Budget) -> bool {
        let Some(chunk) = self.chunks.pop_front() else { return false };
        budget.release(chunk.own_memory());
        self.charged -= chunk.own_memory();
        self.size -= chunk.size();
        true
    }

    /// Frees memory when most of it is unused. That is so rare that it costs no more than the pops before it.
    fn shrink(&mut self) {
        if self.chunks.capacity() > 64 && self.chunks.len() < self.chunks.capacity() / 4 {
            self.chunks.shrink_to(self.chunks.len() * 2);
        }
    }
}

impl Chunk {
    /// Returns the size that counts against the outbox's limit.
    fn size(&self) -> usize {
        self.frames.len() + CHUNK_BYTES
    }

    /// Returns the memory of the chunk that no other connection shares.
    fn own_memory(&self) -> usize {
        self.frames.own_memory() + CHUNK_BYTES
    }
}

/// Returns the first of these slices: no more than the kernel takes, and so many bytes in all.
pub(crate) fn up_to<'a>(slices: impl Iterator<Item = &'a [u8]>, mut bytes: usize) -> Vec<IoSlice<'a>> {
    let mut taken = Vec::new();
    for slice in slices.take(SLICES) {
        let slice = &slice[..slice.len().min(bytes)];
        bytes -= slice.len();
        taken.push(IoSlice::new(slice));
        if bytes == 0 {
            break;
        }
    }
    taken
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn small_chunks_count_with_what_they_take_up() {
        let (mut queue, budget) = (Queue::default(), Budget::default());
        while queue.size() < 100_000 {
            queue.push(Frames::shared(Bytes::from_static(b"\x81\x02{}")), 0, &budget);
        }
        let taken_up = queue.chunks.capacity() * size_of::<Chunk>() + queue.chunks.len() * (64 + 4);
        assert!(taken_up < 110_000, "{taken_up}");
    }

    #[test]
    fn a_queue_gives_its_memory_back_as_it_empties() {
        let (mut queue, budget) = (Queue::default(), Budget::default());
        for _ in 0..10_000 {
            queue.push(Frames::from(b"\x81\x02{}".to_vec()), 0, &budget);
        }
        assert!(budget.used() >= 10_000 * (CHUNK_BYTES + 4));
        queue.advance(4 * 9_900 + 1, &budget);
        assert!(queue.chunks.capacity() < 1000, "{}", queue.chunks.capacity());
        queue.advance(4 * 100 - 1, &budget);
        assert_eq!((queue.size(), queue.charged, budget.used()), (0, 0, 0));
    }
}
