//! The compiled, immutable data of a policy and its facts: everything that a decision reads.
//!
//! Users, tags and rules are numbers here. Users are numbered in the order of their ids, so that a
//! set of users is in the order of listings.
//!
//! - [`Population`]: ids, tag sets, for each tag the users who have it, the overrides of records, and
//!   the relations between users ([`Ties`]).
//! - [`RuleBook`]: for each tag, the users who may reach it. The condition of a rule is compiled into
//!   a set of users; the hot path never evaluates it again.
//! - [`StateIndex`]: the effective states of users, from the policy's settings and the users'
//!   records, as sets.
//! - [`GroupTable`]: the members of groups and their roles; a [`CompiledMatrix`] has the permissions
//!   in the groups that it governs.
//! - [`View`]: all of these, with the revision that they were built from.
//!
//! Invariant: knows of `request` only. Nothing here changes after it is built; what did not change
//! between two views is shared.

mod append_arena;
mod barriers;
mod bit_field;
mod change;
mod chunked_list;
mod concerned;
mod counts;
mod directory;
mod ends;
mod footprint;
mod group_sides;
mod group_table;
mod hash_index;
mod matrix;
mod memberships;
mod own_audiences;
mod own_switches;
mod peers_audiences;
mod persistent_vec;
mod population;
mod probe_set;
mod qualified_members;
mod record;
mod restrictions;
mod revision;
mod row_store;
mod rule_book;
mod selection;
mod set;
mod state_index;
mod tag;
mod ties;
mod user_number;
mod user_state;
mod user_tags;
mod watch_index;
mod windows;

pub use barriers::{Barriers, CompiledBarrier};
pub use change::{OverridesChange, TieChange, UserChange};
pub use concerned::Concerned;
pub use counts::ViewCounts;
pub use directory::{Directory, DirectoryEntry, PendingLookup};
pub use ends::{EndIndex, EndOf, ScheduledEnd};
pub use footprint::Footprint;
pub use group_sides::GroupSides;
pub use group_table::{GroupEntry, GroupNumber, GroupTable, GroupView};
use matrix::MatrixIndex;
pub use matrix::{CompiledMatrix, MatrixNumber};
pub use own_audiences::{OwnAudience, OwnAudiences};
pub use own_switches::{OwnSetting, OwnSwitch, OwnSwitches};
pub use population::{Population, PopulationParts, SwitchCondition};
pub use restrictions::{GroupRestrictions, Requirement};
pub use revision::Revision;
pub use rule_book::{CompiledRule, CompiledRuleSet, RuleBook, RuleNumber, RuleTarget, RuleTargets};
pub use selection::Selection;
pub use set::UserSet;
pub use state_index::StateIndex;
pub use tag::{TagId, Tags};
pub use ties::{Tie, Ties};
pub use user_number::UserNumber;
pub use user_state::{RecordOverrides, UserState};
pub use user_tags::UserTags;
pub use watch_index::WatchIndex;

use std::sync::Arc;

use crate::request::{
    ActionKey, ActionName, ActionSet, AudienceNumber, AudienceSlot, Audiences, Moment,
    RequestedAction, SectionSet, Settings, UnknownWordError, Windows,
};

