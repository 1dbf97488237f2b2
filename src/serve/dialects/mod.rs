//! APIs of other systems: calls are answered from the served view, and changes are written to the store.

mod backend;
mod drive;
mod http;

pub(super) use backend::{DecisionRecorder, ServedBackend, moderation};
pub(super) use drive::{CallOrigin, drive, write_commands};
pub(super) use http::respond;
