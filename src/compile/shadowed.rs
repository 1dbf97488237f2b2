//! What records say and files state otherwise: the file's word counts, the record's comes back when
//! the file no longer says it.

use uuid::Uuid;

use super::{Basis, Facts};
use crate::{
    facts::{self, Key, Kind, Record, User},
    request::{Field, Place, Role, Stated, Switch},
    snapshot::View,
};

/// Something that a record says and a file states too, so that the record's word does not count.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Shadowed {
    /// A field of a user: the user's id and the field's name.
    User(String, String),
    /// A field of a group: the group's id and the field's name.
    Group(String, &'static str),
    /// A member of a group who has another role by the record: the group's id and the user's.
    Member(String, String),
    Rule(Uuid),
}

impl Shadowed {
    /// Where the files of a policy state it.
    pub fn place(&self, view: &View, basis: &Basis) -> Option<Place> {
        match self {
            Self::User(id, _) => {
                let user = view.population.directory.number(id)?;
                let stated = view.population.stated(user);
                stated.has(Field::Itself).then(|| stated.place())
            }
            Self::Group(id, _) | Self::Member(id, _) => basis.group(id).map(|(_, place)| place),
            Self::Rule(id) => basis.rule(*id),
        }
    }
}

/// What files shadow after a reload. Users of whom files state the same fields as before are not
/// looked at, so it costs a pass over who is stated, and what groups and rules the records hold.
///
/// # Errors
/// If the facts can't be read.
pub(super) fn again<F: Facts>(
    (previous, before): (&View, &Basis),
    view: &View,
    basis: &Basis,
    facts: &F,
) -> Result<Vec<Shadowed>, F::Error> {
    let fields = |view: &View, user| view.population.stated(user).moved(Place::default());
    let is_same = |user| fields(view, user) == fields(previous, user);
    let directory = &view.population.directory;
    let mut found: Vec<Shadowed> = before
        .shadowed
        .iter()
        .filter(|it| match it {
            Shadowed::User(id, _) => directory.number(id).is_some_and(is_same),
            _ => false,
        })
        .cloned()
        .collect();
    for user in 0..directory.len() {
        if view.population.stated(user).has(Field::Itself) && !is_same(user) {
            let key = Key::User(directory.id(user).to_owned());
            if let Some(record) = facts.get(&key)? {
                of(view.population.stated(user), basis, (&key, &record), &mut found);
            }
        }
    }
    let unstated = Stated::default();
    for (group, _) in basis.groups.iter().filter_map(|group| basis.group(&group.id)) {
        let key = Key::Group(group.id.clone());
        if let Some(record) = facts.get(&key)? {
            of(unstated, basis, (&key, &record), &mut found);
        }
    }
    facts.each(Kind::Rule, &mut |key, record| {
        of(unstated, basis, (&key, &record), &mut found);
    })?;
    found.sort_unstable();
    Ok(found)
}

/// Notes what files shadow of a record; if it is a user's, they state these fields of him.
pub(super) fn of(
    stated: Stated,
    basis: &Basis,
    (key, record): (&Key, &Record),
    found: &mut Vec<Shadowed>,
) {
    match (key, record) {
        (Key::User(id), Record::User(user)) => {
            let fields = fields(user, stated);
            found.extend(fields.map(|field| Shadowed::User(id.clone(), field)));
        }
        (Key::Group(id), Record::Group(group)) => {
            if let Some((stated, _)) = basis.group(id) {
                in_group(id, group, stated, found);
            }
        }
        (Key::Rule(id), Record::Rule(_)) if basis.rule(*id).is_some() => {
            found.push(Shadowed::Rule(*id));
        }
        _ => {}
    }
}

/// The names of the fields that both a record and files set.
fn fields(user: &User, stated: Stated) -> impl Iterator<Item = String> {
    let whole = [
        ("tags", Field::Tags, user.tags.is_some()),
        ("peers", Field::Peers, user.peers.is_some()),
        ("moderation", Field::Moderation, user.moderation.is_some()),
        ("approval", Field::Approval, user.approval.is_some()),
    ];
    let whole = whole.into_iter().filter(move |&(_, field, is_set)| is_set && stated.has(field));
    let set = |switch: &&Switch| {
        user.permissions.contains_key(switch) && stated.has(Field::Permission(**switch))
    };
    let switches: Vec<String> =
        Switch::ALL.iter().filter(set).map(|switch| format!("permissions.{switch}")).collect();
    whole.map(|(name, ..)| name.to_owned()).chain(switches)
}

fn in_group(
    id: &str,
    record: &facts::Group,
    stated: &crate::policy::Group,
    found: &mut Vec<Shadowed>,
) {
    let fields = [
        ("matrix", record.matrix.is_some()),
        ("creator", record.creator.is_some()),
        ("permissions", !record.permissions.is_empty()),
    ];
    let fields = fields.into_iter().filter(|(_, is_set)| *is_set);
    found.extend(fields.map(|(field, _)| Shadowed::Group(id.to_owned(), field)));
    let is_in = |all: &[String], member: &String| all.binary_search(member).is_ok();
    for (member, said) in &record.members {
        let role = if is_in(&stated.super_admins, member) {
            Role::SuperAdmin
        } else if is_in(&stated.admins, member) {
            Role::Admin
        } else if is_in(&stated.members, member) {
            Role::Member
        } else {
            continue;
        };
        if role != said.role {
            found.push(Shadowed::Member(id.to_owned(), member.clone()));
        }
    }
}
