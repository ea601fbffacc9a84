//! The endpoints but for `/api`: pages, files, errors, sockets.

mod answers;
mod pages;
mod socket;
mod tls;
