//! The construction of the memberships of users from the members of groups.

use super::{GroupEntry, persistent_vec::PersistentVec};

/// The start and length of each user's row, and all rows.
pub(super) fn build_memberships(
    groups: &[GroupEntry<'_>],
    users: u32,
) -> (PersistentVec<(u32, u32), 512>, Vec<u32>) {
    if groups.is_empty() {
        return Default::default();
    }
    let mut rows = vec![(0_u32, 0_u32); users as usize];
    let mut total = 0_u32;
    for &user in groups.iter().flat_map(|group| &group.members) {
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
    for (number, group) in (0..).zip(groups) {
        for &user in &group.members {
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
