//! The binary, run as a person or a script runs it.

mod accounts;
mod backup;
mod health;
mod logging;
mod serving;
mod settings;
mod stopping;
mod support;
mod tls;
