use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    slice,
};

use super::{Basis, groups, rules};
use crate::{
    facts::{Key, Record, Setting, User},
    policy,
    request::{Field, Moderation, Relation, Stated, Switch},
    snapshot::{Own, OwnChange, Tie, TieChange, UserChange, View},
};

pub use crate::facts::Change as Changed;

/// Has a view follow records that changed, in the order in which they did.
///
/// What files state stays as they state it. Costs what the records say, and the pages, rows and sets
/// that it concerns; of rules, all rules.
pub fn follow(view: &mut View, basis: &Basis, changes: &[Changed]) {
    let nobody = User::default();
    let mut users: BTreeMap<&String, (&User, &User)> = BTreeMap::new();
    let mut conversations = Vec::new();
    let mut has_rules = false;
    for Changed { key, old, new } in changes {
        match key {
            Key::User(id) => {
                let (old, new) = (user(old.as_deref()), user(new.as_deref()));
                let (old, new) = (old.unwrap_or(&nobody), new.unwrap_or(&nobody));
                // Of one who changed more than once, what he was first and is last.
                users.entry(id).or_insert((old, new)).1 = new;
            }
            Key::Conversation(one, other) => {
                let is_open = new.is_some() || basis.conversation(one, other).is_some();
                conversations.push((one.as_str(), other.as_str(), is_open));
            }
            Key::Rule(_) => has_rules = true,
            Key::Group(_) | Key::Once(_) => {}
        }
    }
    let of_users: Vec<UserChange<'_>> =
        users.iter().map(|(id, (old, new))| user_change(view, id, old, new)).collect();
    if !of_users.is_empty() || !conversations.is_empty() {
        view.follow(&of_users, &conversations);
    }
    for Changed { key, new, .. } in changes {
        if let Key::Group(id) = key {
            let record = match new.as_deref() {
                Some(Record::Group(group)) => Some(&**group),
                _ => None,
            };
            match groups::merged(basis, id, record) {
                Some(group) => groups::put(view, basis, &group),
                None => view.groups.remove(id),
            }
        }
    }
    if has_rules {
        rules::follow(view, basis, changes);
    }
}

/// Has a view follow what changed while it was made, from records of some moment in between.
///
/// One by one, and not what all of it comes to: who is again what he was in the beginning may not
/// have been at that moment. Costs what following each change costs.
pub fn catch_up(view: &mut View, basis: &Basis, changes: &[Changed]) {
    for change in changes {
        follow(view, basis, slice::from_ref(change));
    }
}

fn user(record: Option<&Record>) -> Option<&User> {
    match record? {
        Record::User(user) => Some(user),
        _ => None,
    }
}

/// What becomes of a user whose record changes.
fn user_change<'u>(view: &mut View, id: &'u str, old: &'u User, new: &'u User) -> UserChange<'u> {
    let number = view.population.directory.number_of_any(id);
    let stated = number.map_or_else(Stated::default, |number| view.population.stated(number));
    let was_known = number.is_some_and(|number| view.population.directory.is_known(number));
    let is_known = new.created || stated.has(Field::Itself);
    let comes_or_goes = was_known != is_known;
    let mut change = UserChange { id, ..UserChange::default() };
    change.known = comes_or_goes.then_some(is_known);
    if is_known {
        if !stated.has(Field::Tags) && (comes_or_goes || old.tags != new.tags) {
            let names = new.tags.iter().flatten();
            let mut tags: Vec<_> = names.map(|name| view.tag(name)).collect();
            tags.sort_unstable();
            change.tags = Some(tags);
        }
        if comes_or_goes || own_fields(old) != own_fields(new) {
            change.own = Some(own(view, number, stated, new));
        }
    } else if comes_or_goes {
        change.tags = Some(Vec::new());
        change.own = Some(OwnChange::default());
    }
    change.ties = ties(view, number, old, new);
    change
}

/// What of a record sets something over the policy.
fn own_fields(user: &User) -> impl PartialEq + '_ {
    (user.peers, user.moderation, user.approval, &user.permissions)
}

/// What the record of a user sets, and over it what files state of him, as the view has it.
pub(super) fn own(
    view: &mut View,
    number: Option<u32>,
    stated: Stated,
    record: &User,
) -> OwnChange {
    let of_files = number.map(|number| {
        let (own, conditions) = view.population.own(number);
        (own, conditions.to_vec())
    });
    let (of_files, file_conditions) = of_files.unwrap_or_default();
    let mut own = Own::default();
    let mut conditions = Vec::new();
    own = own.moderated(if stated.has(Field::Moderation) {
        of_files.moderation()
    } else {
        record.moderation.unwrap_or(Moderation::None)
    });
    let peers = if stated.has(Field::Peers) { of_files.own_peers() } else { record.peers };
    if let Some(mode) = peers {
        own = own.peers(mode);
    }
    let approval =
        if stated.has(Field::Approval) { of_files.own_approval() } else { record.approval };
    if let Some(approval) = approval {
        own = own.approval(approval);
    }
    for &switch in Switch::ALL {
        if stated.has(Field::Permission(switch)) {
            if let Some(on) = of_files.own_switch(switch) {
                own = own.switch(switch, on);
            }
            let stated = file_conditions.iter().filter(|(_, set, _)| *set == switch);
            conditions.extend(stated.map(|(_, switch, when)| (*switch, when.clone())));
            continue;
        }
        match record.permissions.get(&switch) {
            None => {}
            Some(Setting::Always(on)) => own = own.switch(switch, *on),
            Some(Setting::When(text)) => match policy::condition(text) {
                Ok(when) => conditions.push((switch, when.map(&mut |tag| view.tag(tag)))),
                // Only what was checked is ever stored; what can't be read refuses.
                Err(_) => own = own.switch(switch, false),
            },
        }
    }
    (own, conditions)
}

/// What changes in what a user is to others, but for what files state of that.
fn ties<'u>(view: &View, number: Option<u32>, old: &'u User, new: &'u User) -> Vec<TieChange<'u>> {
    let mut others: BTreeSet<&str> = BTreeSet::new();
    for &relation in Relation::ALL {
        add_changed(&mut others, old.edges(relation), new.edges(relation));
    }
    let population = &view.population;
    let change = |other| {
        let (before, after) = (tie(old, other), tie(new, other));
        let numbers = number.zip(population.directory.number_of_any(other));
        let of_files =
            numbers.map_or(Tie::NONE, |(one, other)| population.outward(one, other).of_files());
        TieChange { other, less: before.without(after).without(of_files), more: after }
    };
    others.into_iter().map(change).collect()
}

/// Adds what one of two series has and the other has not; both are in order.
fn add_changed<'u>(
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
pub(super) fn tie(user: &User, other: &str) -> Tie {
    let has = |&&relation: &&Relation| user.has(relation, other);
    let ties = Relation::ALL.iter().filter(has).map(|&relation| Tie::to_other(relation));
    let tie = ties.fold(Tie::NONE, Tie::and);
    // A favorite is a contact.
    if tie.to(Relation::Favorite) { tie.and(Tie::to_other(Relation::Contact)) } else { tie }
}
