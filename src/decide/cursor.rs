//! A cursor into a list, by which a long list is read piece by piece.

use super::{groups::ReachableGroups, reach::Reach};
use crate::snapshot::{GroupNumber, UserSet, View};

/// A cursor into a list of users or groups. It holds no view; it is read with the view that it was made of.
#[derive(Clone, Debug)]
pub struct ListCursor {
    items: CursorItems,
    total: u64,
    /// The number of ids that may still be read.
    remaining: usize,
}

#[derive(Clone, Debug)]
enum CursorItems {
    /// The users whose ids follow an id.
    Users(UserSet, Option<String>),
    /// The groups from an index on.
    Groups(Vec<GroupNumber>, usize),
}

impl ListCursor {
    /// A cursor at the beginning of all users.
    pub fn all_users(view: &View) -> Self {
        Self::from_users(view.population.everyone.clone())
    }

    /// A cursor at the beginning of all groups.
    pub fn all_groups(view: &View) -> Self {
        Self::from_groups(view.groups.iter().map(|(group, _)| group).collect())
    }

    /// A cursor into a list of nobody.
    pub fn empty() -> Self {
        Self::from_groups(Vec::new())
    }

    fn from_users(users: UserSet) -> Self {
        let total = users.len();
        // In this form, going on costs nothing for the users before.
        Self { items: CursorItems::Users(users.unpacked(), None), total, remaining: usize::MAX }
    }

    fn from_groups(groups: Vec<GroupNumber>) -> Self {
        let total = groups.len() as u64;
        Self { items: CursorItems::Groups(groups, 0), total, remaining: usize::MAX }
    }

    /// The cursor restricted to the ids that follow `after`, and to at most `limit` of them.
    #[must_use]
    pub fn page(mut self, view: &View, after: Option<&str>, limit: usize) -> Self {
        self.remaining = limit;
        match &mut self.items {
            CursorItems::Users(_, last) => *last = after.map(str::to_owned),
            CursorItems::Groups(groups, from) => {
                *from = after.map_or(0, |after| {
                    groups.partition_point(|&group| group_id(view, group) <= after)
                });
            }
        }
        self
    }

    /// The number of ids in the whole list.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Reads the next ids, at most `most` of them, and returns their number: 0 at the end of the list.
    pub fn take<'v>(
        &mut self,
        view: &'v View,
        most: usize,
        mut each: impl FnMut(&'v str),
    ) -> usize {
        let most = most.min(self.remaining);
        let mut count = 0;
        match &mut self.items {
            CursorItems::Users(users, after) => {
                let directory = &view.population.directory;
                let mut last = None;
                for user in directory.iter_by_id(users, after.as_deref()).take(most) {
                    let id = directory.id(user);
                    each(id);
                    last = Some(id);
                    count += 1;
                }
                if let Some(last) = last {
                    *after = Some(last.to_owned());
                }
            }
            CursorItems::Groups(groups, from) => {
                for &group in groups.iter().skip(*from).take(most) {
                    each(group_id(view, group));
                    count += 1;
                }
                *from += count;
            }
        }
        self.remaining -= count;
        count
    }

    /// The last id that was read, if more follow: the `after` of the next page.
    pub fn next_after<'c>(&'c self, view: &'c View) -> Option<&'c str> {
        match &self.items {
            CursorItems::Users(users, after) => {
                let after = after.as_deref()?;
                view.population.directory.iter_by_id(users, Some(after)).next().map(|_| after)
            }
            CursorItems::Groups(groups, from) => {
                groups.get(*from)?;
                groups.get(from.checked_sub(1)?).map(|&group| group_id(view, group))
            }
        }
    }
}

fn group_id(view: &View, group: GroupNumber) -> &str {
    view.groups.get(group).map_or("", |group| group.id)
}

impl Reach<'_> {
    /// A cursor at the beginning of the list.
    pub fn cursor(self) -> ListCursor {
        ListCursor::from_users(self.users.into_owned())
    }
}

impl ReachableGroups<'_> {
    /// A cursor at the beginning of the list.
    pub fn cursor(self) -> ListCursor {
        ListCursor::from_groups(self.groups)
    }
}
