//! What a policy amounts to, told for review.
//!
//! Invariant: knows of `snapshot`, `decide`, `compile` and what tests are written in; nothing on the
//! way of a decision knows of it.

pub mod diff;
mod impact;
mod listing;
mod reach_table;
pub mod replay;
mod schema;
mod sections;
pub mod test;

pub use impact::{ActionImpact, Impact};
pub use listing::PolicyListing;
pub use reach_table::{ReachTable, TagSetClass};
pub use schema::test_schema;
pub use sections::{missing_sections, missing_users};
