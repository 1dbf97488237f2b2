//! Walks over the gates: one decision, its explanation and its trace, and the lists in both directions.
//!
//! Invariant: knows of `gates`, `snapshot` and `request`. It calls every gate alike and knows nothing of
//! what any of them is about.

mod cursor;
mod decision;
mod explain;
mod groups;
mod pairwise;
mod reach;
mod trace;

pub use crate::gates::{
    ConversationBlocks, OneSided, PairCondition, PairRequirements, UserCondition,
};
pub use cursor::ListCursor;
pub use decision::decide;
pub use explain::{Explanation, GateFinding, MAX_RULES, RuleRef, explain};
pub use groups::{ReachableGroups, allowed_actions, reachable_groups};
pub use pairwise::PairEvaluator;
pub use reach::{ListPage, Reach, reach, reached_by};
pub use trace::{TraceStep, trace};
