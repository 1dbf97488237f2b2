//! Random records, and how they change.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    sync::Arc,
};

use peerage::{
    compile::FactsSource,
    facts::{
        self, ConversationRecord, Friend, Member, Record, RecordChange, RecordKey, RecordKind,
        SwitchSetting,
    },
    request::{Action, PeersSetting},
};
use uuid::Uuid;

use crate::{
    oracle::{Condition, Rule, World},
    worlds::{Chance, FIELDS, GROUPS, IDS, MATRICES, MODES, SWITCHES, TAGS},
};

/// Audiences that records name, of which a policy may lack some.
const AUDIENCES: [&str; 5] = ["close", "colleagues", "vip", "contacts", "everyone"];

/// A peers mode, or an audience as one.
fn peers(chance: &mut Chance) -> PeersSetting<String> {
    let word = if chance.percent(50) { chance.pick(&MODES) } else { chance.pick(&AUDIENCES) };
    PeersSetting::from_word((*word).to_owned())
}

/// All records there are.
#[derive(Clone, Default, Debug)]
pub(crate) struct Store(pub(crate) BTreeMap<RecordKey, Record>);

impl FactsSource for Store {
    type Error = Infallible;

    fn get(&self, key: &RecordKey) -> Result<Option<Record>, Infallible> {
        Ok(self.0.get(key).cloned())
    }

    fn each(
        &self,
        kind: RecordKind,
        each: &mut dyn FnMut(RecordKey, Record),
    ) -> Result<(), Infallible> {
        for (key, record) in self.0.iter().filter(|(key, _)| key.kind() == kind) {
            each(key.clone(), record.clone());
        }
        Ok(())
    }
}

impl Store {
    /// Puts another record in the place of one; what changed.
    pub(crate) fn put(&mut self, key: RecordKey, new: Option<Record>) -> RecordChange {
        let old = match &new {
            Some(record) => self.0.insert(key.clone(), record.clone()),
            None => self.0.remove(&key),
        };
        RecordChange { key, old: old.map(Arc::new), new: new.map(Arc::new) }
    }
}

/// Ids that no file has; some are too long to stand in a record.
const NEWCOMERS: [&str; 7] = [
    "zoe",
    "3",
    "newcomer",
    "~~~~",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "日本日本日本日本日本日本日本日本",
    "B",
];

/// All whom records may be of or name.
pub(crate) fn people() -> Vec<&'static str> {
    IDS.into_iter().chain(NEWCOMERS).collect()
}

pub(crate) fn groups() -> Vec<&'static str> {
    GROUPS.into_iter().chain(["g2", "group of the API"]).collect()
}

/// Changes of records that make sense in a world.
pub(crate) struct Changes<'w> {
    people: Vec<&'static str>,
    groups: Vec<&'static str>,
    rules: Vec<Uuid>,
    tags: Vec<&'static str>,
    world: &'w World,
}

impl<'w> Changes<'w> {
    pub(crate) fn of(world: &'w World) -> Self {
        let stated = world.rules.iter().flatten().map(Rule::expected_id);
        let mut rules: Vec<Uuid> = (1..=5).map(|id| Uuid::from_u128(id << 120)).collect();
        rules.extend(stated.take(2));
        let tags = TAGS[..6].iter().copied().chain(["n1", "n2", "n3", "z"]).collect();
        Self { people: people(), groups: groups(), rules, tags, world }
    }

    /// One record becomes another.
    pub(crate) fn next(&self, store: &mut Store, chance: &mut Chance) -> RecordChange {
        match chance.below(20) {
            0..12 => self.user(store, chance),
            12..15 => self.group(store, chance),
            15..17 => self.conversation(store, chance),
            _ => self.rule(store, chance),
        }
    }

    fn id(&self, chance: &mut Chance) -> String {
        let stated: Vec<&String> = self.world.users.keys().collect();
        if !stated.is_empty() && chance.percent(60) {
            return (*chance.pick(&stated)).clone();
        }
        (*chance.pick(&self.people)).to_owned()
    }

    fn user(&self, store: &mut Store, chance: &mut Chance) -> RecordChange {
        let id = self.id(chance);
        let key = RecordKey::User(id.clone());
        if chance.percent(8) {
            return store.put(key, None);
        }
        let mut user = match store.0.get(&key) {
            Some(Record::User(user)) => facts::UserRecord::clone(user),
            _ => facts::UserRecord { created: chance.percent(80), ..facts::UserRecord::default() },
        };
        for _ in 0..=chance.below(3) {
            self.change_user(&id, &mut user, chance);
        }
        store.put(key, Some(Record::User(Box::new(user))))
    }

