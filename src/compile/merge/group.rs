//! The fields of a group that a file may declare and a record may set.

use std::collections::BTreeMap;

use crate::{
    facts::GroupRecord,
    policy::{DEFAULT_MATRIX, PolicyGroup},
    request::Role,
};

/// The fields of a group, by ids and names.
#[derive(Clone, Debug)]
pub(crate) struct GroupFieldValues<'g> {
    /// The name of the matrix; `None` for the default one.
    matrix: Option<&'g str>,
    pub(crate) creator: Option<&'g str>,
    pub(crate) members: BTreeMap<&'g str, Role>,
    /// The permissions that the group sets over its matrix, by their keys.
    pub(crate) permissions: Option<&'g BTreeMap<String, String>>,
}

/// A field of a group that a record sets and a file declares.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ShadowedGroupField<'g> {
    /// A field by its name.
    Field(&'static str),
    /// A member whose role is another by the record.
    Member(&'g str),
}

/// The role that a file declares for a user in a group. Costs three binary searches.
pub(crate) fn declared_role(group: &PolicyGroup, user: &str) -> Option<Role> {
    let is_in = |ids: &[String]| ids.binary_search_by(|id| id.as_str().cmp(user)).is_ok();
    if is_in(&group.super_admins) {
        Some(Role::SuperAdmin)
    } else if is_in(&group.admins) {
        Some(Role::Admin)
    } else if is_in(&group.members) {
        Some(Role::Member)
    } else {
        None
    }
}

/// The names of the fields that a file declares of a group.
pub(crate) fn declared_group_fields(group: &PolicyGroup) -> impl Iterator<Item = &'static str> {
    let PolicyGroup { id: _, matrix: _, creator, super_admins, admins, members } = group;
    let fields = [
        // A group that names no matrix is under the default one.
        ("matrix", true),
        ("creator", creator.is_some()),
        ("super_admins", !super_admins.is_empty()),
        ("admins", !admins.is_empty()),
        ("members", !members.is_empty()),
    ];
    fields.into_iter().filter(|&(_, is_declared)| is_declared).map(|(name, _)| name)
}

impl<'g> GroupFieldValues<'g> {
    /// The effective fields of a group; `None` if there is no such group: no file declares it, and the
    /// API did not create it.
    pub(crate) fn merge(
        declared: Option<&'g PolicyGroup>,
        record: Option<&'g GroupRecord>,
    ) -> Option<Self> {
        let recorded = record.map(Self::from_record);
        let Some(declared) = declared else {
            return recorded.filter(|_| record.is_some_and(|record| record.created));
        };
        let Self { matrix, creator, members, permissions } = Self::from_declared(declared);
        // Members are the only field of which a file declares parts.
        let mut all = recorded.map(|recorded| recorded.members).unwrap_or_default();
        all.extend(members);
        Some(Self { matrix, creator, members: all, permissions })
    }

    /// The fields that a record sets.
    fn from_record(record: &'g GroupRecord) -> Self {
        let GroupRecord { created: _, matrix, creator, members, permissions, metadata: _ } = record;
        Self {
            matrix: matrix.as_deref(),
            creator: creator.as_deref(),
            members: members.iter().map(|(id, member)| (id.as_str(), member.role)).collect(),
            permissions: Some(permissions).filter(|permissions| !permissions.is_empty()),
        }
    }

    /// The fields that a file declares.
    fn from_declared(group: &'g PolicyGroup) -> Self {
        let PolicyGroup { id: _, matrix, creator, super_admins, admins, members } = group;
        let ids = members.iter().chain(admins).chain(super_admins);
        Self {
            matrix: Some(matrix),
            creator: creator.as_deref(),
            members: ids.filter_map(|id| Some((id.as_str(), declared_role(group, id)?))).collect(),
            permissions: None,
        }
    }

    /// The name of the matrix that governs the group.
    pub(crate) fn matrix(&self) -> &'g str {
        self.matrix.unwrap_or(DEFAULT_MATRIX)
    }

    /// The fields of a record that a file declares, which shadows them.
    pub(crate) fn shadowed(
        declared: &PolicyGroup,
        record: &'g GroupRecord,
    ) -> impl Iterator<Item = ShadowedGroupField<'g>> {
        let Self { matrix, creator, members, permissions } = Self::from_record(record);
        let fields = [
            ("matrix", matrix.is_some()),
            ("creator", creator.is_some()),
            ("permissions", permissions.is_some()),
        ];
        let fields = fields.into_iter().filter(|&(_, is_set)| is_set);
        let other_role = |&(id, role): &(&str, Role)| {
            declared_role(declared, id).is_some_and(|declared| declared != role)
        };
        let members: Vec<_> = members.into_iter().filter(other_role).collect();
        fields
            .map(|(name, _)| ShadowedGroupField::Field(name))
            .chain(members.into_iter().map(|(id, _)| ShadowedGroupField::Member(id)))
    }
}
