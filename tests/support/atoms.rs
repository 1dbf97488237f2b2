//! The records of a store as short texts, which are easy to keep and to compare.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test takes a part of it, and may fail by it"
)]

use std::collections::BTreeSet;

use peerage::{
    facts::{Record, RecordKey},
    store::Store,
};

/// Each a kind and whom it is about: `friend w1-0 star`.
pub type Atoms = BTreeSet<String>;

/// All that a store holds.
#[derive(Debug)]
pub struct Held {
    pub atoms: Atoms,
    /// The idempotency keys.
    pub keys: BTreeSet<String>,
    pub revision: u64,
}

impl Held {
    #[track_caller]
    pub fn by(store: &dyn Store) -> Self {
        let (mut atoms, mut keys) = (Atoms::new(), BTreeSet::new());
        let revision = store.load(&mut |entry| match entry.key {
            RecordKey::Idempotency(name) => drop(keys.insert(name)),
            key => put(&mut atoms, &key, &entry.record),
        });
        Self { atoms, keys, revision: revision.unwrap() }
    }

    /// Of what `etcdctl get --prefix -w json` tells.
    #[track_caller]
    pub fn listed(reported: &serde_json::Value, prefix: &str) -> Self {
        let (mut atoms, mut keys) = (Atoms::new(), BTreeSet::new());
        for entry in reported["kvs"].as_array().unwrap() {
            let text = String::from_utf8(base64(entry["key"].as_str().unwrap())).unwrap();
            let Ok(key) = text.strip_prefix(prefix).unwrap().parse::<RecordKey>() else { continue };
            let value = base64(entry["value"].as_str().unwrap());
            match key {
                RecordKey::Idempotency(name) => drop(keys.insert(name)),
                key => {
                    let record = Record::decode(key.kind(), &value).unwrap();
                    put(&mut atoms, &key, &record);
                }
            }
        }
        Self { atoms, keys, revision: reported["header"]["revision"].as_u64().unwrap() }
    }

    /// What is a writer's: all that names the writer, or one of its users.
    pub fn of(&self, writer: &str) -> Atoms {
        let is_his = |word: &str| word.split('-').next() == Some(writer);
        self.atoms.iter().filter(|atom| atom.split(' ').any(is_his)).cloned().collect()
    }
}

fn base64(text: &str) -> Vec<u8> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text.bytes().filter_map(|byte| alphabet.iter().position(|known| *known == byte));
    let digits: Vec<usize> = digits.collect();
    let bytes = digits.chunks(4).flat_map(|four| {
        let bits = four.iter().fold(0, |bits, digit| bits << 6 | digit) << (6 * (4 - four.len()));
        [bits >> 16, bits >> 8, bits].into_iter().take(four.len() - 1)
    });
    bytes.map(|byte| u8::try_from(byte & 0xff).unwrap()).collect()
}

fn put(atoms: &mut Atoms, key: &RecordKey, record: &Record) {
    match (key, record) {
        (RecordKey::User(id), Record::User(user)) => {
            let mut add = |kind: &str, other: &str| {
                atoms.insert(format!("{kind} {id} {other}"));
            };
            if user.created {
                add("user", "created");
            }
            user.tags.iter().flatten().for_each(|tag| add("tag", tag));
            if let Some(moderation) = user.moderation {
                add("moderation", moderation.as_str());
            }
            user.contacts.iter().for_each(|other| add("contact", other));
            user.paired.iter().for_each(|other| add("pair", other));
            user.blocked.keys().for_each(|other| add("block", other));
            user.friends.keys().for_each(|other| add("friend", other));
        }
        (RecordKey::Group(id), Record::Group(group)) => {
            for (member, entry) in &group.members {
                atoms.insert(format!("member {id} {member} {}", entry.role.as_str()));
            }
            for (field, value) in &group.metadata {
                atoms.insert(format!("metadata {id} {field} {value}"));
            }
        }
        (RecordKey::Conversation(one, other), _) => {
            atoms.insert(format!("conversation {one} {other}"));
        }
        (RecordKey::Rule(_), Record::Rule(rule)) => {
            let name = rule.name.as_deref().unwrap_or_default();
            atoms.insert(format!("rule {name} {}", rule.condition));
        }
        _ => {}
    }
}
