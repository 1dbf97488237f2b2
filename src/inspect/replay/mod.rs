//! The replay of logged decisions against another policy.

mod gzip;
mod logged_decision;

pub use logged_decision::{LoggedDecision, format_line};

use std::{
    collections::BTreeMap,
    io::{self, BufRead, BufReader, Read},
    sync::Arc,
};

use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

use self::{
    gzip::{GzipReader, MAGIC},
    logged_decision::LogLineError,
};
use super::diff::describe_reason;
use crate::{
    decide,
    request::{ActionName, Reason},
    snapshot::View,
    wire::json::parse_line,
};

/// The maximal length of a line in bytes.
const LONGEST: u64 = 1 << 20;

/// The number of malformed lines that are reported.
const MALFORMED: usize = 100;

/// The result of replaying the decisions of a log against a policy.
#[derive(Debug, Default)]
pub struct Replay {
    pub decisions: u64,
    /// The number of decisions that changed.
    pub changed: u64,
    /// The changed decisions that were denied and would be allowed, and the reverse.
    pub opened: u64,
    pub closed: u64,
    /// The number of unchanged decisions with another reason.
    pub other_reasons: u64,
    pub malformed: u64,
    /// The number of last lines that end within a JSON value: the log was being written.
    pub torn: u64,
    /// The number of decisions on hashed ids, which can't be decided again.
    pub hashed: u64,
    /// The number of decisions that no policy changes: of a type or an id that nobody can have.
    pub unresolved: u64,
    /// The number of decisions that were denied because what they would be made from was too old.
    pub stale: u64,
    /// The first of the malformed lines.
    pub mistakes: Vec<MalformedLine>,
    /// The changed decisions in groups, most frequent first.
    pub groups: Vec<ChangedDecisions>,
}

/// A line that is not a decision.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MalformedLine {
    /// The name of the log.
    pub log: Arc<str>,
    /// The line, from 1; the column in characters.
    pub line: u64,
    pub column: u64,
    pub message: String,
}

/// Decisions on one action whose reason changed in the same way.
#[derive(Clone, Debug)]
pub struct ChangedDecisions {
    pub action: ActionName,
    /// The decision before and now, with the reason where it was logged.
    pub before: String,
    pub now: String,
    pub allowed_now: bool,
    pub decisions: u64,
    pub examples: Vec<ReplayExample>,
}

#[derive(Clone, Debug)]
pub struct ReplayExample {
    /// The name of the log.
    pub log: Arc<str>,
    pub line: u64,
    /// The ids of subject and resource.
    pub parties: String,
    /// The explanation of the decision now.
    pub why: String,
}

/// A replay that goes on over several logs, in the order in which they are read.
#[derive(Debug)]
pub struct Replayer<'v> {
    view: &'v View,
    max_examples: usize,
    replay: Replay,
    groups: BTreeMap<(ActionName, String, String), ChangedDecisions>,
}

/// A place in a log: its name, and a line of it, from 1.
struct LogPlace<'p> {
    log: &'p Arc<str>,
    line: u64,
}

impl<'v> Replayer<'v> {
    /// A replay against a view that keeps up to so many examples of each group.
    pub fn new(view: &'v View, max_examples: usize) -> Self {
        Self { view, max_examples, replay: Replay::default(), groups: BTreeMap::new() }
    }

    /// Replays every decision of a log, which may be compressed by gzip. A malformed line is noted and
    /// skipped; an empty one is ignored. Holds one line at a time besides the examples.
    ///
    /// # Errors
    /// If reading the log fails, or it is damaged gzip data.
    pub fn read(&mut self, name: &str, mut log: impl BufRead) -> io::Result<()> {
        if log.fill_buf()?.starts_with(&MAGIC) {
            return self.read_lines(name, BufReader::new(GzipReader::new(log)));
        }
        self.read_lines(name, log)
    }

    fn read_lines(&mut self, name: &str, mut log: impl BufRead) -> io::Result<()> {
        let name = Arc::from(name);
        let mut bytes = Vec::new();
        let mut number = 0;
        loop {
            bytes.clear();
            number += 1;
            let place = LogPlace { log: &name, line: number };
            if log.by_ref().take(LONGEST + 1).read_until(b'\n', &mut bytes)? == 0 {
                return Ok(());
            }
            if bytes.len() as u64 > LONGEST {
                let message = format!("the line exceeds {LONGEST} bytes");
                self.replay.malformed(place.malformed(1, message));
                while !bytes.ends_with(b"\n") {
                    bytes.clear();
                    if log.by_ref().take(LONGEST).read_until(b'\n', &mut bytes)? == 0 {
                        break;
                    }
                }
                continue;
            }
            if !bytes.trim_ascii().is_empty() {
                self.read_line(&bytes, &place);
            }
        }
    }

