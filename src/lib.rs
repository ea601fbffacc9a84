//! pusher-lite: a self-hosted real-time server for Phoenix channel clients.
//!
//! # Layout
//!
//! Imports point one way: `main -> server -> web -> {auth, realtime, store, mail, http}`, `auth -> store` and
//! `realtime -> protocol`.

pub mod config;
