//! JSON parsing, restricted to I-JSON (RFC 7493) where plain JSON is ambiguous.

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
