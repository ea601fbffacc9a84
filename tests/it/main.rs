//! The tests that need more than one module: one binary, so that it is linked once.

#[macro_use]
mod support;

mod account;
mod accounts;
mod admin;
mod api;
mod cli;
mod http;
mod layering;
mod longpoll;
mod mail;
mod readme;
mod store;
mod web;
