//! The `users` section.

use super::{AUDIENCE, PEERS, SWITCH, TEXT, unique_entries::UniqueEntries};
use crate::{
    diagnostic::Code,
    source::Span,
    syntax::{
        ast::{Item, User},
        keys::duplicate_key,
        user_fields,
        yaml::{
            cursor::{YamlCursor, YamlError},
            expr::{OWN_AUDIENCE, OWN_PERMISSION},
            values::{ExpectedValue, MappingFields},
        },
    },
};

const USERS: ExpectedValue =
    ExpectedValue("a mapping of users", "write `id: { tags: [...] }` for each user");
const USER: ExpectedValue = ExpectedValue("a user", "write `{ tags: [...] }`");
const PERMISSIONS: ExpectedValue =
    ExpectedValue("a mapping of permissions", "write `{ outgoing: false }`");
const ACCEPTS: ExpectedValue =
    ExpectedValue("a mapping of actions", "write `{ start_chat: contacts }`");

pub(super) fn read<'s>(
    cursor: &mut YamlCursor<'s, '_>,
    _: Span,
    items: &mut Vec<Item<'s>>,
) -> Result<(), YamlError> {
    if cursor.mapping(USERS)?.value().is_none() {
        return Ok(());
    }
    let mut users = UniqueEntries::new(|item| match item {
        Item::User(user) => Some(&user.id),
        _ => None,
    });
    while let Some(id) = cursor.key()? {
        if let Some(first) = users.add(&id, items) {
            cursor.problems.push(duplicate_key(Code::DuplicateUser, "user", &id, first));
            cursor.skip()?;
            continue;
        }
        let mut user = User { id, tags: None, more: None };
        let done = record(cursor, &mut user);
        // Even with mistakes in the record, the user is known.
        items.push(Item::User(user));
        done?;
    }
    Ok(())
}

fn record<'s>(cursor: &mut YamlCursor<'s, '_>, user: &mut User<'s>) -> Result<(), YamlError> {
    if cursor.mapping(USER)?.value().is_none() {
        return Ok(());
    }
    let mut fields = MappingFields::new("field");
    while let Some(key) = fields.next(cursor)? {
        match &*key.value {
            "tags" => user.tags = cursor.tags()?.value(),
            "peers" => user.set_field(|more| &mut more.peers, cursor.string(PEERS)?.value()),
            "moderation" => {
                user.set_field(|more| &mut more.moderation, cursor.string(TEXT)?.value());
            }
            "approval" => user.set_field(|more| &mut more.approval, cursor.string(TEXT)?.value()),
            "permissions" => permissions(cursor, user)?,
            "contacts" => user.set_field(|more| &mut more.contacts, cursor.users()?.value()),
            "favorites" => user.set_field(|more| &mut more.favorites, cursor.users()?.value()),
            "paired" => user.set_field(|more| &mut more.paired, cursor.users()?.value()),
            "blocked" => user.set_field(|more| &mut more.blocked, cursor.users()?.value()),
            "accepts" => accepts(cursor, user)?,
            "friends" => user.set_field(|more| &mut more.friends, cursor.users()?.value()),
            _ => cursor.unknown_field(&key, "a user", user_fields::FIELDS)?,
        }
    }
    Ok(())
}

fn accepts<'s>(cursor: &mut YamlCursor<'s, '_>, user: &mut User<'s>) -> Result<(), YamlError> {
    if cursor.mapping(ACCEPTS)?.value().is_none() {
        return Ok(());
    }
    let mut audiences = Vec::new();
    let done = cursor.settings(OWN_AUDIENCE, AUDIENCE, &mut audiences);
    if !audiences.is_empty() {
        user.more.get_or_insert_default().accepts = audiences;
    }
    done
}

fn permissions<'s>(cursor: &mut YamlCursor<'s, '_>, user: &mut User<'s>) -> Result<(), YamlError> {
    if cursor.mapping(PERMISSIONS)?.value().is_none() {
        return Ok(());
    }
    let mut permissions = Vec::new();
    let done = cursor.settings(OWN_PERMISSION, SWITCH, &mut permissions);
    if !permissions.is_empty() {
        user.more.get_or_insert_default().permissions = permissions;
    }
    done
}
