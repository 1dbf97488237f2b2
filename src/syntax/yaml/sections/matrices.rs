//! The `matrices` section.

use super::unique_entries::UniqueEntries;
use crate::{
    diagnostic::Code,
    source::Span,
    syntax::{
        ast::{Item, Matrix, Permission, PermissionValue},
        keys::duplicate_key,
        yaml::{
            cursor::{YamlCursor, YamlError},
            node::Node,
            values::{ExpectedValue, FieldValue, MappingFields},
        },
    },
};

const MATRICES: ExpectedValue =
    ExpectedValue("a mapping of matrices", "write `name: { add_member: allow_if_admin }` for each");
const MATRIX: ExpectedValue = ExpectedValue("a matrix", "write `{ add_member: allow_if_admin }`");
const VALUE: ExpectedValue =
    ExpectedValue("a value of a permission, as text", "write a word like `allow_if_admin`");

pub(super) fn read<'s>(
    cursor: &mut YamlCursor<'s, '_>,
    _: Span,
    items: &mut Vec<Item<'s>>,
) -> Result<(), YamlError> {
    if cursor.mapping(MATRICES)?.value().is_none() {
        return Ok(());
    }
    let mut matrices = UniqueEntries::new(|item| match item {
        Item::Matrix(matrix) => Some(&matrix.name),
        _ => None,
    });
    while let Some(name) = cursor.key()? {
        if let Some(first) = matrices.add(&name, items) {
            cursor.problems.push(duplicate_key(Code::DuplicateMatrix, "matrix", &name, first));
            cursor.skip()?;
            continue;
        }
        let mut matrix = Matrix { name, permissions: Vec::new(), is_whole: true };
        let done = permissions(cursor, &mut matrix);
        matrix.is_whole &= done.is_ok();
        // Even with mistakes in it there is a matrix of this name.
        items.push(Item::Matrix(Box::new(matrix)));
        done?;
    }
    Ok(())
}

fn permissions<'s>(
    cursor: &mut YamlCursor<'s, '_>,
    matrix: &mut Matrix<'s>,
) -> Result<(), YamlError> {
    if cursor.mapping(MATRIX)?.value().is_none() {
        return Ok(());
    }
    let mut keys = MappingFields::new("permission");
    while let Some(key) = keys.next(cursor)? {
        let value = match cursor.node()? {
            Node::Mapping(_) => {
                let mut fields = Vec::new();
                let done = cursor.settings("field", VALUE, &mut fields);
                matrix
                    .permissions
                    .push(Permission { key, value: PermissionValue::ByField(fields) });
                done?;
                continue;
            }
            node => cursor.expr_of(node, VALUE)?,
        };
        match value {
            FieldValue::Value(value) => {
                let value = PermissionValue::One(value);
                matrix.permissions.push(Permission { key, value });
            }
            FieldValue::Invalid => matrix.is_whole = false,
            FieldValue::Absent => {}
        }
    }
    Ok(())
}
