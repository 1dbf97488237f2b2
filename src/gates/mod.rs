//! The gates: each is one independent condition of an action, in a file of its own.
//!
//! - A gate says all that there is to say of its condition ([`Gate`]): for one pair of users, as sets
//!   for lists, for each of the two alone, by tags for proofs, and in words.
//! - What each action requires of the gates is one table (`requirements`).
//! - The order of the gates is in one place (`order`), with what is derived from all of them.
//!
//! A property test holds the pairwise answers and the sets of each gate together.
//!
//! Invariant: knows of `snapshot` and `request`. A gate reads sets; it never loops over all users.

mod audience;
mod barriers;
mod blocks;
mod context;
mod denial;
mod friendship;
mod gate;
mod known;
mod moderation;
mod one_sided;
mod order;
mod pair;
mod pair_condition;
mod peers;
mod permissions;
mod principal;
mod relation;
mod render;
mod requirements;
mod role;
mod rules;
mod self_target;
mod sets;

pub use context::{GateContext, GateTarget, PairRequirements};
pub use denial::DenialReason;
pub use gate::{Gate, GateScope};
pub use one_sided::{ConversationBlocks, OneSided, UserCondition};
pub use order::{
    GATES, concerned_user, first_closed, first_closed_between, obligations, one_sided,
};
pub use pair::PrincipalPair;
pub use pair_condition::PairCondition;
pub use principal::Principal;
pub use render::MAX_NAMED;
pub use rules::opening_rules;
