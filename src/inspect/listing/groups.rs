//! The listing of matrices and groups.

use std::{collections::HashSet, fmt};

use serde::Serialize;

use super::{MemberListing, ordered_map::OrderedMap};
use crate::{
    request::{BUILT_IN_MATRICES, GrantCondition, GroupPermission},
    snapshot::{self, GroupRestrictions, TagId, UserNumber, UserSet, View},
};

/// A matrix: its permissions with their values, those of metadata by field.
#[derive(Serialize, Debug)]
pub struct MatrixListing<'v> {
    pub name: &'v str,
    /// The values by the name of the permission, with that of the field after a dot.
    pub permissions: OrderedMap<String, String>,
}

/// A group with its members by role.
#[derive(Serialize, Debug)]
pub struct GroupListing<'v> {
    pub id: &'v str,
    pub matrix: &'v str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creator: Option<&'v str>,
    pub super_admins: MemberListing<'v>,
    pub admins: MemberListing<'v>,
    /// All members, whatever their role.
    pub members: MemberListing<'v>,
    /// The users who may not speak in it; `None` without any, as below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub muted: Option<MemberListing<'v>>,
    /// The users who are neither added to it nor join it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub banned: Option<MemberListing<'v>>,
    /// The condition that someone in it must meet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requires: Option<String>,
}

impl<'v> MatrixListing<'v> {
    /// The policy's own matrices, and the built-in ones that govern groups, in the order of their
    /// names.
    pub(super) fn all(view: &'v View) -> Vec<Self> {
        let used: HashSet<_> = view.groups.iter().map(|(_, group)| group.matrix).collect();
        let is_listed = |matrix: &&snapshot::CompiledMatrix| {
            !BUILT_IN_MATRICES.contains(&matrix.name.as_str())
                || view
                    .matrix_number(&matrix.name)
                    .is_some_and(|number| used.contains(&Some(number)))
        };
        view.matrices.iter().filter(is_listed).map(|matrix| Self::of(view, matrix)).collect()
    }

    fn of(view: &'v View, matrix: &'v snapshot::CompiledMatrix) -> Self {
        let shown =
            |value: &GrantCondition<TagId>| value.map(&mut |&tag| view.tags.name(tag)).to_string();
        let mut permissions = Vec::new();
        for &permission in GroupPermission::ALL {
            match matrix.metadata.as_ref().filter(|_| permission.takes_field()) {
                Some(fields) => {
                    for (field, value) in &fields.named {
                        permissions.push((format!("{permission}.{field}"), shown(value)));
                    }
                    permissions.push((format!("{permission}._*"), shown(&fields.hidden_grant())));
                    permissions.push((format!("{permission}.*"), shown(&fields.rest)));
                }
                None => permissions.push((
                    permission.to_string(),
                    shown(matrix.grant_condition(permission, None)),
                )),
            }
        }
        let declared = matrix.declared.iter();
        permissions.extend(declared.map(|(action, value)| (action.to_string(), shown(value))));
        Self { name: &matrix.name, permissions: OrderedMap(permissions) }
    }
}

impl<'v> GroupListing<'v> {
    pub(super) fn of(view: &'v View, group: snapshot::GroupView<'v>) -> Self {
        let users = |users: &mut dyn Iterator<Item = UserNumber>| {
            MemberListing::of(view, &users.collect::<UserSet>())
        };
        let restricted = |users: &mut dyn Iterator<Item = UserNumber>| {
            let users: UserSet = users.collect();
            (!users.is_empty()).then(|| MemberListing::of(view, &users))
        };
        let restrictions = group.restrictions;
        let requirement = restrictions.and_then(GroupRestrictions::requires);
        Self {
            muted: restrictions.and_then(|it| restricted(&mut it.muted())),
            banned: restrictions.and_then(|it| restricted(&mut it.banned())),
            requires: requirement
                .map(|it| it.condition.map(&mut |&tag| view.tags.name(tag)).to_string()),
            id: group.id,
            matrix: group
                .matrix
                .and_then(|number| view.matrix(number))
                .map_or("", |matrix| &matrix.name),
            creator: group.creator.map(|user| view.population.directory.id(user)),
            super_admins: users(&mut group.super_admins()),
            admins: users(&mut group.admins()),
            members: users(&mut group.members()),
        }
    }
}

impl fmt::Display for MatrixListing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  {}", self.name)?;
        self.permissions.0.iter().try_for_each(|(name, value)| writeln!(f, "    {name}: {value}"))
    }
}

impl fmt::Display for GroupListing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  {} under {}", super::listed(self.id), self.matrix)?;
        if let Some(creator) = self.creator {
            writeln!(f, "    creator {}", super::listed(creator))?;
        }
        writeln!(f, "    super admins {}", self.super_admins)?;
        writeln!(f, "    admins {}", self.admins)?;
        writeln!(f, "    members {}", self.members)?;
        if let Some(muted) = &self.muted {
            writeln!(f, "    muted {muted}")?;
        }
        if let Some(banned) = &self.banned {
            writeln!(f, "    banned {banned}")?;
        }
        self.requires.iter().try_for_each(|requires| writeln!(f, "    requires {requires}"))
    }
}
