//! Conditions and settings in scalars.

use std::borrow::Cow;

use super::{
    cursor::{YamlCursor, YamlError},
    node::{Node, YamlScalar},
    scalar_spans::ScalarSpans,
    syntax_errors,
    values::{ExpectedValue, FieldValue, MappingFields},
};
use crate::{
    diagnostic::{Code, Diagnostic},
    source::Span,
    syntax::{
        ast::{Expr, ExprKind, Setting},
        dsl,
        keys::{self, quoted},
    },
};

/// What an entry of a user's own permissions is called.
pub(super) const OWN_PERMISSION: &str = "permission";

/// What an entry of a user's own `accepts` is called.
pub(super) const OWN_AUDIENCE: &str = "action";

impl<'s> YamlCursor<'s, '_> {
    /// A condition, or anything else in the grammar of conditions: a word, a number.
    pub(super) fn expr(
        &mut self,
        expected: ExpectedValue,
    ) -> Result<FieldValue<Expr<'s>>, YamlError> {
        let node = self.node()?;
        self.expr_of(node, expected)
    }

    /// As [`YamlCursor::expr`], of a node that was read.
    pub(super) fn expr_of(
        &mut self,
        node: Node<'s>,
        expected: ExpectedValue,
    ) -> Result<FieldValue<Expr<'s>>, YamlError> {
        let scalar = match self.scalar_of(node, expected)? {
            FieldValue::Value(scalar) => scalar,
            FieldValue::Absent => return Ok(FieldValue::Absent),
            FieldValue::Invalid => return Ok(FieldValue::Invalid),
        };
        // Of a word the grammar would make the same, in more time; and a number is none to it.
        if scalar.plain && (keys::is_word(&scalar.value) || scalar.is_number()) {
            let span = self.span(scalar.written.start, scalar.written.end);
            return Ok(FieldValue::Value(Expr { span, kind: ExprKind::Word(scalar.value) }));
        }
        // Plain text that runs on into a syntax error is reported as that alone.
        if scalar.plain && self.is_over_lines(&scalar) {
            self.peek()?;
        }
        if let Some(end) = self.end_of_cut(&scalar) {
            self.cut = end;
            let whole = self.text().get(scalar.written.start..end).unwrap_or_default();
            let problem = syntax_errors::cut(self.span(scalar.written.start, end), whole);
            self.problems.push(problem);
            return Ok(FieldValue::Invalid);
        }
        let places = ScalarSpans::new(scalar.span.source, self.text(), &scalar);
        let place = |range| places.span(range);
        let expr = match &scalar.value {
            Cow::Borrowed(text) => dsl::parse_expr(text, &place, self.problems),
            Cow::Owned(text) => dsl::parse_expr(text, &place, self.problems).map(Expr::into_owned),
        };
        Ok(expr.map_or(FieldValue::Invalid, FieldValue::Value))
    }

    /// Where a text ends that was meant as one, if a comma within its parentheses ended it, as it
    /// does in brackets.
    fn end_of_cut(&self, scalar: &YamlScalar<'_>) -> Option<usize> {
        if !scalar.plain || !self.is_in_brackets() {
            return None;
        }
        let rest = self.text().get(scalar.written.start..)?;
        let mut open = 0_usize;
        let mut is_cut = false;
        // A condition holds none of what ends the search, so that no text is searched twice.
        for (at, byte) in rest.bytes().enumerate() {
            match byte {
                b'(' => open += 1,
                b')' => open = open.checked_sub(1)?,
                b',' if open == 0 => return None,
                b',' => is_cut = true,
                b':' | b'{' | b'}' | b'[' | b']' | b'"' | b'\'' | b'#' => return None,
                _ => {}
            }
            if byte == b')' && open == 0 {
                return is_cut.then_some(scalar.written.start + at + 1);
            }
        }
        None
    }

    fn is_over_lines(&self, scalar: &YamlScalar<'_>) -> bool {
        let written = self.text().get(scalar.written.clone()).unwrap_or_default();
        written.contains(['\n', '\r'])
    }

    /// Reports a setting without a value, which its author expects to set something.
    pub(super) fn no_value(&mut self, what: &str, name: &str, span: Span, expected: ExpectedValue) {
        let message = format!("the {what} {} has no value", quoted(name));
        let problem = Diagnostic::error(Code::MissingField, span, message);
        self.problems.push(problem.hint(expected.1));
    }

    /// The keys and values of the mapping that is open, up to its end. Which keys there may be is
    /// for `policy` to say.
    pub(super) fn settings(
        &mut self,
        what: &'static str,
        value: ExpectedValue,
        into: &mut Vec<Setting<'s>>,
    ) -> Result<(), YamlError> {
        let mut fields = MappingFields::new(what);
        while let Some(key) = fields.next(self)? {
            match self.expr(value)? {
                FieldValue::Value(value) => into.push(Setting { key, value }),
                FieldValue::Invalid => {}
                // Records may come from a program, to which null is to leave out.
                FieldValue::Absent if matches!(what, OWN_PERMISSION | OWN_AUDIENCE) => {}
                FieldValue::Absent => self.no_value(what, &key.value, key.span, value),
            }
        }
        Ok(())
    }
}
