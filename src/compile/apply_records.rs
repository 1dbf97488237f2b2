//! The application of changed records to a view.

use std::{
    borrow::Cow,
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    slice,
};

use super::{
    declarations::Declarations,
    groups,
    merge::{UserFieldValues, user_exists},
    rules,
};
use crate::{
    facts::{GroupRecord, Record, RecordChange, RecordKey, UserRecord},
    request::{DeclaredFields, Moment, Relation},
    snapshot::{OverridesChange, Tie, TieChange, UserChange, UserNumber, View},
};

/// Applies changes of records to a view, in their order.
///
/// What files declare stays as they declare it. Costs what the records say, and the pages, rows and
/// sets that they concern; a changed rule costs a pass over all rules.
pub fn apply_records(view: &mut View, declarations: &Declarations, changes: &[RecordChange]) {
    let nobody = UserRecord::default();
    let mut users: BTreeMap<&String, (&UserRecord, &UserRecord)> = BTreeMap::new();
    let mut conversations = Vec::new();
    let mut has_rules = false;
    for RecordChange { key, old, new } in changes {
        match key {
            RecordKey::User(id) => {
                let (old, new) = (user(old.as_deref()), user(new.as_deref()));
                let (old, new) = (old.unwrap_or(&nobody), new.unwrap_or(&nobody));
                // Of several changes of one user, the first old and the last new record count.
                users.entry(id).or_insert((old, new)).1 = new;
            }
            RecordKey::Conversation(one, other) => {
                let is_open =
                    new.is_some() || declarations.conversation_place(one, other).is_some();
                conversations.push((one.as_str(), other.as_str(), is_open));
            }
            RecordKey::Rule(_) => has_rules = true,
            RecordKey::Group(_) | RecordKey::Idempotency(_) => {}
        }
    }
    // The view is of one moment: what had ended by then is in neither record.
    let now = view.at.millis();
    let current: Vec<(&String, Cow<'_, UserRecord>, Cow<'_, UserRecord>)> =
        users.iter().map(|(id, (old, new))| (*id, old.at(now), new.at(now))).collect();
    let of_users: Vec<UserChange<'_>> = current
        .iter()
        .map(|(id, old, new)| {
            let number = view.population.directory.number_or_tombstone(id);
            let fields = number.map_or_else(DeclaredFields::default, |number| {
                view.population.declared_fields(number)
            });
            user_change(view, id, fields, RecordPair { old, new }, false)
        })
        .collect();
    if !of_users.is_empty() || !conversations.is_empty() {
        view.apply_changes(&of_users, &conversations);
    }
    for (id, (old, new)) in &users {
        view.replace_record_ends(id, &moments(old), &moments(new));
    }
    for RecordChange { key, old, new } in changes {
        if let RecordKey::Group(id) = key {
            let (old, new) = (group(old.as_deref()), group(new.as_deref()));
            let record = new.map(|record| record.at(now));
            let ends = |record: Option<&GroupRecord>| -> Vec<Moment> {
                record.into_iter().flat_map(GroupRecord::ends).map(Moment::from_millis).collect()
            };
            if let Some(group) = groups::merge_group(declarations, id, record.as_deref(), view.at) {
                groups::put_group(view, declarations, id, &group);
                view.replace_group_ends(id, &ends(old), &ends(new));
            } else {
                // While the group has a number.
                view.replace_group_ends(id, &ends(old), &[]);
                view.remove_group(id);
            }
        }
    }
    if has_rules {
        rules::apply_rule_changes(view, declarations, changes);
    }
}

/// Replays the changes made while the view was being built, from records read at some moment in between.
///
/// They are applied one by one and not merged: a user who is in the end as in the beginning may have
/// been otherwise at that moment. Costs what each change costs.
pub fn replay_changes(view: &mut View, declarations: &Declarations, changes: &[RecordChange]) {
    for change in changes {
        apply_records(view, declarations, slice::from_ref(change));
    }
}

/// The record of a group, if it is one.
pub(super) fn group(record: Option<&Record>) -> Option<&GroupRecord> {
    match record? {
        Record::Group(group) => Some(group),
        _ => None,
    }
}

