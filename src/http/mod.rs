//! A thin layer over hyper 1 that knows no domain.
//!
//! What it adds to hyper is what Plug and Phoenix give an Elixir application, with the same visible behaviour:
//!
//! - [`Request`]: decoded path, parameters merged from query, body and path, request id, the peer
//! - [`TrustedProxies`]: whose word about client, scheme and host is believed
//! - [`Params`]: parameters as JSON members, kept exactly as a JSON body spelled them
//! - [`Response`]: finished answers with a default `cache-control`
//! - [`Cookie`]: what [`Request::cookie`] reads and [`Response::cookie`] sets
//! - [`Router`]: one table of `(method, pattern, async handler)`
//! - [`Refusals`]: what was refused because a limit is reached, counted by reason
//! - [`accept`], [`cors`], [`upgrade`], [`assets`]: content negotiation, cross-origin requests, WebSocket handshake, files
//!
//! An [`Error`] says what a peer did wrong; turning it into a body is the application's business.

pub mod accept;
pub mod assets;
mod body;
mod cookie;
pub mod cors;
mod error;
mod forwarded;
mod json;
mod multipart;
mod nested;
mod params;
mod percent;
mod refusals;
mod request;
mod response;
mod router;
pub mod upgrade;

pub use hyper::{HeaderMap, Method, StatusCode, header};

pub use self::{
    body::{Bodies, BodyLimits},
    cookie::Cookie,
    error::Error,
    forwarded::TrustedProxies,
    params::Params,
    refusals::{Refusal, Refusals},
    request::{Connection, Request, X_REQUEST_ID},
    response::Response,
    router::{Found, Router},
};
