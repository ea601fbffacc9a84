//! The binary, run as a person or a script runs it.

mod accounts;
mod audit;
mod backup;
mod clock;
mod faults;
mod health;
mod logging;
mod loris;
mod output;
mod requests;
mod serving;
mod settings;
mod slow;
mod stopping;
mod support;
mod tls;
