//! The audit trail: a JSON line for each batch of commands, each forced or held reload, and each
//! rejected credential.

use std::time::{Duration, SystemTime};

use hyper::StatusCode;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};
use serde_json::{Map, Value, json};

use super::{
    host::{ListenerAudience, ListenerPolicy},
    line_writer::LineWriter,
    tokens::ADMIN_TOKEN,
};
use crate::{
    facts::{Command, CommandError, CommandSyntaxError, WriteError, WriteOutcome},
    live::{ReloadOutcome, ServedPolicy, Trigger, facts::WriteReply},
    wire::rfc3339,
};

/// The audit trail and its counters.
#[derive(Debug, Default)]
pub struct Audit {
    lines: Option<LineWriter>,
    failures: Family<Api, Counter>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Api {
    api: &'static str,
}

/// The name of the native API in the trail.
pub(super) const NATIVE: &str = "native";
/// The name of the facts API in the trail.
pub(super) const FACTS: &str = "facts";

/// The sender of a request, and the API.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Caller {
    pub(super) api: &'static str,
    /// `admin-token`, `socket`, or what an API calls the credential.
    pub(super) by: String,
}

impl Caller {
    /// The caller of one of peerage's own APIs, by the name of the token or by the socket.
    pub(super) fn native(api: &'static str, token: Option<&str>, listener: ListenerPolicy) -> Self {
        let by = match (token, listener.audience) {
            (Some(token), _) => token.to_owned(),
            (None, ListenerAudience::Administrators) => "socket".to_owned(),
            (None, ListenerAudience::Anyone) => ADMIN_TOKEN.to_owned(),
        };
        Self { api, by }
    }
}

/// The operations of a batch as the trail records them, one per command.
#[derive(Clone, Default, Debug)]
pub(super) struct Operations(Vec<Map<String, Value>>);

/// The recorded fields of a command: those that name its targets. Its contents, such as texts and
/// attributes, are not recorded.
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

/// The longest recorded value of a field in bytes of JSON: a malformed command may hold anything.
const MAX_VALUE_BYTES: usize = 1024;

/// A request whose credential was rejected.
#[derive(Clone, Copy, Debug)]
pub(super) struct CredentialFailure<'r> {
    pub(super) api: &'static str,
    /// The name of the token, if it is known.
    pub(super) token: Option<&'r str>,
    pub(super) method: &'r str,
    pub(super) path: &'r str,
    pub(super) status: StatusCode,
}

/// A reload, its cause and its caller.
struct ReloadEntry<'e> {
    by: &'e str,
    api: &'static str,
    trigger: Trigger,
    outcome: ReloadOutcome,
    /// The status of the response, or that which a request for the reload would get.
    status: StatusCode,
}

/// The outcome of a batch: the status of its response and the revision that it reports.
#[derive(Clone, Copy)]
struct BatchResult {
    status: u16,
    revision: u64,
}

/// The outcome of one operation.
struct OperationResult<'r> {
    ok: bool,
    reason: Option<&'r str>,
}

impl<'r> OperationResult<'r> {
    const APPLIED: Self = Self { ok: true, reason: None };

    const REPLAYED: Self = Self { ok: true, reason: Some("replayed") };

    const fn failed(reason: &'r str) -> Self {
        Self { ok: false, reason: Some(reason) }
    }
}

impl Audit {
    /// An audit trail that writes these lines; without a writer, it only counts failures.
    pub fn new(lines: Option<LineWriter>) -> Self {
        Self { lines, failures: Family::default() }
    }

    /// Reopens the file of the trail, which may have been moved.
    pub fn reopen(&self) {
        self.lines.iter().for_each(LineWriter::reopen);
    }

    /// Waits until all lines are written, for `patience` at most.
    pub fn flush(&self, patience: Duration) {
        self.lines.iter().for_each(|lines| lines.flush(patience));
    }

    /// The recorded operations of commands; empty if there is no trail.
    pub(super) fn operations(&self, commands: &[Command]) -> Operations {
        if self.lines.is_none() {
            return Operations::default();
        }
        Operations(commands.iter().map(|command| summary(&command.encode())).collect())
    }

    /// The recorded operations of commands that are not decoded; empty if there is no trail.
    pub(super) fn raw_operations(&self, commands: &[Value]) -> Operations {
        if self.lines.is_none() {
            return Operations::default();
        }
        Operations(commands.iter().map(summary).collect())
    }