/// A view: everything that decisions depend on, as one immutable whole.
#[derive(Clone, Debug)]
pub struct View {
    pub population: Arc<Population>,
    pub tags: Arc<Tags>,
    /// The tags that the policy declares, in order; empty if it declares none.
    pub declared_tags: Arc<[TagId]>,
    /// The tags that the policy names outside of rules and users' records, the declared ones
    /// included.
    pub named_tags: Arc<[TagId]>,
    /// The rules; `None` if the policy has no `rules` section, so that rules deny nothing.
    pub rules: Option<Arc<RuleBook>>,
    /// The rule sets besides the section `rules`, in the order of their names.
    pub rule_sets: Arc<[CompiledRuleSet]>,
    /// The barriers, with the users of their sides.
    pub barriers: Arc<Barriers>,
    /// The actions that rule sets, barriers or audiences concern, and those that blocks hide where the policy says
    /// so: what is between two users may matter to them.
    pub pair_actions: ActionSet,
    /// Whether the policy has rule sets, barriers or audiences, or a record names an audience: without any, the
    /// gates of these are open.
    pub speaks_of_pairs: bool,
    /// The settings of the policy.
    pub settings: Arc<Settings<TagId>>,
    /// The restricting sections that the policy has, by itself or by its preset.
    pub sections: SectionSet,
    /// The effective states of users, indexed by value.
    pub states: StateIndex,
    /// Whether no setting, record or relation denies anything, so that decisions only evaluate
    /// rules.
    pub only_rules_restrict: bool,
    /// The users that the policy's `moderation.managers` selects; `None` if the policy does not
    /// state it.
    pub managers: Option<UserSet>,
    /// The matrices in the order of their names, the built-in ones included.
    pub matrices: Arc<[CompiledMatrix]>,
    pub groups: GroupTable,
    /// The number of members of groups on the sides of barriers.
    pub group_sides: GroupSides,
    pub revision: Revision,
    /// The moment that the view is of: what had ended by then is not in it.
    pub at: Moment,
    /// The windows of the policy, as they are at that moment.
    pub windows: Arc<Windows>,
}

impl View {
    /// The next moment at which the view changes without a write: an end, or an edge of a window.
    pub fn next_change(&self) -> Option<Moment> {
        self.next_end().into_iter().chain(self.windows.next_edge()).min()
    }

    /// The next moment at which something ends.
    pub fn next_end(&self) -> Option<Moment> {
        let Population { declared_ends, record_ends, .. } = &*self.population;
        declared_ends.next().into_iter().chain(record_ends.next()).min()
    }

    /// The latest moment, not after that of the view, at which something ended.
    pub fn last_end(&self) -> Option<Moment> {
        self.population.last_end
    }

    /// The latest moment, not after that of the view, at which it changed without a write: before it, another
    /// view holds.
    pub fn last_change(&self) -> Option<Moment> {
        self.windows.last_edge().max(self.population.last_end)
    }

    /// Takes the ends up to a moment out of the index, each user's in the order of time.
    pub fn take_due_ends(&mut self, now: Moment) -> Vec<ScheduledEnd> {
        let population = Arc::make_mut(&mut self.population);
        let mut due = population.declared_ends.take_due(now);
        due.extend(population.record_ends.take_due(now));
        due.sort_by_key(|end| end.at);
        population.last_end = population.last_end.max(due.last().map(|end| end.at));
        due
    }

    /// Replaces ends of what a user's record states: those of `old` that `new` does not have, and the other way
    /// round. Costs what differs.
    pub fn replace_record_ends(&mut self, id: &str, old: &[Moment], new: &[Moment]) {
        if old.is_empty() && new.is_empty() {
            return;
        }
        let user = self.intern_user(id);
        self.replace_ends(user, EndOf::Record, old, new);
    }

    /// Replaces ends of what a group's record states, as
    /// [`replace_record_ends`](Self::replace_record_ends) does for a user's.
    pub fn replace_group_ends(&mut self, id: &str, old: &[Moment], new: &[Moment]) {
        if let Some(GroupNumber(number)) = self.groups.number(id) {
            self.replace_ends(UserNumber(number), EndOf::GroupRecord, old, new);
        }
    }

    fn replace_ends(&mut self, user: UserNumber, of: EndOf, old: &[Moment], new: &[Moment]) {
        if old.is_empty() && new.is_empty() {
            return;
        }
        let now = self.at;
        let population = Arc::make_mut(&mut self.population);
        let end = |&at: &Moment| ScheduledEnd { at, user, of };
        for gone in old.iter().filter(|at| !new.contains(at)) {
            population.record_ends.remove(end(gone));
        }
        for at in new {
            if *at > now {
                population.record_ends.insert(end(at));
            } else {
                population.last_end = population.last_end.max(Some(*at));
            }
        }
    }

