//! Facts over HTTP: batches of commands, and what is kept.

mod write;

pub(super) use write::write;
