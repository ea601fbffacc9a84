mod access;
mod connect;
mod demo;
mod migrate;
mod organizations;
mod original;
mod transaction;
mod users;
