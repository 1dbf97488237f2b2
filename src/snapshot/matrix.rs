//! Compiled matrices: the permissions in the groups that they govern.

use super::TagId;
use crate::request::{Grant, GrantCondition, GroupPermission, MetadataGrants, PermissionMap};

/// The number of a matrix in a view; named matrices are numbered in the order of their names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MatrixNumber(pub u32);

/// The bit that marks the own matrix of a single group.
const OWN: u32 = 1 << 31;

impl MatrixNumber {
    /// The number of no matrix, which grants nothing.
    pub const NONE: Self = Self(OWN - 1);

    pub(super) fn for_group(at: usize) -> Self {
        Self(u32::try_from(at).map_or(Self::NONE.0, |at| at | OWN))
    }

    pub(super) fn own_group(self) -> Option<usize> {
        (self.0 & OWN != 0).then_some((self.0 & !OWN) as usize)
    }
}

/// A compiled matrix: the permissions in the groups that it governs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CompiledMatrix {
    pub name: String,
    /// Whether the matrix governs conversations of two users, which cannot be left.
    pub is_of_two: bool,
    /// The condition of each permission; that of `update_metadata` applies only without `metadata`.
    pub permissions: PermissionMap<GrantCondition<TagId>>,
    /// The conditions by field; `None` if the matrix leaves `update_metadata` out.
    pub metadata: Option<MetadataGrants<TagId>>,
}

impl CompiledMatrix {
    /// The condition of a permission, for a field where the permission concerns one.
    pub fn grant_condition(
        &self,
        permission: GroupPermission,
        field: Option<&str>,
    ) -> &GrantCondition<TagId> {
        match self.metadata.as_ref().filter(|_| permission.takes_field()) {
            Some(fields) => {
                field.map_or(&GrantCondition::Grant(Grant::Deny), |field| fields.grant_for(field))
            }
            None => &self.permissions[permission],
        }
    }

    /// Whether a permission requires a super admin besides its condition.
    pub fn requires_super_admin(&self, permission: GroupPermission, field: Option<&str>) -> bool {
        permission.takes_field()
            && self
                .metadata
                .as_ref()
                .zip(field)
                .is_some_and(|(fields, field)| fields.is_hidden(field))
    }

    /// Calls `each` with all conditions of the matrix.
    pub fn for_each_condition<'m>(&'m self, each: &mut impl FnMut(&'m GrantCondition<TagId>)) {
        self.permissions.values().for_each(&mut *each);
        if let Some(MetadataGrants { named, rest }) = &self.metadata {
            named.iter().for_each(|(_, value)| each(value));
            each(rest);
        }
    }
}
