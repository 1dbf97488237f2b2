//! The groups and matrices of a view.

use std::{collections::BTreeSet, sync::Arc};

use super::{declarations::Declarations, merge::GroupFieldValues};
use crate::{
    facts,
    policy::{self, GroupEnd, Restriction},
    request::{
        Condition, DM_MATRIX, Grant, GrantCondition, GroupPermission, MetadataGrants, Moment, Role,
    },
    snapshot::{
        CompiledMatrix, EndOf, GroupEntry, GroupNumber, GroupTable, ScheduledEnd, TagId, Tags,
        UserNumber, View,
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
pub(super) fn compile(groups: &[policy::PolicyGroup], view: &mut View) -> GroupTable {
    let conditions = groups.iter().map(|group| bind_condition(view, group.requires.as_ref()));
    let conditions: Vec<_> = conditions.collect();
    let directory = &view.population.directory;
    let users = |ids: &[String]| -> Vec<UserNumber> {
        let mut users: Vec<UserNumber> = ids.iter().filter_map(|id| directory.number(id)).collect();
        users.sort_unstable();
        users
    };
    let groups = groups.iter().zip(conditions).map(|(group, requires)| GroupEntry {
        id: &group.id,
        matrix: view.matrix_number(&group.matrix),
        own_matrix: None,
        creator: group.creator.as_ref().and_then(|id| directory.number(id)),
        super_admins: users(&group.super_admins),
        admins: users(&group.admins),
        members: users(&group.members),
        muted: users(&group.muted),
        banned: users(&group.banned),
        requires,
    });
    GroupTable::new(&groups.collect::<Vec<_>>(), directory.len())
}

/// A condition by the numbers of its tags, with windows as the view has them; a tag without a number gets one.
fn bind_condition(
    view: &mut View,
    condition: Option<&Condition<String>>,
) -> Option<Condition<TagId>> {
    let mut bound = condition?.map(&mut |tag| view.intern_tag(tag));
    view.windows.resolve_record(&mut bound);
    Some(bound)
}

/// The effective group of files and records; `None` if there is no such group.
pub(super) fn merge_group<'m>(
    declarations: &'m Declarations,
    id: &str,
    record: Option<&'m facts::GroupRecord>,
    at: Moment,
) -> Option<GroupFieldValues<'m>> {
    GroupFieldValues::merge(declarations.group(id).map(|(group, _)| group), record, at)
}

/// Takes the ends of mutes and bans that files state over to a view, in place of those before.
pub(super) fn set_group_ends(view: &mut View, groups: &[policy::PolicyGroup]) {
    let mut ends = Vec::new();
    for group in groups {
        let Some(GroupNumber(number)) = view.groups.number(&group.id) else { continue };
        for GroupEnd { at, of, user } in group.ends.iter().filter(|end| end.at > view.at) {
            let Some(user) = view.population.directory.number(user) else { continue };
            let of = match of {
                Restriction::Mute => EndOf::Mute(user),
                Restriction::Ban => EndOf::GroupBan(user),
            };
            ends.push(ScheduledEnd { at: *at, user: UserNumber(number), of });
        }
    }
    if !ends.is_empty() || view.population.declared_ends.has_group_ends() {
        let population = Arc::make_mut(&mut view.population);
        population.declared_ends = population.declared_ends.with_group_ends(ends);
    }
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
        muted: numbers(view, &group.muted),
        banned: numbers(view, &group.banned),
        requires: bind_condition(view, group.requires.as_deref()),
    }
}

/// The numbers of users in order; users without a number get one.
fn numbers(view: &mut View, ids: &BTreeSet<&str>) -> Vec<UserNumber> {
    let mut numbers: Vec<UserNumber> = ids.iter().map(|id| view.intern_user(id)).collect();
    numbers.sort_unstable();
    numbers
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
    let mut matrix = CompiledMatrix {
        name: String::new(),
        base: group.matrix().to_owned(),
        is_of_two: group.matrix() == DM_MATRIX,
        permissions: permissions.map(&mut bound),
        metadata: metadata.as_ref().map(|fields| fields.map(&mut bound)),
        declared: declared.iter().map(|(name, value)| (Arc::clone(name), bound(value))).collect(),
    };
    matrix.resolve_own(&view.windows);
    Some(matrix)
}

/// The grants for metadata; where the matrix has none, each field is denied.
fn metadata_or_deny(metadata: &mut Option<MetadataGrants<String>>) -> &mut MetadataGrants<String> {
    let deny = || GrantCondition::Grant(Grant::Deny);
    metadata.get_or_insert_with(|| MetadataGrants { named: Vec::new(), rest: deny() })
}
