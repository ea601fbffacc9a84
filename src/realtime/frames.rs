//! Whole frames, of which one may be shared in part by many connections.

use std::io::IoSlice;

use bytes::Bytes;

use super::frame;

/// Whole frames. The middle is a part of one frame, most often an empty one.
#[derive(Debug, Clone)]
pub(super) struct Frames {
    parts: [Bytes; 3],
}

impl From<Bytes> for Frames {
    fn from(frames: Bytes) -> Frames {
        Frames { parts: [frames, Bytes::new(), Bytes::new()] }
    }
}

impl Frames {
    /// Frames of which one begins in `head` and ends in `tail`, and has `shared` between.
    pub(super) fn around(head: Vec<u8>, shared: Bytes, tail: Vec<u8>) -> Frames {
        Frames { parts: [head.into(), shared, tail.into()] }
    }

    /// In one piece; copied if they are in several.
    pub(super) fn into_bytes(self) -> Bytes {
        match self.parts {
            [frames, shared, tail] if shared.is_empty() && tail.is_empty() => frames,
            parts => parts.concat().into(),
        }
    }

    /// In bytes.
    pub(super) fn len(&self) -> usize {
        self.parts.iter().map(Bytes::len).sum()
    }

    /// The bytes, if they are in one piece.
    pub(super) fn as_slice(&self) -> Option<&[u8]> {
        let [head, shared, tail] = &self.parts;
        (shared.is_empty() && tail.is_empty()).then_some(head)
    }

    /// The bytes from a position on.
    pub(super) fn slices_from(&self, mut position: usize) -> impl Iterator<Item = IoSlice<'_>> {
        self.parts.iter().filter_map(move |part| {
            let skipped = position.min(part.len());
            position -= skipped;
            (skipped < part.len()).then(|| IoSlice::new(&part[skipped..]))
        })
    }

    /// The rest of the frame that begins before a position and ends behind it, if there is one.
    pub(super) fn rest_of_frame(&self, position: usize) -> Bytes {
        let mut end = 0;
        while end < position {
            let header = self.slices_from(end).next().expect("frames are whole");
            end += frame::frame_len(&header);
        }
        let mut rest: Vec<u8> = self.slices_from(position).flat_map(|slice| slice.to_vec()).collect();
        rest.truncate(end - position);
        rest.into()
    }
}

#[cfg(test)]
mod tests {
    use pusher_lite_protocol::{Outgoing, Vsn};

    use super::*;

    /// A frame and where it ends, by its length.
    fn frame_of(payload_len: usize, at: &mut usize) -> (Vec<u8>, usize) {
        let payload = "1".repeat(payload_len);
        let mut buffer = Vec::new();
        frame::text(Vsn::V2, &Outgoing::broadcast("0", "0", &payload), &mut buffer);
        *at += buffer.len();
        (buffer, *at)
    }

    #[test]
    fn frames_are_cut_at_their_ends_only() {
        let mut at = 0;
        let parts = [3, 200, 70_000, 1].map(|len| frame_of(len, &mut at));
        let ends: Vec<usize> = [0].into_iter().chain(parts.iter().map(|(_, end)| *end)).collect();
        let all: Vec<u8> = parts.into_iter().flat_map(|(frame, _)| frame).collect();
        let (from, to) = (ends[2] + 100, ends[2] + 60_000);
        let shared = Bytes::copy_from_slice(&all[from..to]);
        let frames = Frames::around(all[..from].to_vec(), shared, all[to..].to_vec());
        assert_eq!(frames.len(), all.len());
        assert_eq!(frames.as_slice(), None);
        assert_eq!(Frames::from(Bytes::from(all.clone())).as_slice(), Some(&all[..]));
        for position in (0..all.len()).step_by(7).chain(ends.iter().copied()) {
            let end = *ends.iter().find(|&&end| end >= position).unwrap();
            assert!(frames.rest_of_frame(position) == all[position..end], "{position}");
            assert!(frames.slices_from(position).flat_map(|slice| slice.to_vec()).eq(all[position..].iter().copied()));
        }
    }
}
