use super::TagId;
use crate::request::{Fields, Grant, GroupPermission, Value};

/// The number of a matrix in a view: of those that have names, in the order of these.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MatrixNumber(pub u32);

/// The bit that tells the matrices of single groups from those that have names.
const OWN: u32 = 1 << 31;

impl MatrixNumber {
    /// No matrix: nobody may do anything.
    pub const NONE: Self = Self(OWN - 1);

    pub(super) fn of_own(at: usize) -> Self {
        Self(u32::try_from(at).map_or(Self::NONE.0, |at| at | OWN))
    }

    pub(super) fn own(self) -> Option<usize> {
        (self.0 & OWN != 0).then_some((self.0 & !OWN) as usize)
    }
}

/// Who may do what in the groups that it governs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Matrix {
    pub name: String,
    /// Whether it governs conversations of two, which nobody leaves.
    pub is_of_two: bool,
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

    /// Whether a permission takes a super admin besides what its value says.
    pub fn takes_super_admin(&self, permission: GroupPermission, field: Option<&str>) -> bool {
        permission == GroupPermission::UpdateMetadata
            && self
                .metadata
                .as_ref()
                .zip(field)
                .is_some_and(|(fields, field)| fields.is_hidden(field))
    }

    /// Calls `each` with all that it says of who has a permission.
    pub fn each_value<'m>(&'m self, each: &mut impl FnMut(&'m Value<TagId>)) {
        self.permissions.iter().for_each(&mut *each);
        if let Some(Fields { named, rest }) = &self.metadata {
            named.iter().for_each(|(_, value)| each(value));
            each(rest);
        }
    }
}
