//! Statements and fields of the DSL, put together from heads and values.

use super::{
    doc::Doc,
    dsl::{PrintedStatement, StatementBody},
    text::word,
};
use crate::{
    source::Span,
    syntax::{
        ast::{List, Text},
        comments::Region,
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
