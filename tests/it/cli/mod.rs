//! The binary, run as a person or a script runs it.

mod accounts;
mod backup;
mod clock;
mod faults;
mod health;
mod logging;
mod loris;
mod requests;
mod serving;
mod settings;
mod slow;
mod stopping;
mod support;
mod tls;