    fn change_user(&self, id: &str, user: &mut facts::UserRecord, chance: &mut Chance) {
        match chance.below(17) {
            16 => {
                user.accepts.clear();
                for action in [Action::StartChat, Action::SendMessage] {
                    if chance.percent(50) {
                        user.accepts.insert(action.into(), (*chance.pick(&AUDIENCES)).to_owned());
                    }
                }
            }
            0 => user.created = !user.created,
            1..4 => user.tags = chance.percent(85).then(|| self.some_tags(chance)),
            4 => user.peers = chance.percent(60).then(|| peers(chance)),
            5..7 => {
                let switch = chance.pick(&SWITCHES).parse().unwrap();
                if chance.percent(30) {
                    user.permissions.remove(&switch);
                } else {
                    let setting = if chance.percent(50) {
                        SwitchSetting::Always(chance.percent(50))
                    } else {
                        SwitchSetting::When(self.condition(2, chance).to_string())
                    };
                    user.permissions.insert(switch, setting);
                }
            }
            7 => {
                let states = ["none", "silenced", "banned"];
                user.moderation = chance.percent(60).then(|| chance.pick(&states).parse().unwrap());
            }
            8 => {
                let kinds = ["allow_any", "need_confirm", "deny_any"];
                user.approval = chance.percent(60).then(|| chance.pick(&kinds).parse().unwrap());
            }
            relation => {
                let other = self.id(chance);
                if other == id {
                    return;
                }
                match relation {
                    9 => toggle(&mut user.contacts, other),
                    10 => toggle(&mut user.favorites, other),
                    11 => toggle(&mut user.paired, other),
                    12 | 13 => {
                        if user.blocked.remove(&other).is_none() {
                            user.blocked.insert(other, 1);
                        }
                    }
                    _ => {
                        if user.friends.remove(&other).is_none() {
                            user.friends.insert(other, Friend::default());
                        }
                    }
                }
            }
        }
    }

    fn group(&self, store: &mut Store, chance: &mut Chance) -> RecordChange {
        let key = RecordKey::Group((*chance.pick(&self.groups)).to_owned());
        if chance.percent(10) {
            return store.put(key, None);
        }
        let mut group = match store.0.get(&key) {
            Some(Record::Group(group)) => facts::GroupRecord::clone(group),
            _ => {
                facts::GroupRecord { created: chance.percent(85), ..facts::GroupRecord::default() }
            }
        };
        for _ in 0..=chance.below(3) {
            match chance.below(8) {
                0 => {
                    let own = self.world.matrices.keys().map(String::as_str);
                    let names: Vec<&str> = crate::oracle::BUILT_IN.into_iter().chain(own).collect();
                    let name = chance.pick::<&str>(&names).to_string();
                    group.matrix = chance.percent(80).then_some(name);
                    if chance.percent(5) {
                        group.matrix = Some(MATRICES[0].to_owned());
                    }
                }
                1 => group.creator = chance.percent(80).then(|| self.id(chance)),
                2..4 => {
                    let names = [
                        "add_member",
                        "remove_member",
                        "update_permissions",
                        "update_metadata",
                        "update_metadata.*",
                    ];
                    let field = format!("update_metadata.{}", chance.pick(&FIELDS));
                    let name = if chance.percent(30) { &field } else { *chance.pick(&names) };
                    let values = ["allow", "deny", "allow_if_admin", "hasTag(n1)", "hasTag(z)"];
                    let value = if chance.percent(40) {
                        self.condition(1, chance).to_string()
                    } else {
                        (*chance.pick(&values)).to_owned()
                    };
                    if group.permissions.remove(name).is_none() || chance.percent(30) {
                        group.permissions.insert(name.to_owned(), value);
                    }
                }
                _ => {
                    let id = self.id(chance);
                    if group.members.remove(&id).is_none() || chance.percent(40) {
                        let roles = ["member", "admin", "super_admin"];
                        let role = chance.pick(&roles).parse().unwrap();
                        group.members.insert(id, Member::new(role));
                    }
                }
            }
        }
        store.put(key, Some(Record::Group(Box::new(group))))
    }

    fn conversation(&self, store: &mut Store, chance: &mut Chance) -> RecordChange {
        let (one, mut other) = (self.id(chance), self.id(chance));
        while one == other {
            (*chance.pick(&self.people)).clone_into(&mut other);
        }
        let key = RecordKey::conversation(&one, &other);
        let is_open = store.0.contains_key(&key);
        store.put(key, (!is_open).then(|| Record::Conversation(ConversationRecord::default())))
    }

    fn rule(&self, store: &mut Store, chance: &mut Chance) -> RecordChange {
        let key = RecordKey::Rule(*chance.pick(&self.rules));
        if chance.percent(25) {
            return store.put(key, None);
        }
        let outcome = self.some_tags(chance);
        let rule = facts::RuleRecord {
            name: None,
            description: chance.percent(20).then(|| "Why.".to_owned()),
            condition: self.condition(3, chance).to_string(),
            outcome: outcome.into_iter().collect(),
        };
        store.put(key, Some(Record::Rule(rule)))
    }

    fn some_tags(&self, chance: &mut Chance) -> BTreeSet<String> {
        let count = if chance.percent(5) { 8 } else { chance.below(4) };
        (0..count).map(|_| (*chance.pick(&self.tags)).to_owned()).collect()
    }

    fn condition(&self, depth: u32, chance: &mut Chance) -> Condition {
        let parts = |chance: &mut Chance| {
            let count = 1 + chance.below(2);
            (0..count).map(|_| self.condition(depth - 1, chance)).collect()
        };
        if chance.percent(8) {
            return if chance.percent(50) { Condition::Everyone } else { Condition::Nobody };
        }
        match if depth == 0 { 0 } else { chance.below(5) } {
            0 | 1 => Condition::HasTag((*chance.pick(&self.tags)).to_owned()),
            2 => Condition::Not(Box::new(self.condition(depth - 1, chance))),
            3 => Condition::All(parts(chance)),
            _ => Condition::Any(parts(chance)),
        }
    }
}

fn toggle(ids: &mut BTreeSet<String>, id: String) {
    if !ids.remove(&id) {
        ids.insert(id);
    }
}
