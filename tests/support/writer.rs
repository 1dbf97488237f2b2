//! A writer at a daemon that may be gone at any moment, and what it knows of what it wrote.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    reason = "each test takes a part of it, and may fail by it"
)]

use std::{collections::BTreeSet, io, os::unix::net::UnixStream, path::Path};

use super::{
    atoms::Held,
    client::{Answer, Client},
    script::{Script, Step},
};

#[derive(Debug)]
pub struct Writer {
    pub script: Script,
    /// What was sent, and may have taken effect or not.
    pub pending: Option<Step>,
    /// Whether it did, if that was found out.
    was_applied: Option<bool>,
    pub acknowledged: BTreeSet<String>,
    pub counts: Counts,
}

/// How batches were answered.
#[derive(Clone, Copy, Default, Debug)]
pub struct Counts {
    pub acknowledged: u64,
    /// Of those, how many had taken effect before, without an answer.
    pub replayed: u64,
    /// 503: the store is not reached, or full, or it is not known what became of the batch.
    pub refused: u64,
    /// Of those, how many may have taken effect all the same.
    pub in_doubt: u64,
    /// No answer at all.
    pub unanswered: u64,
}

impl Counts {
    pub fn sum(all: impl IntoIterator<Item = Self>) -> Self {
        all.into_iter().fold(Self::default(), |sum, one| Self {
            acknowledged: sum.acknowledged + one.acknowledged,
            replayed: sum.replayed + one.replayed,
            refused: sum.refused + one.refused,
            in_doubt: sum.in_doubt + one.in_doubt,
            unanswered: sum.unanswered + one.unanswered,
        })
    }
}

/// What came of a batch that was sent.
#[derive(Debug)]
pub enum Sent {
    /// It is there, since this revision, or one before.
    Acknowledged { revision: u64, step: Step },
    /// Refused for now, with what the answer says.
    NotNow(String),
    /// The daemon is gone.
    Gone,
}

impl Writer {
    pub fn new(number: usize, seed: u64) -> Self {
        Self {
            script: Script::new(number, seed),
            pending: None,
            was_applied: None,
            acknowledged: BTreeSet::new(),
            counts: Counts::default(),
        }
    }

    /// Sends what is pending once more, or else the next batch.
    #[track_caller]
    pub fn send(&mut self, client: &mut Client<UnixStream>) -> Sent {
        let step = self.pending.take().unwrap_or_else(|| self.script.step());
        match post(client, &step.key, &step.body) {
            Ok(answer) if answer.status == 200 => {
                let reported = answer.json();
                let outcomes = reported["outcomes"].as_array().unwrap();
                assert!(outcomes.iter().all(|outcome| outcome["ok"] == true), "{reported}");
                self.script.now.clone_from(&step.after);
                self.acknowledged.insert(step.key.clone());
                self.counts.acknowledged += 1;
                let is_replayed = answer.header("idempotency-replayed").is_some();
                self.counts.replayed += u64::from(is_replayed);
                if let Some(was_applied) = self.was_applied.take() {
                    assert_eq!(is_replayed, was_applied, "{}", step.key);
                }
                Sent::Acknowledged { revision: reported["revision"].as_u64().unwrap(), step }
            }
            Ok(answer) if answer.status == 503 => {
                let why = answer.json()["error"]["message"].as_str().unwrap().to_owned();
                self.counts.refused += 1;
                let is_in_doubt = why.contains("is not known") || why.contains("took effect at");
                self.counts.in_doubt += u64::from(is_in_doubt);
                self.pending = Some(step);
                Sent::NotNow(why)
            }
            Ok(answer) => panic!(
                "{}: {} {}\n{}",
                step.key,
                answer.status,
                answer.text(),
                String::from_utf8_lossy(&step.body)
            ),
            Err(_) => {
                self.counts.unanswered += 1;
                self.pending = Some(step);
                Sent::Gone
            }
        }
    }

