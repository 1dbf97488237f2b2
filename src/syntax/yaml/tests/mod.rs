//! Files of tests: a list of tests, each with what is given and what is expected.

mod expectation;
mod properties;
mod required;

use super::{
    cursor::{YamlCursor, YamlError},
    node::Node,
    recover,
    sections::{self, SECTIONS},
    values::{ExpectedValue, MappingFields},
};
use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics},
    source::{SourceId, Span},
    syntax::{
        ast::{Item, Spanned},
        tests::Test,
    },
};

const FILE: ExpectedValue =
    ExpectedValue("a mapping with `tests`", "write `tests:` and a list below it");
const TESTS: ExpectedValue = ExpectedValue("a list of tests", "write `- name: ...` for each test");
const TEST: ExpectedValue = ExpectedValue("a test", "a test is a mapping with `name` and `expect`");
const NAME: ExpectedValue = ExpectedValue("a text", "write what the test shows");
const AT: ExpectedValue = ExpectedValue("a time", "write it as `at: 2026-12-31T23:59:59Z`");
const GIVEN: ExpectedValue =
    ExpectedValue("a mapping of sections", "write sections as in a policy: `users: {...}`");
const EXPECT: ExpectedValue =
    ExpectedValue("a list of expectations", "write `- { subject: ..., action: ..., allow: true }`");

const FIELDS: &[&str] = &["name", "at", "given", "expect"];

/// The number of times that reading is resumed after a syntax error.
const MOST_RESUMED: usize = 100;

/// Parses a `.test.yaml` file: every test that could be read.
pub(in crate::syntax) fn parse<'s>(
    id: SourceId,
    text: &'s str,
    problems: &mut Diagnostics,
) -> Vec<Test<'s>> {
    let mut file = File::default();
    let mut cursor = YamlCursor::new(id, text, problems);
    let mut done = documents(&mut cursor, &mut file);
    let mut start = 0;
    for _ in 0..MOST_RESUMED {
        let (Err(YamlError::Syntax), Some(key)) = (done, file.key) else { break };
        let after = cursor.outline().entry.unwrap_or_else(|| key.end()).max(start);
        let next = recover::Entries::below(text, key.end())
            .and_then(|entries| recover::next_entry(text, after, text.len(), entries));
        let Some(next) = next else { break };
        start = next;
        // The mapping of the file, which the rest is without, is a level of its own.
        cursor.restart(next..text.len(), 1);
        done = rest(&mut cursor, key, &mut file);
    }
    if file.is_empty && done.is_ok() {
        let span = file.key.unwrap_or(Span::new(id, 0, 0));
        problems.push(
            Diagnostic::error(Code::EmptyTest, span, "the file has no tests")
                .hint("write `tests: [{ name: ..., expect: [...] }]`, or remove the file"),
        );
    }
    file.tests
}

/// What was read of a file so far.
struct File<'s> {
    tests: Vec<Test<'s>>,
    /// The span of `tests`.
    key: Option<Span>,
    /// Whether there is no test, not even one with mistakes.
    is_empty: bool,
}

impl Default for File<'_> {
    fn default() -> Self {
        Self { tests: Vec::new(), key: None, is_empty: true }
    }
}

fn documents<'s>(cursor: &mut YamlCursor<'s, '_>, file: &mut File<'s>) -> Result<(), YamlError> {
    let mut keys = MappingFields::new("key");
    while cursor.next_document()?.is_some() {
        match cursor.node()? {
            Node::Mapping(_) => {
                while let Some(key) = keys.next(cursor)? {
                    cursor.enter(None, key.span);
                    if key.value == "tests" {
                        file.key = Some(key.span);
                        tests(cursor, file)?;
                    } else {
                        file.is_empty = false;
                        cursor.unknown_field(&key, "a test file", &["tests"])?;
                    }
                }
            }
            Node::Scalar(scalar) if scalar.is_null() => {}
            other => {
                file.is_empty = false;
                cursor.report_invalid::<()>(&other, FILE)?;
            }
        }
    }
    Ok(())
}

