//! A world as it is at a moment: without what has ended, and with windows open or closed.

use std::collections::BTreeMap;

use super::{
    relations::Relation,
    windows::Window,
    words::{Condition, Outcome, Rule, Toggle, Value},
    world::{Fields, World},
};

/// What is known of one moment: which windows are open.
struct Hour<'w> {
    windows: &'w BTreeMap<&'static str, Window>,
    now: i64,
}

impl World {
    /// The world this many milliseconds after 1970.
    pub(crate) fn at(&self, millis: i64) -> Self {
        let mut world = self.clone();
        let hour = Hour { windows: &self.windows, now: millis.div_euclid(1000) };
        let rules = world.rules.iter_mut().flatten();
        let sets = world.between.sets.iter_mut().flat_map(|set| &mut set.rules);
        rules.chain(sets).for_each(|rule| hour.rule(rule));
        for barrier in &mut world.between.barriers {
            hour.condition(&mut barrier.from);
            hour.condition(&mut barrier.to);
            barrier.unless.iter_mut().for_each(|unless| hour.relation(unless));
        }
        world.between.audiences.values_mut().for_each(|it| hour.relation(it));
        for accepts in world.between.accepts.values_mut() {
            accepts.modes.iter_mut().for_each(|mode| hour.condition(&mut mode.when));
        }
        let settings = &mut world.settings;
        settings.managers.iter_mut().for_each(|it| hour.condition(it));
        settings.permissions.values_mut().for_each(|it| hour.toggle(it));
        settings.modes.iter_mut().for_each(|(when, _)| hour.condition(when));
        for matrix in world.matrices.values_mut() {
            matrix.permissions.values_mut().for_each(|it| hour.value(it));
            match &mut matrix.update_metadata {
                None => {}
                Some(Fields::One(it)) => hour.value(it),
                Some(Fields::Named(fields)) => fields.values_mut().for_each(|it| hour.value(it)),
            }
        }
        for user in world.users.values_mut() {
            user.permissions.values_mut().for_each(|it| hour.toggle(it));
            let has_ended =
                |list: &'static str, name: &str| user.ends.has_ended(list, name, millis);
            user.tags.iter_mut().for_each(|tags| tags.retain(|tag| !has_ended("tags", tag)));
            for (name, list) in [
                ("contacts", &mut user.contacts),
                ("favorites", &mut user.favorites),
                ("paired", &mut user.paired),
                ("blocked", &mut user.blocked),
                ("friends", &mut user.friends),
            ] {
                list.retain(|id| !has_ended(name, id));
            }
            if has_ended("moderation", "") {
                user.moderation = None;
            }
        }
        for group in world.groups.values_mut() {
            group.requires.iter_mut().for_each(|it| hour.condition(it));
            let ends = group.ends.clone();
            group.muted.retain(|id| !ends.has_ended("muted", id, millis));
            group.banned.retain(|id| !ends.has_ended("banned", id, millis));
        }
        world
    }
}

/// When what is stated ends, in milliseconds since 1970, by the list that it stands in and its name there.
#[derive(Clone, Default, Debug)]
pub(crate) struct Ends(pub(crate) BTreeMap<(&'static str, String), i64>);

impl Ends {
    pub(crate) fn get(&self, list: &'static str, name: &str) -> Option<i64> {
        self.0.get(&(list, name.to_owned())).copied()
    }

    fn has_ended(&self, list: &'static str, name: &str, now: i64) -> bool {
        self.get(list, name).is_some_and(|end| end <= now)
    }
}

impl Hour<'_> {
    fn is_open(&self, window: &str) -> bool {
        self.windows.get(window).is_some_and(|window| window.is_open(self.now))
    }

    fn rule(&self, rule: &mut Rule) {
        // The id is that of the text, which stays.
        rule.id = Some(rule.expected_id());
        self.condition(&mut rule.condition);
        if let Outcome::Condition(outcome) = &mut rule.outcome {
            self.condition(outcome);
        }
        rule.between.iter_mut().for_each(|between| self.relation(between));
    }

    fn toggle(&self, toggle: &mut Toggle) {
        if let Toggle::When(when) = toggle {
            self.condition(when);
        }
    }

    fn condition(&self, condition: &mut Condition) {
        match condition {
            Condition::During(window) => {
                let is_open = self.is_open(window);
                *condition = if is_open { Condition::Everyone } else { Condition::Nobody };
            }
            Condition::Everyone | Condition::Nobody | Condition::HasTag(_) => {}
            Condition::Not(inner) => self.condition(inner),
            Condition::All(parts) | Condition::Any(parts) => {
                parts.iter_mut().for_each(|part| self.condition(part));
            }
        }
    }

    fn value(&self, value: &mut Value) {
        match value {
            Value::During(window) => {
                // A word by itself would give another reason.
                let is_open = self.is_open(window);
                let word = Value::Grant(if is_open { "allow" } else { "deny" });
                *value = Value::All(vec![word]);
            }
            Value::Grant(_) | Value::HasTag(_) => {}
            Value::Not(inner) => self.value(inner),
            Value::All(parts) | Value::Any(parts) => {
                parts.iter_mut().for_each(|part| self.value(part));
            }
        }
    }

    fn relation(&self, relation: &mut Relation) {
        match relation {
            Relation::During(window) => {
                let is_open = self.is_open(window);
                *relation = if is_open { Relation::Everyone } else { Relation::Nobody };
            }
            Relation::Not(inner) => self.relation(inner),
            Relation::All(parts) | Relation::Any(parts) => {
                parts.iter_mut().for_each(|part| self.relation(part));
            }
            _ => {}
        }
    }
}
