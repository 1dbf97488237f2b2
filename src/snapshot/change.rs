//! Incremental changes of a view: users, their relations, and conversations.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Barriers, CompiledBarrier, CompiledRule, OwnSetting, Population, RecordOverrides, RuleBook,
    TagId, Tie, UserNumber, UserSet, UserState, View, group_sides::SideMoves,
    state_index::StateChange,
};
use crate::request::{AudienceSlot, Condition, DeclaredFields, Relation, Switch, Toggle, Windows};

/// A change of a user. Fields that are `None` stay as they are.
#[derive(Clone, Default, Debug)]
pub struct UserChange<'c> {
    pub id: &'c str,
    /// Whether the user exists from now on.
    pub known: Option<bool>,
    /// The tags in the order of their numbers.
    pub tags: Option<Vec<TagId>>,
    /// The overrides of the user's record, and its conditional switches.
    pub overrides: Option<OverridesChange>,
    /// The fields that files declare from now on.
    pub declared: Option<DeclaredFields>,
    /// The changes of the user's relations.
    pub ties: Vec<TieChange<'c>>,
}

/// All that a record overrides.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct OverridesChange {
    pub own: RecordOverrides,
    /// The switches that are set to a condition.
    pub conditions: Vec<(Switch, Condition<TagId>)>,
    /// The names of audiences, by action.
    pub audiences: Vec<(AudienceSlot, String)>,
    /// The switches of declared actions.
    pub switches: Vec<(Arc<str>, OwnSetting<TagId>)>,
}

/// The parts of a tie that are removed, and then the parts that are added, from one user to
/// another.
#[derive(Clone, Copy, Debug)]
pub struct TieChange<'c> {
    pub other: &'c str,
    pub removed: Tie,
    pub added: Tie,
}

/// The state of a user before the changes.
struct PriorUser {
    known: bool,
    tags: Vec<TagId>,
}

/// For each user, the parts that are removed from and added to the tie with each other user.
type Edits = BTreeMap<UserNumber, BTreeMap<UserNumber, (Tie, Tie)>>;

/// For each set, the users who join it or leave it.
type Moves = BTreeMap<TagId, Vec<(UserNumber, bool)>>;

impl View {
    /// The number of a tag, assigned if the tag has none. Assigning costs a copy of the names if
    /// they are shared.
    pub fn intern_tag(&mut self, name: &str) -> TagId {
        match self.tags.get(name) {
            Some(tag) => tag,
            None => Arc::make_mut(&mut self.tags).intern(name),
        }
    }

    /// The number of an id, assigned if the id has none.
    pub fn intern_user(&mut self, id: &str) -> UserNumber {
        let number = self.population.directory.number_or_tombstone(id);
        let state = self.states.common();
        number.unwrap_or_else(|| Arc::make_mut(&mut self.population).add(id, state))
    }

