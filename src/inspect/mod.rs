//! Analyses of policies for review: tests, comparisons, listings and replays.
//!
//! Invariant: knows of `snapshot`, `decide`, `compile` and the formats of tests; nothing on the
//! path of a decision knows of it.

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
