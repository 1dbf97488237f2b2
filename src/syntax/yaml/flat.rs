//! Flat files: one mapping from known keys to texts and lists of texts.

use super::{
    cursor::{YamlCursor, YamlError},
    node::Node,
    values::{ExpectedValue, MappingFields},
};
use crate::{
    diagnostic::Diagnostics,
    source::{SourceId, Span},
    syntax::ast::Text,
};

/// An entry of a flat file.
#[derive(Debug)]
pub struct FlatEntry<'s> {
    pub key: Text<'s>,
    /// The value, or those of a list.
    pub values: Vec<Text<'s>>,
    /// The place of a list; `None` for a single value.
    pub list: Option<Span>,
}

/// A mapping in a list, as the entries that could be read.
#[derive(Debug)]
pub struct FlatRecord<'s> {
    pub entries: Vec<FlatEntry<'s>>,
    pub span: Span,
}

const LIST: ExpectedValue = ExpectedValue("a list", "write an item as `- { name: value }`");
const RECORD: ExpectedValue = ExpectedValue("a mapping of fields", "write `{ name: value }`");
const MAPPING: ExpectedValue = ExpectedValue("a mapping of keys", "write lines as `key: value`");
const VALUE: ExpectedValue =
    ExpectedValue("a value or a list of values", "write a value, or remove the line");
const ITEM: ExpectedValue =
    ExpectedValue("a value", "write a text or a number, or remove the item");

/// Parses a flat file with these keys; `title` names such a file in messages. Entries with mistakes are
/// reported and left out, and so is all that follows a syntax error.
pub(in crate::syntax) fn parse<'s>(
    id: SourceId,
    text: &'s str,
    (title, known): (&str, &[&str]),
    problems: &mut Diagnostics,
) -> Vec<FlatEntry<'s>> {
    let mut entries = Vec::new();
    let mut cursor = YamlCursor::new(id, text, problems);
    // The error was reported where it was found.
    let _ = documents(&mut cursor, (title, known), &mut entries);
    entries
}

fn documents<'s>(
    cursor: &mut YamlCursor<'s, '_>,
    (title, known): (&str, &[&str]),
    entries: &mut Vec<FlatEntry<'s>>,
) -> Result<(), YamlError> {
    let mut fields = MappingFields::new("key");
    while cursor.next_document()?.is_some() {
        match cursor.node()? {
            Node::Mapping(_) => {}
            Node::Scalar(scalar) if scalar.is_null() => continue,
            other => {
                cursor.report_invalid::<()>(&other, MAPPING)?;
                continue;
            }
        }
        while let Some(key) = fields.next(cursor)? {
            if known.contains(&&*key.value) {
                entries.extend(entry(cursor, key)?);
            } else {
                cursor.unknown_field(&key, title, known)?;
            }
        }
    }
    Ok(())
}

/// Parses a file with one list of flat mappings; the names are those of a mapping in messages, of the list,
/// and of the fields. All that follows a syntax error is left out.
pub(in crate::syntax) fn parse_records<'s>(
    id: SourceId,
    text: &'s str,
    names: (&str, &str, &[&str]),
    problems: &mut Diagnostics,
) -> Vec<FlatRecord<'s>> {
    let mut found = Vec::new();
    let mut cursor = YamlCursor::new(id, text, problems);
    // The error was reported where it was found.
    let _ = record_documents(&mut cursor, names, &mut found);
    found
}

fn record_documents<'s>(
    cursor: &mut YamlCursor<'s, '_>,
    names: (&str, &str, &[&str]),
    found: &mut Vec<FlatRecord<'s>>,
) -> Result<(), YamlError> {
    let (_, list, _) = names;
    let mut keys = MappingFields::new("key");
    while cursor.next_document()?.is_some() {
        match cursor.node()? {
            Node::Mapping(_) => {}
            Node::Scalar(scalar) if scalar.is_null() => continue,
            other => {
                cursor.report_invalid::<()>(&other, MAPPING)?;
                continue;
            }
        }
        while let Some(key) = keys.next(cursor)? {
            if key.value == list {
                records(cursor, names, found)?;
            } else {
                cursor.unknown_field(&key, "the file", &[list])?;
            }
        }
    }
    Ok(())
}

fn records<'s>(
    cursor: &mut YamlCursor<'s, '_>,
    (title, _, known): (&str, &str, &[&str]),
    found: &mut Vec<FlatRecord<'s>>,
) -> Result<(), YamlError> {
    match cursor.node()? {
        Node::Sequence(_) => {}
        other => {
            cursor.report_invalid::<()>(&other, LIST)?;
            return Ok(());
        }
    }
    while cursor.has_next()? {
        let opened = match cursor.node()? {
            Node::Mapping(opened) => opened,
            other => {
                cursor.report_invalid::<()>(&other, RECORD)?;
                continue;
            }
        };
        let (mut fields, mut entries) = (MappingFields::new("field"), Vec::new());
        while let Some(key) = fields.next(cursor)? {
            if known.contains(&&*key.value) {
                entries.extend(entry(cursor, key)?);
            } else {
                cursor.unknown_field(&key, title, known)?;
            }
        }
        let span = cursor.whole(opened);
        found.push(FlatRecord { entries, span });
    }
    Ok(())
}

fn entry<'s>(
    cursor: &mut YamlCursor<'s, '_>,
    key: Text<'s>,
) -> Result<Option<FlatEntry<'s>>, YamlError> {
    let opened = match cursor.node()? {
        Node::Scalar(value) if !value.is_null() => {
            let values = vec![Text { value: value.value, span: value.span }];
            return Ok(Some(FlatEntry { key, values, list: None }));
        }
        Node::Sequence(opened) => opened,
        other => {
            cursor.report_invalid::<()>(&other, VALUE)?;
            return Ok(None);
        }
    };
    let errors = cursor.problems.errors();
    let mut values = Vec::new();
    while cursor.has_next()? {
        match cursor.node()? {
            Node::Scalar(item) if !item.is_null() => {
                values.push(Text { value: item.value, span: item.span });
            }
            other => {
                cursor.report_invalid::<()>(&other, ITEM)?;
            }
        }
    }
    let list = Some(cursor.whole(opened));
    let is_whole = cursor.problems.errors() == errors;
    Ok(is_whole.then_some(FlatEntry { key, values, list }))
}
