//! The replay of logged decisions against another policy.

mod logged_decision;

pub use logged_decision::{LoggedDecision, format_line};

use std::{
    collections::BTreeMap,
    io::{self, BufRead, Read},
};

use serde_json::{Map, Value, json};

use super::diff::describe_reason;
use crate::{decide, request::Action, snapshot::View, wire::json::parse_line};

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
    /// The first of the malformed lines.
    pub mistakes: Vec<MalformedLine>,
    /// The changed decisions in groups, most frequent first.
    pub groups: Vec<ChangedDecisions>,
}

/// A line that is not a decision.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MalformedLine {
    /// The line, from 1; the column in characters.
    pub line: u64,
    pub column: u64,
    pub message: String,
}

/// Decisions on one action whose reason changed in the same way.
#[derive(Clone, Debug)]
pub struct ChangedDecisions {
    pub action: Action,
    /// The decision before and now, with the reason where it was logged.
    pub before: String,
    pub now: String,
    pub allowed_now: bool,
    pub decisions: u64,
    pub examples: Vec<ReplayExample>,
}

#[derive(Clone, Debug)]
pub struct ReplayExample {
    pub line: u64,
    /// The ids of subject and resource.
    pub parties: String,
    /// The explanation of the decision now.
    pub why: String,
}

/// Replays every decision of a log, and keeps up to `most` examples of each group. A malformed line
/// is noted and skipped; an empty one is ignored. Holds one line at a time besides the examples.
///
/// # Errors
/// If reading the log fails.
pub fn replay(view: &View, mut log: impl BufRead, most: usize) -> io::Result<Replay> {
    let mut replay = Replay::default();
    let mut groups: BTreeMap<(Action, String, String), ChangedDecisions> = BTreeMap::new();
    let mut bytes = Vec::new();
    let mut number = 0;
    loop {
        bytes.clear();
        number += 1;
        if log.by_ref().take(LONGEST + 1).read_until(b'\n', &mut bytes)? == 0 {
            break;
        }
        if bytes.len() as u64 > LONGEST {
            let message = format!("the line exceeds {LONGEST} bytes");
            replay.malformed(MalformedLine { line: number, column: 1, message });
            while !bytes.ends_with(b"\n") {
                bytes.clear();
                if log.by_ref().take(LONGEST).read_until(b'\n', &mut bytes)? == 0 {
                    break;
                }
            }
            continue;
        }
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        match read(&bytes, number) {
            Ok(record) => replay.replay_decision(view, &record, (number, most), &mut groups),
            Err(mistake) => replay.malformed(mistake),
        }
    }
    replay.groups = groups.into_values().collect();
    replay.groups.sort_by_key(|group| std::cmp::Reverse(group.decisions));
    Ok(replay)
}

fn read(bytes: &[u8], line: u64) -> Result<LoggedDecision, MalformedLine> {
    let object: Map<String, Value> = parse_line(bytes).map_err(|error| {
        let (_, column) = error.line_column;
        MalformedLine { line, column: column as u64, message: error.message }
    })?;
    LoggedDecision::read(object).map_err(|wrong| {
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
        MalformedLine { line, column, message }
    })
}

impl Replay {
    fn malformed(&mut self, mistake: MalformedLine) {
        self.malformed += 1;
        if self.mistakes.len() < MALFORMED {
            self.mistakes.push(mistake);
        }
    }

    fn replay_decision(
        &mut self,
        view: &View,
        record: &LoggedDecision,
        (line, most): (u64, usize),
        groups: &mut BTreeMap<(Action, String, String), ChangedDecisions>,
    ) {
        // The request was validated when the line was read.
        let Ok(request) = record.request() else { return };
        self.decisions += 1;
        let decision = decide::decide(view, &request);
        if decision.allow == record.allow {
            let is_other = record.reason.is_some_and(|reason| reason != decision.reason);
            self.other_reasons += u64::from(is_other);
            return;
        }
        self.changed += 1;
        *(if decision.allow { &mut self.opened } else { &mut self.closed }) += 1;
        let word = |allow: bool| if allow { "allow" } else { "deny" };
        let reason = record.reason.filter(|_| !record.allow);
        let before = match reason {
            Some(reason) => reason.to_string(),
            None => word(record.allow).to_owned(),
        };
        let now = if decision.allow { "allow".to_owned() } else { decision.reason.to_string() };
        let key = (record.action, before.clone(), now.clone());
        let group = groups.entry(key).or_insert_with(|| ChangedDecisions {
            action: record.action,
            before,
            now,
            allowed_now: decision.allow,
            decisions: 0,
            examples: Vec::new(),
        });
        group.decisions += 1;
        if group.examples.len() < most {
            let why = describe_reason(&decide::explain(view, &request));
            group.examples.push(ReplayExample { line, parties: record.describe_parties(), why });
        }
    }

    /// The result as JSON.
    pub fn to_json(&self) -> Value {
        let example = |example: &ReplayExample| json!({ "line": example.line, "parties": example.parties, "why": example.why });
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
        let mistake = |mistake: &MalformedLine| json!({ "line": mistake.line, "column": mistake.column, "message": mistake.message });
        json!({
            "decisions": self.decisions,
            "changed": self.changed,
            "opened": self.opened,
            "closed": self.closed,
            "other_reasons": self.other_reasons,
            "malformed": self.malformed,
            "groups": self.groups.iter().map(group).collect::<Vec<_>>(),
            "mistakes": self.mistakes.iter().map(mistake).collect::<Vec<_>>(),
        })
    }
}
