//! Keys of mappings: duplicates, and names that are not known.

use std::{borrow::Cow, collections::BTreeMap};

use smallvec::SmallVec;

use crate::{
    diagnostic::{Code, Diagnostic, suggest},
    source::Span,
    syntax::ast::Text,
};

/// The keys of one mapping that were read so far.
#[derive(Default)]
pub(super) struct SeenKeys<'s> {
    first: SmallVec<[Text<'s>; 12]>,
    /// Those after the first [`SeenKeys::FEW`], of which there may be very many.
    others: BTreeMap<Cow<'s, str>, Span>,
}

impl<'s> SeenKeys<'s> {
    /// How many are compared one by one.
    const FEW: usize = 24;

    /// Takes note of a key; where it was given first, if it was given before.
    pub(super) fn add(&mut self, key: &Text<'s>) -> Option<Span> {
        if let Some(known) = self.first.iter().find(|known| known.value == key.value) {
            return Some(known.span);
        }
        if self.first.len() < Self::FEW {
            self.first.push(key.clone());
            return None;
        }
        if let Some(&span) = self.others.get(&key.value) {
            return Some(span);
        }
        self.others.insert(key.value.clone(), key.span);
        None
    }

    /// The key that was given first.
    pub(super) fn first(&self) -> Option<Span> {
        self.first.first().map(|key| key.span)
    }
}

/// Whether a condition of this text is nothing but a word.
pub(super) fn is_word(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !text.is_empty() && text.bytes().all(is_plain)
}

/// A name that is unknown in its place, reported as `lead` and the name; the hint
/// has those that are known, and which of them is most like it.
pub(super) fn unknown_name(code: Code, lead: &str, name: &Text<'_>, known: &[&str]) -> Diagnostic {
    let problem = Diagnostic::error(code, name.span, format!("{lead} {}", quoted(&name.value)));
    problem.hint(suggest(&name.value, known.iter().copied()))
}

/// The key of a field that was given before; the first one counts.
pub(super) fn duplicate_key(code: Code, what: &str, again: &Text<'_>, first: Span) -> Diagnostic {
    let message = format!("duplicate {what} {}", quoted(&again.value));
    Diagnostic::error(code, again.span, message)
        .related(first, "first given here")
        .hint("remove one of the two, or merge them")
}

/// A text of the author in backquotes: on one line, and cut if it is long.
pub(super) fn quoted(text: &str) -> String {
    const MOST: usize = 60;
    let head: String = text.chars().take(MOST).collect();
    let more = if head.len() < text.len() { "..." } else { "" };
    format!("`{}{more}`", head.escape_debug().to_string().replace("\\\"", "\"").replace("\\'", "'"))
}
