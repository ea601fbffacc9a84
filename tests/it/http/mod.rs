//! The HTTP layer and the accept loop over real sockets, with the bytes that clients, proxies and attackers send.

mod bodies;
mod heads;
mod http2;
mod lifetime;
mod server;
mod tls;
mod upgrade;
