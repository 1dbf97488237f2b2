//! What breaks an invariant: existing users, or possible ones.

use std::sync::Arc;

use crate::snapshot::{CompiledRule, TagId, UserNumber};

/// The users who break an invariant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Breach {
    /// Ordered pairs of a subject and another user: the first few, and the number of all.
    Pairs(Vec<(UserNumber, UserNumber)>, u64),
    /// Users who reach none of the users that they should: the first few, and the number of all.
    Isolated(Vec<UserNumber>, u64),
}

/// The number of pairs that a report names.
pub(super) const MAX_PAIRS: usize = 5;

/// The number of isolated users that a report names.
pub(super) const MAX_ISOLATED: usize = 20;

/// Two possible users who would break an invariant.
#[derive(Clone, Debug)]
pub(super) struct Counterexample<'v> {
    /// The tags of the subject.
    pub subject: Vec<TagId>,
    /// The tags of the other user; `None` where the subject reaches no possible user.
    pub other: Option<Vec<TagId>>,
    /// The rule by which the subject reaches the other user.
    pub rule: Option<&'v CompiledRule>,
    /// What must be between the two, as relation conditions read from the subject.
    pub between: Vec<String>,
    /// The windows that it depends on, with whether each is open.
    pub windows: Vec<(Arc<str>, bool)>,
}
