//! What a policy amounts to, told for review.
//!
//! Invariant: knows of `decide`, `compile`, `snapshot` and `diagnostic`.

mod listing;

pub use listing::Listing;
