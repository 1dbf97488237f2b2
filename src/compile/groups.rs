//! The groups and matrices of a view.

use std::sync::Arc;

use super::{declarations::Declarations, merge::GroupFieldValues};
use crate::{
    facts, policy,
    request::{DM_MATRIX, Grant, GrantCondition, GroupPermission, MetadataGrants, Role},
    snapshot::{
        CompiledMatrix, Directory, GroupEntry, GroupTable, MatrixNumber, Tags, UserNumber, View,
    },
};

/// The matrices by their tags' numbers, in the order of their names.
pub(super) fn bind_matrices(matrices: &[policy::Matrix], tags: &mut Tags) -> Vec<CompiledMatrix> {
    let mut number = |name: &String| tags.intern(name);
    let mut bound = |value: &GrantCondition<String>| value.map(&mut number);
    matrices
        .iter()
        .map(|matrix| CompiledMatrix {
            name: matrix.name.clone(),
            base: matrix.name.clone(),
            is_of_two: matrix.name == DM_MATRIX,
            permissions: matrix.permissions.map(&mut bound),
            metadata: matrix.metadata.as_ref().map(|fields| fields.map(&mut bound)),
            declared: matrix
                .declared
                .iter()
                .map(|(name, value)| (Arc::clone(name), bound(value)))
                .collect(),
        })
        .collect()
}

/// The groups by their users' and matrices' numbers; both are in order already. Costs a look-up of
/// each member.
pub(super) fn compile(
    groups: &[policy::PolicyGroup],
    matrices: &[CompiledMatrix],
    directory: &Directory,
) -> GroupTable {
    let users = |ids: &[String]| -> Vec<UserNumber> {
        let mut users: Vec<UserNumber> = ids.iter().filter_map(|id| directory.number(id)).collect();
        users.sort_unstable();
        users
    };
    let matrix = |name: &str| {
        let at = matrices.binary_search_by(|matrix| matrix.name.as_str().cmp(name));
        at.ok().and_then(MatrixNumber::named)
    };
    let groups = groups.iter().map(|group| GroupEntry {
        id: &group.id,
        matrix: matrix(&group.matrix),
        own_matrix: None,
        creator: group.creator.as_ref().and_then(|id| directory.number(id)),
        super_admins: users(&group.super_admins),
        admins: users(&group.admins),
        members: users(&group.members),
    });
    GroupTable::new(&groups.collect::<Vec<_>>(), directory.len())
}

/// The effective group of files and records; `None` if there is no such group.
pub(super) fn merge_group<'m>(
    declarations: &'m Declarations,
    id: &str,
    record: Option<&'m facts::GroupRecord>,
) -> Option<GroupFieldValues<'m>> {
    GroupFieldValues::merge(declarations.group(id).map(|(group, _)| group), record)
}

/// The entry of a group by the numbers of its users and matrices; users without a number get one.
pub(super) fn group_entry<'m>(
    view: &mut View,
    declarations: &Declarations,
    id: &'m str,
    group: &GroupFieldValues<'m>,
) -> GroupEntry<'m> {
    let mut roles: Vec<(UserNumber, Role)> =
        group.members.iter().map(|(id, &role)| (view.intern_user(id), role)).collect();
    roles.sort_unstable_by_key(|&(user, _)| user);
    let having = |wanted: Role| {
        let having = roles.iter().filter(move |&&(_, role)| role == wanted);
        having.map(|&(user, _)| user).collect()
    };
    GroupEntry {
        id,
        matrix: view.matrix_number(group.matrix()),
        own_matrix: own_matrix(view, declarations, group),
        creator: group.creator.map(|id| view.intern_user(id)),
        super_admins: having(Role::SuperAdmin),
        admins: having(Role::Admin),
        members: roles.iter().map(|&(user, _)| user).collect(),
    }
}

/// Puts a group in the view.
pub(super) fn put_group(
    view: &mut View,
    declarations: &Declarations,
    id: &str,
    group: &GroupFieldValues<'_>,
) {
    let entry = group_entry(view, declarations, id, group);
    view.put_group(&entry);
}

/// The matrix of a group with permissions of its own; `None` if the matrix that it names does not exist,
/// which denies everything.
fn own_matrix(
    view: &mut View,
    declarations: &Declarations,
    group: &GroupFieldValues<'_>,
) -> Option<CompiledMatrix> {
    let own = group.permissions?;
    let policy::Matrix { permissions, metadata, declared, .. } =
        declarations.matrix(group.matrix())?;
    let mut permissions = permissions.clone();
    let (mut metadata, declared) = (metadata.clone(), declared.clone());
    for (key, text) in own {
        // Only what was checked is ever stored; what can't be read denies.
        let value = policy::parse_value(text).unwrap_or(GrantCondition::Grant(Grant::Deny));
        let (name, field) = match key.split_once('.') {
            Some((name, field)) => (name, Some(field)),
            None => (key.as_str(), None),
        };
        match (name.parse::<GroupPermission>(), field) {
            (Ok(GroupPermission::UpdateMetadata), Some("*") | None) => {
                metadata_or_deny(&mut metadata).rest = value;
            }
            (Ok(GroupPermission::UpdateMetadata), Some(field)) => {
                let named = &mut metadata_or_deny(&mut metadata).named;
                match named.binary_search_by(|(name, _)| name.as_str().cmp(field)) {
                    Ok(at) => named.get_mut(at).into_iter().for_each(|it| it.1 = value.clone()),
                    Err(at) => named.insert(at, (field.to_owned(), value)),
                }
            }
            (Ok(permission), _) => {
                permissions[permission] = value;
            }
            (Err(_), _) => {}
        }
    }
    let mut bound = |value: &GrantCondition<String>| value.map(&mut |tag| view.intern_tag(tag));
    Some(CompiledMatrix {
        name: String::new(),
        base: group.matrix().to_owned(),
        is_of_two: group.matrix() == DM_MATRIX,
        permissions: permissions.map(&mut bound),
        metadata: metadata.as_ref().map(|fields| fields.map(&mut bound)),
        declared: declared.iter().map(|(name, value)| (Arc::clone(name), bound(value))).collect(),
    })
}

/// The grants for metadata; where the matrix has none, each field is denied.
fn metadata_or_deny(metadata: &mut Option<MetadataGrants<String>>) -> &mut MetadataGrants<String> {
    let deny = || GrantCondition::Grant(Grant::Deny);
    metadata.get_or_insert_with(|| MetadataGrants { named: Vec::new(), rest: deny() })
}
