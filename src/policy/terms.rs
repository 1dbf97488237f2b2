//! The ends of what files state, and who stated it.

use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics},
    request::{InvalidMomentError, Moment, check_id},
    syntax::ast::{Term, TermOf, Text},
};

/// When an element of a record ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ElementEnd {
    Never,
    /// At a moment to come.
    At(Moment),
    /// It had ended by then.
    Ended(Moment),
}

/// The end of an element by its terms, if it has any. One in the past is warned about: it does not count.
pub(super) fn element_end(
    terms: &[Term<'_>],
    (of, position): (TermOf, usize),
    now: Moment,
    problems: &mut Diagnostics,
) -> ElementEnd {
    let Some(term) = terms.iter().find(|term| term.of == of && term.position == position) else {
        return ElementEnd::Never;
    };
    if let Some(by) = &term.by
        && let Err(error) = check_id(&by.value)
    {
        problems.push(Diagnostic::error(Code::InvalidId, by.span, error.to_string()));
    }
    let Some(until) = &term.until else { return ElementEnd::Never };
    match moment(until) {
        Ok(end) if end > now => ElementEnd::At(end),
        Ok(end) => {
            problems.push(
                Diagnostic::warning(Code::HasEnded, until.span, format!("this ended at {end}"))
                    .hint("it does not count any more: remove the entry"),
            );
            ElementEnd::Ended(end)
        }
        Err(problem) => {
            problems.push(problem);
            ElementEnd::Never
        }
    }
}

/// The moment that a text means.
fn moment(text: &Text<'_>) -> Result<Moment, Diagnostic> {
    text.value.parse().map_err(|error: InvalidMomentError| {
        Diagnostic::error(Code::InvalidTime, text.span, error.to_string())
            .hint("write it as 2026-12-31T23:59:59Z")
    })
}
