//! The advance of a view to a later moment.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    apply_records::{RecordPair, record_tie, user_change},
    concerned::ConcernedFinder,
    declarations::Declarations,
    facts_source::{FactsSource, NoFacts},
    groups,
    windows::set_windows,
};
use crate::{
    facts::{GroupRecord, Record, RecordKey, UserRecord},
    request::{DeclaredField, Moment, Relation, Windows},
    snapshot::{
        Concerned, EndOf, GroupNumber, ScheduledEnd, Tie, TieChange, UserChange, UserNumber, View,
    },
};

/// The outcome of an advance of a view.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Advance {
    /// Whether anything that decisions read has changed, or what changes next.
    pub has_changed: bool,
    /// Those whose answers may differ.
    pub concerned: Concerned,
}

/// Advances a view to a later moment: what has ended by then leaves it, all at once, and windows open and close.
/// Windows are right at earlier moments too.
///
/// Costs a look at the records of the users of whom something has ended, and what the changes cost.
///
/// # Errors
/// If a record can't be read; then the view is as it was.
pub fn advance_with_records<F: FactsSource>(
    view: &mut View,
    now: Moment,
    declarations: &Declarations,
    facts: &F,
) -> Result<Advance, F::Error> {
    let ended = remove_ended(view, now, declarations, facts)?;
    view.at = now;
    let windows = view.windows.at(now);
    // The next edge counts too: it is what the next advance waits for.
    let is_other = *view.windows != windows;
    let open = |windows: &Windows| windows.iter().map(|(_, is_open)| is_open).collect::<Vec<_>>();
    let opens_or_closes = is_other && open(&view.windows) != open(&windows);
    set_windows(view, windows);
    let has_changed = ended.is_some() || is_other;
    let concerned = if opens_or_closes { Concerned::all() } else { ended.unwrap_or_default() };
    Ok(Advance { has_changed, concerned })
}

/// Advances a view without records, as [`advance_with_records`] does.
pub fn advance(view: &mut View, now: Moment) -> Advance {
    let Ok(advance) = advance_with_records(view, now, &Declarations::default(), &NoFacts);
    advance
}

/// Takes what has ended out of a view; returns whom it concerns, if there was any.
fn remove_ended<F: FactsSource>(
    view: &mut View,
    now: Moment,
    declarations: &Declarations,
    facts: &F,
) -> Result<Option<Concerned>, F::Error> {
    if view.next_end().is_none_or(|next| next > now) {
        return Ok(None);
    }
    let last = view.at.millis();
    let mut advanced = view.clone();
    let due = advanced.take_due_ends(now);
    let mut users: BTreeMap<UserNumber, Vec<ScheduledEnd>> = BTreeMap::new();
    let mut groups: BTreeMap<String, BTreeSet<UserNumber>> = BTreeMap::new();
    for end in due {
        let number = GroupNumber(end.user.0);
        let restricted = match end.of {
            EndOf::GroupRecord => None,
            EndOf::Mute(user) => {
                advanced.groups.unmute(number, user);
                Some(user)
            }
            EndOf::GroupBan(user) => {
                advanced.groups.unban(number, user);
                Some(user)
            }
            EndOf::Record | EndOf::Tag(_) | EndOf::Moderation | EndOf::Edge(..) => {
                users.entry(end.user).or_default().push(end);
                continue;
            }
        };
        if let Some(group) = advanced.groups.get(number) {
            groups.entry(group.id.to_owned()).or_default().extend(restricted);
        }
    }
    let mut pending = Vec::with_capacity(users.len());
    for (user, ends) in users {
        let id = advanced.population.directory.id(user).to_owned();
        let record = match facts.get(&RecordKey::User(id.clone()))? {
            Some(Record::User(record)) => *record,
            _ => UserRecord::default(),
        };
        // The view holds what was in force just before the first of these ends.
        let first = ends.first().map_or(0, |end| end.at.millis()).saturating_sub(1);
        let (before, after) = (record.at(first).into_owned(), record.at(now.millis()).into_owned());
        pending.push(PendingUser { id, user, ends, before, after });
    }
    let others: Vec<Vec<OtherTie>> =
        pending.iter().map(|one| one.declared_ties(&advanced)).collect();
    let changes: Vec<UserChange<'_>> = pending
        .iter()
        .zip(&others)
        .map(|(one, others)| one.change(&mut advanced, others))
        .collect();
    advanced.apply_changes(&changes, &[]);
    let mut pending_groups = Vec::with_capacity(groups.len());
    for (id, restricted) in groups {
        let record = match facts.get(&RecordKey::Group(id.clone()))? {
            Some(Record::Group(group)) => Some(*group),
            _ => None,
        };
        let after = record.as_ref().map(|record| record.at(now.millis()).into_owned());
        if let Some(group) = groups::merge_group(declarations, &id, after.as_ref(), now) {
            groups::put_group(&mut advanced, declarations, &id, &group);
        }
        let before = record.map(|record| record.at(last).into_owned()).unwrap_or_default();
        let after = after.unwrap_or_default();
        pending_groups.push(PendingGroup { id, restricted, before, after });
    }
    let concerned = concerned_by_ends([view, &advanced], &pending, &pending_groups);
    *view = advanced;
    Ok(Some(concerned))
}