fn rest<'s>(
    cursor: &mut YamlCursor<'s, '_>,
    key: Span,
    file: &mut File<'s>,
) -> Result<(), YamlError> {
    cursor.next_document()?;
    cursor.enter(None, key);
    tests(cursor, file)
}

fn tests<'s>(cursor: &mut YamlCursor<'s, '_>, file: &mut File<'s>) -> Result<(), YamlError> {
    if cursor.sequence(TESTS)?.value().is_none() {
        return Ok(());
    }
    while cursor.has_next()? {
        file.is_empty = false;
        let node = cursor.node()?;
        let Node::Mapping(opened) = node else {
            cursor.report_invalid::<()>(&node, TEST)?;
            continue;
        };
        file.tests.extend(test(cursor, opened.span)?);
    }
    Ok(())
}

/// A test; one without a name or expectations is reported and left out.
fn test<'s>(cursor: &mut YamlCursor<'s, '_>, opened: Span) -> Result<Option<Test<'s>>, YamlError> {
    let mut fields = MappingFields::new("field");
    let (mut name, mut at, mut given, mut expect) = (None, None, Vec::new(), None);
    let (mut refused, mut is_partial) = (false, false);
    while let Some(key) = fields.next(cursor)? {
        match &*key.value {
            "name" => {
                let read = cursor.string(NAME)?;
                refused |= matches!(read, super::values::FieldValue::Invalid);
                name = read.value();
            }
            "at" => match cursor.string(AT)? {
                // Without its moment, the test would ask something else.
                super::values::FieldValue::Invalid => is_partial = true,
                read => at = read.value(),
            },
            "given" => sections(cursor, &mut given)?,
            "expect" => expect = Some(expectations(cursor, key.span)?),
            _ => cursor.unknown_field(&key, "a test", FIELDS)?,
        }
    }
    let span = fields.first().unwrap_or(opened);
    if name.is_none() && !refused {
        cursor.problems.push(
            Diagnostic::error(Code::MissingField, span, "the test has no `name`")
                .hint("add `name: ...`"),
        );
    }
    if expect.is_none() {
        let span = name.as_ref().map_or(span, |name: &Spanned<_>| name.span);
        cursor.problems.push(
            Diagnostic::error(Code::EmptyTest, span, "the test expects nothing")
                .hint("add `expect: [...]`"),
        );
    }
    let test = name.zip(expect).map(|(name, expect)| Test { name, at, given, expect });
    Ok(test.filter(|_| !is_partial))
}

fn sections<'s>(
    cursor: &mut YamlCursor<'s, '_>,
    items: &mut Vec<Item<'s>>,
) -> Result<(), YamlError> {
    if cursor.mapping(GIVEN)?.value().is_none() {
        return Ok(());
    }
    let mut keys = MappingFields::new("section");
    while let Some(key) = keys.next(cursor)? {
        let Some(section) = SECTIONS.iter().find(|section| section.name == key.value) else {
            sections::unknown(cursor, &key);
            cursor.skip()?;
            continue;
        };
        (section.read)(cursor, key.span, items)?;
    }
    Ok(())
}

fn expectations<'s>(
    cursor: &mut YamlCursor<'s, '_>,
    key: Span,
) -> Result<Vec<crate::syntax::tests::Expectation<'s>>, YamlError> {
    let mut expectations = Vec::new();
    let mut is_empty = true;
    match cursor.sequence(EXPECT)? {
        super::values::FieldValue::Value(_) => {
            while cursor.has_next()? {
                is_empty = false;
                expectations.extend(expectation::read(cursor)?);
            }
        }
        super::values::FieldValue::Invalid => is_empty = false,
        super::values::FieldValue::Absent => {}
    }
    if is_empty {
        cursor.problems.push(
            Diagnostic::error(Code::EmptyTest, key, "the test expects nothing")
                .hint("add an expectation, or remove the test"),
        );
    }
    Ok(expectations)
}