    /// Holds what a store has to what was acknowledged. Whether what is pending took effect.
    #[track_caller]
    pub fn is_applied(&self, held: &Held) -> bool {
        let Script { name, now, .. } = &self.script;
        let lost: Vec<_> = self.acknowledged.difference(&held.keys).collect();
        assert!(lost.is_empty(), "acknowledged, and its key is lost: {lost:?}");
        let found = held.of(name);
        let applied = self.pending.as_ref().is_some_and(|step| held.keys.contains(&step.key));
        let wanted = self.pending.as_ref().filter(|_| applied).map_or(now, |step| &step.after);
        let missing: Vec<_> = wanted.difference(&found).collect();
        let more: Vec<_> = found.difference(wanted).collect();
        assert!(
            missing.is_empty() && more.is_empty(),
            "{name}: missing {missing:?}; not to be there {more:?}; pending, {applied}: {:?}",
            self.pending.as_ref().map(|step| String::from_utf8_lossy(&step.body))
        );
        applied
    }

    /// Takes note of what became of what is pending, which is sent `again`, or else left as it is.
    pub fn settle(&mut self, applied: bool, again: bool) {
        self.was_applied = self.pending.as_ref().filter(|_| again).map(|_| applied);
        if again {
            return;
        }
        if let Some(step) = self.pending.take().filter(|_| applied) {
            self.acknowledged.insert(step.key);
            self.script.now = step.after;
        }
    }
}

/// Sends a batch.
///
/// # Errors
/// If there is no answer.
pub fn post(client: &mut Client<UnixStream>, key: &str, body: &[u8]) -> io::Result<Answer> {
    let headers = format!("Content-Type: application/json\r\nIdempotency-Key: {key}\r\n");
    client.try_ask("POST", "/v1/facts", &headers, body)
}

/// Sends commands that must be taken; the revision since which they are.
#[track_caller]
pub fn command(socket: &Path, commands: &serde_json::Value) -> u64 {
    let body = serde_json::json!({ "commands": commands }).to_string();
    let answer = Client::unix(socket).post("/v1/facts", body.as_bytes());
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["revision"].as_u64().unwrap()
}

/// Whether a decision is answered with allow; `None` if it is not answered from that revision.
///
/// # Errors
/// If there is no answer.
pub fn is_allowed(
    client: &mut Client<UnixStream>,
    (subject, action, resource): (&str, &str, &str),
    at_least: Option<u64>,
) -> io::Result<Option<bool>> {
    let path = format!("/v1/decide?subject={subject}&action={action}&resource={resource}");
    let headers = at_least.map(|at| format!("Peerage-At-Least: {at}\r\n")).unwrap_or_default();
    let answer = client.try_ask("GET", &path, &headers, b"")?;
    match answer.status {
        200 => Ok(answer.json()["decision"].as_bool()),
        503 => Ok(None),
        _ => panic!("{} {}", answer.status, answer.text()),
    }
}

/// What a daemon decides of all users: whom each may reach, and what each may do in the group.
#[track_caller]
pub fn decisions(socket: &Path, users: &BTreeSet<String>) -> Vec<String> {
    let mut client = Client::unix(socket);
    let mut all = Vec::new();
    for user in users {
        for action in ["start_chat", "send_message", "friend_request", "voice_call"] {
            let path = format!("/v1/reach?subject={user}&action={action}");
            let answer = client.get(&path);
            all.push(format!("{path} {}", answer.text()));
        }
        for action in ["read", "update_metadata", "leave"] {
            let path = format!(
                "/v1/decide?subject={user}&action={action}&resource_type=group&resource={}&field=x",
                super::script::GROUP
            );
            all.push(format!("{path} {}", client.get(&path).text()));
        }
    }
    all
}

/// All users that a store holds.
pub fn users(held: &Held) -> BTreeSet<String> {
    let user = |atom: &String| Some(atom.strip_prefix("user ")?.split(' ').next()?.to_owned());
    held.atoms.iter().filter_map(user).collect()
}