/// Those whose answers may differ after the ends of some users and groups.
fn concerned_by_ends(
    views: [&View; 2],
    users: &[PendingUser],
    groups: &[PendingGroup],
) -> Concerned {
    let id = |user| views[0].population.directory.id(user);
    let mut finder = ConcernedFinder::new(views);
    for user in users {
        finder.add_user_change(&user.id, &user.before, &user.after);
        for end in &user.ends {
            match end.of {
                EndOf::Edge(_, other) => {
                    finder.concerned.add_user(&user.id);
                    finder.concerned.add_user(id(other));
                }
                EndOf::Tag(_) | EndOf::Moderation => {
                    finder.concerned.add_user(&user.id);
                    finder.add_groups_around(&user.id, false);
                }
                EndOf::Record | EndOf::GroupRecord | EndOf::Mute(_) | EndOf::GroupBan(_) => {}
            }
        }
    }
    for group in groups {
        finder.add_group_change(&group.id, &group.before, &group.after);
        for &user in &group.restricted {
            finder.concerned.add_group(&group.id);
            finder.concerned.add_user(id(user));
        }
    }
    finder.concerned
}

/// A group of which something has ended.
struct PendingGroup {
    id: String,
    /// The users whose mute or ban by a file has ended.
    restricted: BTreeSet<UserNumber>,
    /// The record before and after, without what had ended.
    before: GroupRecord,
    after: GroupRecord,
}

/// A user of whom something has ended.
struct PendingUser {
    id: String,
    user: UserNumber,
    ends: Vec<ScheduledEnd>,
    /// The record before and after, without what had ended.
    before: UserRecord,
    after: UserRecord,
}

/// The tie to another user of which something that files declare has ended.
struct OtherTie {
    other: String,
    removed: Tie,
    added: Tie,
}

impl PendingUser {
    /// The changes of ties that files declare.
    fn declared_ties(&self, view: &View) -> Vec<OtherTie> {
        let population = &view.population;
        let mut ended: BTreeMap<UserNumber, Vec<Relation>> = BTreeMap::new();
        for end in &self.ends {
            if let EndOf::Edge(relation, other) = end.of {
                ended.entry(other).or_default().push(relation);
            }
        }
        let change = |(other, relations): (UserNumber, Vec<Relation>)| {
            let is = population.outgoing_tie(self.user, other);
            let rest = relations.iter().fold(is, |tie, &it| tie.without(Tie::from_declared(it)));
            let id = population.directory.id(other).to_owned();
            let rest = rest.declared_part().union(record_tie(&self.after, &id));
            OtherTie { other: id, removed: is, added: rest }
        };
        ended.into_iter().map(change).collect()
    }

    fn change<'u>(&'u self, view: &mut View, others: &'u [OtherTie]) -> UserChange<'u> {
        let population = &view.population;
        let mut fields = population.declared_fields(self.user);
        let is_declared = fields.contains(DeclaredField::Moderation);
        let has_ended = |of: EndOf| self.ends.iter().any(|end| end.of == of);
        let ends_moderation = is_declared && has_ended(EndOf::Moderation);
        if ends_moderation {
            // What has ended is stated no more: the record counts again.
            fields = fields.without(DeclaredField::Moderation);
        }
        let records = RecordPair { old: &self.before, new: &self.after };
        let mut change = user_change(view, &self.id, fields, records, ends_moderation);
        if ends_moderation {
            change.declared = Some(fields);
        }
        let ended_tags: Vec<_> = self
            .ends
            .iter()
            .filter_map(|end| if let EndOf::Tag(tag) = end.of { Some(tag) } else { None })
            .collect();
        if !ended_tags.is_empty() {
            let now = change
                .tags
                .take()
                .unwrap_or_else(|| view.population.directory.tags(self.user).iter().collect());
            change.tags = Some(now.into_iter().filter(|tag| !ended_tags.contains(tag)).collect());
        }
        change.ties.retain(|tie| others.iter().all(|other| other.other != tie.other));
        change.ties.extend(others.iter().map(|OtherTie { other, removed, added }| TieChange {
            other,
            removed: *removed,
            added: *added,
        }));
        change
    }
}
