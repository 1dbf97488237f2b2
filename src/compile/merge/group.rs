//! The fields of a group that a file may declare and a record may set.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use crate::{
    facts::GroupRecord,
    policy::{self, DEFAULT_MATRIX, PolicyGroup, Restriction},
    request::{Condition, Moment, Role},
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
    /// The users who may not speak in it.
    pub(crate) muted: BTreeSet<&'g str>,
    /// The users who are neither added to it nor join it; none of them is a member.
    pub(crate) banned: BTreeSet<&'g str>,
    /// The condition that someone in it must meet.
    pub(crate) requires: Option<Cow<'g, Condition<String>>>,
}

/// A field of a group that a record sets and a file declares.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ShadowedGroupField<'g> {
    /// A field by its name.
    Field(&'static str),
    /// A user who has another role by the record, or whom it bans though the file has them in the group, or
    /// the other way around.
    Member(&'g str),
}

/// The role that a file declares for a user in a group. Costs three binary searches.
pub(crate) fn declared_role(group: &PolicyGroup, user: &str) -> Option<Role> {
    if is_in(&group.super_admins, user) {
        Some(Role::SuperAdmin)
    } else if is_in(&group.admins, user) {
        Some(Role::Admin)
    } else if is_in(&group.members, user) {
        Some(Role::Member)
    } else {
        None
    }
}

/// Whether a user is in a list of ids in order. Costs a binary search.
pub(crate) fn is_in(ids: &[String], user: &str) -> bool {
    ids.binary_search_by(|id| id.as_str().cmp(user)).is_ok()
}

/// The names of the fields that a file declares of a group.
pub(crate) fn declared_group_fields(group: &PolicyGroup) -> impl Iterator<Item = &'static str> {
    let PolicyGroup {
        id: _,
        matrix: _,
        creator,
        super_admins,
        admins,
        members,
        muted,
        banned,
        requires,
        ends: _,
    } = group;
    let fields = [
        // A group that names no matrix is under the default one.
        ("matrix", true),
        ("creator", creator.is_some()),
        ("super_admins", !super_admins.is_empty()),
        ("admins", !admins.is_empty()),
        ("members", !members.is_empty()),
        ("muted", !muted.is_empty()),
        ("banned", !banned.is_empty()),
        ("requires", requires.is_some()),
    ];
    fields.into_iter().filter(|&(_, is_declared)| is_declared).map(|(name, _)| name)
}

impl<'g> GroupFieldValues<'g> {
    /// The effective fields of a group; `None` if there is no such group: no file declares it, and the
    /// API did not create it. What a file states until a moment up to `at` has ended.
    pub(crate) fn merge(
        declared: Option<&'g PolicyGroup>,
        record: Option<&'g GroupRecord>,
        at: Moment,
    ) -> Option<Self> {
        let recorded = record.map(Self::from_record);
        let Some(declared) = declared else {
            return recorded.filter(|_| record.is_some_and(|record| record.created));
        };
        let mut group = Self::from_declared(declared, at);
        if let Some(recorded) = recorded {
            // A file declares parts of these lists, and a record may have others. Who is in the group by one
            // of the two and banned by the other is what the file says.
            let members = recorded.members.into_iter();
            let members: Vec<_> = members.filter(|(id, _)| !group.banned.contains(id)).collect();
            let banned = recorded.banned.into_iter();
            group.banned.extend(banned.filter(|id| !group.members.contains_key(id)));
            for (id, role) in members {
                group.members.entry(id).or_insert(role);
            }
            group.muted.extend(recorded.muted);
            group.requires = group.requires.or(recorded.requires);
        }
        Some(group)
    }

    /// The fields that a record sets.
    fn from_record(record: &'g GroupRecord) -> Self {
        let GroupRecord {
            created: _,
            matrix,
            creator,
            members,
            muted,
            banned,
            requires,
            permissions,
            metadata: _,
        } = record;
        // Only what was checked is ever stored; what can't be read is met by nobody.
        let read = |text: &String| policy::parse_condition(text).unwrap_or(Condition::Nobody);
        Self {
            matrix: matrix.as_deref(),
            creator: creator.as_deref(),
            members: members.iter().map(|(id, member)| (id.as_str(), member.role)).collect(),
            permissions: Some(permissions).filter(|permissions| !permissions.is_empty()),
            muted: muted.keys().map(String::as_str).collect(),
            banned: banned.keys().map(String::as_str).collect(),
            requires: requires.as_ref().map(|text| Cow::Owned(read(text))),
        }
    }

    /// The fields that a file declares.
    fn from_declared(group: &'g PolicyGroup, at: Moment) -> Self {
        let PolicyGroup {
            id: _,
            matrix,
            creator,
            super_admins,
            admins,
            members,
            muted,
            banned,
            requires,
            ends,
        } = group;
        let is_in_force = |of: Restriction, id: &str| {
            ends.iter().all(|end| end.of != of || end.user != id || end.at > at)
        };
        let restricted = |ids: &'g [String], of: Restriction| {
            ids.iter().map(String::as_str).filter(|id| is_in_force(of, id)).collect()
        };
        let ids = members.iter().chain(admins).chain(super_admins);
        Self {
            matrix: Some(matrix),
            creator: creator.as_deref(),
            members: ids.filter_map(|id| Some((id.as_str(), declared_role(group, id)?))).collect(),
            permissions: None,
            muted: restricted(muted, Restriction::Mute),
            banned: restricted(banned, Restriction::Ban),
            requires: requires.as_ref().map(Cow::Borrowed),
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
        let Self { matrix, creator, members, permissions, muted: _, banned, requires } =
            Self::from_record(record);
        let fields = [
            ("matrix", matrix.is_some()),
            ("creator", creator.is_some()),
            ("permissions", permissions.is_some()),
            ("requires", requires.is_some() && declared.requires.is_some()),
        ];
        let fields = fields.into_iter().filter(|&(_, is_set)| is_set);
        let other_role = |&(id, role): &(&str, Role)| {
            let is_banned = is_in(&declared.banned, id);
            is_banned || declared_role(declared, id).is_some_and(|declared| declared != role)
        };
        let members = members.into_iter().filter(other_role).map(|(id, _)| id);
        let banned = banned.into_iter().filter(|id| declared_role(declared, id).is_some());
        let members: BTreeSet<&str> = members.chain(banned).collect();
        fields
            .map(|(name, _)| ShadowedGroupField::Field(name))
            .chain(members.into_iter().map(ShadowedGroupField::Member))
    }
}
