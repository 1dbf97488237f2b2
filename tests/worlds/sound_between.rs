//! Statements about two users that name what there is.

use std::collections::BTreeSet;

use super::{
    BLOCKABLE, SWITCHES,
    shapes::{BUILT_IN_AUDIENCES, OPTIONAL_CELLS, nameable_matrices},
};
use crate::oracle::{Relation, Rule, World};

/// The cells that every matrix may have.
const CELLS: [&str; 5] =
    ["add_member", "remove_member", "add_admin", "remove_admin", "update_permissions"];

impl World {
    /// Leaves out what names an action, an audience or a matrix that there is not.
    pub(crate) fn leave_out_statements(&mut self) {
        self.leave_out_actions();
        self.leave_out_audiences();
        let matrices = nameable_matrices(self);
        let sets = self.between.sets.iter_mut().flat_map(|set| &mut set.rules);
        let rules: Vec<&mut Rule> = self.rules.iter_mut().flatten().chain(sets).collect();
        let between = rules.into_iter().filter_map(|rule| rule.between.as_mut());
        let unless = self.between.barriers.iter_mut().filter_map(|barrier| barrier.unless.as_mut());
        for relation in between.chain(unless).chain(self.between.audiences.values_mut()) {
            leave_out_matrices(relation, &matrices);
        }
    }

    fn leave_out_actions(&mut self) {
        let nameable = self.nameable(true);
        let declared: Vec<&str> = self.between.actions.keys().copied().collect();
        let names_some = |actions: &mut Option<Vec<&'static str>>| {
            let Some(actions) = actions else { return true };
            actions.retain(|action| nameable.contains(action));
            !actions.is_empty()
        };
        self.between.sets.retain_mut(|set| names_some(&mut set.actions));
        self.between.barriers.retain_mut(|barrier| names_some(&mut barrier.actions));
        let takes_requests: Vec<bool> = self
            .between
            .accepts
            .keys()
            .map(|action| {
                ["start_chat", "send_message", "voice_call", "video_call"]
                    .contains(&self.base(action))
            })
            .collect();
        for (accepts, takes) in self.between.accepts.values_mut().zip(takes_requests) {
            accepts.otherwise = accepts.otherwise.filter(|word| takes || *word != "request");
        }
        self.between.accepts.retain(|action, _| nameable.contains(action));
        let blocks =
            |action: &&'static str| BLOCKABLE.contains(action) || nameable.contains(action);
        self.settings.blocks.retain(|action, _| blocks(action));
        let is_switch = |name: &&str| SWITCHES.contains(name) || declared.contains(name);
        self.settings.permissions.retain(|name, _| is_switch(name));
        for user in self.users.values_mut() {
            user.permissions.retain(|name, _| is_switch(name));
            user.accepts.retain(|action, _| nameable.contains(action));
        }
        for matrix in self.matrices.values_mut() {
            let is_cell = |name: &str| CELLS.contains(&name) || OPTIONAL_CELLS.contains(&name);
            matrix.permissions.retain(|name, _| is_cell(name) || declared.contains(name));
        }
    }

    fn leave_out_audiences(&mut self) {
        let own: BTreeSet<&str> = self.between.audiences.keys().copied().collect();
        let is_one = |name: &str| BUILT_IN_AUDIENCES.contains(&name) || own.contains(name);
        let is_mode =
            |name: &str| is_one(name) || ["all", "paired", "contacts", "favorites"].contains(&name);
        for accepts in self.between.accepts.values_mut() {
            accepts.default = accepts.default.filter(|name| is_one(name));
            accepts.modes.retain(|mode| is_one(mode.audience));
        }
        self.between
            .accepts
            .retain(|_, accepts| accepts.default.is_some() || !accepts.modes.is_empty());
        self.settings.modes.retain(|(_, mode)| is_mode(mode));
        self.settings.peers = self.settings.peers.filter(|mode| is_mode(mode));
        for user in self.users.values_mut() {
            user.accepts.retain(|_, name| is_one(name));
            user.peers = user.peers.filter(|mode| is_mode(mode));
        }
    }
}

fn leave_out_matrices(relation: &mut Relation, matrices: &[String]) {
    match relation {
        Relation::SharesGroup(matrix) => {
            *matrix = matrix.take().filter(|name| matrices.contains(name));
        }
        Relation::Not(inner) => leave_out_matrices(inner, matrices),
        Relation::All(parts) | Relation::Any(parts) => {
            for part in parts {
                leave_out_matrices(part, matrices);
            }
        }
        _ => {}
    }
}
