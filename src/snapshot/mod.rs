//! Compiled, immutable: all that a decision reads.
//!
//! Users, tags and rules are numbers here. Users are numbered in the order of their ids, so a set of
//! users is in the order in which lists are answered.
//!
//! - A [`Population`] says who there is: ids, tag sets, for each tag the users who have it, what
//!   their records set, and what is between them ([`Ties`]).
//! - A [`RuleBook`] says for each tag who may reach it. A rule's condition was turned into a set of
//!   users when it was compiled; the hot path never sees it again.
//! - [`Standings`] say what the policy's settings and the users' records come to, user by user and
//!   as sets.
//! - [`Groups`] say who is what in which group, and each [`Matrix`] who may do what there.
//! - A [`View`] is all of it, with the revision that it was made from.
//!
//! Invariant: knows of `request` only. Nothing here changes after it is built; what did not change
//! between two views is shared.

mod arena;
mod change;
mod counts;
mod directory;
mod few;
mod footprint;
mod groups;
mod heap;
mod index;
mod matrix;
mod memberships;
mod paged;
mod population;
mod record;
mod revision;
mod rule_book;
mod selection;
mod set;
mod sorted;
mod standing;
mod standings;
mod tag;
mod tags_of;
mod ties;

pub use change::{OwnChange, TieChange, UserChange};
pub use counts::Counts;
pub use directory::{Begun, Directory, Entry};
pub use footprint::Footprint;
pub use groups::{Group, GroupEntry, GroupNumber, Groups};
pub use matrix::{Matrix, MatrixNumber};
pub use population::{OwnCondition, Population, Told};
pub use revision::Revision;
pub use rule_book::{Rule, RuleBook, RuleNumber};
pub use selection::Selection;
pub use set::UserSet;
pub use standing::{Own, Standing};
pub use standings::Standings;
pub use tag::{TagId, Tags};
pub use tags_of::TagsOf;
pub use ties::{Tie, Ties};

use std::sync::Arc;

use crate::request::{Sections, Settings};

/// Everything that decisions are made from, as one immutable whole.
#[derive(Clone, Debug)]
pub struct View {
    pub population: Arc<Population>,
    pub tags: Arc<Tags>,
    /// The tags that the policy declares, in order; empty if it declares none.
    pub declared: Arc<[TagId]>,
    /// The tags that the policy names apart from rules and users' records, the declared ones among
    /// them.
    pub named: Arc<[TagId]>,
    /// `None` if the policy has no `rules` section: then rules refuse nothing.
    pub rules: Option<Arc<RuleBook>>,
    /// What the policy sets.
    pub settings: Arc<Settings<TagId>>,
    /// The sections that refuse something and that the policy has, by itself or by its preset.
    pub sections: Sections,
    /// What that and the users' records come to.
    pub standings: Standings,
    /// Whether no settings, records or relations refuse anyone anything, so that decisions need not
    /// ask about them.
    pub is_plain: bool,
    /// The policy's `moderation.managers`; `None` if it names none.
    pub managers: Option<UserSet>,
    /// In the order of their names, the built-in ones among them.
    pub matrices: Arc<[Matrix]>,
    pub groups: Groups,
    pub revision: Revision,
}

impl View {
    /// The memory that the view takes, about, in bytes.
    pub fn memory(&self) -> usize {
        self.population.memory()
            + self.tags.memory()
            + self.rules.as_ref().map_or(0, |rules| rules.memory())
            + self.standings.memory()
            + self.managers.as_ref().map_or(0, UserSet::memory)
            + self.groups.memory()
    }

    /// Where that memory goes.
    pub fn footprint(&self) -> Footprint {
        Footprint::of(self)
    }

    /// How much it holds. Costs a pass over the sets of banned and silenced users.
    pub fn counts(&self) -> Counts {
        Counts::of(self)
    }

    /// The number of a matrix; `None` if there is none of this name.
    pub fn matrix_number(&self, name: &str) -> Option<MatrixNumber> {
        let at = self.matrices.binary_search_by(|matrix| matrix.name.as_str().cmp(name)).ok()?;
        u32::try_from(at).ok().map(MatrixNumber)
    }

    pub fn matrix(&self, number: MatrixNumber) -> Option<&Matrix> {
        match number.own() {
            Some(group) => self.groups.own_matrix(group),
            None => self.matrices.get(number.0 as usize),
        }
    }
}
