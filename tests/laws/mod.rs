//! The laws of stores: one suite for all of them.

#[allow(clippy::print_stdout, clippy::type_complexity, reason = "it tells which check it is at")]
pub(crate) mod conformance;
mod history;
#[allow(clippy::option_option, reason = "no write, a removal, a text")]
pub(crate) mod model;
pub(crate) mod sets;
