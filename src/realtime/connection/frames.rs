//! Whole frames in one or more pieces, most of which are shared by many connections.

use bytes::Bytes;

use super::frame;

/// Shared bytes up to this length are copied: a piece of their own would take up more.
const COPIED: usize = 128;

/// Whole frames. A piece may begin and end within a frame, but not within the header of one.
#[derive(Debug, Clone)]
pub(crate) struct Frames {
    pieces: Pieces,
    /// Number of bytes that belong to this connection alone.
    own: usize,
}

#[derive(Debug, Clone)]
enum Pieces {
    One(Bytes),
    Many(Box<[Bytes]>),
}

/// Builder of frames, piece by piece.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    pieces: Vec<Bytes>,
    /// The last bytes, if they belong to the connection alone.
    tail: Vec<u8>,
    own: usize,
}

impl From<Vec<u8>> for Frames {
    /// Makes frames that one connection gets.
    fn from(frames: Vec<u8>) -> Frames {
        let own = frames.capacity();
        Frames { pieces: Pieces::One(frames.into()), own }
    }
}

impl Frames {
    /// Makes frames that many connections share.
    pub(crate) fn shared(frames: Bytes) -> Frames {
        Frames { pieces: Pieces::One(frames), own: 0 }
    }

    fn pieces(&self) -> &[Bytes] {
        match &self.pieces {
            Pieces::One(piece) => std::slice::from_ref(piece),
            Pieces::Many(pieces) => pieces,
        }
    }

    /// Returns the frames in one piece. Copies them if they are in several.
    pub(crate) fn into_bytes(self) -> Bytes {
        match self.pieces {
            Pieces::One(piece) => piece,
            Pieces::Many(pieces) => pieces.concat().into(),
        }
    }

    /// Returns the length in bytes.
    pub(crate) fn len(&self) -> usize {
        self.pieces().iter().map(Bytes::len).sum()
    }

    /// Returns the memory that only this connection's queue keeps: its own bytes, and the list of pieces.
    pub(crate) fn own_memory(&self) -> usize {
        match &self.pieces {
            Pieces::One(_) => self.own,
            Pieces::Many(pieces) => self.own + size_of_val::<[Bytes]>(pieces),
        }
    }

    /// Returns the bytes, if they are in one piece.
    pub(crate) fn as_slice(&self) -> Option<&[u8]> {
        match &self.pieces {
            Pieces::One(piece) => Some(piece),
            Pieces::Many(_) => None,
        }
    }

    /// Returns the bytes from a position on.
    pub(crate) fn slices_from(&self, mut position: usize) -> impl Iterator<Item = &[u8]> {
        self.pieces().iter().filter_map(move |piece| {
            let skipped = position.min(piece.len());
            position -= skipped;
            (skipped < piece.len()).then(|| &piece[skipped..])
        })
    }

    /// Returns the rest of the frame that begins before a position and ends behind it; empty if there is none. A large
    /// rest is shared, not copied. The time grows with the number of frames before the position.
    pub(crate) fn rest_of_frame(&self, position: usize) -> Frames {
        let mut frame_end = 0;
        let mut piece_begin = 0;
        let mut rest = Builder::default();
        for piece in self.pieces() {
            let piece_end = piece_begin + piece.len();
            while frame_end < position && frame_end < piece_end {
                frame_end += frame::frame_len(&piece[frame_end - piece_begin..]);
            }
            let (from, to) = (position.clamp(piece_begin, piece_end), frame_end.clamp(piece_begin, piece_end));
            if from < to {
                rest.share(piece.slice(from - piece_begin..to - piece_begin));
            }
            piece_begin = piece_end;
        }
        rest.build()
    }
}

impl Builder {
    /// Adds bytes that belong to the connection alone.
    pub(crate) fn own(&mut self, bytes: Vec<u8>) {
        if self.tail.is_empty() {
            self.tail = bytes;
        } else {
            self.tail.extend_from_slice(&bytes);
        }
    }