    fn read_line(&mut self, bytes: &[u8], place: &LogPlace<'_>) {
        let object: Map<String, Value> = match parse_line(bytes) {
            Ok(object) => object,
            Err(_) if is_torn(bytes) => return self.replay.torn += 1,
            Err(error) => {
                let (_, column) = error.line_column;
                return self.replay.malformed(place.malformed(column as u64, error.message));
            }
        };
        if object.get("ids").is_some_and(|ids| ids == "hashed") {
            return self.replay.hashed += 1;
        }
        if object.get("unresolved") == Some(&Value::Bool(true)) {
            return self.replay.unresolved += 1;
        }
        match LoggedDecision::read(self.view, object) {
            Ok(record) if record.reason == Some(Reason::Stale) => self.replay.stale += 1,
            Ok(record) => self.replay_decision(&record, place),
            Err(error) => self.replay.malformed(place.wrong_member(bytes, error)),
        }
    }

    /// The result.
    pub fn finish(self) -> Replay {
        let mut replay = self.replay;
        replay.groups = self.groups.into_values().collect();
        replay.groups.sort_by_key(|group| std::cmp::Reverse(group.decisions));
        replay
    }
}

/// Replays the decisions of one log, as [`Replayer`] does.
///
/// # Errors
/// If reading the log fails.
pub fn replay(view: &View, log: impl BufRead, most: usize) -> io::Result<Replay> {
    let mut replayer = Replayer::new(view, most);
    replayer.read("", log)?;
    Ok(replayer.finish())
}

/// Whether a line is the beginning of a JSON value at the end of a log.
fn is_torn(line: &[u8]) -> bool {
    let parsed = serde_json::from_slice::<IgnoredAny>(line);
    !line.ends_with(b"\n") && parsed.is_err_and(|error| error.is_eof())
}

impl LogPlace<'_> {
    fn malformed(&self, column: u64, message: String) -> MalformedLine {
        MalformedLine { log: Arc::clone(self.log), line: self.line, column, message }
    }

    fn wrong_member(&self, bytes: &[u8], wrong: LogLineError) -> MalformedLine {
        // The column of the member in characters, since the line is valid UTF-8 by now.
        let text = String::from_utf8_lossy(bytes);
        let named = format!("\"{}\"", wrong.member);
        let before = text.split(&named).next().filter(|before| before.len() < text.len());
        let column = before.map_or(1, |before| before.chars().count() as u64 + 1);
        let message = if wrong.member.is_empty() {
            wrong.message
        } else {
            format!("`{}`: {}", wrong.member, wrong.message)
        };
        self.malformed(column, message)
    }
}

impl Replayer<'_> {
    fn replay_decision(&mut self, record: &LoggedDecision, place: &LogPlace<'_>) {
        let Self { view, max_examples, replay, groups } = self;
        // The request was validated when the line was read.
        let Ok(request) = record.request() else { return };
        replay.decisions += 1;
        let decision = decide::decide(view, &request);
        if decision.allow == record.allow {
            let is_other = record.reason.is_some_and(|reason| reason != decision.reason);
            replay.other_reasons += u64::from(is_other);
            return;
        }
        replay.changed += 1;
        *(if decision.allow { &mut replay.opened } else { &mut replay.closed }) += 1;
        let word = |allow: bool| if allow { "allow" } else { "deny" };
        let reason = record.reason.filter(|_| !record.allow);
        let before = match reason {
            Some(reason) => reason.to_string(),
            None => word(record.allow).to_owned(),
        };
        let now = if decision.allow { "allow".to_owned() } else { decision.reason.to_string() };
        let key = (record.action.clone(), before.clone(), now.clone());
        let group = groups.entry(key).or_insert_with(|| ChangedDecisions {
            action: record.action.clone(),
            before,
            now,
            allowed_now: decision.allow,
            decisions: 0,
            examples: Vec::new(),
        });
        group.decisions += 1;
        if group.examples.len() < *max_examples {
            let why = describe_reason(&decide::explain(view, &request));
            let (log, parties) = (Arc::clone(place.log), record.describe_parties());
            group.examples.push(ReplayExample { log, line: place.line, parties, why });
        }
    }
}

impl Replay {
    fn malformed(&mut self, mistake: MalformedLine) {
        self.malformed += 1;
        if self.mistakes.len() < MALFORMED {
            self.mistakes.push(mistake);
        }
    }

    /// The result as JSON.
    pub fn to_json(&self) -> Value {
        let example = |example: &ReplayExample| json!({ "file": *example.log, "line": example.line, "parties": example.parties, "why": example.why });
        let group = |group: &ChangedDecisions| {
            json!({
                "action": group.action.as_str(),
                "before": group.before,
                "now": group.now,
                "decision": group.allowed_now,
                "decisions": group.decisions,
                "examples": group.examples.iter().map(example).collect::<Vec<_>>(),
            })
        };
        let mistake = |mistake: &MalformedLine| json!({ "file": *mistake.log, "line": mistake.line, "column": mistake.column, "message": mistake.message });
        json!({
            "decisions": self.decisions,
            "changed": self.changed,
            "opened": self.opened,
            "closed": self.closed,
            "other_reasons": self.other_reasons,
            "malformed": self.malformed,
            "torn": self.torn,
            "hashed": self.hashed,
            "unresolved": self.unresolved,
            "stale": self.stale,
            "groups": self.groups.iter().map(group).collect::<Vec<_>>(),
            "mistakes": self.mistakes.iter().map(mistake).collect::<Vec<_>>(),
        })
    }
}
