//! The terms of elements and values, as the words after them say.

use crate::{
    diagnostic::{Code, Diagnostic},
    source::Span,
    syntax::{
        ast::{List, Spanned, Term, TermOf, Text},
        dsl::{
            context::Context,
            record::Field,
            sections::{ListField, ValueField},
        },
        keys, terms,
    },
};

/// A text, and each word with the text after it.
pub(super) type TimedText<'s> = (Text<'s>, Vec<(Text<'s>, Text<'s>)>);

/// A list, and the elements of it that have words after them, by their positions.
pub(super) type Elements<'s> = (List<'s>, Vec<(usize, TimedText<'s>)>);

/// A list of texts with the words after them.
pub(super) fn elements(items: Vec<TimedText<'_>>, span: Span) -> Elements<'_> {
    let mut timed = Vec::new();
    let mut names = Vec::with_capacity(items.len());
    for (position, (name, clauses)) in items.into_iter().enumerate() {
        if !clauses.is_empty() {
            timed.push((position, (name.clone(), clauses)));
        }
        names.push(name);
    }
    (Spanned::new(names, span), timed)
}

impl Context<'_> {
    pub(super) fn list_field<'s>(&self, field: ListField, elements: Elements<'s>) -> Field<'s> {
        let (list, timed) = elements;
        if timed.is_empty() {
            return Field::List(field, list);
        }
        let of = term_of_list(field);
        let terms =
            timed.into_iter().filter_map(|(position, timed)| self.term(of, position, timed));
        let terms: Vec<Term<'s>> = terms.collect();
        Field::TimedList(field, Box::new((list, terms)))
    }

    pub(super) fn moderation<'s>(&self, timed: TimedText<'s>) -> Field<'s> {
        let field = ValueField::Moderation;
        let (state, clauses) = timed;
        if clauses.is_empty() {
            return Field::Value(field, state);
        }
        match self.term(Some(TermOf::Moderation), 0, (state.clone(), clauses)) {
            Some(term) => Field::TimedValue(field, Box::new((state, term))),
            None => Field::Value(field, state),
        }
    }

    /// The terms of an element, where it may have any; what it may not have is reported.
    fn term<'s>(
        &self,
        of: Option<TermOf>,
        position: usize,
        timed: TimedText<'s>,
    ) -> Option<Term<'s>> {
        let (name, clauses) = timed;
        let span = clauses.last().map_or(name.span, |(_, value)| name.span.to(value.span));
        let mut term = of.map(|of| Term::new(of, position, span));
        for (word, value) in clauses {
            match term.as_mut().and_then(|term| term.slot(&word.value)) {
                Some(slot) if slot.is_none() => *slot = Some(value),
                Some(slot) => {
                    let first = slot.as_ref().map_or(word.span, |first| first.span);
                    self.report(keys::duplicate_key(Code::DuplicateKey, "word", &word, first));
                }
                None if word.value == terms::FOR && of.is_some() => {
                    self.report(terms::duration_in_file(&word));
                }
                None => self.report(unknown_word(of, &word)),
            }
        }
        term.filter(|term| !term.is_empty())
    }
}

/// A word after an element that says nothing about it.
fn unknown_word(of: Option<TermOf>, word: &Text<'_>) -> Diagnostic {
    if let Some(of) = of {
        let known: Vec<&str> = of.keys().iter().skip(1).copied().collect();
        return keys::unknown_name(Code::UnknownField, "the entry has no", word, &known);
    }
    let message = "expected a comma or the end of the value";
    Diagnostic::error(Code::Syntax, word.span, message)
        .hint("what ends or has a reason is a tag, a relation, moderation, a mute or a ban")
}

fn term_of_list(field: ListField) -> Option<TermOf> {
    match field {
        ListField::Tags => Some(TermOf::Tags),
        ListField::Contacts => Some(TermOf::Contacts),
        ListField::Favorites => Some(TermOf::Favorites),
        ListField::Paired => Some(TermOf::Paired),
        ListField::Blocked => Some(TermOf::Blocked),
        ListField::Friends => Some(TermOf::Friends),
        ListField::Muted => Some(TermOf::Muted),
        ListField::Banned => Some(TermOf::Banned),
        ListField::SuperAdmins
        | ListField::Admins
        | ListField::Members
        | ListField::Allow
        | ListField::Actions
        | ListField::Days
        | ListField::Except => None,
    }
}
