//! What a policy amounts to, told for review.
//!
//! Invariant: knows of `snapshot`; nothing on the way of a decision knows of it.

mod listing;

pub use listing::Listing;