    /// Adds bytes that other connections have, too.
    pub(crate) fn share(&mut self, bytes: Bytes) {
        if bytes.len() <= COPIED {
            self.tail.extend_from_slice(&bytes);
        } else {
            self.end_tail();
            self.pieces.push(bytes);
        }
    }

    pub(crate) fn build(mut self) -> Frames {
        if self.pieces.is_empty() {
            return self.tail.into();
        }
        self.end_tail();
        let own = self.own;
        match <[Bytes; 1]>::try_from(self.pieces) {
            Ok([piece]) => Frames { pieces: Pieces::One(piece), own },
            Err(pieces) => Frames { pieces: Pieces::Many(pieces.into()), own },
        }
    }

    fn end_tail(&mut self) {
        if !self.tail.is_empty() {
            let tail = std::mem::take(&mut self.tail);
            self.own += tail.capacity();
            self.pieces.push(tail.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes a frame, and returns it with the position of its end.
    fn frame_of(payload_len: usize, at: &mut usize) -> (Vec<u8>, usize) {
        let payload = "1".repeat(payload_len);
        let mut buffer = Vec::new();
        frame::text(payload.len(), &mut buffer, |buffer| buffer.extend_from_slice(payload.as_bytes()));
        *at += buffer.len();
        (buffer, *at)
    }

    fn bytes_of(frames: &Frames) -> Vec<u8> {
        frames.slices_from(0).flat_map(|slice| slice.to_vec()).collect()
    }

    #[test]
    fn frames_are_cut_at_their_ends_only() {
        let mut at = 0;
        let parts = [3, 200, 70_000, 1].map(|len| frame_of(len, &mut at));
        let ends: Vec<usize> = [0].into_iter().chain(parts.iter().map(|(_, end)| *end)).collect();
        let all: Vec<u8> = parts.into_iter().flat_map(|(frame, _)| frame).collect();
        let (from, to) = (ends[2] + 100, ends[2] + 60_000);
        let mut builder = Builder::default();
        builder.own(all[..from].to_vec());
        builder.share(Bytes::copy_from_slice(&all[from..to]));
        builder.own(all[to..].to_vec());
        let frames = builder.build();
        assert_eq!(frames.len(), all.len());
        assert_eq!(frames.as_slice(), None);
        assert_eq!(Frames::from(all.clone()).as_slice(), Some(&all[..]));
        for position in (0..all.len()).step_by(7).chain(ends.iter().copied()) {
            let end = *ends.iter().find(|&&end| end >= position).unwrap();
            assert!(bytes_of(&frames.rest_of_frame(position)) == all[position..end], "{position}");
            assert!(frames.slices_from(position).flat_map(|slice| slice.to_vec()).eq(all[position..].iter().copied()));
        }
    }

    #[test]
    fn the_rest_of_a_frame_is_shared_and_not_copied() {
        let (frame, len) = frame_of(7_500_000, &mut 0);
        let run = Bytes::from(frame);
        for _ in 0..200 {
            let rest = Frames::shared(run.clone()).rest_of_frame(1000);
            assert_eq!(rest.len(), len - 1000);
            assert_eq!(rest.own_memory(), 0, "nothing is copied");
            assert_eq!(rest.as_slice().unwrap().as_ptr(), run[1000..].as_ptr());
        }
        let almost_all = Frames::shared(run.clone()).rest_of_frame(len - 100);
        assert_eq!(almost_all.len(), 100);
        assert!(almost_all.own_memory() < 1000, "a short rest does not keep the whole run");
    }

    #[test]
    fn short_pieces_are_put_together() {
        let mut builder = Builder::default();
        for _ in 0..1000 {
            builder.share(Bytes::from_static(&[1; 20]));
            builder.own(vec![2; 20]);
        }
        let frames = builder.build();
        assert!(frames.as_slice().is_some());
        assert_eq!(frames.len(), 40_000);
        assert!(frames.own_memory() < 100_000);
    }
}
