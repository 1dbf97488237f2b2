//! The properties of an expectation, in place of what the policy states.

use super::required::boolean;
use crate::{
    source::Span,
    syntax::{
        tests::ExpectationProperties,
        yaml::{
            cursor::{YamlCursor, YamlError},
            values::{ExpectedValue, MappingFields},
        },
    },
};

const PROPERTIES: ExpectedValue =
    ExpectedValue("a mapping of properties", "write `{ tags: [...] }` or another property");
const WORD: ExpectedValue = ExpectedValue("a word", "write a single word");
const PERMISSIONS: ExpectedValue =
    ExpectedValue("a mapping of permissions", "write `{ outgoing: false }`");

const FIELDS: &[&str] = &["tags", "peers", "permissions", "moderation", "role", "matrix"];

pub(super) fn read<'s>(
    cursor: &mut YamlCursor<'s, '_>,
    span: Span,
) -> Result<Option<ExpectationProperties<'s>>, YamlError> {
    if cursor.mapping(PROPERTIES)?.value().is_none() {
        return Ok(None);
    }
    let mut read = ExpectationProperties {
        span,
        tags: None,
        peers: None,
        permissions: Vec::new(),
        moderation: None,
        role: None,
        matrix: None,
    };
    let mut fields = MappingFields::new("field");
    while let Some(key) = fields.next(cursor)? {
        match &*key.value {
            "tags" => read.tags = cursor.tags()?.value(),
            "peers" => read.peers = cursor.string(WORD)?.value(),
            "permissions" => permissions(cursor, &mut read)?,
            "moderation" => read.moderation = cursor.string(WORD)?.value(),
            "role" => read.role = cursor.string(WORD)?.value(),
            "matrix" => read.matrix = cursor.string(WORD)?.value(),
            _ => cursor.unknown_field(&key, "properties", FIELDS)?,
        }
    }
    Ok(Some(read))
}

fn permissions<'s>(
    cursor: &mut YamlCursor<'s, '_>,
    read: &mut ExpectationProperties<'s>,
) -> Result<(), YamlError> {
    if cursor.mapping(PERMISSIONS)?.value().is_none() {
        return Ok(());
    }
    let mut fields = MappingFields::new("permission");
    while let Some(key) = fields.next(cursor)? {
        let on = boolean(cursor, &key)?;
        read.permissions.extend(on.map(|on| (key, on.value)));
    }
    Ok(())
}
