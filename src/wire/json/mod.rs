//! JSON as callers send it, held to I-JSON (RFC 7493) where that decides what is meant.

mod kind;
mod messages;
mod object;
mod parse;
mod strict;
mod text;

pub use kind::kind;
pub use messages::describe_error;
pub use object::JsonObject;
pub use parse::{JsonError, parse, parse_line};
pub use strict::StrictValue;
pub use text::JsonText;
