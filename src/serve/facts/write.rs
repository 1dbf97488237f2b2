//! Batches of commands over HTTP.

use std::sync::Arc;

use hyper::{
    HeaderMap, StatusCode,
    header::{HeaderName, HeaderValue, RETRY_AFTER},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    facts::{
        Authority, BatchMode, Command, CommandError, CommandSender, CommandSyntaxError,
        HistoryRecord, MOST_COMMANDS, WriteError, WriteErrorKind, WriteOutcome, encode_outcome,
        export_line,
    },
    live::facts::{IdempotencyKey, WriteBatch, WriteReply},
    serve::{
        app::App,
        audit::{Caller, FACTS},
        handler::{ResponseFuture, RouteRequest},
        json::{self as body_json, JsonObject, StrictValue},
        response::{self, HttpError, HttpResponse},
    },
};

/// The header under whose value a batch takes effect once.
const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The header of an answer that was given before, under the same key.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The body of a write.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BatchRequest {
    commands: Vec<StrictValue>,
    #[serde(default)]
    if_revision: Option<u64>,
    /// Entries of another history, as lines of an export.
    #[serde(default)]
    history: Vec<StrictValue>,
}

/// `POST /v1/facts`: carries a batch of commands out, whole or not at all. Answered when it is durable
/// and seen by every decision.
pub(in crate::serve) fn write(app: Arc<App>, request: RouteRequest) -> ResponseFuture {
    Box::pin(async move {
        let caller = Caller::native(FACTS, request.token.as_deref(), request.connection.listener);
        run(&app, &caller, &request.head.headers, &request.body).await
    })
}

async fn run(app: &App, caller: &Caller, headers: &HeaderMap, body: &[u8]) -> HttpResponse {
    let sent: BatchRequest = match body_json::read(body, "a batch of commands") {
        Ok(JsonObject(sent)) => sent,
        Err(refusal) => return refusal.response(),
    };
    let once = match idempotency_key(headers, body) {
        Ok(once) => once,
        Err(refusal) => return refusal.response(),
    };
    let history = match read_history(sent.history) {
        Ok(history) => history,
        Err(refusal) => return refusal.response(),
    };
    let commands: Vec<Value> =
        sent.commands.into_iter().map(|StrictValue(command)| command).collect();
    let count = commands.len();
    let audit = &app.options.audit;
    let operations = audit.raw_operations(&commands);
    let commands = match Command::decode(&commands) {
        Ok(commands) => commands,
        Err(malformed) => {
            app.metrics.facts.count_malformed();
            let revision = app.live.served().view.revision.facts;
            audit.malformed(caller, operations, &malformed, revision);
            return outcomes_response(
                StatusCode::BAD_REQUEST,
                revision,
                &malformed_outcomes(count, &malformed),
            );
        }
    };
    let written = match app.live.facts() {
        Some(facts) => {
            let batch = WriteBatch {
                commands,
                sender: CommandSender::new(Authority::Administrator, caller.by.as_str()),
                mode: BatchMode::Atomic,
                if_revision: sent.if_revision,
                idempotency_key: once,
                history,
            };
            let written = facts.write(batch).await;
            app.metrics.facts.count(&written);
            written
        }
        None => Err(WriteError::NoStore),
    };
    audit.batch(caller, operations, &written, &app.live.served());
    match written {
        Ok(reply) => reply_response(count, reply),
        Err(error) => error_response(&error),
    }
}

/// The entries of another history in a batch.
fn read_history(given: Vec<StrictValue>) -> Result<Vec<HistoryRecord>, HttpError> {
    if given.len() > MOST_COMMANDS {
        let problem = format!("a batch can have at most {MOST_COMMANDS} entries");
        return Err(HttpError::bad_request("history", problem));
    }
    let entry = |(at, StrictValue(line)): (usize, StrictValue)| {
        let wrong = |problem: String| HttpError::bad_request(format!("history[{at}]"), problem);
        match line.as_object().and_then(export_line::decode_history) {
            Some(Ok(entry)) => Ok(entry),
            Some(Err(error)) => Err(wrong(error.to_string())),
            None => Err(wrong("expected an object with `history` and `record`".to_owned())),
        }
    };
    given.into_iter().enumerate().map(entry).collect()
}

