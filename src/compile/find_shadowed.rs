//! The search for the parts of records that files shadow.

use super::{declarations::Declarations, facts_source::FactsSource, shadowed::ShadowedFact};
use crate::{
    facts::{Record, RecordKey, RecordKind},
    request::{DeclarationSite, DeclaredField, DeclaredFields},
    snapshot::View,
};

/// The state before a reload.
#[derive(Clone, Copy)]
pub(super) struct Previous<'p> {
    pub(super) view: &'p View,
    pub(super) declarations: &'p Declarations,
}

/// The parts of a record that files shadow; `fields` are those that they declare if it is a user's.
pub(super) fn in_record(
    key: &RecordKey,
    record: &Record,
    fields: DeclaredFields,
    declarations: &Declarations,
) -> Vec<ShadowedFact> {
    match (key, record) {
        (RecordKey::User(id), Record::User(user)) if fields.contains(DeclaredField::Itself) => {
            ShadowedFact::of_user(id, user, fields)
        }
        (RecordKey::Group(id), Record::Group(group)) => {
            let declared = declarations.group(id);
            let shadowed =
                declared.map(|(declared, _)| ShadowedFact::of_group(id, group, declared));
            shadowed.into_iter().flatten().collect()
        }
        (RecordKey::Rule(id), Record::Rule(_)) if declarations.rule_place(*id).is_some() => {
            vec![ShadowedFact::Rule(*id)]
        }
        _ => Vec::new(),
    }
}

/// The parts of records that files shadow after a reload. Costs a pass over the declared users, and the
/// records of those whose declared fields changed, of declared groups and of rules.
///
/// # Errors
/// If the facts can't be read.
pub(super) fn after_reload<F: FactsSource>(
    previous: Previous<'_>,
    view: &View,
    declarations: &Declarations,
    facts: &F,
) -> Result<Vec<ShadowedFact>, F::Error> {
    let fields = |view: &View, user| {
        view.population.declared_fields(user).with_site(DeclarationSite::default())
    };
    // A rebuild keeps the numbers of users.
    let is_same = |user| fields(view, user) == fields(previous.view, user);
    let directory = &view.population.directory;
    let is_kept = |fact: &&ShadowedFact| match fact {
        ShadowedFact::User(id, _) => directory.number(id).is_some_and(is_same),
        ShadowedFact::Group(..) | ShadowedFact::Member(..) | ShadowedFact::Rule(_) => false,
    };
    let mut found: Vec<ShadowedFact> =
        previous.declarations.shadowed.iter().filter(is_kept).cloned().collect();
    for user in directory.numbers() {
        let fields = view.population.declared_fields(user);
        if fields.contains(DeclaredField::Itself) && !is_same(user) {
            let key = RecordKey::User(directory.id(user).to_owned());
            if let Some(record) = facts.get(&key)? {
                found.extend(in_record(&key, &record, fields, declarations));
            }
        }
    }
    let none = DeclaredFields::default();
    for group in &declarations.groups {
        let key = RecordKey::Group(group.id.clone());
        if let Some(record) = facts.get(&key)? {
            found.extend(in_record(&key, &record, none, declarations));
        }
    }
    facts.each(RecordKind::Rule, &mut |key, record| {
        found.extend(in_record(&key, &record, none, declarations));
    })?;
    found.sort_unstable();
    Ok(found)
}
