//! The command `health`.

use std::{path::PathBuf, sync::mpsc, thread, time::Duration};

use anyhow::{Result, anyhow};
use clap::Args;
use serde_json::json;

use super::{
    Exit, Output,
    client::{DaemonTarget, RequestContent},
    client_tls::ClientTlsArgs,
    duration::{self, DurationArg},
    output::BAD,
};

/// The URL of a daemon with the default address.
const DEFAULT_URL: &str = "http://127.0.0.1:7411";

#[derive(Args, Debug)]
pub(super) struct HealthOptions {
    /// The URL of the daemon; without it and --uds, http://127.0.0.1:7411
    #[arg(value_name = "URL", conflicts_with = "uds", group = "daemon_url")]
    url: Option<String>,
    /// The Unix socket of the daemon
    #[arg(long, value_name = "PATH")]
    uds: Option<PathBuf>,
    #[command(flatten)]
    tls: ClientTlsArgs,
    /// The longest wait for the answer, as 2s
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = duration::positive)]
    timeout: DurationArg,
}

/// Reports whether the daemon is ready. A daemon that can't be reached is not ready, with the same exit
/// code: container runtimes take 0 and 1 only.
pub(super) fn run(options: &HealthOptions, output: &Output) -> Result<Exit> {
    let url = options.uds.is_none().then(|| options.url.as_deref().unwrap_or(DEFAULT_URL));
    let target = DaemonTarget::new(url, None, &options.tls, options.uds.as_ref())?;
    let DurationArg(timeout) = options.timeout;
    let answer = within(timeout, move || ask(&target));
    match &answer {
        Ok(_) if output.is_json() => output.json(&json!({ "ready": true }))?,
        Ok(body) => output.result(&format!("ready\n{}", body.trim_start_matches("ok\n")))?,
        Err(error) if output.is_json() => {
            output.json(&json!({ "ready": false, "reason": format!("{error:#}") }))?;
        }
        Err(error) => output.note(&format!("{BAD}not ready{BAD:#}: {error:#}\n")),
    }
    Ok(if answer.is_ok() { Exit::Success } else { Exit::Unmet })
}

/// The body of the answer of a ready daemon.
fn ask(target: &DaemonTarget) -> Result<String> {
    let response = target.connect()?.request("GET", "/readyz", &RequestContent::default())?;
    if response.status == 200 {
        return Ok(String::from_utf8_lossy(&response.body).into_owned());
    }
    Err(anyhow!("{}", response.message()))
}

/// Runs work on another thread, which is left behind if it takes too long.
fn within<T: Send + 'static>(
    timeout: Duration,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let (sender, receiver) = mpsc::channel();
    thread::Builder::new().name("health".into()).spawn(move || {
        // Nobody waits for a late answer.
        let _ = sender.send(work());
    })?;
    let answer = receiver.recv_timeout(timeout);
    answer.unwrap_or_else(|_| Err(anyhow!("no answer in {timeout:?}")))
}
