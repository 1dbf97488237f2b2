//! The audit trail: a JSON line for each batch of commands, each reload that was forced or held, and
//! each credential that was refused.

use std::time::{Duration, SystemTime};

use hyper::StatusCode;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};
use serde_json::{Map, Value, json};

use super::line_writer::LineWriter;
use crate::{
    facts::{Command, CommandError, CommandSyntaxError, WriteError, WriteOutcome},
    live::{ReloadOutcome, ServedPolicy, Trigger, facts::WriteReply},
    wire::rfc3339,
};

/// Where the trail is written, and what is counted of it.
#[derive(Debug, Default)]
pub struct Audit {
    lines: Option<LineWriter>,
    failures: Family<Api, Counter>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Api {
    api: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Log {
    log: &'static str,
}

/// The names of peerage's own APIs in the trail.
pub(super) const NATIVE: &str = "native";
pub(super) const FACTS: &str = "facts";

/// The sender of a request, and the API.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Caller {
    pub(super) api: &'static str,
    /// `admin-token`, `socket`, or what an API calls the credential.
    pub(super) by: String,
}

impl Caller {
    /// One of peerage's own APIs, for which there is one token.
    pub(super) fn native(api: &'static str, trusted: bool) -> Self {
        Self { api, by: if trusted { "socket" } else { "admin-token" }.to_owned() }
    }
}

/// What a batch asks for, one operation each: what the trail tells of it.
#[derive(Clone, Default, Debug)]
pub(super) struct Operations(Vec<Map<String, Value>>);

/// The fields of a command that the trail tells: whom and what it is about. What is written there
/// (texts, attributes) it does not.
const FIELDS: [&str; 15] = [
    "op",
    "as",
    "user",
    "group",
    "member",
    "from",
    "to",
    "users",
    "kind",
    "tags",
    "list",
    "field",
    "permission",
    "rule_id",
    "name",
];

/// How long what is told of a command may be, as JSON: a malformed one may hold anything.
const LONGEST: usize = 1024;

impl Audit {
    /// With a trail, or only what is counted.
    pub fn new(lines: Option<LineWriter>) -> Self {
        Self { lines, failures: Family::default() }
    }

    /// Writes to a file that may have been moved.
    pub fn reopen(&self) {
        self.lines.iter().for_each(LineWriter::reopen);
    }

    /// Waits until all is written, but no longer than this.
    pub fn flush(&self, patience: Duration) {
        self.lines.iter().for_each(|lines| lines.flush(patience));
    }

    /// What is told of commands; nothing where there is no trail.
    pub(super) fn operations(&self, commands: &[Command]) -> Operations {
        if self.lines.is_none() {
            return Operations::default();
        }
        Operations(commands.iter().map(|command| summary(&command.encode())).collect())
    }

    /// The same of commands that are not read yet.
    pub(super) fn raw_operations(&self, commands: &[Value]) -> Operations {
        if self.lines.is_none() {
            return Operations::default();
        }
        Operations(commands.iter().map(summary).collect())
    }

    /// A batch that was tried.
    pub(super) fn batch(
        &self,
        caller: &Caller,
        operations: Operations,
        written: &Result<WriteReply, WriteError>,
        served: &ServedPolicy,
    ) {
        let last = served.view.revision.facts;
        let (status, revision) = match written {
            Ok(
                WriteReply::New(WriteOutcome::Applied { revision, .. })
                | WriteReply::Replayed { revision, .. },
            ) => (200, *revision),
            Ok(WriteReply::New(WriteOutcome::Refused { revision, .. }))
            | Err(WriteError::RevisionChanged { revision }) => (409, *revision),
            Err(WriteError::KeyReused { revision }) => (422, *revision),
            Err(WriteError::NoStore) => (403, last),
            Err(WriteError::TooLarge(_)) => (413, last),
            Err(_) => (503, last),
        };
        let outcome = |index: usize| match written {
            Ok(WriteReply::New(WriteOutcome::Applied { outcomes, .. })) => {
                match outcomes.get(index) {
                    Some(Err(error)) => (false, Some(reason_code(error))),
                    _ => (true, None),
                }
            }
            Ok(WriteReply::Replayed { .. }) => (true, Some("replayed")),
            Ok(WriteReply::New(WriteOutcome::Refused { index: refused, error, .. })) => {
                let is_refused = *refused == index;
                (false, Some(if is_refused { reason_code(error) } else { "not_applied" }))
            }
            Err(WriteError::RevisionChanged { .. }) => (false, Some("revision_changed")),
            Err(WriteError::KeyReused { .. }) => (false, Some("idempotency_key_reused")),
            Err(WriteError::NoStore) => (false, Some("no_store")),
            Err(WriteError::TooLarge(_)) => (false, Some("too_large")),
            Err(_) => (false, Some("failed")),
        };
        self.write_batch(caller, operations, (status, revision), outcome);
    }

    /// A batch that could not be read.
    pub(super) fn malformed(
        &self,
        caller: &Caller,
        operations: Operations,
        malformed: &[CommandSyntaxError],
        revision: u64,
    ) {
        let outcome = |index: usize| {
            let is_wrong = malformed.iter().any(|it| it.index == index);
            (false, Some(if is_wrong { "malformed" } else { "not_applied" }))
        };
        self.write_batch(caller, operations, (400, revision), outcome);
    }

