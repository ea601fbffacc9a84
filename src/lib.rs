//! pusher-lite: a self-hosted real-time server for Phoenix channel clients.
//!
//! # Layout
//!
//! - [`config`]: every setting, read once
//! - [`http`]: a thin layer over hyper that knows no domain
//! - [`server`]: accepting, limits, stopping
//! - [`store`]: SQLite or Postgres, each query written once
//!
//! Imports point one way: `main -> server -> web -> {auth, realtime, store, mail, http}`, `auth -> store` and
//! `realtime -> protocol`.

pub mod app;
pub mod config;
pub mod http;
pub mod server;
pub mod store;
pub mod web;
