use std::collections::BTreeSet;

use super::{
    Declarations, FactsSource,
    apply_records::{record_overrides, record_tie},
    groups as group,
};
use crate::{
    facts::{Record, RecordKey, RecordKind, UserRecord},
    request::{Condition, DeclaredField, DeclaredFields, Switch},
    snapshot::{Population, RecordOverrides, TagId, Tie, TieChange, UserChange, UserNumber, View},
};

/// Has a view follow what files say of users, where that is something else than before.
///
/// Costs a look at each user whom files state, and for those of whom they say something else, what
/// is to be changed.
pub(super) fn apply_users<F: FactsSource>(
    view: &mut View,
    files: &Population,
    names: &[String],
    facts: &F,
) -> Result<(), F::Error> {
    let (ids, moved) = changed_users(view, files, names);
    let mut changes: Vec<UserChange<'_>> = moved
        .iter()
        .map(|&user| UserChange {
            id: files.directory.id(user),
            declared: Some(files.declared_fields(user)),
            ..UserChange::default()
        })
        .collect();
    let before = changes.len();
    let records: Vec<UserRecord> = ids
        .iter()
        .map(|id| {
            Ok(match facts.get(&RecordKey::User(id.clone()))? {
                Some(Record::User(user)) => *user,
                _ => UserRecord::default(),
            })
        })
        .collect::<Result<_, F::Error>>()?;
    let ties: Vec<Vec<(String, Tie)>> = ids.iter().map(|id| declared_ties(files, id)).collect();
    for ((id, record), ties) in ids.iter().zip(&records).zip(&ties) {
        changes.push(user_change(view, files, names, id, record, ties));
    }
    // What a user is to others who are told to be gone is taken away by name, so names must last.
    let gone: Vec<Vec<RemovedTie>> = ids
        .iter()
        .zip(&records)
        .zip(&ties)
        .map(|((id, record), ties)| removed_ties(view, id, record, ties))
        .collect();
    for (change, gone) in changes.iter_mut().skip(before).zip(&gone) {
        let less = gone.iter();
        change.ties.extend(less.map(|RemovedTie { other, less, more }| TieChange {
            other,
            removed: *less,
            added: *more,
        }));
    }
    view.apply_changes(&changes, &[]);
    Ok(())
}

/// Has a view follow which conversations files state.
pub(super) fn apply_conversations<F: FactsSource>(
    view: &mut View,
    before: &Declarations,
    after: &Declarations,
    facts: &F,
) -> Result<(), F::Error> {
    let mut changes = Vec::new();
    for pair in before.conversations.keys() {
        let (one, other) = pair;
        if !after.conversations.contains_key(pair)
            && facts.get(&RecordKey::conversation(one, other))?.is_none()
        {
            changes.push((one.as_str(), other.as_str(), false));
        }
    }
    let new = after.conversations.keys().filter(|pair| !before.conversations.contains_key(*pair));
    changes.extend(new.map(|(one, other)| (one.as_str(), other.as_str(), true)));
    if !changes.is_empty() {
        view.apply_changes(&[], &changes);
    }
    Ok(())
}

/// Has a view follow which groups and matrices files state. Costs a pass over all groups.
pub(super) fn apply_groups<F: FactsSource>(
    view: &mut View,
    before: &Declarations,
    after: &Declarations,
    facts: &F,
) -> Result<(), F::Error> {
    let mut ids: BTreeSet<String> = BTreeSet::new();
    ids.extend(before.groups.iter().chain(&after.groups).map(|group| group.id.clone()));
    facts.each(RecordKind::Group, &mut |key, _| {
        if let RecordKey::Group(id) = key {
            ids.insert(id);
        }
    })?;
    for id in &ids {
        let record = match facts.get(&RecordKey::Group(id.clone()))? {
            Some(Record::Group(group)) => Some(group),
            _ => None,
        };
        match group::merge_group(after, id, record.as_deref()) {
            Some(merged) => group::put_group(view, after, &merged),
            None => view.groups.remove(id),
        }
    }
    Ok(())
}

