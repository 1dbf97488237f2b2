//! Compiled, immutable: all that a decision reads.
//!
//! Users, tags and rules are numbers here. Users are numbered in the order of their ids, so a set of
//! users is in the order in which lists are answered.
//!
//! - A [`Population`] says who there is: ids, tag sets, and for each tag the users who have it.
//! - A [`RuleBook`] says for each tag who may reach it. A rule's condition was turned into a set of
//!   users when it was compiled; the hot path never sees it again.
//! - A [`View`] is both, with the revision that they were made from.
//!
//! Invariant: knows of `request` only. Nothing here changes after it is built; what did not change
//! between two views is shared.

mod directory;
mod few;
mod index;
mod population;
mod record;
mod revision;
mod rule_book;
mod selection;
mod set;
mod tag;

pub use directory::{Directory, Entry};
pub use population::Population;
pub use revision::Revision;
pub use rule_book::{Rule, RuleBook, RuleNumber};
pub use selection::Selection;
pub use set::UserSet;
pub use tag::{TagId, Tags};

use std::sync::Arc;

/// Everything that decisions are made from, as one immutable whole.
#[derive(Clone, Debug)]
pub struct View {
    pub population: Arc<Population>,
    pub tags: Tags,
    /// The tags that the policy declares, in order; empty if it declares none.
    pub declared: Vec<TagId>,
    /// `None` if the policy has no `rules` section: then rules refuse nothing.
    pub rules: Option<RuleBook>,
    pub revision: Revision,
}

impl View {
    /// The memory that the view takes, about, in bytes.
    pub fn memory(&self) -> usize {
        self.population.memory()
            + self.tags.memory()
            + self.rules.as_ref().map_or(0, RuleBook::memory)
    }
}
