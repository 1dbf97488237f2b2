//! Who is concerned by changes of records, and by what ends.

use std::collections::{BTreeMap, BTreeSet};

use super::apply_records::{group, user};
use crate::{
    facts::{GroupRecord, Member, RecordChange, RecordKey, UserRecord},
    snapshot::{Concerned, GroupView, View},
};

/// The users and groups whose answers changes of records may change, between the views before and after them.
///
/// A change of what decisions don't read, such as a name or a remark, concerns nobody; a rule concerns all. Costs a
/// look at each of the records, and at the groups of the users in them.
pub fn concerned_by_records(before: &View, after: &View, changes: &[RecordChange]) -> Concerned {
    let (nobody, no_group) = (UserRecord::default(), GroupRecord::default());
    let mut finder = ConcernedFinder::new([before, after]);
    for RecordChange { key, old, new } in changes {
        let (old, new) = (old.as_deref(), new.as_deref());
        match key {
            RecordKey::User(id) => {
                finder.add_user_change(
                    id,
                    user(old).unwrap_or(&nobody),
                    user(new).unwrap_or(&nobody),
                );
            }
            RecordKey::Group(id) => {
                finder.add_group_change(
                    id,
                    group(old).unwrap_or(&no_group),
                    group(new).unwrap_or(&no_group),
                );
            }
            RecordKey::Conversation(one, other) => {
                finder.concerned.add_user(one);
                finder.concerned.add_user(other);
            }
            RecordKey::Rule(_) => return Concerned::all(),
            RecordKey::Idempotency(_) => {}
        }
    }
    finder.concerned
}

/// The search for those whom changes between two views concern.
pub(super) struct ConcernedFinder<'v> {
    views: [&'v View; 2],
    pub(super) concerned: Concerned,
}

impl<'v> ConcernedFinder<'v> {
    /// Begins with the views before and after the changes.
    pub(super) fn new(views: [&'v View; 2]) -> Self {
        Self { views, concerned: Concerned::default() }
    }

    /// Adds those whom a change of a user's record concerns.
    pub(super) fn add_user_change(&mut self, id: &str, old: &UserRecord, new: &UserRecord) {
        let others = changed_ties(old, new);
        let is_other = states_otherwise(old, new);
        if !is_other && others.is_empty() {
            return;
        }
        self.concerned.add_user(id);
        others.into_iter().for_each(|other| self.concerned.add_user(other));
        if is_other {
            self.add_groups_around(id, old.created != new.created);
        }
    }

    /// Adds the groups in which the answers of others depend on what a user is, or, if the user comes or goes, on
    /// whether they are there.
    pub(super) fn add_groups_around(&mut self, id: &str, comes_or_goes: bool) {
        for view in self.views {
            let Some(user) = view.population.directory.number_or_tombstone(id) else { continue };
            let all = comes_or_goes || view.barriers.concern_groups();
            for group in view.groups.numbers_of(user).filter_map(|group| view.groups.get(group)) {
                let requires =
                    |it: GroupView<'_>| it.restrictions.is_some_and(|it| it.requires().is_some());
                if all || requires(group) {
                    self.concerned.add_group(group.id);
                }
            }
        }
    }

    /// Adds those whom a change of a group's record concerns.
    pub(super) fn add_group_change(&mut self, id: &str, old: &GroupRecord, new: &GroupRecord) {
        let has_other_role = |member: &str| {
            let role = |members: &BTreeMap<String, Member>| members.get(member).map(|it| it.role);
            role(&old.members) != role(&new.members)
        };
        let members = old.members.keys().chain(new.members.keys());
        let mut users: BTreeSet<&str> =
            members.map(String::as_str).filter(|member| has_other_role(member)).collect();
        users.extend(changed_keys(&old.muted, &new.muted));
        users.extend(changed_keys(&old.banned, &new.banned));
        let is_governed_otherwise = old.created != new.created
            || old.matrix != new.matrix
            || old.permissions != new.permissions;
        let is_other = is_governed_otherwise
            || old.creator != new.creator
            || old.requires != new.requires
            || !users.is_empty();
        if !is_other {
            return;
        }
        self.concerned.add_group(id);
        users.into_iter().for_each(|user| self.concerned.add_user(user));
        // Users share a group of a matrix.
        if is_governed_otherwise {
            for view in self.views {
                let group = view.groups.number(id).and_then(|group| view.groups.get(group));
                for member in group.into_iter().flat_map(GroupView::members) {
                    self.concerned.add_user(view.population.directory.id(member));
                    if self.concerned.is_all() {
                        return;
                    }
                }
            }
        }
    }
}

/// Whether two records of a user say something else of the user alone that decisions read.
fn states_otherwise(old: &UserRecord, new: &UserRecord) -> bool {
    old.created != new.created
        || old.tags != new.tags
        || old.peers != new.peers
        || old.permissions != new.permissions
        || old.own_permissions != new.own_permissions
        || old.moderation != new.moderation
        || old.approval != new.approval
        || old.accepts != new.accepts
}

/// The other users to whom the relations differ in two records of a user.
fn changed_ties<'r>(old: &'r UserRecord, new: &'r UserRecord) -> BTreeSet<&'r str> {
    let sets = [
        (&old.contacts, &new.contacts),
        (&old.favorites, &new.favorites),
        (&old.paired, &new.paired),
    ];
    let mut others: BTreeSet<&str> = sets
        .into_iter()
        .flat_map(|(old, new)| old.symmetric_difference(new))
        .map(String::as_str)
        .collect();
    others.extend(changed_keys(&old.blocked, &new.blocked));
    others.extend(changed_keys(&old.friends, &new.friends));
    others.extend(changed_keys(&old.requests, &new.requests));
    others
}

/// The keys that only one of two maps has.
fn changed_keys<'m, T>(
    old: &'m BTreeMap<String, T>,
    new: &'m BTreeMap<String, T>,
) -> impl Iterator<Item = &'m str> {
    let gone = old.keys().filter(|key| !new.contains_key(*key));
    let come = new.keys().filter(|key| !old.contains_key(*key));
    gone.chain(come).map(String::as_str)
}
