//! The application of changed files to a view with facts.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    apply_records::record_tie,
    declarations::Declarations,
    facts_source::FactsSource,
    groups as group,
    merge::{UserFieldValues, user_exists},
};
use crate::{
    facts::{Record, RecordKey, RecordKind, UserRecord},
    request::{DeclaredField, DeclaredFields, Moment},
    snapshot::{
        EndIndex, EndOf, OverridesChange, Population, ScheduledEnd, TagId, Tags, Tie, TieChange,
        UserChange, UserNumber, View,
    },
};

/// The users that files declare, compiled alone, with their tags.
#[derive(Clone, Copy)]
pub(super) struct FileUsers<'f> {
    pub(super) population: &'f Population,
    pub(super) tags: &'f Tags,
}

impl<'f> FileUsers<'f> {
    fn tag(&self, tag: TagId) -> &'f str {
        self.tags.name(tag)
    }
}

/// Applies what the files say about users to a view, where it is something else than before.
///
/// Costs a look at each declared user, and the changes of those whose declarations changed.
pub(super) fn apply_users<F: FactsSource>(
    view: &mut View,
    files: FileUsers<'_>,
    facts: &F,
) -> Result<(), F::Error> {
    let ChangedUsers { ids, moved } = changed_users(view, &files);
    let mut changes: Vec<UserChange<'_>> = moved
        .iter()
        .map(|&user| UserChange {
            id: files.population.directory.id(user),
            declared: Some(files.population.declared_fields(user)),
            ..UserChange::default()
        })
        .collect();
    let before = changes.len();
    let records: Vec<UserRecord> = ids
        .iter()
        .map(|id| {
            Ok(match facts.get(&RecordKey::User(id.clone()))? {
                Some(Record::User(user)) => user.at(view.at.millis()).into_owned(),
                _ => UserRecord::default(),
            })
        })
        .collect::<Result<_, F::Error>>()?;
    let ties: Vec<Vec<(String, Tie)>> =
        ids.iter().map(|id| declared_ties(files.population, id)).collect();
    for ((id, record), ties) in ids.iter().zip(&records).zip(&ties) {
        changes.push(user_change(view, &files, id, record, ties));
    }
    // Ties are removed by the ids of the others, which must live as long.
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

/// Replaces the ends of what files declare by those of the files.
pub(super) fn apply_ends(view: &mut View, files: FileUsers<'_>) {
    let number = |view: &mut View, user| view.intern_user(files.population.directory.id(user));
    let ends: Vec<ScheduledEnd> = files
        .population
        .declared_ends
        .iter()
        .map(|end| {
            let of = match end.of {
                EndOf::Tag(tag) => EndOf::Tag(view.intern_tag(files.tag(tag))),
                EndOf::Edge(relation, other) => EndOf::Edge(relation, number(view, other)),
                of @ (EndOf::Moderation
                | EndOf::Record
                | EndOf::GroupRecord
                | EndOf::Mute(_)
                | EndOf::GroupBan(_)) => of,
            };
            ScheduledEnd { user: number(view, end.user), of, ..end }
        })
        .collect();
    let population = Arc::make_mut(&mut view.population);
    population.declared_ends = EndIndex::new(ends);
    population.last_end = population.last_end.max(files.population.last_end);
}

/// Applies the conversations that the files declare to a view.
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

/// Applies the groups and matrices that the files declare to a view. Costs a pass over all groups.
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
        let current = record.as_ref().map(|record| record.at(view.at.millis()));
        let ends = record.iter().flat_map(|record| record.ends()).map(Moment::from_millis);
        let ends: Vec<Moment> = ends.collect();
        if let Some(merged) = group::merge_group(after, id, current.as_deref(), view.at) {
            group::put_group(view, after, id, &merged);
            view.replace_group_ends(id, &[], &ends);
        } else {
            view.replace_group_ends(id, &ends, &[]);
            view.remove_group(id);
        }
    }
    Ok(())
}

/// The users whose declarations differ from what the view holds.
struct ChangedUsers {
    /// The ids of users whose declarations changed.
    ids: Vec<String>,
    /// The numbers, in the files, of users whose declarations only moved.
    moved: Vec<UserNumber>,
}

