//! What random worlds say of time: windows, and what ends.

use super::{Chance, shapes::Draw};
use crate::oracle::{Condition, Ends, Relation, Rule, Toggle, Value, Window, World, ZONES, day};

const NAMES: [&str; 3] = ["lessons", "night", "w-3"];

/// A summer's day about which everything happens, at noon, in seconds since 1970.
const NOON: i64 = 1_808_740_800;

const DAY: i64 = 86_400;

impl World {
    /// A moment that matters: on the edge of a window or at an end, or just before; in milliseconds since
    /// 1970.
    pub(crate) fn moment(&self, chance: &mut Chance) -> i64 {
        let about = NOON + i64::try_from(chance.below(400)).unwrap() * DAY;
        let mut moments = vec![about * 1000];
        for window in self.windows.values() {
            let edges = window.edges(about);
            moments.extend(edges.iter().flat_map(|&(from, to)| [from * 1000, to * 1000]));
        }
        let users = self.users.values().map(|user| &user.ends);
        let ends = users.chain(self.groups.values().map(|group| &group.ends));
        moments.extend(ends.flat_map(|ends| ends.0.values().copied()));
        let moment = *chance.pick(&moments);
        moment - i64::from(chance.percent(50))
    }
}

impl Draw<'_> {
    pub(super) fn times(&mut self, world: &mut World) {
        for name in NAMES {
            let window = self.window();
            if self.chance.percent(60) && self.keeps() {
                world.windows.insert(name, window);
            }
        }
        let names: Vec<&'static str> = world.windows.keys().copied().collect();
        if !names.is_empty() {
            self.windows_of(world, &names);
        }
        self.ends(world);
    }

    fn window(&mut self) -> Window {
        let chance = &mut self.chance;
        let some_days = chance.percent(50);
        let from = i64::try_from(chance.below(96)).unwrap() * 15;
        let length = i64::try_from(1 + chance.below(95)).unwrap() * 15;
        let days: Vec<i64> = (0..7).filter(|_| chance.percent(60)).collect();
        let days = (some_days && !days.is_empty()).then_some(days);
        let zone = *chance.pick(&ZONES);
        let except = (0..chance.below(3)).map(|_| {
            let date = i64::try_from(chance.below(28)).unwrap() + 1;
            day(2027, 1 + chance.place(12), date)
        });
        let except = except.collect();
        Window { days, from, to: (from + length) % (24 * 60), zone, except }
    }

    /// Makes some of what is said hold during windows alone.
    fn windows_of(&mut self, world: &mut World, names: &[&'static str]) {
        let sets = world.between.sets.iter_mut().flat_map(|set| &mut set.rules);
        for rule in world.rules.iter_mut().flatten().chain(sets) {
            self.rule_during(rule, names);
        }
        for barrier in &mut world.between.barriers {
            self.condition_during(&mut barrier.from, names);
            if let Some(unless) = &mut barrier.unless {
                self.relation_during(unless, names);
            }
        }
        world.between.audiences.values_mut().for_each(|it| self.relation_during(it, names));
        for accepts in world.between.accepts.values_mut() {
            accepts.modes.iter_mut().for_each(|it| self.condition_during(&mut it.when, names));
        }
        let settings = &mut world.settings;
        settings.managers.iter_mut().for_each(|it| self.condition_during(it, names));
        let switches = world.users.values_mut().flat_map(|user| user.permissions.values_mut());
        for toggle in settings.permissions.values_mut().chain(switches) {
            if let Toggle::When(when) = toggle {
                self.condition_during(when, names);
            }
        }
        settings.modes.iter_mut().for_each(|(when, _)| self.condition_during(when, names));
        for matrix in world.matrices.values_mut() {
            for value in matrix.permissions.values_mut() {
                self.value_during(value, names);
            }
        }
        for group in world.groups.values_mut() {
            group.requires.iter_mut().for_each(|it| self.condition_during(it, names));
        }
    }

    fn rule_during(&mut self, rule: &mut Rule, names: &[&'static str]) {
        let had_name = rule.id.is_some() || rule.name.is_some();
        self.condition_during(&mut rule.condition, names);
        if let Some(between) = &mut rule.between {
            self.relation_during(between, names);
        }
        if !had_name {
            rule.name = Some(format!("timed {}", self.chance.below(1_000_000)));
        }
    }

    fn condition_during(&mut self, condition: &mut Condition, names: &[&'static str]) {
        let during = Condition::During(self.chance.pick::<&str>(names));
        let before = condition.clone();
        match self.chance.below(10) {
            0..2 => *condition = Condition::All(vec![before, during]),
            2..4 => *condition = Condition::Any(vec![during, before]),
            4 => *condition = Condition::Not(Box::new(Condition::All(vec![during, before]))),
            5 => *condition = during,
            _ => {}
        }
    }

    fn relation_during(&mut self, relation: &mut Relation, names: &[&'static str]) {
        let during = Relation::During(self.chance.pick::<&str>(names));
        let before = relation.clone();
        match self.chance.below(10) {
            0..2 => *relation = Relation::All(vec![during, before]),
            2..4 => *relation = Relation::Any(vec![before, during]),
            4 => *relation = during,
            _ => {}
        }
    }

    fn value_during(&mut self, value: &mut Value, names: &[&'static str]) {
        let during = Value::During(self.chance.pick::<&str>(names));
        let before = value.clone();
        match self.chance.below(10) {
            // Inside of a combination it would be an error.
            _ if matches!(before, Value::Grant("unspecified")) => {}
            0..2 => *value = Value::All(vec![before, during]),
            2..4 => *value = Value::Any(vec![during, before]),
            4 => *value = during,
            _ => {}
        }
    }

    fn ends(&mut self, world: &mut World) {
        for user in world.users.values_mut() {
            let lists = [
                ("tags", user.tags.clone().unwrap_or_default()),
                ("contacts", user.contacts.clone()),
                ("favorites", user.favorites.clone()),
                ("paired", user.paired.clone()),
                ("blocked", user.blocked.clone()),
                ("friends", user.friends.clone()),
                ("moderation", user.moderation.map(|_| String::new()).into_iter().collect()),
            ];
            self.some_ends(&mut user.ends, lists);
        }
        for group in world.groups.values_mut() {
            let lists = [("muted", group.muted.clone()), ("banned", group.banned.clone())];
            self.some_ends(&mut group.ends, lists);
        }
    }

    fn some_ends<const N: usize>(
        &mut self,
        ends: &mut Ends,
        lists: [(&'static str, Vec<String>); N],
    ) {
        for (list, names) in lists {
            for name in names {
                if self.chance.percent(25) && self.keeps() {
                    let after = i64::try_from(self.chance.below(400)).unwrap() * DAY;
                    let millis = i64::try_from(self.chance.below(86_400_000)).unwrap();
                    ends.0.insert((list, name), (NOON + after) * 1000 + millis);
                }
            }
        }
    }
}
