//! Nodes of YAML: scalars, and the beginnings of lists and mappings.

use std::{borrow::Cow, ops::Range};

use crate::source::Span;

/// A value, or the beginning of one: what is in a list or mapping comes next.
#[derive(Clone, Debug)]
pub(super) enum Node<'s> {
    Scalar(YamlScalar<'s>),
    Sequence(OpenCollection),
    Mapping(OpenCollection),
    /// A value that can't be read and that was reported.
    Refused,
}

/// A single text, number, `true`, `null`: YAML has no types here, a field says what it takes.
#[derive(Clone, Debug)]
pub(super) struct YamlScalar<'s> {
    pub value: Cow<'s, str>,
    /// Whether it has no quotes, so that it may be a number or null to YAML.
    pub plain: bool,
    /// The place of its use: the alias, if it was read for one.
    pub span: Span,
    /// Where it is written, with its quotes.
    pub written: Range<usize>,
}

/// The beginning of a list or mapping.
#[derive(Clone, Copy, Debug)]
pub(super) struct OpenCollection {
    pub span: Span,
    /// Whether it is read for an alias, and is written elsewhere.
    pub is_alias: bool,
}

impl YamlScalar<'_> {
    /// Whether it says that there is no value.
    pub(super) fn is_null(&self) -> bool {
        self.plain && matches!(&*self.value, "" | "~" | "null" | "Null" | "NULL")
    }

    /// Whether YAML takes it for true or false.
    pub(super) fn is_bool(&self) -> bool {
        let is =
            |word: &str| matches!(word, "true" | "True" | "TRUE" | "false" | "False" | "FALSE");
        self.plain && is(&self.value)
    }

    /// Whether it reads like a number.
    pub(super) fn is_number(&self) -> bool {
        let head = self.value.trim_start_matches(['-', '+', '.']);
        self.plain
            && head.starts_with(|c: char| c.is_ascii_digit())
            && self.value.parse::<f64>().is_ok()
    }
}
