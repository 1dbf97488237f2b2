use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    slice,
};

use super::{Declarations, groups, rules};
use crate::{
    facts::{Record, RecordKey, SwitchSetting, UserRecord},
    policy,
    request::{DeclaredField, DeclaredFields, Moderation, Relation, Switch},
    snapshot::{OverridesChange, RecordOverrides, Tie, TieChange, UserChange, UserNumber, View},
};

pub use crate::facts::RecordChange as Changed;

/// Has a view follow records that changed, in the order in which they did.
///
/// What files state stays as they state it. Costs what the records say, and the pages, rows and sets
/// that it concerns; of rules, all rules.
pub fn apply_records(view: &mut View, basis: &Declarations, changes: &[Changed]) {
    let nobody = UserRecord::default();
    let mut users: BTreeMap<&String, (&UserRecord, &UserRecord)> = BTreeMap::new();
    let mut conversations = Vec::new();
    let mut has_rules = false;
    for Changed { key, old, new } in changes {
        match key {
            RecordKey::User(id) => {
                let (old, new) = (user(old.as_deref()), user(new.as_deref()));
                let (old, new) = (old.unwrap_or(&nobody), new.unwrap_or(&nobody));
                // Of one who changed more than once, what he was first and is last.
                users.entry(id).or_insert((old, new)).1 = new;
            }
            RecordKey::Conversation(one, other) => {
                let is_open = new.is_some() || basis.conversation_place(one, other).is_some();
                conversations.push((one.as_str(), other.as_str(), is_open));
            }
            RecordKey::Rule(_) => has_rules = true,
            RecordKey::Group(_) | RecordKey::Idempotency(_) => {}
        }
    }
    let of_users: Vec<UserChange<'_>> =
        users.iter().map(|(id, (old, new))| user_change(view, id, old, new)).collect();
    if !of_users.is_empty() || !conversations.is_empty() {
        view.apply_changes(&of_users, &conversations);
    }
    for Changed { key, new, .. } in changes {
        if let RecordKey::Group(id) = key {
            let record = match new.as_deref() {
                Some(Record::Group(group)) => Some(&**group),
                _ => None,
            };
            match groups::merge_group(basis, id, record) {
                Some(group) => groups::put_group(view, basis, &group),
                None => view.groups.remove(id),
            }
        }
    }
    if has_rules {
        rules::apply_rule_changes(view, basis, changes);
    }
}

/// Has a view follow what changed while it was made, from records of some moment in between.
///
/// One by one, and not what all of it comes to: who is again what he was in the beginning may not
/// have been at that moment. Costs what following each change costs.
pub fn replay_changes(view: &mut View, basis: &Declarations, changes: &[Changed]) {
    for change in changes {
        apply_records(view, basis, slice::from_ref(change));
    }
}

fn user(record: Option<&Record>) -> Option<&UserRecord> {
    match record? {
        Record::User(user) => Some(user),
        _ => None,
    }
}

/// What becomes of a user whose record changes.
fn user_change<'u>(
    view: &mut View,
    id: &'u str,
    old: &'u UserRecord,
    new: &'u UserRecord,
) -> UserChange<'u> {
    let number = view.population.directory.number_or_tombstone(id);
    let stated = number
        .map_or_else(DeclaredFields::default, |number| view.population.declared_fields(number));
    let was_known = number.is_some_and(|number| view.population.directory.is_known(number));
    let is_known = new.created || stated.contains(DeclaredField::Itself);
    let comes_or_goes = was_known != is_known;
    let mut change = UserChange { id, ..UserChange::default() };
    change.known = comes_or_goes.then_some(is_known);
    if is_known {
        if !stated.contains(DeclaredField::Tags) && (comes_or_goes || old.tags != new.tags) {
            let names = new.tags.iter().flatten();
            let mut tags: Vec<_> = names.map(|name| view.intern_tag(name)).collect();
            tags.sort_unstable();
            change.tags = Some(tags);
        }
        if comes_or_goes || override_fields(old) != override_fields(new) {
            change.overrides = Some(record_overrides(view, number, stated, new));
        }
    } else if comes_or_goes {
        change.tags = Some(Vec::new());
        change.overrides = Some(OverridesChange::default());
    }
    change.ties = tie_changes(view, number, old, new);
    change
}

/// What of a record sets something over the policy.
fn override_fields(user: &UserRecord) -> impl PartialEq + '_ {
    (user.peers, user.moderation, user.approval, &user.permissions)
}

/// What the record of a user sets, and over it what files state of him, as the view has it.
pub(super) fn record_overrides(
    view: &mut View,
    number: Option<UserNumber>,
    stated: DeclaredFields,
    record: &UserRecord,
) -> OverridesChange {
    let of_files = number.map(|number| {
        let (own, conditions) = view.population.overrides(number);
        (own, conditions.to_vec())
    });
    let (of_files, file_conditions) = of_files.unwrap_or_default();
    let mut own = RecordOverrides::default();
    let mut conditions = Vec::new();
    own = own.with_moderation(if stated.contains(DeclaredField::Moderation) {
        of_files.moderation()
    } else {
        record.moderation.unwrap_or(Moderation::None)
    });
    let peers = if stated.contains(DeclaredField::Peers) { of_files.peers() } else { record.peers };
    if let Some(mode) = peers {
        own = own.with_peers(mode);
    }
    let approval = if stated.contains(DeclaredField::Approval) {
        of_files.approval()
    } else {
        record.approval
    };
    if let Some(approval) = approval {
        own = own.with_approval(approval);
    }
    for &switch in Switch::ALL {
        if stated.contains(DeclaredField::Permission(switch)) {
            if let Some(on) = of_files.switch(switch) {
                own = own.with_switch(switch, on);
            }
            let stated = file_conditions.iter().filter(|(_, set, _)| *set == switch);
            conditions.extend(stated.map(|(_, switch, when)| (*switch, when.clone())));
            continue;
        }
        match record.permissions.get(&switch) {
            None => {}
            Some(SwitchSetting::Always(on)) => own = own.with_switch(switch, *on),
            Some(SwitchSetting::When(text)) => match policy::parse_condition(text) {
                Ok(when) => conditions.push((switch, when.map(&mut |tag| view.intern_tag(tag)))),
                // Only what was checked is ever stored; what can't be read refuses.
                Err(_) => own = own.with_switch(switch, false),
            },
        }
    }
    (own, conditions)
}

/// What changes in what a user is to others, but for what files state of that.
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
        let of_files = numbers
            .map_or(Tie::NONE, |(one, other)| population.outgoing_tie(one, other).declared_part());
        TieChange { other, removed: before.without(after).without(of_files), added: after }
    };
    others.into_iter().map(change).collect()
}

/// Adds what one of two series has and the other has not; both are in order.
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

/// What a record says that its user is to another.
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
