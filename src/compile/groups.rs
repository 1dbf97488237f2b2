use crate::{
    policy,
    request::Value,
    snapshot::{Directory, GroupEntry, Groups, Matrix, MatrixNumber, TagId, Tags},
};

/// The matrices by their tags' numbers, in the order of their names.
pub(super) fn matrices(matrices: &[policy::Matrix], tags: &Tags) -> Vec<Matrix> {
    let mut number = |name: &String| tags.get(name).unwrap_or(TagId(u32::MAX));
    let mut bound = |value: &Value<String>| value.map(&mut number);
    matrices
        .iter()
        .map(|matrix| Matrix {
            name: matrix.name.clone(),
            permissions: matrix.permissions.each_ref().map(&mut bound),
            metadata: matrix.metadata.as_ref().map(|fields| fields.map(&mut bound)),
        })
        .collect()
}

/// The groups by their users' and matrices' numbers; both are in order already. Costs a look-up of
/// each member.
pub(super) fn compile(
    groups: &[policy::Group],
    matrices: &[Matrix],
    directory: &Directory,
) -> Groups {
    let users = |ids: &[String]| -> Vec<u32> {
        let mut users: Vec<u32> = ids.iter().filter_map(|id| directory.number(id)).collect();
        users.sort_unstable();
        users
    };
    let matrix = |name: &str| {
        let at = matrices.binary_search_by(|matrix| matrix.name.as_str().cmp(name));
        MatrixNumber(at.ok().and_then(|at| u32::try_from(at).ok()).unwrap_or(u32::MAX))
    };
    let groups = groups.iter().map(|group| GroupEntry {
        id: &group.id,
        matrix: matrix(&group.matrix),
        creator: group.creator.as_ref().and_then(|id| directory.number(id)),
        super_admins: users(&group.super_admins),
        admins: users(&group.admins),
        members: users(&group.members),
    });
    Groups::new(&groups.collect::<Vec<_>>(), directory.len())
}