    /// Applies changes of users, each user once, and conversations that open or close. Readers of
    /// the view from which this one was cloned are not affected.
    ///
    /// Costs what is changed: the pages, rows and sets that contain it. A user to whom another one
    /// is related is assigned a number.
    pub fn apply_changes(
        &mut self,
        users: &[UserChange<'_>],
        conversations: &[(&str, &str, bool)],
    ) {
        let numbers: Vec<UserNumber> = users.iter().map(|user| self.intern_user(user.id)).collect();
        let mut edits = Edits::new();
        for (user, &number) in users.iter().zip(&numbers) {
            for tie in &user.ties {
                let other = self.intern_user(tie.other);
                add_edit(&mut edits, number, other, tie.removed, tie.added);
                add_edit(&mut edits, other, number, tie.removed.reversed(), tie.added.reversed());
            }
        }
        for &(one, other, is_open) in conversations {
            let (one, other) = (self.intern_user(one), self.intern_user(other));
            let (less, more) = if is_open {
                (Tie::NONE, Tie::CONVERSATION)
            } else {
                (Tie::CONVERSATION, Tie::NONE)
            };
            add_edit(&mut edits, one, other, less, more);
            add_edit(&mut edits, other, one, less, more);
        }
        let windows = Arc::clone(&self.windows);
        let population = Arc::make_mut(&mut self.population);
        population.identity = Arc::default();
        population.adjust_friendships(&mut edits, self.settings.blocks_end_friendship);
        let mut restand: Vec<UserNumber> = population.rewrite_rows(&edits);
        let mut before = BTreeMap::new();
        let mut changed = Vec::new();
        for (user, &number) in users.iter().zip(&numbers) {
            population.apply_record(number, user, &windows, &mut before);
            if user.known.is_some() || user.tags.is_some() || user.overrides.is_some() {
                changed.push(number);
            }
        }
        restand.extend(&changed);
        population.update_tag_sets(&before);
        restand.sort_unstable();
        restand.dedup();
        self.refresh_states(&restand);
        self.requalify_users(&changed);
        self.update_selected_users(before);
        self.speaks_of_pairs = self.has_pair_statements();
        self.only_rules_restrict = self.states.is_unrestricted()
            && self.population.ties.is_empty()
            && self.settings.actions.is_empty();
    }

    /// Recomputes the states of these users, given in order.
    fn refresh_states(&mut self, users: &[UserNumber]) {
        let mut moves = Vec::new();
        for &user in users {
            let from = self.population.directory.state(user);
            let to = self.effective_state(user);
            if from != to {
                moves.push(StateChange { user, from, to });
            }
        }
        let population = Arc::make_mut(&mut self.population);
        for one in &moves {
            population.directory.set_state(one.user, one.to);
        }
        self.states.apply_changes(&moves, population.directory.len());
    }

    /// The effective state of a user: the policy's settings, the overrides of the user's record,
    /// and whether the friend list is full.
    fn effective_state(&self, user: UserNumber) -> UserState {
        let population = &self.population;
        if !population.directory.is_known(user) {
            return self.states.common();
        }
        let tags = population.directory.tags(user);
        let has = |tag: &TagId| tags.contains(*tag);
        let state = self.state_with_tags(Some(user), &has);
        let limit = self.settings.limits.friends.map(|limit| limit as usize);
        let is_full = limit.is_some_and(|limit| {
            let ties = population.ties_of(user);
            limit == 0
                || ties.len() >= limit
                    && ties.filter(|(_, tie)| tie.outgoing(Relation::Friend)).count() >= limit
        });
        state.with_friend_list_full(is_full)
    }

    /// The state of a user with these tags, the friend list aside: the policy's settings, and the
    /// overrides of this user's record.
    pub fn state_with_tags(
        &self,
        user: Option<UserNumber>,
        has: &impl Fn(&TagId) -> bool,
    ) -> UserState {
        let settings = &self.settings;
        let mut state = UserState::ALL_OFF
            .with_peers_setting(&settings.peers.setting(has))
            .with_approval(settings.approval);
        for &switch in Switch::ALL {
            state = state.with_switch(switch, settings.permission(switch).is_on(has));
        }
        let Some(user) = user else { return state };
        let (own, conditions) = self.population.overrides(user);
        state = own.apply_to(state);
        for (_, switch, condition) in conditions {
            state = state.with_switch(*switch, condition.holds(has));
        }
        state
    }

    /// Updates the sets of users that rules, barriers and `moderation.managers` select. Costs, for each user,
    /// the evaluation of the rules that name a tag which changed, and of all barriers and all rules whose
    /// outcome is a condition or which have `between`.
    fn update_selected_users(&mut self, before: BTreeMap<UserNumber, PriorUser>) {
        let directory = &self.population.directory;
        let below = directory.len();
        let changed = before.into_iter().map(|(number, prior)| ChangedUser {
            number,
            prior,
            is_known: directory.is_known(number),
            tags: directory.tags(number).iter().collect(),
        });
        let changed: Vec<ChangedUser> = changed.collect();
        if changed.is_empty() {
            return;
        }
        if let Some(book) = &mut self.rules {
            update_reachers(book, &changed, below);
        }
        if !self.rule_sets.is_empty() {
            let sets = Arc::make_mut(&mut self.rule_sets);
            sets.iter_mut().for_each(|set| update_reachers(&mut set.book, &changed, below));
        }
        if !self.barriers.is_empty() {
            if self.barriers.concern_groups() {
                let moves: Vec<SideMoves> =
                    changed.iter().map(|user| user.side_moves(&self.barriers)).collect();
                self.move_sides(&moves);
            }
            for it in &mut Arc::make_mut(&mut self.barriers).all {
                let CompiledBarrier { barrier, sides: [from, to], .. } = it;
                from.apply_changes(&moves(&changed, |has| barrier.from.holds(&has)), below);
                to.apply_changes(&moves(&changed, |has| barrier.to.holds(&has)), below);
            }
        }
        if let (Some(managers), Some(condition)) = (&mut self.managers, &self.settings.managers) {
            managers.apply_changes(&moves(&changed, |has| condition.holds(&has)), below);
        }
    }
}

/// A user whose tags or whose existence changed.
struct ChangedUser {
    number: UserNumber,
    prior: PriorUser,
    is_known: bool,
    tags: Vec<TagId>,
}

impl ChangedUser {
    /// The sides of barriers that the user leaves or joins; the barriers are still as they were.
    fn side_moves(&self, barriers: &Barriers) -> SideMoves {
        let has = |tag: &TagId| self.tags.contains(tag);
        let moves = barriers.all.iter().map(|it| {
            let before = it.sides.each_ref().map(|side| side.contains(self.number));
            let conditions = [&it.barrier.from, &it.barrier.to];
            let after = conditions.map(|condition| self.is_known && condition.holds(&has));
            [before, after]
        });
        SideMoves { user: self.number, moves: moves.collect() }
    }
}

/// For each user, whether they are in a set from now on; `holds` evaluates the set's condition.
fn moves(
    users: &[ChangedUser],
    holds: impl Fn(&dyn Fn(&TagId) -> bool) -> bool,
) -> Vec<(UserNumber, bool)> {
    let of = users
        .iter()
        .map(|user| (user.number, user.is_known && holds(&|tag: &TagId| user.tags.contains(tag))));
    of.collect()
}

/// Updates the users who may reach others by the rules of a book.
fn update_reachers(book: &mut Arc<RuleBook>, users: &[ChangedUser], below: u32) {
    let mut by_tag = Moves::new();
    for user in users {
        let has = |tag: &TagId| user.tags.contains(tag);
        for tag in book.affected_tags(user) {
            let reaches = user.is_known && book.any_rule_holds(tag, &has);
            by_tag.entry(tag).or_default().push((user.number, reaches));
        }
    }
    if by_tag.is_empty() && book.targets.is_empty() {
        return;
    }
    let book = Arc::make_mut(book);
    for (tag, users) in by_tag {
        if let Some(set) = book.reachers.get_mut(tag.index()) {
            set.apply_changes(&users, below);
        }
    }
    if !book.targets.is_empty() {
        for target in &mut Arc::make_mut(&mut book.targets).all {
            let moves = moves(users, |has| target.is_reacher(&has));
            target.reachers.apply_changes(&moves, below);
        }
    }
}

fn add_edit(edits: &mut Edits, one: UserNumber, other: UserNumber, less: Tie, more: Tie) {
    let (all_less, all_more) = edits.entry(one).or_default().entry(other).or_default();
    *all_less = all_less.union(less);
    *all_more = all_more.without(less).union(more);
}

impl Population {
    fn add(&mut self, id: &str, state: UserState) -> UserNumber {
        let number = self.directory.add(id, state);
        self.declared_fields.grow(number.index() + 1);
        self.tombstones.apply_changes(&[(number, true)], number.0 + 1);
        number
    }

