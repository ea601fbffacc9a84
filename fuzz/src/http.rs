//! The server's own reading of parameters, compiled from its source files without the rest of the server.

#[path = "../../src/http/error.rs"]
mod error;
#[path = "../../src/http/json.rs"]
mod json;
#[path = "../../src/http/nested.rs"]
mod nested;
#[path = "../../src/http/params.rs"]
mod params;
#[path = "../../src/http/percent.rs"]
mod percent;
#[path = "../../src/http/refusals.rs"]
mod refusals;

pub mod json_body;
pub(crate) mod query;

pub use self::{
    error::Error,
    params::Params,
    refusals::{Refusal, Refusals},
};
