//! Text to AST, with spans: the DSL, YAML (JSON among it) and bulk users.
//!
//! Every parser returns what it could read *and* all that is wrong: a mistake in one statement does
//! not hide the next.
//!
//! Invariant: knows only of `source` and `diagnostic`, and of `request` which switches exist.

pub mod ast;
pub mod bulk;
pub mod comments;
pub mod dsl;
mod equivalence;
pub mod format;
pub mod idioms;
mod json;
mod keys;
mod other_notation;
pub mod print;
mod terms;
pub mod tests;
mod text;
mod user_fields;
pub mod yaml;

use crate::{
    diagnostic::Diagnostics,
    source::{Notation, Source, SourceId, Sources},
};
use ast::Item;
use tests::TestFile;
use yaml::{FlatEntry, FlatRecord};

/// How deep brackets, calls and collections may be nested, in either notation.
pub const MAX_NESTING: usize = 128;

/// All files of a policy as far as they could be read: what the text files state, by file in their
/// order, and the bulk files, which are read record by record when their users are resolved.
#[derive(Debug, Default)]
pub struct Ast<'s> {
    pub items: Vec<ast::Item<'s>>,
    pub bulk: Vec<bulk::BulkFile<'s>>,
}

/// Parses all files. What is wrong goes to `problems`.
pub fn parse<'s>(sources: &'s Sources, problems: &mut Diagnostics) -> Ast<'s> {
    let mut ast = Ast::default();
    for (id, source) in sources.iter().filter(|(_, source)| source.notation != Notation::Tests) {
        if text::report_empty(id, source, problems) {
            continue;
        }
        match source.notation {
            Notation::Ndjson | Notation::Csv => ast.bulk.push(bulk::BulkFile::new(id, source)),
            Notation::Tests => {}
            Notation::Yaml | Notation::Json | Notation::Dsl => {
                let Some(text) = text::decode(id, source, problems) else { continue };
                let reported_before = problems.total();
                let items = parse_text(id, source.notation, text, problems);
                if items.is_empty() && problems.total() == reported_before {
                    problems.push(text::no_statement(id));
                }
                ast.items.extend(items);
            }
        }
    }
    ast
}

/// Parses all test files. What is wrong goes to `problems`.
pub fn parse_tests<'s>(sources: &'s Sources, problems: &mut Diagnostics) -> Vec<TestFile<'s>> {
    let tests = sources.iter().filter(|(_, source)| source.notation == Notation::Tests);
    let mut files = Vec::new();
    for (id, source) in tests {
        if text::report_empty(id, source, problems) {
            continue;
        }
        if let Some(text) = text::decode(id, source, problems) {
            files.push(TestFile { source: id, tests: yaml::parse_tests(id, text, problems) });
        }
    }
    files
}

/// Parses a flat YAML file: one mapping from the known keys to texts and lists of texts. `title` names such
/// a file in messages. What is wrong goes to `problems`.
pub fn parse_flat<'s>(
    (id, source): (SourceId, &'s Source),
    title: &str,
    known: &[&str],
    problems: &mut Diagnostics,
) -> Vec<FlatEntry<'s>> {
    let text = text::decode(id, source, problems);
    text.map_or_else(Vec::new, |text| yaml::parse_flat(id, text, (title, known), problems))
}

/// Parses a YAML file with one list of flat mappings: `LIST: [{ FIELD: VALUE, ... }, ...]`. `title` names such a
/// mapping in messages. What is wrong goes to `problems`.
pub fn parse_records<'s>(
    (id, source): (SourceId, &'s Source),
    (title, list, fields): (&str, &str, &[&str]),
    problems: &mut Diagnostics,
) -> Vec<FlatRecord<'s>> {
    let text = text::decode(id, source, problems);
    let names = (title, list, fields);
    text.map_or_else(Vec::new, |text| yaml::parse_records(id, text, names, problems))
}

/// Parses a file of sections. One that is written in another notation than its name says is reported
/// as that alone.
fn parse_text<'s>(
    id: SourceId,
    notation: Notation,
    text: &'s str,
    problems: &mut Diagnostics,
) -> Vec<Item<'s>> {
    let before = problems.checkpoint();
    let items = match notation {
        Notation::Dsl => dsl::parse(id, text, problems),
        Notation::Json if !json::check(id, text, problems) => Vec::new(),
        _ => yaml::parse(id, text, problems),
    };
    if problems.has_errors_since(&before)
        && let Some(mistaken) = other_notation::detect(id, notation, text)
    {
        problems.rewind(&before);
        problems.push(mistaken);
        return Vec::new();
    }
    items
}
