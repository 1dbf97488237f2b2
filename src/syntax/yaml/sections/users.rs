//! The `users` section.

use super::{AUDIENCE, PEERS, SWITCH, TEXT, unique_entries::UniqueEntries};
use crate::{
    diagnostic::Code,
    source::Span,
    syntax::{
        ast::{Item, List, TermOf, User, UserFields},
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
            "tags" => {
                let (tags, terms) = cursor.timed_list(TermOf::Tags)?;
                user.tags = tags;
                user.add_terms(terms);
            }
            "peers" => user.set_field(|more| &mut more.peers, cursor.string(PEERS)?.value()),
            "moderation" => {
                let (state, term) = cursor.timed_text(TermOf::Moderation, TEXT)?;
                user.set_field(|more| &mut more.moderation, state);
                user.add_terms(term.into_iter().collect());
            }
            "approval" => user.set_field(|more| &mut more.approval, cursor.string(TEXT)?.value()),
            "permissions" => permissions(cursor, user)?,
            "contacts" => timed(cursor, user, TermOf::Contacts, |more| &mut more.contacts)?,
            "favorites" => timed(cursor, user, TermOf::Favorites, |more| &mut more.favorites)?,
            "paired" => timed(cursor, user, TermOf::Paired, |more| &mut more.paired)?,
            "blocked" => timed(cursor, user, TermOf::Blocked, |more| &mut more.blocked)?,
            "accepts" => accepts(cursor, user)?,
            "friends" => timed(cursor, user, TermOf::Friends, |more| &mut more.friends)?,
            _ => cursor.unknown_field(&key, "a user", user_fields::FIELDS)?,
        }
    }
    Ok(())
}

/// A list whose elements may have terms.
fn timed<'s>(
    cursor: &mut YamlCursor<'s, '_>,
    user: &mut User<'s>,
    of: TermOf,
    field: impl for<'m> FnOnce(&'m mut UserFields<'s>) -> &'m mut Option<List<'s>>,
) -> Result<(), YamlError> {
    let (list, terms) = cursor.timed_list(of)?;
    user.set_field(field, list);
    user.add_terms(terms);
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
