//! The import of facts into a running daemon, in batches.

use std::{collections::BTreeSet, thread, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use super::{
    client::{DaemonClient, DaemonResponse, DaemonTarget, RequestContent},
    lines::ImportLine,
};
use crate::facts::{
    ByUser, Command, HistoryRecord, Op, Record, RecordKey, UserFields, export_line,
};

/// Sends commands to a running daemon, many together.
pub(super) struct DaemonSink {
    target: DaemonTarget,
    client: Option<DaemonClient>,
    /// The prefix of this import's idempotency keys.
    key: String,
    stage: usize,
    /// The number of batches so far.
    batches: u64,
    waiting: Vec<NumberedCommand>,
    /// The entries of the history to send.
    history: Vec<Value>,
    /// The size of what waits in bytes.
    bytes: usize,
    /// The refused lines: the number of each, and the message.
    pub(super) refused: Vec<(u64, String)>,
    refused_lines: BTreeSet<u64>,
}

/// A command with the number of its line.
type NumberedCommand = (u64, Value);

/// The maximal number of commands in a batch, and their approximate size.
const TOGETHER: usize = 500;
const BYTES: usize = 256 << 10;

/// The number of attempts for a batch while the daemon does not answer or can't write, and the pause
/// between two.
const MOST_TRIES: u32 = 10;
const APART: Duration = Duration::from_millis(500);

impl DaemonSink {
    pub(super) fn new(target: DaemonTarget, key: String) -> Self {
        Self {
            target,
            client: None,
            key,
            stage: 0,
            batches: 0,
            waiting: Vec::new(),
            history: Vec::new(),
            bytes: 0,
            refused: Vec::new(),
            refused_lines: BTreeSet::new(),
        }
    }

    /// Ends a stage: the commands of later stages may depend on those of earlier ones.
    pub(super) fn next_stage(&mut self) -> Result<()> {
        self.flush()?;
        self.stage += 1;
        Ok(())
    }

    pub(super) fn take(&mut self, number: u64, line: &ImportLine) -> Result<()> {
        if self.refused_lines.contains(&number) {
            return Ok(());
        }
        if let ImportLine::History(entry) = line {
            return self.take_history(entry);
        }
        let Some(command) = stage_command(line, self.stage) else { return Ok(()) };
        let command = command.encode();
        let bytes = command.to_string().len();
        if self.bytes + bytes > BYTES || self.waiting.len() >= TOGETHER {
            self.flush()?;
        }
        self.bytes += bytes;
        self.waiting.push((number, command));
        Ok(())
    }

    /// Takes an entry of the history; they are sent in the first stage.
    fn take_history(&mut self, entry: &HistoryRecord) -> Result<()> {
        if self.stage > 0 {
            return Ok(());
        }
        let line = export_line::history_json(entry);
        self.bytes += line.to_string().len();
        self.history.push(line);
        if self.bytes > BYTES || self.history.len() >= TOGETHER { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        let batch = std::mem::take(&mut self.waiting);
        let history = std::mem::take(&mut self.history);
        self.bytes = 0;
        if !history.is_empty() {
            self.batches += 1;
            let key = format!("{}-history-{}", self.key, self.batches);
            let body = json!({ "commands": [], "history": history }).to_string();
            let answer = self.post(&body, &key)?;
            ensure!(answer.status == 200, answer.message());
        }
        if batch.is_empty() {
            return Ok(());
        }
        self.batches += 1;
        let key = format!("{}-{}-{}", self.key, self.stage, self.batches);
        self.send(batch, key)
    }

    /// Sends a batch, and again without its refused commands.
    fn send(&mut self, mut batch: Vec<NumberedCommand>, key: String) -> Result<()> {
        let mut key = key;
        while !batch.is_empty() {
            let commands: Vec<&Value> = batch.iter().map(|(_, command)| command).collect();
            let answer = self.post(&json!({ "commands": commands }).to_string(), &key)?;
            match answer.status {
                200 => return Ok(()),
                400 | 409 => {
                    let wrong = rejections(&answer);
                    if wrong.is_empty() {
                        bail!(answer.message());
                    }
                    let mut index = 0;
                    batch.retain(|(number, _)| {
                        let why = wrong.iter().find(|(at, _)| *at == index);
                        index += 1;
                        if let Some((_, why)) = why {
                            self.refused.push((*number, why.clone()));
                            self.refused_lines.insert(*number);
                        }
                        why.is_none()
                    });
                    key += "r";
                }
                413 if batch.len() > 1 => {
                    let rest = batch.split_off(batch.len() / 2);
                    self.send(batch, format!("{key}a"))?;
                    return self.send(rest, format!("{key}b"));
                }
                413 => {
                    let lines = batch.iter().map(|(number, _)| (*number, answer.message()));
                    self.refused.extend(lines);
                    return Ok(());
                }
                _ => bail!(answer.message()),
            }
        }
        Ok(())
    }

    /// Sends a batch, and retries if there is no response or the store can't be written: by its key it takes
    /// effect once.
    fn post(&mut self, body: &str, key: &str) -> Result<DaemonResponse> {
        let sent = RequestContent { body: body.as_bytes(), idempotency_key: Some(key) };
        let mut tries = 0;
        loop {
            let client = match self.client.take() {
                Some(client) => Ok(client),
                None => self.target.connect(),
            };
            let answer = client.and_then(|mut client| {
                let answer = client.request("POST", "/v1/facts", &sent)?;
                self.client = Some(client);
                Ok(answer)
            });
            tries += 1;
            match answer {
                Ok(answer) if answer.status != 503 || tries >= MOST_TRIES => return Ok(answer),
                Err(error) if tries >= MOST_TRIES => {
                    return Err(error).context("the daemon does not answer");
                }
                _ => thread::sleep(APART),
            }
        }
    }
}

/// The refused commands of a batch: the index of each, and the message.
fn rejections(answer: &DaemonResponse) -> Vec<(usize, String)> {
    let body = answer.json();
    let outcomes = body.get("outcomes").and_then(Value::as_array);
    let outcomes = outcomes.into_iter().flatten().enumerate();
    let wrong = outcomes.filter(|(_, outcome)| {
        let reason = outcome.get("reason").and_then(Value::as_str);
        reason.is_some_and(|reason| reason != "not_applied")
    });
    let text = |outcome: &Value, name| {
        outcome.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    wrong
        .map(|(at, outcome)| {
            (at, format!("{}: {}", text(outcome, "reason"), text(outcome, "message")))
        })
        .collect()
}

/// The command of a line in a stage.
fn stage_command(line: &ImportLine, stage: usize) -> Option<Command> {
    match line {
        ImportLine::Header | ImportLine::History(_) => None,
        ImportLine::Record(record) => {
            let (key, record) = &**record;
            if is_empty_in_stage(key, record, stage) {
                return None;
            }
            Command::restore_commands(key, record).into_iter().nth(stage)?
        }
        ImportLine::User(id, fields) => {
            let fields = stage_fields(fields, stage)?;
            Some(Op::PutUser { user: id.clone(), fields: Box::new(fields) }.into())
        }
    }
}

/// Whether a record has no command in a stage.
fn is_empty_in_stage(key: &RecordKey, record: &Record, stage: usize) -> bool {
    match (key, record) {
        (RecordKey::User(_), Record::User(user)) => match stage {
            // A user must exist before edges name them.
            0 => false,
            1 => {
                user.contacts.is_empty()
                    && user.favorites.is_empty()
                    && user.paired.is_empty()
                    && user.blocked.is_empty()
            }
            _ => user.friends.is_empty() && user.requests.is_empty(),
        },
        _ => false,
    }
}

/// The fields of a bulk user that a stage sends: the user, then the relations, then the friends.
fn stage_fields(fields: &UserFields, stage: usize) -> Option<UserFields> {
    let all = fields.clone();
    let empty = |named: &Option<ByUser<_>>| named.is_none();
    match stage {
        0 => Some(UserFields {
            contacts: None,
            favorites: None,
            paired: None,
            blocked: None,
            friends: None,
            requests: None,
            ..all
        }),
        1 if all.contacts.is_none()
            && all.favorites.is_none()
            && all.paired.is_none()
            && empty(&all.blocked) =>
        {
            None
        }
        1 => Some(UserFields {
            contacts: all.contacts,
            favorites: all.favorites,
            paired: all.paired,
            blocked: all.blocked,
            ..UserFields::default()
        }),
        _ if all.friends.is_none() && all.requests.is_none() => None,
        _ => Some(UserFields {
            friends: all.friends,
            requests: all.requests,
            ..UserFields::default()
        }),
    }
}
