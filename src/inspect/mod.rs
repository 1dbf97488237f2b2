//! What a policy amounts to, told for review.
//!
//! Invariant: knows of `snapshot` and `decide`; nothing on the way of a decision knows of it.

mod kinds;
mod listing;
mod schema;

pub use kinds::{Kind, Kinds};
pub use listing::Listing;
pub use schema::test_schema;
