//! Mail: what people are written ([`Letter`]), and where it waits to be sent ([`Postbox`]).

mod address;
mod letter;
mod postbox;

pub use self::{
    address::is_address,
    letter::{Letter, Rendered},
    postbox::Postbox,
};
