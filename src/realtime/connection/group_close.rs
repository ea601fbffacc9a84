//! The end of several sockets together.

use std::fmt;

use parking_lot::Mutex;

/// Sockets that the server closes together. Each of them that is in a topic holds the `GroupClose` until it has left
/// its topics. When the last one has left, the presence of all of them ends.
///
/// A socket that has left already and lingers does not get it: that socket would hold it until its client is gone. So
/// none of them hears that another one has left, as in the original.
#[derive(Default)]
pub(crate) struct GroupClose {
    last: Mutex<Vec<Box<dyn FnOnce() + Send>>>,
}

impl GroupClose {
    /// Registers work for the moment at which the last of the sockets has left its topics.
    pub(crate) fn at_last(&self, end_presence: impl FnOnce() + Send + 'static) {
        self.last.lock().push(Box::new(end_presence));
    }
}

impl Drop for GroupClose {
    fn drop(&mut self) {
        self.last.get_mut().drain(..).for_each(|end_presence| end_presence());
    }
}

impl fmt::Debug for GroupClose {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("GroupClose").field("last", &self.last.lock().len()).finish()
    }
}