    /// The same users with friendships adjusted to whether blocks end them; `None` if nothing
    /// changes. Costs a pass over all ties if any user blocks another.
    #[must_use]
    pub fn with_friendships(&self, blocks_end: bool) -> Option<Self> {
        if self.ties.edges(Relation::Block) == 0 {
            return None;
        }
        let mut edits = Edits::new();
        for user in self.directory.numbers() {
            for (other, tie) in self.ties_of(user) {
                if let Some((less, more)) = tie.friendship_adjustment(blocks_end) {
                    add_edit(&mut edits, user, other, less, more);
                    add_edit(&mut edits, other, user, less.reversed(), more.reversed());
                }
            }
        }
        if edits.is_empty() {
            return None;
        }
        let mut settled = self.clone();
        settled.identity = Arc::default();
        settled.rewrite_rows(&edits);
        Some(settled)
    }

    /// Ends and restores declared friendships according to the blocks between the same two users.
    fn adjust_friendships(&self, edits: &mut Edits, blocks_end: bool) {
        let pairs: Vec<(UserNumber, UserNumber)> = edits
            .iter()
            .flat_map(|(&user, others)| others.keys().map(move |&other| (user, other)))
            .collect();
        for (user, other) in pairs {
            let Some(&(less, more)) = edits.get(&user).and_then(|others| others.get(&other)) else {
                continue;
            };
            let tie = self.ties.find(self.directory.row(user), other).without(less).union(more);
            if let Some((less, more)) = tie.friendship_adjustment(blocks_end) {
                add_edit(edits, user, other, less, more);
                add_edit(edits, other, user, less.reversed(), more.reversed());
            }
        }
    }

    /// Rewrites the rows of ties and returns the users whose friends changed, in order.
    fn rewrite_rows(&mut self, edits: &Edits) -> Vec<UserNumber> {
        let mut friends_changed = Vec::new();
        for (&user, edits) in edits {
            let row = self.directory.row(user);
            let mut others: BTreeMap<UserNumber, Tie> = self.ties.entries(row).collect();
            let mut changed = false;
            for (&other, &(less, more)) in edits {
                let old = others.get(&other).copied().unwrap_or(Tie::NONE);
                let new = old.without(less).union(more);
                changed |= new != old;
                if new.outgoing(Relation::Friend) != old.outgoing(Relation::Friend) {
                    friends_changed.push(user);
                }
                if new.is_none() {
                    others.remove(&other);
                } else {
                    others.insert(other, new);
                }
            }
            if changed {
                let row = self.ties.replace(row, &others.into_iter().collect());
                self.directory.set_row(user, row);
            }
        }
        friends_changed.dedup();
        friends_changed
    }

