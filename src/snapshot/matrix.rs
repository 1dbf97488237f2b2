use super::TagId;
use crate::request::{Fields, Grant, GroupPermission, Value};

/// The number of a matrix in a view, in the order of their names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MatrixNumber(pub u32);

/// Who may do what in the groups that it governs.
#[derive(Clone, Debug)]
pub struct Matrix {
    pub name: String,
    /// By [`GroupPermission::index`]; that of `update_metadata` counts only where `metadata` says
    /// nothing.
    pub permissions: [Value<TagId>; GroupPermission::COUNT],
    /// Who may change which field; `None` if the matrix leaves `update_metadata` out.
    pub metadata: Option<Fields<TagId>>,
}

impl Matrix {
    /// Who has a permission, of a field where it is one that a field has.
    pub fn value(&self, permission: GroupPermission, field: Option<&str>) -> &Value<TagId> {
        match (permission, &self.metadata, field) {
            (GroupPermission::UpdateMetadata, Some(fields), Some(field)) => fields.of(field),
            (GroupPermission::UpdateMetadata, Some(_), None) => &Value::Grant(Grant::Deny),
            _ => {
                let value = self.permissions.get(permission.index());
                value.unwrap_or(&Value::Grant(Grant::Unspecified))
            }
        }
    }
}
