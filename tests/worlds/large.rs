//! Worlds of hundreds and thousands of users.

use std::collections::BTreeMap;

use super::{Chance, FIELDS};
use crate::oracle::{
    Between, Condition, Ends, Fields, Group, Matrix, Outcome, Rule, Settings, Toggle, User, Value,
    World,
};

impl World {
    /// A world of many users, who have few of many tags, know few of each other and meet in groups.
    pub(crate) fn large(users: u64, tags: u64, rules: u64, seed: u64) -> Self {
        let draw = &mut Draw { chance: Chance(seed), users, tags };
        let users = (0..users).map(|number| (format!("u{number}"), draw.user(number))).collect();
        let groups = (0..8).map(|number| (format!("g{number}"), draw.group(number))).collect();
        let conversations = (0..draw.users).map(|_| [draw.id(), draw.id()]).collect();
        Self {
            declared: None,
            rules: Some((0..rules).map(|number| draw.rule(number)).collect()),
            between: Between::default(),
            settings: draw.settings(seed),
            matrices: BTreeMap::from([("team".into(), draw.matrix())]),
            users,
            groups,
            conversations,
            windows: BTreeMap::new(),
        }
        .sound()
    }
}

struct Draw {
    chance: Chance,
    users: u64,
    tags: u64,
}

impl Draw {
    fn id(&mut self) -> String {
        format!("u{}", self.chance.below(self.users))
    }

    /// At most so many users, one with oneself at times.
    fn ids(&mut self, most: u64) -> Vec<String> {
        let mut ids: Vec<String> = (0..self.chance.below(most + 1)).map(|_| self.id()).collect();
        ids.sort();
        ids.dedup();
        ids
    }

    fn tag(&mut self) -> String {
        format!("t{}", self.chance.below(self.tags))
    }

    fn condition(&mut self) -> Condition {
        let first = Condition::HasTag(self.tag());
        let second = Condition::HasTag(self.tag());
        match self.chance.below(5) {
            0 => first,
            4 => Condition::All(vec![Condition::Everyone, first]),
            1 => Condition::Not(Box::new(first)),
            2 => Condition::All(vec![first, second]),
            _ => Condition::Any(vec![first, Condition::Not(Box::new(second))]),
        }
    }

    fn rule(&mut self, number: u64) -> Rule {
        Rule {
            id: None,
            name: Some(format!("rule {number}")),
            description: None,
            condition: self.condition(),
            outcome: Outcome::Tags(vec![self.tag(), self.tag()]),
            between: None,
        }
    }

    fn word<'a>(&mut self, percent: u64, words: &[&'a str]) -> Option<&'a str> {
        self.chance.percent(percent).then(|| *self.chance.pick(words))
    }

    fn user(&mut self, number: u64) -> User {
        let mut permissions = BTreeMap::new();
        for switch in ["outgoing", "incoming", "video_call"] {
            if self.chance.percent(4) {
                permissions.insert(switch, Toggle::Always(self.chance.percent(50)));
            }
        }
        if self.chance.percent(2) {
            permissions.insert("send_message", Toggle::When(self.condition()));
        }
        // A few have long lists, so that sets of every size are met.
        let most = if number % 100 == 7 { 200 } else { 4 };
        User {
            tags: Some((0..self.chance.below(5)).map(|_| self.tag()).collect()),
            peers: self.word(10, &["all", "paired", "contacts", "favorites"]),
            permissions,
            accepts: BTreeMap::new(),
            moderation: self.word(6, &["none", "silenced", "banned", "shadowed"]),
            approval: self.word(30, &["allow_any", "need_confirm", "deny_any"]),
            contacts: self.ids(most),
            favorites: self.ids(most),
            paired: self.ids(most),
            blocked: self.ids(most),
            friends: self.ids(most),
            ends: Ends::default(),
        }
    }

    fn group(&mut self, number: u64) -> Group {
        let matrices = ["team", "all_members", "admins_only", "creator_only", "dm"];
        Group {
            matrix: self.word(90, &matrices).map(String::from),
            creator: Some(self.id()),
            super_admins: if number.is_multiple_of(2) { None } else { Some(self.ids(4)) },
            admins: self.ids(20),
            members: self.ids(self.users.min(300)),
            ..Group::default()
        }
    }

    fn matrix(&mut self) -> Matrix {
        let mixed = Value::Any(vec![Value::Grant("allow_if_admin"), Value::HasTag(self.tag())]);
        let fields = [(FIELDS[0], mixed.clone()), ("*", Value::Grant("allow_if_admin"))];
        Matrix {
            permissions: BTreeMap::from([
                ("add_member", mixed),
                ("remove_member", Value::Grant("allow_if_admin")),
                ("add_admin", Value::Not(Box::new(Value::HasTag(self.tag())))),
                ("update_permissions", Value::Grant("allow_if_super_admin")),
            ]),
            update_metadata: Some(Fields::Named(
                fields.map(|(name, value)| (name.to_owned(), value)).into(),
            )),
        }
    }

    fn settings(&mut self, seed: u64) -> Settings {
        let presets = ["mesibo", "venueless", "tencent", "flip"];
        Settings {
            preset: presets.get(usize::try_from(seed).unwrap_or_default()).copied(),
            unknown_users: self.word(50, &["allow_defaults"]),
            managers: Some(self.condition()),
            permissions: BTreeMap::from([("video_call", Toggle::When(self.condition()))]),
            blocks: BTreeMap::from([("voice_call", "two_way")]),
            peers: None,
            modes: vec![(self.condition(), "contacts"), (self.condition(), "all")],
            default_approval: Some("need_confirm"),
            // Raised to what there is: the largest group and the longest list are full.
            limits: BTreeMap::from([("friends", 1), ("group_members", 1)]),
        }
    }
}
