//! Fields of an expectation that must have a value where they stand.

use crate::{
    diagnostic::{Code, Diagnostic},
    syntax::{
        ast::{Spanned, Text},
        yaml::{
            cursor::{YamlCursor, YamlError},
            node::Node,
            values::{ExpectedValue, FieldValue},
        },
    },
};

const BOOL: ExpectedValue = ExpectedValue("`true` or `false`", "write `true` or `false`");

/// The value of a field; a field without one is reported, so that it is not overlooked.
pub(super) fn required<'s, T>(
    cursor: &mut YamlCursor<'s, '_>,
    key: &Text<'s>,
    given: FieldValue<T>,
) -> Option<T> {
    if matches!(given, FieldValue::Absent) {
        let message = format!("`{}` has no value", key.value);
        cursor.problems.push(
            Diagnostic::error(Code::MissingField, key.span, message)
                .hint("add a value, or remove the field"),
        );
    }
    given.value()
}

/// `true` or `false`, as YAML 1.2 has them.
pub(super) fn boolean<'s>(
    cursor: &mut YamlCursor<'s, '_>,
    key: &Text<'s>,
) -> Result<Option<Spanned<bool>>, YamlError> {
    match cursor.node()? {
        Node::Scalar(scalar) if scalar.is_bool() => {
            let value = scalar.value.eq_ignore_ascii_case("true");
            Ok(Some(Spanned::new(value, scalar.span)))
        }
        Node::Scalar(scalar) if scalar.is_null() => Ok(required(cursor, key, FieldValue::Absent)),
        other => Ok(cursor.report_invalid(&other, BOOL)?.value()),
    }
}
