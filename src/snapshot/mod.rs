//! Compiled, immutable: all that a decision reads.
//!
//! Users, tags and rules are numbers here. Users are numbered in the order of their ids, so a set of
//! users is in the order in which lists are answered.
//!
//! - A [`Population`] says who there is: ids, tag sets, for each tag the users who have it, what
//!   their records set, and what is between them ([`Ties`]).
//! - A [`RuleBook`] says for each tag who may reach it. A rule's condition was turned into a set of
//!   users when it was compiled; the hot path never sees it again.
//! - [`StateIndex`] say what the policy's settings and the users' records come to, user by user and
//!   as sets.
//! - [`GroupTable`] say who is what in which group, and each [`CompiledMatrix`] who may do what there.
//! - A [`View`] is all of it, with the revision that it was made from.
//!
//! Invariant: knows of `request` only. Nothing here changes after it is built; what did not change
//! between two views is shared.

mod append_arena;
mod change;
mod chunked_list;
mod counts;
mod directory;
mod footprint;
mod group_table;
mod hash_index;
mod matrix;
mod memberships;
mod persistent_vec;
mod population;
mod probe_set;
mod record;
mod revision;
mod row_store;
mod rule_book;
mod selection;
mod set;
mod state_index;
mod tag;
mod ties;
mod user_state;
mod user_tags;

pub use change::{OverridesChange, TieChange, UserChange};
pub use counts::ViewCounts;
pub use directory::{Directory, DirectoryEntry, PendingLookup};
pub use footprint::Footprint;
pub use group_table::{GroupEntry, GroupNumber, GroupTable, GroupView};
pub use matrix::{CompiledMatrix, MatrixNumber};
pub use population::{Population, PopulationParts, SwitchCondition};
pub use revision::Revision;
pub use rule_book::{CompiledRule, RuleBook, RuleNumber};
pub use selection::Selection;
pub use set::UserSet;
pub use state_index::StateIndex;
pub use tag::{TagId, Tags};
pub use ties::{Tie, Ties};
pub use user_state::{RecordOverrides, UserState};
pub use user_tags::UserTags;

use std::sync::Arc;

use crate::request::{SectionSet, Settings};

/// Everything that decisions are made from, as one immutable whole.
#[derive(Clone, Debug)]
pub struct View {
    pub population: Arc<Population>,
    pub tags: Arc<Tags>,
    /// The tags that the policy declares, in order; empty if it declares none.
    pub declared_tags: Arc<[TagId]>,
    /// The tags that the policy names apart from rules and users' records, the declared ones among
    /// them.
    pub named_tags: Arc<[TagId]>,
    /// `None` if the policy has no `rules` section: then rules refuse nothing.
    pub rules: Option<Arc<RuleBook>>,
    /// What the policy sets.
    pub settings: Arc<Settings<TagId>>,
    /// The sections that refuse something and that the policy has, by itself or by its preset.
    pub sections: SectionSet,
    /// What that and the users' records come to.
    pub states: StateIndex,
    /// Whether no settings, records or relations refuse anyone anything, so that decisions need not
    /// ask about them.
    pub only_rules_restrict: bool,
    /// The policy's `moderation.managers`; `None` if it names none.
    pub managers: Option<UserSet>,
    /// In the order of their names, the built-in ones among them.
    pub matrices: Arc<[CompiledMatrix]>,
    pub groups: GroupTable,
    pub revision: Revision,
}

impl View {
    /// The memory that the view takes, about, in bytes.
    pub fn memory(&self) -> usize {
        self.population.memory()
            + self.tags.memory()
            + self.rules.as_ref().map_or(0, |rules| rules.memory())
            + self.states.memory()
            + self.managers.as_ref().map_or(0, UserSet::memory)
            + self.groups.memory()
    }

    /// Where that memory goes.
    pub fn footprint(&self) -> Footprint {
        Footprint::from_view(self)
    }

    /// How much it holds. Costs a pass over the sets of banned and silenced users.
    pub fn counts(&self) -> ViewCounts {
        ViewCounts::from_view(self)
    }

    /// The number of a matrix; `None` if there is none of this name.
    pub fn matrix_number(&self, name: &str) -> Option<MatrixNumber> {
        let at = self.matrices.binary_search_by(|matrix| matrix.name.as_str().cmp(name)).ok()?;
        u32::try_from(at).ok().map(MatrixNumber)
    }

    pub fn matrix(&self, number: MatrixNumber) -> Option<&CompiledMatrix> {
        match number.own_group() {
            Some(group) => self.groups.own_matrix(group),
            None => self.matrices.get(number.0 as usize),
        }
    }
}
