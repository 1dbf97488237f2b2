use super::TagId;
use crate::request::{Grant, GrantCondition, GroupPermission, MetadataGrants};

/// The number of a matrix in a view: of those that have names, in the order of these.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MatrixNumber(pub u32);

/// The bit that tells the matrices of single groups from those that have names.
const OWN: u32 = 1 << 31;

impl MatrixNumber {
    /// No matrix: nobody may do anything.
    pub const NONE: Self = Self(OWN - 1);

    pub(super) fn for_group(at: usize) -> Self {
        Self(u32::try_from(at).map_or(Self::NONE.0, |at| at | OWN))
    }

    pub(super) fn own_group(self) -> Option<usize> {
        (self.0 & OWN != 0).then_some((self.0 & !OWN) as usize)
    }
}

/// Who may do what in the groups that it governs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CompiledMatrix {
    pub name: String,
    /// Whether it governs conversations of two, which nobody leaves.
    pub is_of_two: bool,
    /// By [`GroupPermission::index`]; that of `update_metadata` counts only where `metadata` says
    /// nothing.
    pub permissions: [GrantCondition<TagId>; GroupPermission::COUNT],
    /// Who may change which field; `None` if the matrix leaves `update_metadata` out.
    pub metadata: Option<MetadataGrants<TagId>>,
}

impl CompiledMatrix {
    /// Who has a permission, of a field where it is one that a field has.
    pub fn grant_condition(
        &self,
        permission: GroupPermission,
        field: Option<&str>,
    ) -> &GrantCondition<TagId> {
        match (permission, &self.metadata, field) {
            (GroupPermission::UpdateMetadata, Some(fields), Some(field)) => fields.grant_for(field),
            (GroupPermission::UpdateMetadata, Some(_), None) => &GrantCondition::Grant(Grant::Deny),
            _ => {
                let value = self.permissions.get(permission.index());
                value.unwrap_or(&GrantCondition::Grant(Grant::Unspecified))
            }
        }
    }

    /// Whether a permission takes a super admin besides what its value says.
    pub fn requires_super_admin(&self, permission: GroupPermission, field: Option<&str>) -> bool {
        permission == GroupPermission::UpdateMetadata
            && self
                .metadata
                .as_ref()
                .zip(field)
                .is_some_and(|(fields, field)| fields.is_hidden(field))
    }

    /// Calls `each` with all that it says of who has a permission.
    pub fn for_each_condition<'m>(&'m self, each: &mut impl FnMut(&'m GrantCondition<TagId>)) {
        self.permissions.iter().for_each(&mut *each);
        if let Some(MetadataGrants { named, rest }) = &self.metadata {
            named.iter().for_each(|(_, value)| each(value));
            each(rest);
        }
    }
}
