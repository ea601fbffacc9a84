//! pusher-lite: a self-hosted real-time server for Phoenix channel clients.
//!
//! # Layout
//!
//! - [`auth`]: authentication of users, and their permissions: passwords, JWTs
//! - [`cli`]: the command line, one file per command
//! - [`config`]: every setting, read once
//! - [`http`]: a thin layer over hyper that knows no domain
//! - [`mail`]: letters to users, and their delivery
//! - [`operations`]: rules of the business, one function for each action
//! - [`realtime`]: sockets, topics, presence, fan-out; knows no HTTP and no database
//! - [`server`]: accepting, limits, stopping
//! - [`store`]: SQLite or Postgres, each query written once
//! - [`tasks`]: supervision of background tasks, and of panics
//! - [`tls`]: the TLS clients that trust a server without an authority
//! - [`web`]: the endpoints
//!
//! Imports point one way; ARCHITECTURE.md says which.

pub mod auth;
pub mod cli;
pub mod config;
pub mod http;
pub mod mail;
pub mod operations;
pub mod realtime;
pub mod server;
pub mod store;
pub mod tasks;
pub mod tls;
pub mod web;