    /// The memory that the view takes in bytes, approximately.
    pub fn memory(&self) -> usize {
        self.population.memory()
            + self.tags.memory()
            + self.rules.as_ref().map_or(0, |rules| rules.memory())
            + self.rule_sets.iter().map(|set| set.book.memory()).sum::<usize>()
            + self.barriers.memory()
            + self.states.memory()
            + self.managers.as_ref().map_or(0, UserSet::memory)
            + self.groups.memory()
            + self.group_sides.memory()
    }

    /// The memory footprint by what it is spent on.
    pub fn footprint(&self) -> Footprint {
        Footprint::from_view(self)
    }

    /// The counts of the view's contents. Costs a pass over the sets of banned and silenced users.
    pub fn counts(&self) -> ViewCounts {
        ViewCounts::from_view(self)
    }

    /// Whether there is anything to say of two users besides the section `rules`, as
    /// [`speaks_of_pairs`](Self::speaks_of_pairs) keeps it.
    pub fn has_pair_statements(&self) -> bool {
        !self.rule_sets.is_empty()
            || !self.barriers.is_empty()
            || !self.settings.accepts.is_empty()
            || !self.population.own_audiences.is_empty()
    }

    /// The audience that a user's record names for a setting: nobody, if the policy does not have it.
    #[inline]
    pub fn own_audience(&self, user: UserNumber, action: ActionKey) -> Option<AudienceNumber> {
        if self.population.own_audiences.is_empty() {
            return None;
        }
        let slot = AudienceSlot::Action(self.settings.actions.name(action));
        self.population.own_audiences.get(user, &slot).map(|name| self.audience_number(name))
    }

    /// The audiences that records name for a setting, with the users whose records do.
    pub fn own_audiences(
        &self,
        action: ActionKey,
    ) -> impl Iterator<Item = (&UserSet, AudienceNumber)> {
        let slot = AudienceSlot::Action(self.settings.actions.name(action));
        let named = self.population.own_audiences.of_slot(&slot).iter();
        named.map(|it| (&it.users, self.audience_number(&it.name)))
    }

    /// The action of a name, built in or declared by the policy.
    ///
    /// # Errors
    /// If there is none; the error names all that there are.
    pub fn requested_action(&self, name: &str) -> Result<RequestedAction, UnknownWordError> {
        self.settings.actions.resolve(name)
    }

    /// The name of an action; the empty one, if the policy does not declare it.
    pub fn action_name(&self, action: impl Into<ActionKey>) -> ActionName {
        self.settings.actions.name(action)
    }

    fn audience_number(&self, name: &str) -> AudienceNumber {
        self.settings.audiences.number(name).unwrap_or(Audiences::<TagId>::NOBODY)
    }

    /// The rules of the set with a name, or of the section `rules`.
    pub fn rules_of(&self, set: Option<&str>) -> Option<&RuleBook> {
        let Some(name) = set else { return self.rules.as_deref() };
        let at = self.rule_sets.binary_search_by(|set| set.name.as_str().cmp(name)).ok()?;
        self.rule_sets.get(at).map(|set| &*set.book)
    }

    /// The section `rules`, if there is one, and the other rule sets.
    pub fn rule_books(&self) -> impl Iterator<Item = &RuleBook> {
        self.rules.as_deref().into_iter().chain(self.rule_sets.iter().map(|set| &*set.book))
    }

    /// The number of a matrix; `None` if there is none with this name.
    pub fn matrix_number(&self, name: &str) -> Option<MatrixNumber> {
        let at = self.matrices.binary_search_by(|matrix| matrix.name.as_str().cmp(name)).ok()?;
        MatrixNumber::named(at)
    }

    /// The matrix of a number.
    pub fn matrix(&self, number: MatrixNumber) -> Option<&CompiledMatrix> {
        match number.index() {
            MatrixIndex::Named(at) => self.matrices.get(at),
            MatrixIndex::OfGroup(group) => self.groups.own_matrix(group),
        }
    }
}
