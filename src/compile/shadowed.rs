//! What records say and files state otherwise: the file's word counts, the record's comes back when
//! the file no longer says it.

use uuid::Uuid;

use super::{Declarations, FactsSource};
use crate::{
    facts::{self, Record, RecordKey, RecordKind, UserRecord},
    request::{DeclarationSite, DeclaredField, DeclaredFields, Role, Switch},
    snapshot::View,
};

/// Something that a record says and a file states too, so that the record's word does not count.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ShadowedFact {
    /// A field of a user: the user's id and the field's name.
    User(String, String),
    /// A field of a group: the group's id and the field's name.
    Group(String, &'static str),
    /// A member of a group who has another role by the record: the group's id and the user's.
    Member(String, String),
    Rule(Uuid),
}

impl ShadowedFact {
    /// Where the files of a policy state it.
    pub fn place(&self, view: &View, basis: &Declarations) -> Option<DeclarationSite> {
        match self {
            Self::User(id, _) => {
                let user = view.population.directory.number(id)?;
                let stated = view.population.declared_fields(user);
                stated.contains(DeclaredField::Itself).then(|| stated.site())
            }
            Self::Group(id, _) | Self::Member(id, _) => basis.group(id).map(|(_, place)| place),
            Self::Rule(id) => basis.rule_place(*id),
        }
    }
}

/// What files shadow after a reload. Users of whom files state the same fields as before are not
/// looked at, so it costs a pass over who is stated, and what groups and rules the records hold.
///
/// # Errors
/// If the facts can't be read.
pub(super) fn recompute<F: FactsSource>(
    (previous, before): (&View, &Declarations),
    view: &View,
    basis: &Declarations,
    facts: &F,
) -> Result<Vec<ShadowedFact>, F::Error> {
    let fields = |view: &View, user| {
        view.population.declared_fields(user).with_site(DeclarationSite::default())
    };
    let is_same = |user| fields(view, user) == fields(previous, user);
    let directory = &view.population.directory;
    let mut found: Vec<ShadowedFact> = before
        .shadowed
        .iter()
        .filter(|it| match it {
            ShadowedFact::User(id, _) => directory.number(id).is_some_and(is_same),
            _ => false,
        })
        .cloned()
        .collect();
    for user in directory.numbers() {
        if view.population.declared_fields(user).contains(DeclaredField::Itself) && !is_same(user) {
            let key = RecordKey::User(directory.id(user).to_owned());
            if let Some(record) = facts.get(&key)? {
                collect(view.population.declared_fields(user), basis, (&key, &record), &mut found);
            }
        }
    }
    let unstated = DeclaredFields::default();
    for (group, _) in basis.groups.iter().filter_map(|group| basis.group(&group.id)) {
        let key = RecordKey::Group(group.id.clone());
        if let Some(record) = facts.get(&key)? {
            collect(unstated, basis, (&key, &record), &mut found);
        }
    }
    facts.each(RecordKind::Rule, &mut |key, record| {
        collect(unstated, basis, (&key, &record), &mut found);
    })?;
    found.sort_unstable();
    Ok(found)
}

/// Notes what files shadow of a record; if it is a user's, they state these fields of him.
pub(super) fn collect(
    stated: DeclaredFields,
    basis: &Declarations,
    (key, record): (&RecordKey, &Record),
    found: &mut Vec<ShadowedFact>,
) {
    match (key, record) {
        (RecordKey::User(id), Record::User(user)) => {
            let fields = shadowed_fields(user, stated);
            found.extend(fields.map(|field| ShadowedFact::User(id.clone(), field)));
        }
        (RecordKey::Group(id), Record::Group(group)) => {
            if let Some((stated, _)) = basis.group(id) {
                collect_group(id, group, stated, found);
            }
        }
        (RecordKey::Rule(id), Record::Rule(_)) if basis.rule_place(*id).is_some() => {
            found.push(ShadowedFact::Rule(*id));
        }
        _ => {}
    }
}

/// The names of the fields that both a record and files set.
fn shadowed_fields(user: &UserRecord, stated: DeclaredFields) -> impl Iterator<Item = String> {
    let whole = [
        ("tags", DeclaredField::Tags, user.tags.is_some()),
        ("peers", DeclaredField::Peers, user.peers.is_some()),
        ("moderation", DeclaredField::Moderation, user.moderation.is_some()),
        ("approval", DeclaredField::Approval, user.approval.is_some()),
    ];
    let whole =
        whole.into_iter().filter(move |&(_, field, is_set)| is_set && stated.contains(field));
    let set = |switch: &&Switch| {
        user.permissions.contains_key(switch)
            && stated.contains(DeclaredField::Permission(**switch))
    };
    let switches: Vec<String> =
        Switch::ALL.iter().filter(set).map(|switch| format!("permissions.{switch}")).collect();
    whole.map(|(name, ..)| name.to_owned()).chain(switches)
}

fn collect_group(
    id: &str,
    record: &facts::GroupRecord,
    stated: &crate::policy::PolicyGroup,
    found: &mut Vec<ShadowedFact>,
) {
    let fields = [
        ("matrix", record.matrix.is_some()),
        ("creator", record.creator.is_some()),
        ("permissions", !record.permissions.is_empty()),
    ];
    let fields = fields.into_iter().filter(|(_, is_set)| *is_set);
    found.extend(fields.map(|(field, _)| ShadowedFact::Group(id.to_owned(), field)));
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
            found.push(ShadowedFact::Member(id.to_owned(), member.clone()));
        }
    }
}
