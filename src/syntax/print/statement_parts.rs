//! Statements and fields of the DSL, put together from heads and values.

use super::{
    doc::Doc,
    dsl::{PrintedStatement, StatementBody},
    text::{quoted, word},
};
use crate::{
    source::Span,
    syntax::{
        ast::{List, Term, TermOf, Text},
        comments::Region,
        dsl::is_keyword,
        terms,
    },
};

pub(super) fn simple(head: &str, doc: Doc) -> PrintedStatement {
    PrintedStatement {
        head: head.to_owned(),
        value: StatementBody::Doc(doc),
        ..PrintedStatement::default()
    }
}

pub(super) fn block(head: String, fields: Vec<PrintedStatement>) -> PrintedStatement {
    PrintedStatement { head, value: StatementBody::Block(fields), ..PrintedStatement::default() }
}

/// A field, with the comments of the part that contains its value.
pub(super) fn field(head: &str, doc: Doc, at: Span, part: &mut Region) -> PrintedStatement {
    let mut own = part.take(at);
    own.gather();
    PrintedStatement { comments: own.comments, ..simple(head, doc) }
}

pub(super) fn list(
    head: &str,
    list: Option<&List<'_>>,
    part: &mut Region,
) -> Option<PrintedStatement> {
    list.map(|list| field(head, Doc::list(list), list.span, part))
}

pub(super) fn text(
    head: &str,
    text: Option<&Text<'_>>,
    part: &mut Region,
) -> Option<PrintedStatement> {
    text.map(|text| field(head, Doc::Word(word(&text.value)), text.span, part))
}

/// A list whose elements may have terms.
pub(super) fn timed_list(
    head: &str,
    named: Option<&List<'_>>,
    terms: (&[Term<'_>], TermOf),
    part: &mut Region,
) -> Option<PrintedStatement> {
    let (terms, of) = terms;
    if terms.is_empty() {
        return list(head, named, part);
    }
    named.map(|named| {
        let element = |(at, text): (usize, &Text<'_>)| Doc::Word(timed_word(text, terms, (of, at)));
        let items = named.value.iter().enumerate().map(element).collect();
        let doc = Doc::Group { open: "[".to_owned(), items, close: ']' };
        field(head, doc, named.span, part)
    })
}

/// A text that may have terms.
pub(super) fn timed_text(
    head: &str,
    text: Option<&Text<'_>>,
    terms: (&[Term<'_>], TermOf),
    part: &mut Region,
) -> Option<PrintedStatement> {
    let (terms, of) = terms;
    text.map(|text| field(head, Doc::Word(timed_word(text, terms, (of, 0))), text.span, part))
}

fn timed_word(text: &Text<'_>, terms: &[Term<'_>], (of, at): (TermOf, usize)) -> String {
    let Some(term) = terms::find(terms, of, at) else { return word(&text.value) };
    // Before another word, one that begins statements would begin one.
    let is_quoted = is_keyword(&text.value);
    let mut said = if is_quoted { quoted(&text.value) } else { word(&text.value) };
    for (key, value) in term.entries() {
        let value = if key == terms::BY { word(&value.value) } else { quoted(&value.value) };
        said.extend([" ", key, " ", &value]);
    }
    said
}
