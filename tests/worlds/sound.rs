//! Worlds without contradictions.

use std::collections::{BTreeMap, BTreeSet};

use crate::oracle::{BUILT_IN, User, World};

impl World {
    /// Leaves out what a policy may not hold beside the rest of it, and raises limits that are
    /// exceeded.
    #[must_use]
    pub(crate) fn sound(mut self) -> Self {
        self.leave_out_rules();
        self.leave_out_statements();
        self.leave_out_relations();
        self.leave_out_members();
        self.leave_out_conversations();
        self.raise_limits();
        self
    }

    /// Those that say again what an earlier one is called.
    fn leave_out_rules(&mut self) {
        let (mut ids, mut names) = (BTreeSet::new(), BTreeSet::new());
        if let Some(rules) = &mut self.rules {
            rules.retain(|rule| {
                let is_new_name = rule.name.as_ref().is_none_or(|name| !names.contains(name));
                let is_new = is_new_name && ids.insert(rule.expected_id());
                if is_new {
                    names.extend(rule.name.clone());
                }
                is_new
            });
        }
    }

    /// Those with oneself or with nobody, and blocks between friends where these exclude each other.
    fn leave_out_relations(&mut self) {
        let before = self.users.clone();
        let are_apart = |one: &str, other: &str| {
            let is_friend = |one: &str, other: &str| {
                before.get(one).is_some_and(|user| user.friends.iter().any(|id| id == other))
            };
            !is_friend(one, other) && !is_friend(other, one)
        };
        let excludes = self.settings.preset == Some("tencent");
        for (own, user) in &mut self.users {
            for list in relations(user) {
                list.retain(|id| id != own && before.contains_key(id));
            }
            user.blocked.retain(|id| !excludes || are_apart(own, id));
        }
    }

    fn leave_out_members(&mut self) {
        let Self { users, groups, matrices, .. } = self;
        for group in groups.values_mut() {
            let is_user = |id: &String| users.contains_key(id);
            group.creator = group.creator.take().filter(is_user);
            if let Some(list) = &mut group.super_admins {
                list.retain(is_user);
            }
            group.admins.retain(is_user);
            group.members.retain(is_user);
            group.muted.retain(is_user);
            let everyone = group.everyone();
            group.banned.retain(|id| is_user(id) && !everyone.contains(id));
            group.matrix = group
                .matrix
                .take()
                .filter(|name| BUILT_IN.contains(&name.as_str()) || matrices.contains_key(name));
        }
    }

    /// Those with oneself or with nobody, and those that are there already.
    fn leave_out_conversations(&mut self) {
        let Self { users, conversations, .. } = self;
        let mut pairs = BTreeSet::new();
        conversations.retain(|[one, other]| {
            let pair = if one < other {
                (one.clone(), other.clone())
            } else {
                (other.clone(), one.clone())
            };
            let are_users = users.contains_key(one) && users.contains_key(other);
            are_users && one != other && pairs.insert(pair)
        });
    }

    fn raise_limits(&mut self) {
        let most = |count: fn(&User) -> usize| self.users.values().map(count).max().unwrap_or(0);
        let members = self.groups.values().map(|group| group.everyone().len()).max();
        let least = BTreeMap::from([
            ("friends", most(|user| user.friends.len())),
            ("blocked", most(|user| user.blocked.len())),
            ("group_members", members.unwrap_or(0)),
        ]);
        for (name, limit) in &mut self.settings.limits {
            *limit = (*limit).max(least.get(name).copied().unwrap_or(0));
        }
    }
}

fn relations(user: &mut User) -> [&mut Vec<String>; 5] {
    [
        &mut user.contacts,
        &mut user.favorites,
        &mut user.paired,
        &mut user.blocked,
        &mut user.friends,
    ]
}
