//! The `groups` section.

use super::{CONDITION, TEXT, unique_entries::UniqueEntries};
use crate::{
    diagnostic::Code,
    source::Span,
    syntax::{
        ast::{Group, Item, TermOf},
        keys::duplicate_key,
        yaml::{
            cursor::{YamlCursor, YamlError},
            values::{ExpectedValue, MappingFields},
        },
    },
};

const GROUPS: ExpectedValue =
    ExpectedValue("a mapping of groups", "write `id: { members: [...] }` for each group");
const GROUP: ExpectedValue = ExpectedValue("a group", "write `{ creator: alice, members: [...] }`");
const CREATOR: ExpectedValue =
    ExpectedValue("the id of a user", "a group has one creator: `creator: alice`");

const FIELDS: &[&str] =
    &["matrix", "creator", "super_admins", "admins", "members", "muted", "banned", "requires"];

pub(super) fn read<'s>(
    cursor: &mut YamlCursor<'s, '_>,
    _: Span,
    items: &mut Vec<Item<'s>>,
) -> Result<(), YamlError> {
    if cursor.mapping(GROUPS)?.value().is_none() {
        return Ok(());
    }
    let mut groups = UniqueEntries::new(|item| match item {
        Item::Group(group) => Some(&group.id),
        _ => None,
    });
    while let Some(id) = cursor.key()? {
        if let Some(first) = groups.add(&id, items) {
            cursor.problems.push(duplicate_key(Code::DuplicateGroup, "group", &id, first));
            cursor.skip()?;
            continue;
        }
        let mut group = Group {
            id,
            matrix: None,
            creator: None,
            super_admins: None,
            admins: None,
            members: None,
            muted: None,
            banned: None,
            requires: None,
            terms: Vec::new(),
        };
        let done = record(cursor, &mut group);
        // Even with mistakes in its record it is a known group.
        items.push(Item::Group(Box::new(group)));
        done?;
    }
    Ok(())
}

fn record<'s>(cursor: &mut YamlCursor<'s, '_>, group: &mut Group<'s>) -> Result<(), YamlError> {
    if cursor.mapping(GROUP)?.value().is_none() {
        return Ok(());
    }
    let mut fields = MappingFields::new("field");
    while let Some(key) = fields.next(cursor)? {
        match &*key.value {
            "matrix" => group.matrix = cursor.string(TEXT)?.value(),
            "creator" => group.creator = cursor.string(CREATOR)?.value(),
            "super_admins" => group.super_admins = cursor.users()?.value(),
            "admins" => group.admins = cursor.users()?.value(),
            "members" => group.members = cursor.users()?.value(),
            "muted" => {
                let (users, terms) = cursor.timed_list(TermOf::Muted)?;
                group.muted = users;
                group.terms.extend(terms);
            }
            "banned" => {
                let (users, terms) = cursor.timed_list(TermOf::Banned)?;
                group.banned = users;
                group.terms.extend(terms);
            }
            "requires" => group.requires = cursor.expr(CONDITION)?.value(),
            _ => cursor.unknown_field(&key, "a group", FIELDS)?,
        }
    }
    Ok(())
}
