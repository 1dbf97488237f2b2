//! Notations: the two languages, the bulk formats, and the diagnostics of mistakes in them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may fail by it"
)]

mod bulk;
mod confusable;
mod diagnostics;
mod dsl;
mod dsl_properties;
mod dsl_statements;
mod first_attempts;
mod format;
mod formats;
mod hostile;
mod input;
mod json_notation;
mod load;
mod moments;
mod relations;
mod rendering;
mod schema;
mod terms;
mod windows;
mod wire;
mod yaml;

#[path = "../support/mod.rs"]
mod support;
