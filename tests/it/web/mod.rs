//! The endpoints outside of `/api`: pages, files, errors, sockets.

mod answers;
mod every_route;
mod invitations;
mod limits;
mod metrics;
mod outage;
mod pages;
mod socket;
mod sweep;
mod tls;
