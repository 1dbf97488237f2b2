use std::borrow::Cow;

use super::{
    cursor::{Cursor, Stop},
    node::{Node, Scalar},
    place::Places,
    read::{Expected, Fields, Given},
};
use crate::syntax::{
    ast::{Expr, ExprKind, Setting},
    dsl, known,
};

impl<'s> Cursor<'s, '_> {
    /// A condition, or anything else that stands in the grammar of conditions: a word, a number.
    pub(super) fn expr(&mut self, expected: Expected) -> Result<Given<Expr<'s>>, Stop> {
        let node = self.node()?;
        self.expr_of(node, expected)
    }

    /// As [`Cursor::expr`], of a node that was read.
    pub(super) fn expr_of(
        &mut self,
        node: Node<'s>,
        expected: Expected,
    ) -> Result<Given<Expr<'s>>, Stop> {
        let scalar = match self.scalar_of(node, expected)? {
            Given::Value(scalar) => scalar,
            Given::Nothing => return Ok(Given::Nothing),
            Given::Refused => return Ok(Given::Refused),
        };
        // Of a word the grammar would make the same, in more time; and a number is none to it.
        if scalar.plain && (known::is_word(&scalar.value) || scalar.is_number()) {
            let span = self.span(scalar.written.start, scalar.written.end);
            return Ok(Given::Value(Expr { span, kind: ExprKind::Word(scalar.value) }));
        }
        // Plain text that runs on into a syntax error is told as that alone.
        if scalar.plain && self.is_over_lines(&scalar) {
            self.peek()?;
        }
        let places = Places::new(scalar.span.source, self.text(), &scalar);
        let place = |range| places.span(range);
        let expr = match &scalar.value {
            Cow::Borrowed(text) => dsl::parse_expr(text, &place, self.problems),
            Cow::Owned(text) => dsl::parse_expr(text, &place, self.problems).map(Expr::into_owned),
        };
        Ok(expr.map_or(Given::Refused, Given::Value))
    }

    fn is_over_lines(&self, scalar: &Scalar<'_>) -> bool {
        let written = self.text().get(scalar.written.clone()).unwrap_or_default();
        written.contains(['\n', '\r'])
    }

    /// The keys and values of the mapping that is open, up to its end. Which keys there may be is
    /// for `policy` to say.
    pub(super) fn settings(
        &mut self,
        what: &'static str,
        value: Expected,
        into: &mut Vec<Setting<'s>>,
    ) -> Result<(), Stop> {
        let mut fields = Fields::new(what);
        while let Some(key) = fields.next(self)? {
            into.extend(self.expr(value)?.value().map(|value| Setting { key, value }));
        }
        Ok(())
    }
}