fn changed_users(view: &View, files: &FileUsers<'_>) -> ChangedUsers {
    let old = &view.population;
    let directory = &files.population.directory;
    let mut changed = ChangedUsers { ids: Vec::new(), moved: Vec::new() };
    let numbers: Vec<Option<UserNumber>> = directory
        .numbers()
        .map(|user| old.directory.number_or_tombstone(directory.id(user)))
        .collect();
    let number = |user: UserNumber| numbers.get(user.index()).copied().flatten();
    let tag = |tag: TagId| view.tags.get(files.tag(tag));
    for user in directory.numbers() {
        let fields = files.population.declared_fields(user);
        let is_same = number(user).is_some_and(|known| {
            fields == old.declared_fields(known).with_site(fields.site())
                && same_fields(files.population, user, old, known, &tag)
                && same_ties(files.population, user, old, known, &number)
        });
        if !is_same {
            changed.ids.push(directory.id(user).to_owned());
        } else if number(user).is_some_and(|known| fields != old.declared_fields(known)) {
            changed.moved.push(user);
        }
    }
    let declared_before = old
        .directory
        .numbers()
        .filter(|&user| old.declared_fields(user).contains(DeclaredField::Itself));
    let undeclared = declared_before.map(|user| old.directory.id(user));
    changed.ids.extend(undeclared.filter(|id| directory.number(id).is_none()).map(str::to_owned));
    changed
}

/// Whether a view holds the fields that files declare of a user as they declare them.
fn same_fields(
    files: &Population,
    user: UserNumber,
    old: &Population,
    known: UserNumber,
    tag: &impl Fn(TagId) -> Option<TagId>,
) -> bool {
    let ((new, new_conditions), (held, conditions)) = (files.overrides(user), old.overrides(known));
    let has_names = |population: &Population, user: UserNumber| {
        population.own_audiences.of_user(user).next().is_some()
            || population.own_switches.of_user(user).next().is_some()
    };
    // Most users have no record, and their fields need not be compared one by one.
    if new == held
        && !has_names(files, user)
        && !has_names(old, known)
        && new_conditions.is_empty()
        && conditions.is_empty()
        && same_tags(files, user, old, known, tag)
    {
        return true;
    }
    let fields = files.declared_fields(user);
    let declared = UserFieldValues::from_population(files, user).declared_part(fields);
    let held = UserFieldValues::from_population(old, known).declared_part(fields);
    // A tag that the view does not know equals no tag of the view.
    declared.map(&mut |&it| tag(it)) == held.map(&mut |&it| Some(it))
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

/// The ties that files declare of a user, with the others' ids.
fn declared_ties(files: &Population, id: &str) -> Vec<(String, Tie)> {
    let rows = files.directory.number(id).into_iter().flat_map(|user| files.ties_of(user));
    let of_files = rows.map(|(other, tie)| (other, tie.outgoing_part().declared_part()));
    let of_files = of_files.filter(|(_, tie)| !tie.is_none());
    of_files.map(|(other, tie)| (files.directory.id(other).to_owned(), tie)).collect()
}

/// A tie that files no longer declare.
struct RemovedTie {
    other: String,
    /// The part that the record doesn't hold either.
    less: Tie,
    /// The part that the record holds: a declared friendship that counted as ended was not the record's.
    more: Tie,
}

/// The ties of a user that files no longer declare.
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

/// The change of a user whose declarations changed.
fn user_change<'u>(
    view: &mut View,
    files: &FileUsers<'_>,
    id: &'u str,
    record: &UserRecord,
    ties: &'u [(String, Tie)],
) -> UserChange<'u> {
    let in_files = files.population.directory.number(id);
    let fields = in_files
        .map_or_else(DeclaredFields::default, |user| files.population.declared_fields(user));
    let known = user_exists(fields, record);
    let mut change = UserChange { id, ..UserChange::default() };
    (change.known, change.declared) = (Some(known), Some(fields));
    change.ties = ties
        .iter()
        .map(|(other, tie)| TieChange { other, removed: Tie::NONE, added: *tie })
        .collect();
    if !known {
        (change.tags, change.overrides) = (Some(Vec::new()), Some(OverridesChange::default()));
        return change;
    }
    let declared = in_files.map(|user| UserFieldValues::from_population(files.population, user));
    let declared = declared.unwrap_or_default().map(&mut |&tag| view.intern_tag(files.tag(tag)));
    let recorded = UserFieldValues::from_record(record).map(&mut |name| view.intern_tag(name));
    let (tags, overrides) = UserFieldValues::merge(declared, fields, recorded).into_changes();
    (change.tags, change.overrides) = (Some(tags), Some(overrides));
    change
}
