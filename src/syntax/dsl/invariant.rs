//! The clauses behind an invariant: `scope` and `conversation`.

use crate::{
    diagnostic::{Code, Diagnostic},
    syntax::{ast::Text, keys},
};

use super::{
    context::{Context, INVARIANTS},
    message::display_text,
};

/// The clauses behind an invariant.
#[derive(Default)]
pub(super) struct InvariantClauses<'s> {
    pub(super) scope: Option<Text<'s>>,
    pub(super) conversation: Option<Text<'s>>,
}

impl Context<'_> {
    /// The clauses of their words, each with its value; reports words that are none, and those that come again.
    pub(super) fn invariant_clauses<'s>(
        &self,
        written: Vec<(Text<'s>, Text<'s>)>,
    ) -> InvariantClauses<'s> {
        let mut clauses = InvariantClauses::default();
        let mut first = None;
        for (word, value) in written {
            let place = match &*word.value {
                "scope" => &mut clauses.scope,
                "conversation" => &mut clauses.conversation,
                found => {
                    let found = display_text(found);
                    let message = format!("expected `scope` or `conversation`, found `{found}`");
                    self.report(
                        Diagnostic::error(Code::Syntax, word.span, message).hint(INVARIANTS),
                    );
                    continue;
                }
            };
            if place.is_some() {
                let first = first.unwrap_or(word.span);
                self.report(keys::duplicate_key(Code::DuplicateKey, "clause", &word, first));
                continue;
            }
            *place = Some(value);
            first = Some(word.span);
        }
        clauses
    }
}
