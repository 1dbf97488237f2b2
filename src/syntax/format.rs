//! A file in canonical form, in its own notation or another.

use granit_parser::Event;
use thiserror::Error;

use super::{
    ast::Item,
    comments::{CommentMarker, CommentTree},
    dsl,
    equivalence::equivalent,
    print::{self, Form},
    text, yaml,
};
use crate::{
    diagnostic::Diagnostics,
    source::{Notation, Source, SourceId},
};

/// Why a file has no canonical form.
#[derive(Debug, Error)]
pub enum FormatError {
    /// Nothing may be made of what could be read in part only.
    #[error("the file has errors")]
    Mistakes(Diagnostics),
    #[error("bulk files have no canonical form")]
    Bulk,
    #[error("test files have no canonical form")]
    Tests,
    #[error("JSON can't hold the file's comments")]
    Comments,
    /// Such as a user whom the file states twice: YAML has an id once.
    #[error("written as {to}, the file could not be read back: {why}")]
    Unreadable { to: &'static str, why: String },
    #[error("written as {to}, the file would mean something else")]
    Changed { to: &'static str },
}

/// The text of a file in a form, with its comments. What is handed out was read again, says the same
/// and has the same comments: else it is refused.
///
/// # Errors
///
/// If the file has mistakes in its notation, or the form can't hold what it says.
pub fn format(source: &Source, form: Form) -> Result<String, FormatError> {
    let marker = match source.notation {
        Notation::Dsl => CommentMarker::Slashes,
        Notation::Yaml | Notation::Json => CommentMarker::Hash,
        Notation::Ndjson | Notation::Csv => return Err(FormatError::Bulk),
        Notation::Tests => return Err(FormatError::Tests),
    };
    let mut problems = Diagnostics::default();
    let Some(text) = text::decode(ID, source, &mut problems) else {
        return Err(FormatError::Mistakes(problems));
    };
    let items = super::parse_text(ID, source.notation, text, &mut problems);
    if problems.has_errors() {
        return Err(FormatError::Mistakes(problems));
    }
    let comments = CommentTree::parse(text, marker);
    if form == Form::Json && !comments.is_empty() {
        return Err(FormatError::Comments);
    }
    let said = comments.sorted();
    let mut printed = print::write(form, &items, comments, text);
    verify(&printed, form, &items, &said)?;
    if printed.is_empty() && !source.bytes.is_empty() {
        // A file without statements is a warning, an empty one an error.
        printed.push('\n');
    }
    Ok(printed)
}

/// How many aliases a YAML file has. No canonical form keeps them.
pub fn count_aliases(source: &Source) -> usize {
    let text = std::str::from_utf8(&source.bytes).unwrap_or_default();
    if source.notation != Notation::Yaml || !text.contains('&') {
        return 0;
    }
    let mut events = yaml::events(text);
    let mut count = 0;
    while let Some(Ok((event, _))) = events.next_event() {
        count += usize::from(matches!(event, Event::Alias(..) | Event::UnresolvedAlias(..)));
    }
    count
}

const ID: SourceId = SourceId(0);

fn parse<'t>(text: &'t str, marker: CommentMarker, problems: &mut Diagnostics) -> Vec<Item<'t>> {
    match marker {
        CommentMarker::Slashes => dsl::parse(ID, text, problems),
        CommentMarker::Hash => yaml::parse(ID, text, problems),
    }
}

/// Reads what was printed, and compares it with what was meant.
fn verify(
    printed: &str,
    form: Form,
    items: &[Item<'_>],
    said: &[String],
) -> Result<(), FormatError> {
    let (to, marker) = match form {
        Form::Dsl => ("a `.peerage` file", CommentMarker::Slashes),
        Form::Yaml => ("YAML", CommentMarker::Hash),
        Form::Json => ("JSON", CommentMarker::Hash),
    };
    let source = Source::new("", Notation::Yaml, printed);
    let mut problems = Diagnostics::default();
    let read =
        text::decode(ID, &source, &mut problems).map(|text| parse(text, marker, &mut problems));
    if problems.has_errors() {
        let (list, _) = problems.into_sorted();
        let why = list.into_iter().next().map(|first| first.message).unwrap_or_default();
        return Err(FormatError::Unreadable { to, why });
    }
    let is_same = read.is_some_and(|read| equivalent(items, &read));
    if is_same && (form == Form::Json || CommentTree::parse(printed, marker).sorted() == said) {
        Ok(())
    } else {
        Err(FormatError::Changed { to })
    }
}