/// The ids of users of whom files say something else than the view holds as stated; and by their
/// numbers in the files, those of whom they say the same elsewhere.
fn changed_users(
    view: &View,
    files: &Population,
    names: &[String],
) -> (Vec<String>, Vec<UserNumber>) {
    let old = &view.population;
    let (mut ids, mut moved) = (Vec::new(), Vec::new());
    let numbers: Vec<Option<UserNumber>> = files
        .directory
        .numbers()
        .map(|user| old.directory.number_or_tombstone(files.directory.id(user)))
        .collect();
    let number = |user: UserNumber| numbers.get(user.index()).copied().flatten();
    let tag = |tag: TagId| names.get(tag.index()).and_then(|name| view.tags.get(name));
    for user in files.directory.numbers() {
        let stated = files.declared_fields(user);
        let is_same = number(user).is_some_and(|known| {
            stated == old.declared_fields(known).with_site(stated.site())
                && (!stated.contains(DeclaredField::Tags)
                    || same_tags(files, user, old, known, &tag))
                && same_own(files, user, old, known, &tag)
                && same_ties(files, user, old, known, &number)
        });
        if !is_same {
            ids.push(files.directory.id(user).to_owned());
        } else if number(user).is_some_and(|known| stated != old.declared_fields(known)) {
            moved.push(user);
        }
    }
    let stated_before = old
        .directory
        .numbers()
        .filter(|&user| old.declared_fields(user).contains(DeclaredField::Itself));
    let unstated = stated_before.map(|user| old.directory.id(user));
    ids.extend(unstated.filter(|id| files.directory.number(id).is_none()).map(str::to_owned));
    (ids, moved)
}

fn same_tags(
    files: &Population,
    user: UserNumber,
    old: &Population,
    known: UserNumber,
    tag: &impl Fn(TagId) -> Option<TagId>,
) -> bool {
    let (new, old) = (files.directory.tags(user), old.directory.tags(known));
    new.len() == old.len() && new.iter().all(|it| tag(it).is_some_and(|it| old.contains(it)))
}

fn same_own(
    files: &Population,
    user: UserNumber,
    old: &Population,
    known: UserNumber,
    tag: &impl Fn(TagId) -> Option<TagId>,
) -> bool {
    let stated = files.declared_fields(user);
    let ((new, new_conditions), (own, conditions)) = (files.overrides(user), old.overrides(known));
    let mut unknown = TagId(u32::MAX);
    let mut bound = |condition: &Condition<TagId>| {
        condition.map(&mut |&it: &TagId| {
            tag(it).unwrap_or_else(|| {
                unknown.0 -= 1;
                unknown
            })
        })
    };
    let of = |all: &[(UserNumber, Switch, Condition<TagId>)], switch| {
        all.iter().find(|(_, set, _)| *set == switch).map(|(_, _, when)| when.clone())
    };
    (!stated.contains(DeclaredField::Moderation) || new.moderation() == own.moderation())
        && (!stated.contains(DeclaredField::Peers) || new.peers() == own.peers())
        && (!stated.contains(DeclaredField::Approval) || new.approval() == own.approval())
        && Switch::ALL.iter().all(|&switch| {
            !stated.contains(DeclaredField::Permission(switch))
                || new.switch(switch) == own.switch(switch)
                    && of(new_conditions, switch).map(|when| bound(&when)) == of(conditions, switch)
        })
}

fn same_ties(
    files: &Population,
    user: UserNumber,
    old: &Population,
    known: UserNumber,
    number: &impl Fn(UserNumber) -> Option<UserNumber>,
) -> bool {
    let of_files = |(other, tie): (UserNumber, Tie)| (other, tie.outgoing_part().declared_part());
    let new = files.ties_of(user).map(of_files).filter(|(_, tie)| !tie.is_none());
    let mut new: Vec<_> = new.map(|(other, tie)| (number(other), tie)).collect();
    let old = old.ties_of(known).map(of_files).filter(|(_, tie)| !tie.is_none());
    let mut old: Vec<_> = old.map(|(other, tie)| (Some(other), tie)).collect();
    new.sort_unstable_by_key(|(other, _)| *other);
    old.sort_unstable_by_key(|(other, _)| *other);
    new == old
}

/// What a user is to others as files state it, with the others' ids.
fn declared_ties(files: &Population, id: &str) -> Vec<(String, Tie)> {
    let rows = files.directory.number(id).into_iter().flat_map(|user| files.ties_of(user));
    let of_files = rows.map(|(other, tie)| (other, tie.outgoing_part().declared_part()));
    let of_files = of_files.filter(|(_, tie)| !tie.is_none());
    of_files.map(|(other, tie)| (files.directory.id(other).to_owned(), tie)).collect()
}

