//! What a policy amounts to, told for review.
//!
//! Invariant: knows of `snapshot`, `decide`, `compile` and what tests are written in; nothing on the
//! way of a decision knows of it.

pub mod diff;
mod flips;
mod kinds;
mod listing;
pub mod replay;
mod schema;
mod sections;
pub mod test;

pub use flips::{ActionFlips, Flips};
pub use kinds::{Kind, Kinds};
pub use listing::Listing;
pub use schema::test_schema;
pub use sections::{missing_sections, missing_users};
