//! The Phoenix channel protocol as a library: no I/O, no runtime, no database.