fn idempotency_key(headers: &HeaderMap, body: &[u8]) -> Result<Option<IdempotencyKey>, HttpError> {
    let Some(name) = headers.get(KEY) else { return Ok(None) };
    let name = name.to_str().unwrap_or_default();
    let key = IdempotencyKey::new(name, body);
    key.map(Some).map_err(|error| HttpError::bad_request("Idempotency-Key", error.to_string()))
}

fn reply_response(count: usize, reply: WriteReply) -> HttpResponse {
    match reply {
        WriteReply::New(WriteOutcome::Applied { revision, outcomes }) => {
            let outcomes = outcomes.iter().map(encode_outcome).collect();
            outcomes_response(StatusCode::OK, revision, &outcomes)
        }
        // A command may turn out to be malformed at the moment at which it would take effect.
        WriteReply::New(WriteOutcome::Refused {
            revision,
            index,
            error: CommandError { ends_in_past: true, problem: message, .. },
        }) => {
            let malformed = CommandSyntaxError { index, field: "until".to_owned(), message };
            let outcomes = malformed_outcomes(count, &[malformed]);
            outcomes_response(StatusCode::BAD_REQUEST, revision, &outcomes)
        }
        WriteReply::New(WriteOutcome::Refused { revision, index: refused, error }) => {
            let outcome = |index| match index {
                index if index == refused => error.encode(),
                _ => CommandError::not_applied().encode(),
            };
            let outcomes = (0..count).map(outcome).collect();
            outcomes_response(StatusCode::CONFLICT, revision, &outcomes)
        }
        WriteReply::Replayed { revision, outcomes } => {
            let mut response = outcomes_response(StatusCode::OK, revision, &outcomes);
            response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
            response
        }
    }
}

fn malformed_outcomes(count: usize, malformed: &[CommandSyntaxError]) -> Value {
    // The outcome of a command lists all of its errors.
    let outcome = |index: usize| {
        let wrong: Vec<&CommandSyntaxError> =
            malformed.iter().filter(|it| it.index == index).collect();
        let Some(first) = wrong.first() else { return CommandError::not_applied().encode() };
        let problems = wrong.iter().map(|it| match it.field.as_str() {
            "" => it.message.clone(),
            field => format!("`{}`: {}", field.escape_debug(), it.message),
        });
        let message = problems.collect::<Vec<_>>().join("; ");
        json!({
            "ok": false, "reason": "malformed", "field": first.field, "message": message,
        })
    };
    // A batch that is too long is wrong as a whole.
    let last = malformed.iter().map(|it| it.index + 1).max().unwrap_or(0);
    (0..count.min(last.max(1))).map(outcome).collect()
}

fn outcomes_response(status: StatusCode, revision: u64, outcomes: &Value) -> HttpResponse {
    let body = json!({ "revision": revision, "outcomes": outcomes });
    response::json_response(status, body.to_string())
}

fn conflict(status: StatusCode, revision: u64, reason: &str, message: &str) -> HttpResponse {
    let body = json!({
        "revision": revision, "outcomes": [], "error": { "reason": reason, "message": message },
    });
    response::json_response(status, body.to_string())
}

fn error_response(error: &WriteError) -> HttpResponse {
    let message = error.to_string();
    match error {
        WriteError::RevisionChanged { revision } => {
            return conflict(StatusCode::CONFLICT, *revision, "revision_changed", &message);
        }
        WriteError::KeyReused { revision } => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return conflict(status, *revision, "idempotency_key_reused", &message);
        }
        _ => {}
    }
    let status = match error.kind() {
        WriteErrorKind::NoStore => StatusCode::FORBIDDEN,
        WriteErrorKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        WriteErrorKind::Contended | WriteErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    };
    let mut response = HttpError::new(status, message).response();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}
