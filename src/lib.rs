//! pusher-lite: a self-hosted real-time server for Phoenix channel clients.
//!
//! # Layout
//!
//! - [`app`]: the handles that every request shares
//! - [`auth`]: who somebody is, and what they may do: passwords, JWTs, permissions
//! - [`cli`]: the command line, one file a command
//! - [`config`]: every setting, read once
//! - [`http`]: a thin layer over hyper that knows no domain
//! - [`mail`]: what people are written, and how it leaves
//! - [`realtime`]: sockets, topics, presence, fan-out; knows no HTTP and no database
//! - [`server`]: accepting, limits, stopping
//! - [`store`]: SQLite or Postgres, each query written once
//! - [`web`]: the endpoints
//!
//! Imports point one way; ARCHITECTURE.md says which.

pub mod app;
pub mod auth;
pub mod cli;
pub mod config;
pub mod http;
pub mod mail;
pub mod realtime;
pub mod server;
pub mod store;
pub mod web;