    /// Records a batch that was executed or refused.
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
                    Some(Err(error)) => OperationResult::failed(reason_code(error)),
                    _ => OperationResult::APPLIED,
                }
            }
            Ok(WriteReply::Replayed { .. }) => OperationResult::REPLAYED,
            Ok(WriteReply::New(WriteOutcome::Refused { index: refused, error, .. })) => {
                let is_refused = *refused == index;
                OperationResult::failed(if is_refused { reason_code(error) } else { "not_applied" })
            }
            Err(WriteError::RevisionChanged { .. }) => OperationResult::failed("revision_changed"),
            Err(WriteError::KeyReused { .. }) => OperationResult::failed("idempotency_key_reused"),
            Err(WriteError::NoStore) => OperationResult::failed("no_store"),
            Err(WriteError::TooLarge(_)) => OperationResult::failed("too_large"),
            Err(_) => OperationResult::failed("failed"),
        };
        self.write_batch(caller, operations, BatchResult { status, revision }, outcome);
    }

    /// Records a batch that could not be decoded.
    pub(super) fn malformed(
        &self,
        caller: &Caller,
        operations: Operations,
        malformed: &[CommandSyntaxError],
        revision: u64,
    ) {
        let outcome = |index: usize| {
            let is_wrong = malformed.iter().any(|it| it.index == index);
            OperationResult::failed(if is_wrong { "malformed" } else { "not_applied" })
        };
        self.write_batch(caller, operations, BatchResult { status: 400, revision }, outcome);
    }

    fn write_batch<'o>(
        &self,
        caller: &Caller,
        Operations(mut operations): Operations,
        BatchResult { status, revision }: BatchResult,
        outcome: impl Fn(usize) -> OperationResult<'o>,
    ) {
        if self.lines.is_none() {
            return;
        }
        for (index, operation) in operations.iter_mut().enumerate() {
            let OperationResult { ok, reason } = outcome(index);
            operation.insert("ok".to_owned(), json!(ok));
            if let Some(reason) = reason {
                operation.insert("reason".to_owned(), json!(reason));
            }
        }
        let mut line = new_line("batch", Some(&caller.by), caller.api);
        // A batch is on behalf of a user if all of its operations are.
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

    /// Records a reload that an administrator requested, if it was forced or held.
    pub(super) fn reload_by(
        &self,
        caller: &Caller,
        trigger: Trigger,
        outcome: ReloadOutcome,
        served: &ServedPolicy,
        status: StatusCode,
    ) {
        let Caller { by, api } = caller;
        self.reload(&ReloadEntry { by, api, trigger, outcome, status }, served);
    }

    /// Records a reload that the files or a signal triggered, if it was forced or held.
    pub fn reload_for(&self, trigger: Trigger, outcome: ReloadOutcome, served: &ServedPolicy) {
        let by = match trigger {
            Trigger::Forced | Trigger::Requested => "signal",
            _ => "files",
        };
        // The status of `POST /v1/reload` with this outcome.
        let status = if outcome.is_current() { StatusCode::OK } else { StatusCode::CONFLICT };
        let entry = ReloadEntry { by, api: "files", trigger, outcome, status };
        self.reload(&entry, served);
    }

    fn reload(&self, entry: &ReloadEntry<'_>, served: &ServedPolicy) {
        let ReloadEntry { by, api, trigger, outcome, status } = *entry;
        let forced = trigger == Trigger::Forced;
        // Ordinary reloads are not recorded.
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
        line.insert("status".to_owned(), json!(status.as_u16()));
        self.write(line);
    }

    /// Counts and records a rejected credential. The query is not recorded: it may hold the credential.
    pub(super) fn credential_rejected(
        &self,
        request: CredentialFailure<'_>,
        served: &ServedPolicy,
    ) {
        let CredentialFailure { api, token, method, path, status } = request;
        self.failures.get_or_create(&Api { api }).inc();
        if self.lines.is_none() {
            return;
        }
        let mut line = new_line("refused", token, api);
        let path: String = path.chars().take(200).collect();
        let method: String = method.chars().take(20).collect();
        let reason = match status {
            StatusCode::BAD_REQUEST => "malformed",
            StatusCode::FORBIDDEN => "forbidden",
            // Some dialects report it in the body of a 200.
            _ => "unauthenticated",
        };
        let operation = json!({ "op": method, "path": path, "ok": false, "reason": reason });
        line.insert("operations".to_owned(), json!([operation]));
        line.insert("revision".to_owned(), json!(served.view.revision.facts));
        line.insert("status".to_owned(), json!(status.as_u16()));
        self.write(line);
    }

    fn write(&self, line: Map<String, Value>) {
        if let Some(lines) = &self.lines {
            let mut line = Value::Object(line).to_string().into_bytes();
            line.push(b'\n');
            lines.write(&line);
        }
    }

    /// Registers the metrics of the trail.
    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "Requests whose credentials were refused";
        registry.register("auth_failures", help, self.failures.clone());
    }

    /// The number of lines dropped so far; `None` without a trail.
    pub(super) fn dropped(&self) -> Option<u64> {
        self.lines.as_ref().map(LineWriter::dropped)
    }

    /// Starts the counters of these APIs at zero, so that they are exported before the first failure.
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
    let fields = FIELDS.iter().filter_map(|&name| {
        let value = command.get(name).filter(|value| !value.is_null())?;
        let is_short = value.to_string().len() <= MAX_VALUE_BYTES;
        Some((name.to_owned(), if is_short { value.clone() } else { json!("...") }))
    });
    fields.collect()
}
