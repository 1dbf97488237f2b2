//! OpenID AuthZEN's Authorization API 1.0.

mod certification;
mod evaluation;
mod evaluations;
mod json;
mod metadata;
mod paging;
mod properties;
mod search;

use serde_json::{Value, json};

use crate::{
    support::client::Answer,
    support::daemon::{Daemon, serve},
};

const EVALUATION: &str = "/access/v1/evaluation";
const EVALUATIONS: &str = "/access/v1/evaluations";
const SUBJECT: &str = "/access/v1/search/subject";
const RESOURCE: &str = "/access/v1/search/resource";
const ACTION: &str = "/access/v1/search/action";

#[track_caller]
fn post(daemon: &Daemon, path: &str, body: &Value) -> Answer {
    daemon.connect().post(path, body.to_string().as_bytes())
}

/// A user as a subject or a resource.
fn user(id: &str) -> Value {
    json!({ "type": "user", "id": id })
}

fn group(id: &str) -> Value {
    json!({ "type": "group", "id": id })
}

/// Whether one user may start a chat with another.
fn question(subject: &str, resource: &str) -> Value {
    json!({
        "subject": user(subject),
        "action": { "name": "start_chat" },
        "resource": user(resource),
    })
}

/// A daemon with more arguments.
fn with_options(policy: impl AsRef<std::ffi::OsStr>, options: &[&str]) -> Daemon {
    Daemon::start(serve().arg(policy).args(["--listen", "127.0.0.1:0"]).args(options))
}
