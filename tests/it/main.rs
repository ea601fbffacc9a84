//! The tests that need more than one module: one binary, so that it is linked once.

#[macro_use]
mod support;

mod admin;
mod api;
mod circles;
mod cli;
mod docs;
mod http;
mod layering;
mod longpoll;
mod mail;
mod operations;
mod portal;
mod readme;
mod sign_in;
mod store;
mod stress;
mod tasks;
mod web;
