//! What commands are read from, and what they come to.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail by it"
)]

#[path = "facts_commands/any.rs"]
mod any;
#[path = "facts_commands/cases.rs"]
mod cases;
#[path = "facts_commands/double.rs"]
mod double;
#[path = "facts_commands/limits.rs"]
mod limits;
#[path = "facts_commands/properties.rs"]
mod properties;
#[path = "facts_commands/reading.rs"]
mod reading;
