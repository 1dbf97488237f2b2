//! What random groups say besides who is in them: who may speak, who may come, and whom they require.

use super::shapes::{Draw, OPTIONAL_CELLS};
use crate::oracle::{Group, Value, World};

impl Draw<'_> {
    /// Cells that matrices may leave out, and what single groups say.
    pub(super) fn groups(&mut self, world: &mut World) {
        for matrix in world.matrices.values_mut() {
            for cell in OPTIONAL_CELLS {
                let value = if cell == "join" { self.admission() } else { self.cell() };
                if self.chance.percent(35) && self.keeps() {
                    matrix.permissions.insert(cell, value);
                }
            }
        }
        let ids: Vec<String> = world.users.keys().cloned().collect();
        for group in world.groups.values_mut() {
            if ids.is_empty() {
                return;
            }
            if self.chance.percent(25) {
                group.matrix = Some((*self.chance.pick(&["announcements", "open"])).to_owned());
            }
            self.say_of_group(group, &ids);
        }
    }

    fn say_of_group(&mut self, group: &mut Group, ids: &[String]) {
        let some = |draw: &mut Self, percent: u64| {
            let chosen = ids.iter().filter(|_| draw.chance.percent(percent));
            chosen.cloned().collect::<Vec<String>>()
        };
        if self.chance.percent(50) {
            group.muted = some(self, 30);
        }
        if self.chance.percent(50) {
            group.banned = some(self, 40);
        }
        let requires = self.vocabulary.condition(&mut self.chance, 1);
        if self.chance.percent(40) && self.keeps() {
            group.requires = Some(requires);
        }
    }

    /// Who has a permission in a group.
    fn cell(&mut self) -> Value {
        let grants = ["allow", "deny", "allow_if_admin", "allow_if_super_admin"];
        let bare = Value::Grant(self.chance.pick::<&str>(&grants));
        let tag = Value::HasTag(self.vocabulary.tag(&mut self.chance));
        match self.chance.below(10) {
            0..6 => bare,
            6..8 => Value::Any(vec![bare, tag]),
            _ => Value::Not(Box::new(tag)),
        }
    }

    /// Who may join a group: no role has a say in it.
    pub(super) fn admission(&mut self) -> Value {
        let tag = Value::HasTag(self.vocabulary.tag(&mut self.chance));
        match self.chance.below(10) {
            0..5 => Value::Grant("allow"),
            5..7 => Value::Grant("deny"),
            7..9 => tag,
            _ => Value::Not(Box::new(tag)),
        }
    }
}
