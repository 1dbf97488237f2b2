//! What a policy amounts to, told for review.
//!
//! Invariant: knows of `snapshot` and `decide`; nothing on the way of a decision knows of it.

pub mod diff;
mod kinds;
mod listing;
pub mod replay;

pub use kinds::{Kind, Kinds};
pub use listing::Listing;