/// What files no longer state that a user is to another.
struct RemovedTie {
    other: String,
    /// What the record doesn't say either.
    less: Tie,
    /// What the record says: a friendship that counted as ended was none of its.
    more: Tie,
}

/// What of a user's ties files stated that they no longer state.
fn removed_ties(
    view: &View,
    id: &str,
    record: &UserRecord,
    now: &[(String, Tie)],
) -> Vec<RemovedTie> {
    let population = &view.population;
    let number = population.directory.number_or_tombstone(id);
    let mut gone = Vec::new();
    for (other, is) in number.into_iter().flat_map(|user| population.ties_of(user)) {
        let before = is.outgoing_part().declared_part();
        if before.is_none() {
            continue;
        }
        let other = population.directory.id(other);
        let stated = now.iter().find(|(known, _)| known == other).map_or(Tie::NONE, |it| it.1);
        let more = record_tie(record, other);
        let less = before.without(stated).without(more);
        if !less.is_none() {
            gone.push(RemovedTie { other: other.to_owned(), less, more });
        }
    }
    gone
}

/// What becomes of a user of whom files say something else.
fn user_change<'u>(
    view: &mut View,
    files: &Population,
    names: &[String],
    id: &'u str,
    record: &UserRecord,
    ties: &'u [(String, Tie)],
) -> UserChange<'u> {
    let in_files = files.directory.number(id);
    let stated = in_files.map_or_else(DeclaredFields::default, |user| files.declared_fields(user));
    let known = stated.contains(DeclaredField::Itself) || record.created;
    let mut change = UserChange { id, ..UserChange::default() };
    (change.known, change.declared) = (Some(known), Some(stated));
    change.ties = ties
        .iter()
        .map(|(other, more)| TieChange { other, removed: Tie::NONE, added: *more })
        .collect();
    if !known {
        (change.tags, change.overrides) = (Some(Vec::new()), Some(Default::default()));
        return change;
    }
    let mut tags: Vec<TagId> = match in_files.filter(|_| stated.contains(DeclaredField::Tags)) {
        Some(user) => {
            let of_files = files.directory.tags(user);
            of_files
                .iter()
                .filter_map(|tag| names.get(tag.index()))
                .map(|name| view.intern_tag(name))
                .collect()
        }
        None => record.tags.iter().flatten().map(|name| view.intern_tag(name)).collect(),
    };
    tags.sort_unstable();
    change.tags = Some(tags);
    // Of the record alone, and over it what files set.
    let (mut all, mut conditions) = record_overrides(view, None, DeclaredFields::default(), record);
    if let Some(user) = in_files {
        let (said, said_conditions) = files.overrides(user);
        all = merge_overrides(all, said, stated);
        conditions.retain(|(switch, _)| !stated.contains(DeclaredField::Permission(*switch)));
        for (_, switch, when) in said_conditions {
            let mut name = |tag: &TagId| {
                let name = names.get(tag.index()).map_or("", String::as_str);
                view.intern_tag(name)
            };
            conditions.push((*switch, when.map(&mut name)));
        }
    }
    change.overrides = Some((all, conditions));
    change
}

/// What files set over what a record sets.
fn merge_overrides(
    record: RecordOverrides,
    files: RecordOverrides,
    stated: DeclaredFields,
) -> RecordOverrides {
    let mut own = RecordOverrides::default();
    let moderation = if stated.contains(DeclaredField::Moderation) {
        files.moderation()
    } else {
        record.moderation()
    };
    own = own.with_moderation(moderation);
    let peers = if stated.contains(DeclaredField::Peers) { files.peers() } else { record.peers() };
    if let Some(mode) = peers {
        own = own.with_peers(mode);
    }
    let approval =
        if stated.contains(DeclaredField::Approval) { files.approval() } else { record.approval() };
    if let Some(approval) = approval {
        own = own.with_approval(approval);
    }
    for &switch in Switch::ALL {
        let said = if stated.contains(DeclaredField::Permission(switch)) { files } else { record };
        if let Some(on) = said.switch(switch) {
            own = own.with_switch(switch, on);
        }
    }
    own
}
