//! The command `facts history`.

use std::{fmt::Write as _, path::PathBuf};

use anyhow::{Result, ensure};
use clap::{ArgGroup, Args};
use serde_json::Value;

use super::{
    Exit, Output,
    client::{DaemonTarget, RequestContent},
    client_tls::ClientTlsArgs,
    output::{QUIET, STRONG},
};
use crate::request::Moment;

#[derive(Args, Debug)]
#[command(group = ArgGroup::new("source").required(true).args(["from", "admin_uds"]))]
#[command(group = ArgGroup::new("concerned").args(["user", "group", "by"]))]
pub(super) struct HistoryOptions {
    /// A running daemon
    #[arg(long, value_name = "URL", group = "daemon_url")]
    from: Option<String>,
    /// The file that holds a token of the daemon with the scope `read`, as the admin token has it
    #[arg(long, value_name = "PATH", requires = "from")]
    admin_token_file: Option<PathBuf>,
    #[command(flatten)]
    tls: ClientTlsArgs,
    /// The socket for administrators of a running daemon
    #[arg(long, value_name = "PATH")]
    admin_uds: Option<PathBuf>,
    /// Only what concerns this user
    #[arg(long, value_name = "ID")]
    user: Option<String>,
    /// Only what concerns this group
    #[arg(long, value_name = "ID")]
    group: Option<String>,
    /// Only what was done on this user's behalf, or with the token of this name
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Only what was done at this time or later, as 2026-12-31T00:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<Moment>,
    /// The greatest number of entries, the newest first
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    limit: usize,
    /// Go on after this entry: the `next` of the page before
    #[arg(long, value_name = "ID")]
    after: Option<String>,
}

pub(super) fn run(options: &HistoryOptions, output: &Output) -> Result<Exit> {
    let target = DaemonTarget::new(
        options.from.as_deref(),
        options.admin_token_file.as_ref(),
        &options.tls,
        options.admin_uds.as_ref(),
    )?;
    let answer = target.connect()?.request("GET", &path(options), &RequestContent::default())?;
    ensure!(answer.status == 200, answer.message());
    let page = answer.json();
    if output.is_json() {
        output.json(&page)?;
        return Ok(Exit::Success);
    }
    let entries = page.get("entries").and_then(Value::as_array);
    let lines: String = entries.into_iter().flatten().map(line).collect();
    output.result(&lines)?;
    if let Some(next) = page.get("next").and_then(Value::as_str).filter(|next| !next.is_empty()) {
        output.note(&format!("there are older entries: --after {next}\n"));
    }
    Ok(Exit::Success)
}

/// The path with the query of the options.
fn path(options: &HistoryOptions) -> String {
    let HistoryOptions { user, group, by, since, limit, after, .. } = options;
    let since = since.map(|since| since.to_string());
    let given = [
        ("user", user.as_deref()),
        ("group", group.as_deref()),
        ("by", by.as_deref()),
        ("since", since.as_deref()),
        ("after", after.as_deref()),
    ];
    let given = given.into_iter().filter_map(|(name, value)| Some((name, value?)));
    given.fold(format!("/v1/facts/history?limit={limit}"), |path, (name, value)| {
        format!("{path}&{name}={}", encode(value))
    })
}

/// The value of a parameter, percent-encoded.
fn encode(value: &str) -> String {
    value
        .bytes()
        .map(|byte| match byte {
            b'-' | b'.' | b'_' => char::from(byte).to_string(),
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

/// The members of an entry that have a place of their own in its line.
const PLACED: [&str; 9] =
    ["id", "time", "revision", "op", "by", "reason", "until", "ended", "imported"];

/// An entry as a line: the time, the operation and what it was about, by whom, why and until when.
fn line(entry: &Value) -> String {
    let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default();
    let mut line = format!("{QUIET}{}{QUIET:#} {STRONG}{}{STRONG:#}", text("time"), text("op"));
    let about = entry.as_object().into_iter().flatten();
    // Writing to a string can't fail.
    for (name, value) in about.filter(|(name, _)| !PLACED.contains(&name.as_str())) {
        let _ = write!(line, " {name} {}", plain(value));
    }
    let _ = write!(line, " {QUIET}by{QUIET:#} {}", text("by").escape_debug());
    if let Some(reason) = entry.get("reason").and_then(Value::as_str) {
        let _ = write!(line, ": {}", reason.escape_debug());
    }
    if let Some(until) = entry.get("until").and_then(Value::as_str) {
        let ended = entry.get("ended") == Some(&Value::Bool(true));
        let _ = write!(line, "; until {until}{}", if ended { ", ended" } else { "" });
    }
    line + "\n"
}

/// A value without quotes, and several with commas.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.escape_debug().to_string(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}
