//! The terms of what files state of users and groups: until when it holds, and who stated it why.

use super::ast::{Spanned, Term, TermOf, Text, TimedList};
use crate::{
    diagnostic::{Code, Diagnostic},
    source::Span,
};

/// The key of the name in an element that is a mapping, and of the words for its terms.
pub(super) const USER: &str = "user";
pub(super) const TAG: &str = "tag";
pub(super) const STATE: &str = "state";
pub(super) const UNTIL: &str = "until";
pub(super) const REASON: &str = "reason";
pub(super) const BY: &str = "by";

/// The word for a duration, which commands take and files don't.
pub(super) const FOR: &str = "for";

/// Whether a word of the DSL stands before what is said of the element before it.
pub(super) fn is_word(text: &str) -> bool {
    [UNTIL, REASON, BY, FOR].contains(&text)
}

impl TermOf {
    /// The key of the name, where an element is a mapping.
    pub(super) const fn name_key(self) -> &'static str {
        match self {
            Self::Tags => TAG,
            Self::Moderation => STATE,
            Self::Contacts
            | Self::Favorites
            | Self::Paired
            | Self::Blocked
            | Self::Friends
            | Self::Muted
            | Self::Banned => USER,
        }
    }

    /// The keys of an element that is a mapping.
    pub(super) const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Tags => &[TAG, UNTIL],
            Self::Moderation => &[STATE, UNTIL, REASON, BY],
            Self::Contacts | Self::Favorites | Self::Paired | Self::Friends => &[USER, UNTIL],
            Self::Blocked | Self::Muted | Self::Banned => &[USER, UNTIL, REASON, BY],
        }
    }
}

impl<'s> Term<'s> {
    /// No terms yet of an element.
    pub(super) const fn new(of: TermOf, position: usize, span: Span) -> Self {
        Self { of, position, span, until: None, reason: None, by: None }
    }

    /// The place of the value of a key; `None` if the element has no such key.
    pub(super) fn slot(&mut self, key: &str) -> Option<&mut Option<Text<'s>>> {
        if !self.of.keys().contains(&key) {
            return None;
        }
        match key {
            UNTIL => Some(&mut self.until),
            REASON => Some(&mut self.reason),
            BY => Some(&mut self.by),
            _ => None,
        }
    }

    /// Whether nothing is said.
    pub(super) fn is_empty(&self) -> bool {
        self.until.is_none() && self.reason.is_none() && self.by.is_none()
    }

    /// The keys that are given, with their values.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'static str, &Text<'s>)> {
        let all = [(UNTIL, &self.until), (REASON, &self.reason), (BY, &self.by)];
        all.into_iter().filter_map(|(key, value)| Some((key, value.as_ref()?)))
    }
}

/// The terms of an element among those of a record.
pub(super) fn find<'t, 's>(
    terms: &'t [Term<'s>],
    of: TermOf,
    position: usize,
) -> Option<&'t Term<'s>> {
    terms.iter().find(|term| term.of == of && term.position == position)
}

/// A duration in a file, where there is no beginning from which it could count.
pub(super) fn duration_in_file(key: &Text<'_>) -> Diagnostic {
    let message = "`for` counts from a command; a file has no such beginning";
    Diagnostic::error(Code::UnknownField, key.span, message)
        .hint("write the time at which it ends: `until: 2026-12-31T23:59:59Z`")
}

/// The name of an element that has none.
pub(super) fn missing_name(of: TermOf, span: Span) -> Diagnostic {
    let key = of.name_key();
    Diagnostic::error(Code::MissingField, span, format!("the entry has no `{key}`"))
        .hint(format!("write `{{ {key}: ..., until: 2026-12-31T23:59:59Z }}`"))
}

/// Whether two records say the same of their elements' ends.
pub(super) fn are_equivalent(one: &[Term<'_>], other: &[Term<'_>]) -> bool {
    let said = |terms: &[Term<'_>]| {
        let text = |text: &Option<Text<'_>>| text.as_ref().map(|it| it.value.to_string());
        let mut all: Vec<_> = terms
            .iter()
            .map(|it| (it.of, it.position, text(&it.until), text(&it.reason), text(&it.by)))
            .collect();
        all.sort();
        all
    };
    said(one) == said(other)
}

/// An element, with its terms if it has any.
pub(super) fn push_element<'s>(list: &mut TimedList<'s>, name: Text<'s>, term: Option<Term<'s>>) {
    let (Spanned { value: names, .. }, terms) = list;
    terms.extend(
        term.filter(|term| !term.is_empty()).map(|term| Term { position: names.len(), ..term }),
    );
    names.push(name);
}
