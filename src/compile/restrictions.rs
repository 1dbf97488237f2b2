//! The restrictions of groups as files state them, and what differs between two policies' files.

use std::collections::BTreeMap;

use crate::syntax::{
    ast::{Group, Item, List, TermOf},
    print,
};

/// A restriction of a group that the files of two policies state differently.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RestrictionChange {
    /// The path, as `groups.ID.muted`.
    pub path: String,
    /// The statement before and now; `None` where there is none.
    pub old: Option<String>,
    pub new: Option<String>,
}

/// The texts of restrictions by path.
#[derive(Default, Debug)]
pub(super) struct StatedRestrictions(BTreeMap<String, String>);

impl StatedRestrictions {
    /// Reads the restrictions among items. Costs a look at each, and the texts of those.
    pub(super) fn of(items: &[Item<'_>]) -> Self {
        let mut all = BTreeMap::new();
        for item in items {
            let Item::Group(group) = item else { continue };
            let parts = [
                ("muted", list(group, group.muted.as_ref(), TermOf::Muted)),
                ("banned", list(group, group.banned.as_ref(), TermOf::Banned)),
                ("requires", group.requires.as_ref().map(print::condition)),
            ];
            for (part, text) in parts {
                let path = format!("groups.{}.{part}", group.id.value);
                all.extend(text.map(|text| (path, text)));
            }
        }
        Self(all)
    }

    /// The changes from these to others, in the order of their paths.
    pub(super) fn changes(self, mut new: Self) -> Vec<RestrictionChange> {
        let mut changes = Vec::new();
        for (path, old) in self.0 {
            let new = new.0.remove(&path);
            if new.as_ref() != Some(&old) {
                changes.push(RestrictionChange { path, old: Some(old), new });
            }
        }
        let added = new.0.into_iter();
        changes.extend(added.map(|(path, new)| RestrictionChange {
            path,
            old: None,
            new: Some(new),
        }));
        changes.sort_by(|one, other| one.path.cmp(&other.path));
        changes
    }
}

/// The users of a list with their ends, in order; `None` of a list without any.
fn list(group: &Group<'_>, users: Option<&List<'_>>, of: TermOf) -> Option<String> {
    let users = users?.value.iter().enumerate().map(|(position, user)| {
        let mut terms = group.terms.iter().filter(|it| it.of == of && it.position == position);
        match terms.find_map(|it| it.until.as_ref()) {
            Some(until) => format!("{} until {}", user.value, until.value),
            None => user.value.to_string(),
        }
    });
    let mut users: Vec<String> = users.collect();
    users.sort_unstable();
    users.dedup();
    (!users.is_empty()).then(|| format!("[{}]", users.join(", ")))
}