    fn write_batch<'o>(
        &self,
        caller: &Caller,
        Operations(mut operations): Operations,
        (status, revision): (u16, u64),
        outcome: impl Fn(usize) -> (bool, Option<&'o str>),
    ) {
        if self.lines.is_none() {
            return;
        }
        for (index, operation) in operations.iter_mut().enumerate() {
            let (ok, reason) = outcome(index);
            operation.insert("ok".to_owned(), json!(ok));
            if let Some(reason) = reason {
                operation.insert("reason".to_owned(), json!(reason));
            }
        }
        let mut line = new_line("batch", Some(&caller.by), caller.api);
        // Where all are on behalf of one user, the batch is.
        let first = operations.first().and_then(|operation| operation.get("as")).cloned();
        if let Some(user) = first
            && operations.iter().all(|operation| operation.get("as") == Some(&user))
        {
            line.insert("as".to_owned(), user);
        }
        line.insert("operations".to_owned(), json!(operations));
        line.insert("revision".to_owned(), json!(revision));
        line.insert("status".to_owned(), json!(status));
        self.write(line);
    }

    /// A reload that an administrator asked for.
    pub(super) fn reload_by(
        &self,
        caller: &Caller,
        (forced, outcome): (bool, ReloadOutcome),
        served: &ServedPolicy,
        status: StatusCode,
    ) {
        let by = (caller.by.as_str(), caller.api, Some(status.as_u16()));
        self.reload(by, (forced, outcome), served);
    }

    /// A reload that the files or a signal asked for.
    pub fn reload_for(&self, trigger: Trigger, outcome: ReloadOutcome, served: &ServedPolicy) {
        let by = match trigger {
            Trigger::Forced | Trigger::Requested => "signal",
            _ => "files",
        };
        self.reload((by, "files", None), (trigger == Trigger::Forced, outcome), served);
    }

    fn reload(
        &self,
        (by, api, status): (&str, &'static str, Option<u16>),
        (forced, outcome): (bool, ReloadOutcome),
        served: &ServedPolicy,
    ) {
        // One like any other is no business of the trail.
        if self.lines.is_none() || !(forced || outcome == ReloadOutcome::Held) {
            return;
        }
        let mut line = new_line("reload", Some(by), api);
        let operation = json!({
            "op": "reload", "forced": forced, "ok": outcome.is_current(), "reason": outcome.as_str(),
        });
        line.insert("operations".to_owned(), json!([operation]));
        line.insert("revision".to_owned(), json!(served.view.revision.facts));
        line.insert("policy".to_owned(), json!(served.view.revision.policy_hex()));
        if let Some(status) = status {
            line.insert("status".to_owned(), json!(status));
        }
        self.write(line);
    }

    /// A credential that was refused. Of the query nothing is told: it may hold the credential.
    pub(super) fn credential_rejected(
        &self,
        api: &'static str,
        (method, path): (&str, &str),
        served: &ServedPolicy,
        status: StatusCode,
    ) {
        self.failures.get_or_create(&Api { api }).inc();
        if self.lines.is_none() {
            return;
        }
        let mut line = new_line("refused", None, api);
        let path: String = path.chars().take(200).collect();
        let method: String = method.chars().take(20).collect();
        line.insert("operations".to_owned(), json!([{ "op": method, "path": path, "ok": false }]));
        line.insert("revision".to_owned(), json!(served.view.revision.facts));
        line.insert("status".to_owned(), json!(status.as_u16()));
        self.write(line);
    }

    fn write(&self, line: Map<String, Value>) {
        if let Some(lines) = &self.lines {
            let mut line = Value::Object(line).to_string().into_bytes();
            line.push(b'\n');
            lines.write(line);
        }
    }

    /// Its figures, and how much was dropped of it and of the log.
    pub(super) fn register(&self, log: Option<&LineWriter>, registry: &mut Registry) {
        let help = "Requests whose credentials were refused";
        registry.register("auth_failures", help, self.failures.clone());
        let dropped = Family::<Log, Counter>::default();
        for (log, lines) in [("audit", self.lines.as_ref()), ("log", log)] {
            if let Some(lines) = lines {
                dropped.get_or_create(&Log { log }).inc_by(lines.dropped());
            }
        }
        registry.register("log_dropped", "Lines of logs that were dropped", dropped);
    }

    /// Counts failures of these APIs, from none on.
    pub(super) fn start_counters(&self, apis: impl IntoIterator<Item = &'static str>) {
        for api in apis {
            drop(self.failures.get_or_create(&Api { api }));
        }
    }
}

fn reason_code(refusal: &CommandError) -> &'static str {
    refusal.reason.as_str()
}

fn new_line(kind: &str, by: Option<&str>, api: &str) -> Map<String, Value> {
    let mut line = Map::new();
    line.insert("time".to_owned(), json!(rfc3339(SystemTime::now())));
    line.insert("kind".to_owned(), json!(kind));
    if let Some(by) = by {
        line.insert("by".to_owned(), json!(by));
    }
    line.insert("api".to_owned(), json!(api));
    line
}

fn summary(command: &Value) -> Map<String, Value> {
    let Value::Object(command) = command else { return Map::new() };
    let told = FIELDS.iter().filter_map(|&name| {
        let value = command.get(name).filter(|value| !value.is_null())?;
        let is_short = value.to_string().len() <= LONGEST;
        Some((name.to_owned(), if is_short { value.clone() } else { json!("...") }))
    });
    told.collect()
}