    /// Applies the changes of a user's record, ties aside.
    fn apply_record(
        &mut self,
        number: UserNumber,
        user: &UserChange<'_>,
        windows: &Windows,
        before: &mut BTreeMap<UserNumber, PriorUser>,
    ) {
        if user.known.is_some() || user.tags.is_some() {
            let known = self.directory.is_known(number);
            let tags = self.directory.tags(number).iter().collect();
            before.entry(number).or_insert(PriorUser { known, tags });
        }
        if let Some(known) = user.known {
            self.directory.set_known(number, known);
        }
        if let Some(tags) = &user.tags {
            self.directory.set_tags(number, tags);
        }
        if let Some(stated) = user.declared
            && let Some(place) = self.declared_fields.get_mut(number.index())
        {
            *place = stated;
        }
        if let Some(OverridesChange { own, conditions, audiences, switches }) = &user.overrides {
            self.overrides.grow(number.index() + 1);
            if let Some(place) = self.overrides.get_mut(number.index()) {
                *place = *own;
            }
            if !conditions.is_empty() || !self.overrides(number).1.is_empty() {
                let mut conditions = conditions.clone();
                conditions.iter_mut().for_each(|(_, condition)| windows.resolve_record(condition));
                self.replace_switch_conditions(number, &conditions);
            }
            if !audiences.is_empty() || self.own_audiences.of_user(number).next().is_some() {
                let below = self.directory.len();
                Arc::make_mut(&mut self.own_audiences).set(number, audiences, below);
            }
            if !switches.is_empty() || self.own_switches.of_user(number).next().is_some() {
                let mut switches = switches.clone();
                for (_, setting) in &mut switches {
                    if let Toggle::When(condition) = &mut setting.toggle {
                        windows.resolve_record(condition);
                    }
                }
                Arc::make_mut(&mut self.own_switches).set(number, &switches);
            }
        }
    }

    fn update_tag_sets(&mut self, before: &BTreeMap<UserNumber, PriorUser>) {
        let below = self.directory.len();
        let (mut moves, mut known, mut gone) = (Moves::new(), Vec::new(), Vec::new());
        for (&user, before) in before {
            let is_known = self.directory.is_known(user);
            if is_known != before.known {
                known.push((user, is_known));
                gone.push((user, !is_known));
            }
            let tags = self.directory.tags(user);
            for tag in before.tags.iter().copied().filter(|&tag| !tags.contains(tag)) {
                moves.entry(tag).or_default().push((user, false));
            }
            for tag in tags.iter().filter(|tag| !before.tags.contains(tag)) {
                moves.entry(tag).or_default().push((user, true));
            }
        }
        self.everyone.apply_changes(&known, below);
        self.tombstones.apply_changes(&gone, below);
        if moves.is_empty() {
            return;
        }
        let last = moves.keys().next_back().map_or(0, |tag| tag.index() + 1);
        if last > self.members.len() {
            let more = std::iter::repeat_n(UserSet::default(), last - self.members.len());
            self.members = self.members.iter().cloned().chain(more).collect();
        }
        let members = Arc::make_mut(&mut self.members);
        for (tag, users) in moves {
            if let Some(set) = members.get_mut(tag.index()) {
                set.apply_changes(&users, below);
            }
        }
    }
}

impl RuleBook {
    /// The tags whose reachers a user may join or leave when their tags or their existence change,
    /// in order.
    fn affected_tags(&self, user: &ChangedUser) -> Vec<TagId> {
        let ChangedUser { prior, is_known, tags: after, .. } = user;
        let (was_known, before) = (prior.known, &prior.tags);
        let mut tags: Vec<TagId> = Vec::new();
        let mentioned =
            |tag: &TagId| self.rules_by_condition.get(tag.index()).into_iter().flatten();
        let changed =
            |tag: &&TagId| was_known != *is_known || before.contains(tag) != after.contains(tag);
        for number in before.iter().chain(after).filter(changed).flat_map(mentioned) {
            tags.extend(self.rule(*number).into_iter().flat_map(CompiledRule::listed_tags));
        }
        if was_known != *is_known {
            tags.extend(self.open_to_untagged.iter());
        }
        tags.sort_unstable();
        tags.dedup();
        tags
    }

    /// Whether the condition of at least one rule with this tag in its outcome holds.
    fn any_rule_holds(&self, tag: TagId, has: &impl Fn(&TagId) -> bool) -> bool {
        let mut rules = self.rules_naming(tag).iter().filter_map(|&number| self.rule(number));
        rules.any(|rule| rule.condition.holds(has))
    }
}
