//! Events of the YAML parser, as much of them as is of use.

use std::{borrow::Cow, ops::Range};

use crate::source::Span;

/// An event of the YAML parser, and where it is written.
#[derive(Clone, Debug)]
pub(super) struct YamlEvent<'s> {
    pub kind: YamlEventKind<'s>,
    /// Where it is written.
    pub start: usize,
    pub end: usize,
    /// The alias it is read for.
    pub alias: Option<Span>,
}

#[derive(Clone, Debug)]
pub(super) enum YamlEventKind<'s> {
    Scalar { value: Cow<'s, str>, plain: bool },
    Sequence,
    Mapping,
    End,
    Repeat(Range<usize>),
    Refused,
    Document,
    Finish,
}
