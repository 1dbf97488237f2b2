//! The script of one of many writers: batches of all kinds of commands, and the expected state
//! after each. Every writer has users of its own; all share a group and a user.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test takes a part of it, and may fail by it"
)]

use serde_json::{Value, json};

use super::{atoms::Atoms, chance::Chance};

/// The group and the user that all share, and one who stays its super admin.
pub const GROUP: &str = "all";
pub const STAR: &str = "star";
pub const ROOT: &str = "root";

/// What makes them.
pub fn foundations() -> Value {
    json!([
        { "op": "put_user", "user": ROOT },
        { "op": "put_user", "user": STAR },
        { "op": "put_group", "group": GROUP, "creator": ROOT },
    ])
}

/// Of each writer.
const USERS: u64 = 5;

#[derive(Debug)]
pub struct Script {
    pub name: String,
    pub chance: Chance,
    /// What there is.
    pub now: Atoms,
    batches: u64,
}

/// A batch, and what it comes to.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its idempotency key.
    pub key: String,
    pub body: Vec<u8>,
    /// What there is after it.
    pub after: Atoms,
    /// Who then blocks whom.
    pub blocks: Vec<(String, String)>,
}

impl Script {
    pub fn new(number: usize, seed: u64) -> Self {
        let chance = Chance(seed.wrapping_mul(1_000_003) + number as u64);
        Self { name: format!("w{number}"), chance, now: Atoms::new(), batches: 0 }
    }

    /// The next batch: it changes its log, and some of everything else.
    pub fn step(&mut self) -> Step {
        self.batches += 1;
        let (name, number) = (self.name.clone(), self.batches);
        let mut after = self.now.clone();
        let log = format!("{name}-log");
        let mut commands =
            vec![json!({ "op": "put_user", "user": log, "tags": [format!("n{number}")] })];
        after.retain(|atom| !atom.starts_with(&format!("tag {log} ")));
        after.insert(format!("user {log} created"));
        after.insert(format!("tag {log} n{number}"));
        for _ in 0..=self.chance.below(4) {
            commands.push(self.command(&mut after));
        }
        let blocks = after.iter().filter_map(|atom| {
            let mut words = atom.split(' ');
            let is_new = words.next() == Some("block") && !self.now.contains(atom);
            is_new.then(|| Some((words.next()?.to_owned(), words.next()?.to_owned())))?
        });
        Step {
            key: format!("{name}-{number}"),
            body: json!({ "commands": commands }).to_string().into_bytes(),
            blocks: blocks.collect(),
            after,
        }
    }

    fn command(&mut self, after: &mut Atoms) -> Value {
        let (name, chance) = (self.name.clone(), &mut self.chance);
        let user = format!("{name}-{}", chance.below(USERS));
        let tag = format!("t{}", chance.below(4));
        let created = |id: &str, after: &Atoms| after.contains(&format!("user {id} created"));
        if !created(&user, after) {
            after.insert(format!("user {user} created"));
            after.insert(format!("tag {user} {tag}"));
            return json!({ "op": "put_user", "user": user, "tags": [tag] });
        }
        let mut other = format!("{name}-{}", chance.below(USERS));
        if other == user || !created(&other, after) {
            STAR.clone_into(&mut other);
        }
        let (one, two) = if user < other { (&user, &other) } else { (&other, &user) };
        let tie = |kind: &str| format!("{kind} {user} {other}");
        match chance.below(16) {
            0 => {
                after.retain(|atom| !atom.starts_with(&format!("tag {user} ")));
                after.insert(format!("tag {user} {tag}"));
                json!({ "op": "put_user", "user": user, "tags": [tag] })
            }
            1 => {
                after.insert(format!("tag {user} {tag}"));
                json!({ "op": "add_tags", "user": user, "tags": [tag] })
            }
            2 | 3 => {
                after.insert(tie("block"));
                json!({ "op": "block", "from": user, "to": other })
            }
            4 => {
                after.remove(&tie("block"));
                json!({ "op": "unblock", "from": user, "to": other })
            }
            5 | 6 => {
                after.insert(tie("friend"));
                after.insert(format!("friend {other} {user}"));
                json!({ "op": "add_friend", "from": user, "to": other, "both": true, "force": true })
            }
            7 if after.contains(&tie("friend")) => {
                after.remove(&tie("friend"));
                after.remove(&format!("friend {other} {user}"));
                json!({ "op": "delete_friend", "from": user, "to": other, "both": true })
            }
            7 | 8 => {
                let kind = if chance.percent(50) { "contact" } else { "pair" };
                after.insert(tie(kind));
                json!({ "op": "relate", "kind": kind, "from": user, "to": other })
            }
            9 => {
                after.insert(format!("conversation {one} {two}"));
                json!({ "op": "open_conversation", "users": [other, user] })
            }
            10 => {
                after.remove(&format!("conversation {one} {two}"));
                json!({ "op": "close_conversation", "users": [user, other] })
            }
            11 | 12 => {
                let member = format!("member {GROUP} {user} member");
                if after.remove(&member) {
                    return json!({ "op": "remove_member", "group": GROUP, "member": user });
                }
                after.insert(member);
                json!({ "op": "add_member", "group": GROUP, "member": user })
            }
            13 => {
                let banned = format!("moderation {user} banned");
                if after.remove(&banned) {
                    after.retain(|atom| !atom.starts_with(&format!("moderation {user} ")));
                    return json!({ "op": "reactivate", "user": user });
                }
                after.insert(banned);
                json!({ "op": "ban", "user": user })
            }
            14 => {
                let number = self.batches;
                after.retain(|atom| !atom.starts_with(&format!("metadata {GROUP} {name} ")));
                after.insert(format!("metadata {GROUP} {name} {number}"));
                json!({ "op": "update_metadata", "group": GROUP, "field": name, "value": number })
            }
            _ if chance.percent(70) => {
                let number: u128 = name.trim_start_matches('w').parse().unwrap();
                let id = uuid::Uuid::from_u128(number + 1);
                let condition = format!("hasTag({tag})");
                after.retain(|atom| !atom.starts_with(&format!("rule {name} ")));
                after.insert(format!("rule {name} {condition}"));
                json!({
                    "op": "put_rule", "rule_id": id.to_string(), "name": name, "condition": condition,
                    "outcome": [tag],
                })
            }
            _ => {
                after.retain(|atom| !atom.split(' ').any(|word| word == user));
                json!({ "op": "delete_user", "user": user })
            }
        }
    }
}
