//! The construction of the memberships of users from the members of groups.

use super::{UserNumber, persistent_vec::PersistentVec};

/// The start and length of each user's row, and all rows: the numbers of the groups that the user is a
/// member of. `groups` are the members of each group, in the order of the groups' numbers.
pub(super) fn build_memberships<'g>(
    groups: impl ExactSizeIterator<Item = &'g [UserNumber]> + Clone,
    users: u32,
) -> (PersistentVec<(u32, u32), 512>, Vec<u32>) {
    if groups.len() == 0 {
        return Default::default();
    }
    let mut rows = vec![(0_u32, 0_u32); users as usize];
    let mut total = 0_u32;
    for &user in groups.clone().flatten() {
        if let Some((_, len)) = rows.get_mut(user.index()) {
            *len += 1;
            total += 1;
        }
    }
    let mut start = 0;
    for row in &mut rows {
        row.0 = start;
        start += row.1;
        row.1 = 0;
    }
    let mut memberships = vec![0; total as usize];
    for (number, members) in (0..).zip(groups) {
        for &user in members {
            if let Some((start, len)) = rows.get_mut(user.index())
                && let Some(place) = memberships.get_mut((*start + *len) as usize)
            {
                *place = number;
                *len += 1;
            }
        }
    }
    for row in &mut rows {
        row.0 = if row.1 == 0 { 0 } else { row.0 };
    }
    (rows.into_iter().collect(), memberships)
}
