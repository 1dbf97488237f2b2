//! The permissions of groups in which two policies differ.

use std::collections::BTreeSet;

use crate::{
    request::{GrantCondition, GroupPermission, MetadataGrants, Role},
    snapshot::{CompiledMatrix, View},
};

/// The changes of the permissions in the groups of one matrix.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MatrixChange {
    pub matrix: String,
    /// The number of groups that the matrix governs.
    pub groups: usize,
    /// Whether the matrix existed before, and exists now.
    pub exists: [bool; 2],
    pub cells: Vec<CellChange>,
}

/// The change of one permission, or of one field of the metadata.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CellChange {
    pub permission: GroupPermission,
    pub field: Option<String>,
    /// The values before and now.
    pub values: [String; 2],
    /// The roles for which the result differs.
    pub roles: Vec<(Role, [GrantScope; 2])>,
}

/// The members of a role to whom a value grants a permission.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GrantScope {
    Nobody,
    Everybody,
    /// Some members, depending on their tags.
    ByTags,
}

impl GrantScope {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nobody => "no",
            Self::Everybody => "yes",
            Self::ByTags => "by tags",
        }
    }
}

/// The matrices that differ, in the order of their names.
pub(in crate::inspect) fn matrix_changes(old: &View, new: &View) -> Vec<MatrixChange> {
    let names = |view: &View| -> BTreeSet<String> {
        view.matrices.iter().map(|matrix| matrix.name.clone()).collect()
    };
    let all: BTreeSet<String> = names(old).union(&names(new)).cloned().collect();
    all.into_iter().filter_map(|name| change(old, new, name)).collect()
}

fn change(old: &View, new: &View, name: String) -> Option<MatrixChange> {
    let find = |view: &View| view.matrix_number(&name);
    let [before, after] = [find(old), find(new)];
    let governed =
        after.map_or(0, |_| new.groups.iter().filter(|(_, group)| group.matrix == after).count());
    let [a, b] = [before.and_then(|at| old.matrix(at)), after.and_then(|at| new.matrix(at))];
    let mut cells = Vec::new();
    for &permission in GroupPermission::ALL {
        let fields = fields(permission, [a, b]);
        for field in fields {
            let values = [(a, old), (b, new)].map(|(matrix, view)| {
                matrix.map(|matrix| value(matrix, permission, field.as_deref(), view))
            });
            if values.first() != values.last() {
                cells.push(cell(permission, field, &values));
            }
        }
    }
    let exists = [before.is_some(), after.is_some()];
    let is_changed = exists != [true, true] || !cells.is_empty();
    is_changed.then_some(MatrixChange { matrix: name, groups: governed, exists, cells })
}

/// The fields that either matrix names, and the patterns of all others, hidden or not.
fn fields(
    permission: GroupPermission,
    matrices: [Option<&CompiledMatrix>; 2],
) -> Vec<Option<String>> {
    if permission != GroupPermission::UpdateMetadata {
        return vec![None];
    }
    let named = matrices.into_iter().flatten().filter_map(|matrix| matrix.metadata.as_ref());
    let named: BTreeSet<String> =
        named.flat_map(|fields| &fields.named).map(|(name, _)| name.clone()).collect();
    named.into_iter().chain(["*".to_owned(), "_*".to_owned()]).map(Some).collect()
}

fn value(
    matrix: &CompiledMatrix,
    permission: GroupPermission,
    field: Option<&str>,
    view: &View,
) -> GrantCondition<String> {
    let is_hidden = matrix.requires_super_admin(permission, field);
    let hidden = matrix.metadata.as_ref().filter(|_| is_hidden).map(MetadataGrants::hidden_grant);
    let value = hidden.as_ref().unwrap_or_else(|| matrix.grant_condition(permission, field));
    value.map(&mut |tag| view.tags.name(*tag).to_owned())
}

fn cell(
    permission: GroupPermission,
    field: Option<String>,
    values: &[Option<GrantCondition<String>>; 2],
) -> CellChange {
    let grants = |role: Role| values.each_ref().map(|value| grants(value.as_ref(), role));
    // Who joins has no role.
    let concerned = if permission == GroupPermission::Join { &[][..] } else { Role::ALL };
    let roles = concerned.iter().map(|&role| (role, grants(role)));
    let text = |value: &Option<GrantCondition<String>>| {
        value.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string)
    };
    CellChange {
        permission,
        field,
        values: values.each_ref().map(text),
        roles: roles.filter(|(_, [old, new])| old != new).collect(),
    }
}

fn grants(value: Option<&GrantCondition<String>>, role: Role) -> GrantScope {
    let Some(value) = value else { return GrantScope::Nobody };
    match decided(value, role) {
        Some(true) => GrantScope::Everybody,
        Some(false) => GrantScope::Nobody,
        None => GrantScope::ByTags,
    }
}

/// The result for a role if it depends neither on tags nor on the time; `None` if it may.
fn decided(value: &GrantCondition<String>, role: Role) -> Option<bool> {
    match value {
        GrantCondition::Grant(grant) => Some(grant.grants(role)),
        GrantCondition::HasTag(_) | GrantCondition::During(_) => None,
        GrantCondition::Not(inner) => decided(inner, role).map(|is| !is),
        GrantCondition::All(parts) => settled(parts, role, false),
        GrantCondition::Any(parts) => settled(parts, role, true),
    }
}

/// The result that one part determines, or all parts together; `None` if tags may matter.
fn settled(parts: &[GrantCondition<String>], role: Role, by_one: bool) -> Option<bool> {
    let parts: Vec<Option<bool>> = parts.iter().map(|part| decided(part, role)).collect();
    if parts.contains(&Some(by_one)) {
        Some(by_one)
    } else if parts.contains(&None) {
        None
    } else {
        Some(!by_one)
    }
}
