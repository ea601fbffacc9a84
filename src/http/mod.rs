//! A thin layer over hyper 1 that knows no domain.
//!
//! It gives the server the parts of Plug and Phoenix that hyper lacks, with the same visible behaviour:
//!
//! - [`Request`]: decoded path, parameters merged from query, body and path, request id, the peer
//! - [`TrustedProxies`]: proxies whose headers about client, scheme and host are trusted
//! - [`Params`]: parameters as JSON members, kept exactly as a JSON body spelled them
//! - [`Response`]: finished answers with a default `cache-control`
//! - [`Cookie`]: a cookie that [`Response::cookie`] sets and [`Request::cookie`] reads
//! - [`Router`]: one table of `(method, pattern, async handler)`
//! - [`Progress`], [`Watched`], [`Budget`]: progress of a connection, its time limits, and shared memory
//! - [`Refusals`]: refused requests and connections, counted by reason
//! - [`accept`], [`cors`], [`upgrade`], [`assets`]: content negotiation, cross-origin requests, WebSocket handshake, files
//!
//! An [`Error`] says what a peer did wrong; turning it into a body is the application's business.

pub mod accept;
pub mod assets;
mod body;
mod budget;
mod connection;
mod cookie;
pub mod cors;
mod error;
mod forwarded;
mod json;
mod malformed;
mod multipart;
mod nested;
mod outgoing;
mod params;
mod percent;
mod progress;
mod refusals;
mod request;
mod request_line;
mod response;
mod router;
mod stream;
mod unnamed_proxy;
pub mod upgrade;

pub use hyper::{HeaderMap, Method, StatusCode, Uri, header};

/// A request as hyper hands it over, its body still to be received.
pub type RawRequest = hyper::Request<hyper::body::Incoming>;
/// A response as hyper sends it.
pub type RawResponse = hyper::Response<Body>;

pub use self::{
    body::{Bodies, BodyLimits},
    budget::{Budget, Payer},
    connection::{Connection, Turn},
    cookie::Cookie,
    error::Error,
    forwarded::TrustedProxies,
    malformed::Malformed,
    outgoing::{Body, NoRoom},
    params::Params,
    progress::{Overdue, Progress, Timeouts},
    refusals::{Refusal, Refusals},
    request::{Request, X_REQUEST_ID, new_request_id},
    response::Response,
    router::{At, Found, Methods, Router},
    stream::{HeadsFull, Leftover, RefusedHead, Watched},
};