/// The record of a user, if it is one.
pub(super) fn user(record: Option<&Record>) -> Option<&UserRecord> {
    match record? {
        Record::User(user) => Some(user),
        _ => None,
    }
}

/// The moments at which something of a record ends.
fn moments(record: &UserRecord) -> Vec<Moment> {
    record.ends().map(Moment::from_millis).collect()
}

/// A user's record before a change and after it, without what had ended.
#[derive(Clone, Copy)]
pub(super) struct RecordPair<'u> {
    pub(super) old: &'u UserRecord,
    pub(super) new: &'u UserRecord,
}

/// The change of a user whose record changes; `fields` are those that files declare from now on, `moved` whether
/// these are other fields than before.
pub(super) fn user_change<'u>(
    view: &mut View,
    id: &'u str,
    fields: DeclaredFields,
    RecordPair { old, new }: RecordPair<'u>,
    moved: bool,
) -> UserChange<'u> {
    let number = view.population.directory.number_or_tombstone(id);
    let was_known = number.is_some_and(|number| view.population.directory.is_known(number));
    let is_known = user_exists(fields, new);
    let comes_or_goes = was_known != is_known;
    let mut change = UserChange { id, ..UserChange::default() };
    change.known = comes_or_goes.then_some(is_known);
    if is_known {
        let recorded = UserFieldValues::from_record(new);
        if comes_or_goes || moved || recorded != UserFieldValues::from_record(old) {
            let current =
                number.map(|number| UserFieldValues::from_population(&view.population, number));
            let current = current.unwrap_or_default();
            let recorded = recorded.map(&mut |name| view.intern_tag(name));
            let merged = UserFieldValues::merge(current.clone(), fields, recorded);
            let (tags, overrides) = merged.into_changes();
            let (current_tags, current_overrides) = current.into_changes();
            change.tags = (comes_or_goes || tags != current_tags).then_some(tags);
            let overrides_change = comes_or_goes || overrides != current_overrides;
            change.overrides = overrides_change.then_some(overrides);
        }
    } else if comes_or_goes {
        change.tags = Some(Vec::new());
        change.overrides = Some(OverridesChange::default());
    }
    change.ties = tie_changes(view, number, old, new);
    change
}

/// The changes of a user's ties, except for what files declare.
fn tie_changes<'u>(
    view: &View,
    number: Option<UserNumber>,
    old: &'u UserRecord,
    new: &'u UserRecord,
) -> Vec<TieChange<'u>> {
    let mut others: BTreeSet<&str> = BTreeSet::new();
    for &relation in Relation::ALL {
        add_difference(&mut others, old.edges(relation), new.edges(relation));
    }
    let population = &view.population;
    let change = |other| {
        let (before, after) = (record_tie(old, other), record_tie(new, other));
        let numbers = number.zip(population.directory.number_or_tombstone(other));
        let declared = numbers
            .map_or(Tie::NONE, |(one, other)| population.outgoing_tie(one, other).declared_part());
        TieChange { other, removed: before.without(after).without(declared), added: after }
    };
    others.into_iter().map(change).collect()
}

/// Adds what only one of two series holds; both are in order.
fn add_difference<'u>(
    to: &mut BTreeSet<&'u str>,
    old: impl Iterator<Item = &'u str>,
    new: impl Iterator<Item = &'u str>,
) {
    let (mut old, mut new) = (old.peekable(), new.peekable());
    while let (Some(one), Some(other)) = (old.peek(), new.peek()) {
        match one.cmp(other) {
            Ordering::Less => to.extend(old.next()),
            Ordering::Greater => to.extend(new.next()),
            Ordering::Equal => {
                old.next();
                new.next();
            }
        }
    }
    to.extend(old.chain(new));
}

/// The tie from a record's user to another.
pub(super) fn record_tie(user: &UserRecord, other: &str) -> Tie {
    let has = |&&relation: &&Relation| user.has_edge(relation, other);
    let ties = Relation::ALL.iter().filter(has).map(|&relation| Tie::from_relation(relation));
    let tie = ties.fold(Tie::NONE, Tie::union);
    // A favorite is a contact.
    if tie.outgoing(Relation::Favorite) {
        tie.union(Tie::from_relation(Relation::Contact))
    } else {
        tie
    }
}
