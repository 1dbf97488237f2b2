//! Compiled matrices: the permissions in the groups that they govern.

use std::num::NonZeroU32;

use super::TagId;
use std::sync::Arc;

use crate::request::{Grant, GrantCondition, GroupPermission, MetadataGrants, PermissionMap};

/// The number of a matrix in a view; named matrices are numbered in the order of their names.
///
/// It is an index plus one, beside a bit that marks the own matrix of a single group. So an
/// `Option` of it has 4 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MatrixNumber(NonZeroU32);

/// The bit that marks the own matrix of a single group.
const OWN: u32 = 1 << 31;

const _: () = assert!(size_of::<Option<MatrixNumber>>() == 4, "the number of a matrix has a niche");

/// The list that a matrix is in, and its index there.
pub(super) enum MatrixIndex {
    /// Among the named matrices of the view.
    Named(usize),
    /// Among the own matrices of groups, by the number of the group.
    OfGroup(usize),
}

impl MatrixNumber {
    /// The number of a named matrix; `None` for an index that does not fit in 31 bits.
    pub fn named(index: usize) -> Option<Self> {
        Self::pack(index, 0)
    }

    /// The number of a group's own matrix; `None` for an index that does not fit in 31 bits.
    pub(super) fn of_group(index: usize) -> Option<Self> {
        Self::pack(index, OWN)
    }

    fn pack(index: usize, mark: u32) -> Option<Self> {
        let next = u32::try_from(index).ok()?.checked_add(1)?;
        NonZeroU32::new(next | mark).filter(|_| next < OWN).map(Self)
    }

    #[inline]
    pub(super) fn index(self) -> MatrixIndex {
        let number = self.0.get();
        let index = (number & !OWN).saturating_sub(1) as usize;
        if number & OWN == 0 { MatrixIndex::Named(index) } else { MatrixIndex::OfGroup(index) }
    }
}

/// A compiled matrix: the permissions in the groups that it governs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CompiledMatrix {
    /// The name; empty, if it is a single group's own.
    pub name: String,
    /// The name of the matrix that governs the group, whatever permissions of its own the group has.
    pub base: String,
    /// Whether the matrix governs conversations of two users, which cannot be left.
    pub is_of_two: bool,
    /// The condition of each permission; that of `update_metadata` applies only without `metadata`.
    pub permissions: PermissionMap<GrantCondition<TagId>>,
    /// The conditions by field; `None` if the matrix leaves `update_metadata` out.
    pub metadata: Option<MetadataGrants<TagId>>,
    /// The conditions of declared actions that the matrix states, in the order of their names.
    pub declared: Vec<(Arc<str>, GrantCondition<TagId>)>,
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

    /// The condition of a declared action; `None` if the matrix does not state it. Costs a binary search.
    pub fn declared_condition(&self, action: &str) -> Option<&GrantCondition<TagId>> {
        let at = self.declared.binary_search_by(|(name, _)| (**name).cmp(action)).ok()?;
        self.declared.get(at).map(|(_, value)| value)
    }

    /// Calls `each` with all conditions of the matrix.
    pub fn for_each_condition<'m>(&'m self, each: &mut impl FnMut(&'m GrantCondition<TagId>)) {
        self.permissions.values().for_each(&mut *each);
        self.declared.iter().for_each(|(_, value)| each(value));
        if let Some(MetadataGrants { named, rest }) = &self.metadata {
            named.iter().for_each(|(_, value)| each(value));
            each(rest);
        }
    }
}
