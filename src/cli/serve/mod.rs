//! The command `serve`.

mod access_args;
mod authzen_args;
mod banner;
mod config_args;
mod daemon;
mod limit_args;
mod listen_address;
mod listen_args;
mod log_args;
mod reload_args;
mod service_manager;
mod signals;
mod socket_activation;
mod socket_args;
mod staleness_args;
mod store_args;
mod tls_args;
mod tokens_file;
mod watched_file;

use std::{io, path::PathBuf, sync::Arc};

use anyhow::{Context as _, Result};
use clap::Args;
use tokio::runtime::{Builder, Runtime};
use tracing::info;

pub(super) use self::listen_address::DEFAULT_ADDRESS;
use self::{
    daemon::Daemon, signals::Signals, socket_activation::InheritedSockets, store_args::StoreHandle,
};
use super::{
    Exit, Output, dialects, huge_pages::HugePages, logs, paths::Ignored, policy, progress,
};
use crate::{
    live::{Live, LiveOptions, LogForm, StartOutcome, SystemClock, Watch, WatchOptions},
    serve::{ConnectionLimits, PropertyNames},
};

#[derive(Args, Debug)]
pub(super) struct ServeArgs {
    #[command(flatten)]
    pub(super) config: config_args::ConfigArgs,
    #[command(flatten)]
    listen: listen_args::ListenArgs,
    #[command(flatten)]
    access: access_args::AccessArgs,
    #[command(flatten)]
    tls: tls_args::TlsArgs,
    #[command(flatten)]
    reload: reload_args::ReloadArgs,
    #[command(flatten)]
    store: store_args::StoreArgs,
    #[command(flatten)]
    staleness: staleness_args::StalenessArgs,
    #[command(flatten)]
    limits: limit_args::LimitArgs,
    #[command(flatten)]
    logs: log_args::LogArgs,
    #[command(flatten)]
    authzen: authzen_args::AuthzenArgs,
    #[command(flatten)]
    dialects: dialects::DialectOptions,
    /// Policy files, or folders of them
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    ignored: Ignored,
}

pub(super) fn run(options: &ServeArgs, output: &Output) -> Result<Exit> {
    // Taken first, while there are no other threads that may read the environment.
    let inherited = InheritedSockets::take()?;
    let pages = HugePages::choose(&options.paths, options.store.is_given());
    let log = logs::open(output)?;
    options.config.log_warnings();
    let connections = ConnectionLimits::raise();
    let runtime = runtime().context("can't start the runtime")?;
    // From here on SIGHUP reloads and the other signals stop, also while the files are read for the first
    // time.
    let signals = Signals::listen(&runtime).context("can't wait for signals")?;
    let starting = signals.while_starting(&runtime);
    let tokens = options.access.tokens()?;
    let tls = options.tls.open()?;
    let is_guarded = tokens.registry.guards_decisions() || options.tls.checks_clients();
    options.listen.check(&inherited, is_guarded, tls.is_some())?;
    // The watch starts before the files are read, so that no change is missed between the two.
    let pace = WatchOptions { poll: options.reload.poll(), ..WatchOptions::default() };
    let scope = options.ignored.scope(&options.paths)?.files_only();
    let watch = Watch::start(scope, pace).context("can't watch the files")?;
    let callers = daemon::Callers {
        audit: options.logs.audit()?,
        decision_log: options.logs.decision_log()?,
        tokens,
        tls,
        dialects: options.dialects.open()?,
        sockets: options.dialects.sockets()?,
        connections,
        log: log.lines.clone(),
    };
    let form = if output.is_json() { LogForm::Fields } else { LogForm::Text };
    let live_options = LiveOptions {
        files: watch.files().into(),
        guard: options.reload.guard(),
        state: options.reload.state(),
        staleness: options.staleness.options()?,
        history: options.store.history(),
        log: form,
        clock: Arc::new(SystemClock),
    };
    // Closed at every end, also by an error.
    let store = options.store.open(options.reload.state_dir())?;
    if let Some(store) = store.as_ref().map(StoreHandle::handle) {
        starting.at_exit(move || {
            // A store that was not closed is repaired at the next opening.
            let _ = store.close();
        });
    }
    let start = || Live::start(&live_options, store.as_ref().map(StoreHandle::handle));
    let live = match progress::during("compiling the policy", start)? {
        StartOutcome::Serving(live) => live,
        StartOutcome::Refused(report) => {
            output.report_in_place(&report)?;
            return Ok(policy::exit(&report));
        }
        StartOutcome::Held(held) => return reload_args::refuse(&held, output),
    };
    if let Some(facts) = live.facts() {
        options.store.log_opening(&facts.opening());
    }
    if !starting.is_stopped() {
        let latest = live.reloads().latest.clone();
        match form {
            // The errors were logged together with the policy that is served instead.
            _ if !latest.outcome.is_current() => {}
            LogForm::Fields => form.log(&latest.report),
            LogForm::Text => output.note_report(&latest.report),
        }
        if options.authzen.property_names() == PropertyNames::All {
            info!(
                "properties of AuthZEN's requests with peerage's names and types replace those of users and groups; \
                use --properties peerage if callers pass attributes of their own"
            );
        }
        let signals = starting.started(&runtime)?;
        let daemon = Daemon { live, watch, signals, callers, inherited, pages };
        runtime.block_on(daemon.run(options, output))?;
    }
    // Blocking work that is cut off must not delay the exit.
    runtime.shutdown_background();
    Ok(Exit::Success)
}

fn runtime() -> io::Result<Runtime> {
    // The blocking threads are for operators' requests; other long work has its own threads.
    Builder::new_multi_thread().enable_all().max_blocking_threads(16).build()
}
