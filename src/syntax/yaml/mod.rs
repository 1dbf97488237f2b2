//! The YAML notation, and JSON as a part of it.
//!
//! A file is read as a stream of events; no tree of it is ever built. `cursor` turns the events
//! of the YAML parser into nodes with places and repeats what aliases stand for, `read` takes
//! single values from it, and `sections` has a small file for each kind of section.
//!
//! The YAML parser ends at the first syntax error. `recover` then finds the next entry or section
//! from its indentation, and reading resumes there. Several documents in one file are read as
//! if each were a file.

mod anchors;
mod cursor;
mod event;
mod expr;
mod flat;
mod node;
mod recover;
mod scalar_spans;
mod sections;
mod syntax_errors;
mod tests;
mod values;

use std::ops::Range;

pub use self::flat::{FlatEntry, FlatRecord};
pub(super) use self::{
    cursor::events,
    flat::{parse as parse_flat, parse_records},
    tests::parse as parse_tests,
};
use self::{
    cursor::{YamlCursor, YamlError},
    node::Node,
    sections::{SECTIONS, YamlSection},
    values::{ExpectedValue, MappingFields},
};
use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics},
    source::{SourceId, Span},
    syntax::ast::Item,
};

/// The number of syntax errors of one file that are reported; then the rest of it is left unread, so that the
/// time stays in proportion to the size.
const MOST_SYNTAX_ERRORS: usize = 100;

/// Parses a `.yaml`, `.yml` or `.json` file: every section entry that could be read.
pub fn parse<'s>(id: SourceId, text: &'s str, problems: &mut Diagnostics) -> Vec<Item<'s>> {
    let mut items = Vec::new();
    let mut sections = MappingFields::new("section");
    let mut cursor = YamlCursor::new(id, text, problems);
    let mut part = Part { bytes: 0..text.len(), section: None };
    for run in 1..=MOST_SYNTAX_ERRORS {
        let done = match part.section {
            None => {
                cursor.restart(part.bytes.clone(), 0);
                documents(&mut cursor, &mut sections, &mut items)
            }
            Some(section) => {
                // The mapping of the sections, which the part is without, is a level of its own.
                cursor.restart(part.bytes.clone(), 1);
                rest_of_section(&mut cursor, section, &mut items)
            }
        };
        let next = match done {
            Ok(()) => Part::sections(part.bytes.end, text),
            Err(YamlError::Syntax) => resume(&cursor, &part),
            Err(YamlError::Limit) => None,
        };
        match next {
            Some(next) if run == MOST_SYNTAX_ERRORS => cursor.problems.push(unread(id, &next)),
            Some(next) => part = next,
            None => break,
        }
    }
    items
}

fn unread(id: SourceId, rest: &Part) -> Diagnostic {
    let span = Span::new(id, rest.bytes.start, rest.bytes.start);
    let message = format!("the file is not read further after {MOST_SYNTAX_ERRORS} syntax errors");
    Diagnostic::error(Code::Syntax, span, message).hint("correct those above and check again")
}

const SECTIONS_EXPECTED: ExpectedValue =
    ExpectedValue("a mapping of sections", "write a section as `tags: [...]` or `users: {...}`");

/// A stretch of the file that is read by one run of the YAML parser.
struct Part {
    bytes: Range<usize>,
    /// The section whose entries it holds; without one, it holds sections.
    section: Option<(&'static YamlSection, Span)>,
}

impl Part {
    fn sections(start: usize, text: &str) -> Option<Self> {
        (start < text.len()).then_some(Self { bytes: start..text.len(), section: None })
    }
}

/// The section of this name, if there is one.
fn section_named(name: &str) -> Option<&'static YamlSection> {
    SECTIONS.iter().find(|section| section.name == name)
}

/// Where to go on after a syntax error: at the next entry of the section in which it is, or else at
/// the next section. What is written within brackets as a whole has no such places.
fn resume(cursor: &YamlCursor<'_, '_>, failed: &Part) -> Option<Part> {
    let text = cursor.text();
    if text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']).starts_with(['{', '[']) {
        return None;
    }
    let outline = cursor.outline();
    let after = outline.entry.or(outline.section).unwrap_or_default().max(failed.bytes.start);
    let end = recover::next_section(text, after).unwrap_or(text.len());
    let entry = outline.known.and_then(|(name, key)| {
        let section = section_named(name)?;
        let entries = recover::Entries::below(text, key.end())?;
        let start = recover::next_entry(text, after, end, entries)?;
        Some(Part { bytes: start..end, section: Some((section, key)) })
    });
    entry.or_else(|| Part::sections(end, text))
}

fn documents<'s>(
    cursor: &mut YamlCursor<'s, '_>,
    sections: &mut MappingFields<'s>,
    items: &mut Vec<Item<'s>>,
) -> Result<(), YamlError> {
    while let Some(is_new) = cursor.next_document()? {
        if is_new {
            *sections = MappingFields::new("section");
        }
        match cursor.node()? {
            Node::Mapping(_) => document(cursor, sections, items)?,
            Node::Scalar(scalar) if scalar.is_null() => {}
            other => {
                cursor.report_invalid::<()>(&other, SECTIONS_EXPECTED)?;
            }
        }
    }
    Ok(())
}

fn document<'s>(
    cursor: &mut YamlCursor<'s, '_>,
    sections: &mut MappingFields<'s>,
    items: &mut Vec<Item<'s>>,
) -> Result<(), YamlError> {
    while let Some(key) = sections.next(cursor)? {
        let section = section_named(&key.value);
        cursor.enter(section.map(|section| section.name), key.span);
        let Some(section) = section else {
            sections::unknown(cursor, &key);
            cursor.skip()?;
            continue;
        };
        (section.read)(cursor, key.span, items)?;
    }
    Ok(())
}

fn rest_of_section<'s>(
    cursor: &mut YamlCursor<'s, '_>,
    (section, key): (&'static YamlSection, Span),
    items: &mut Vec<Item<'s>>,
) -> Result<(), YamlError> {
    cursor.next_document()?;
    cursor.enter(Some(section.name), key);
    (section.read)(cursor, key, items)
}
