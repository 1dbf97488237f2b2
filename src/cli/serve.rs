//! The command `serve`.

use std::{
    future::pending,
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow};
use clap::{Args, ValueEnum};
use serde_json::json;
use tokio::{
    runtime::{Builder, Runtime},
    time::{Instant, sleep, sleep_until},
};
use tracing::info;

use super::{
    Exit, Output, dialects,
    duration::DurationArg,
    facts_store::{self, StoreHandle},
    listen::{self, ListenAddress},
    logs,
    paths::Ignored,
    policy, progress, reloads, secret,
    signals::{SignalRequest, Signals},
};
use crate::{
    dialects::Dialect,
    live::{Live, LiveOptions, LogForm, StartOutcome, Trigger, Watch, WatchOptions},
    serve::{
        self, AllowStatus, App, Audit, ConnectionLimits, Destination, HostName, LineWriter,
        Listeners, PropertyNames, PublicUrl, SocketOptions,
    },
    wire::Secret,
};

#[derive(Args, Debug)]
pub(super) struct ServeArgs {
    /// Listen on this address; may be given several times
    ///
    /// Without --listen and --uds, it is 127.0.0.1:7411. localhost:7411 means the loopback addresses, :7411
    /// all addresses. Port 0 takes any free port.
    #[arg(long, value_name = "ADDRESS")]
    listen: Vec<ListenAddress>,
    /// Let --listen name addresses that other machines can reach, though decisions need no token
    ///
    /// Everyone who can reach them can request decisions and list users.
    #[arg(long)]
    insecure_listen: bool,
    /// Accept this host name in requests to loopback addresses; may be given several times
    ///
    /// An address, localhost, a name that ends in .localhost and the host of --public-url are always
    /// accepted. Other hosts are refused there, against DNS rebinding by pages in a browser. Unix sockets
    /// and other addresses accept any host.
    #[arg(long = "host", value_name = "NAME")]
    hosts: Vec<HostName>,
    /// The status with which /v1/allow allows: 200 for proxies that accept no other
    #[arg(long, value_name = "STATUS", default_value = "204")]
    allow_status: AllowStatus,
    /// Listen on a Unix socket; may be given several times
    #[arg(long, value_name = "PATH")]
    uds: Vec<PathBuf>,
    /// The time that running requests have to finish when the daemon stops, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    drain: u64,
    /// The time for which a daemon that is stopped still serves and accepts connections, as 10s
    ///
    /// `/readyz` answers 503 meanwhile, so that load balancers stop sending requests. The time of --drain
    /// follows. A second signal cuts it short.
    #[arg(long, value_name = "DURATION", default_value = "0s")]
    shutdown_wait: DurationArg,
    /// The maximal size of a request's body, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 20)]
    body_limit: usize,
    /// The maximal number of decisions in flight; those beyond get 503 at once
    #[arg(long, value_name = "N", default_value_t = 1024)]
    max_in_flight: usize,
    /// The URL at which AuthZEN's clients reach the daemon, such as that of a proxy
    ///
    /// AuthZEN's metadata name the endpoints below it, with its path. By default it is the first address
    /// that the daemon listens on.
    #[arg(long, value_name = "URL")]
    public_url: Option<PublicUrl>,
    /// Whether AuthZEN's responses have a `context`, with the reason
    #[arg(long, value_enum, value_name = "WHETHER", default_value_t = ContextChoice::On)]
    authzen_context: ContextChoice,
    /// The properties of AuthZEN's requests that replace those of users and groups
    ///
    /// `all`: any `tags`, `peers`, `permissions`, `moderation`, `role`, `matrix`, `member` or `field` of
    /// peerage's types. `peerage`: only those in the object `peerage` of the properties, for callers that
    /// pass attributes of their own, such as an HR system's `role: admin`.
    #[arg(long, value_enum, value_name = "WHICH", default_value_t = PropertiesChoice::All)]
    properties: PropertiesChoice,
    /// The interval of searches for changes without an event, in milliseconds
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 5000)]
    poll: u64,
    #[command(flatten)]
    reloads: reloads::ReloadOptions,
    /// Let SIGHUP take a policy that would be held
    ///
    /// Without it, SIGHUP reloads as `POST /v1/reload` does, and a held policy stays held.
    #[arg(long)]
    sighup_forces: bool,
    #[command(flatten)]
    store: facts_store::FactsStoreOptions,
    /// The longest wait of a request with Peerage-At-Least, in milliseconds
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 2000)]
    at_least_wait: u64,
    /// Listen on a Unix socket for administrators, without a token; may be given several times
    ///
    /// Only root and the user who runs the daemon can reach it.
    #[arg(long, value_name = "PATH")]
    admin_uds: Vec<PathBuf>,
    /// The file that holds the admin token, for `/v1/facts` and `POST /v1/reload`
    ///
    /// Clients send it as `Authorization: Bearer TOKEN`.
    #[arg(long, value_name = "PATH")]
    admin_token_file: Option<PathBuf>,
    /// Write an audit log to this file, a JSON object a line; `-` is standard output
    ///
    /// It has a line for each batch of commands, each reload that was forced or held, and each credential
    /// that was refused. The file is accessible to its owner alone, and opened again when it is moved and
    /// on SIGHUP. Lines that can't be written are dropped and counted, so that nothing waits for them.
    #[arg(long, value_name = "FILE")]
    audit_log: Option<PathBuf>,
    #[command(flatten)]
    dialects: dialects::DialectOptions,
    /// Policy files, or folders of them
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    ignored: Ignored,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum PropertiesChoice {
    All,
    Peerage,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum ContextChoice {
    On,
    Off,
}

pub(super) fn run(options: &ServeArgs, output: &Output) -> Result<Exit> {
    let log = logs::open(output)?;
    let connections = ConnectionLimits::raise();
    listen::check(&options.listen, options.insecure_listen)?;
    let runtime = runtime().context("can't start the runtime")?;
    // From here on SIGHUP reloads and the other signals stop, also while the files are read for the first
    // time.
    let signals = Signals::listen(&runtime).context("can't wait for signals")?;
    let starting = signals.while_starting(&runtime);
    // The watch starts before the files are read, so that no change is missed between the two.
    let pace = WatchOptions {
        poll: Duration::from_millis(options.poll.max(1)),
        ..WatchOptions::default()
    };
    let scope = options.ignored.scope(&options.paths)?.files_only();
    let watch = Watch::start(scope, pace).context("can't watch the files")?;
    let callers = Callers {
        audit: options.audit()?,
        admin: options.admin_token()?,
        dialects: options.dialects.open()?,
        sockets: options.dialects.sockets()?,
        connections,
        log: log.lines.clone(),
    };
    let form = if output.is_json() { LogForm::Fields } else { LogForm::Text };
    let live_options = LiveOptions {
        files: watch.files().into(),
        guard: options.reloads.guard(),
        state: options.reloads.state(),
        log: form,
    };
    // Closed at every end, also by an error.
    let store = options.store.open()?;
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
        StartOutcome::Held(held) => return reloads::refuse(&held, output),
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
        if options.properties == PropertiesChoice::All {
            info!(
                "properties of AuthZEN's requests with peerage's names and types replace those of users and groups; \
                 use --properties peerage if callers pass attributes of their own"
            );
        }
        let signals = starting.started(&runtime)?;
        runtime.block_on(daemon(options, live, (watch, signals), callers, output))?;
    }
    // Blocking work that is cut off must not delay the exit.
    runtime.shutdown_background();
    Ok(Exit::Success)
}

/// The options of the served APIs: credentials, dialects, logs and limits.
struct Callers {
    audit: Arc<Audit>,
    admin: Option<Secret>,
    dialects: Vec<Box<dyn Dialect>>,
    sockets: Vec<SocketOptions>,
    connections: ConnectionLimits,
    log: LineWriter,
}

impl ServeArgs {
    fn audit(&self) -> Result<Arc<Audit>> {
        let lines = self.audit_log.as_ref().map(|path| {
            let destination = if path.as_os_str() == "-" {
                Destination::Stdout
            } else {
                Destination::File(path.clone())
            };
            LineWriter::open(destination)
                .with_context(|| format!("can't write the audit log `{}`", path.display()))
        });
        Ok(Arc::new(Audit::new(lines.transpose()?)))
    }

    fn admin_token(&self) -> Result<Option<Secret>> {
        let Some(path) = &self.admin_token_file else { return Ok(None) };
        let text = secret::read_text(path, "the admin token")?;
        let token = text.parse().map_err(|error| anyhow!("`{}`: {error}", path.display()))?;
        Ok(Some(token))
    }
}

/// The longest wait at the end for the last lines of the audit log.
const AUDIT_PATIENCE: Duration = Duration::from_secs(2);

fn runtime() -> io::Result<Runtime> {
    // The blocking threads are for operators' requests; other long work has its own threads.
    Builder::new_multi_thread().enable_all().max_blocking_threads(16).build()
}

async fn daemon(
    options: &ServeArgs,
    live: Arc<Live>,
    (mut watch, mut signals): (Watch, Signals),
    callers: Callers,
    output: &Output,
) -> Result<()> {
    let (listeners, first) = listen(options, output).await?;
    let retry = Duration::from_millis(options.poll.max(1));
    let (wake, woken) = mpsc::channel();
    let follower = Arc::clone(&live);
    let (audit, trail) = (Arc::clone(&callers.audit), Arc::clone(&callers.audit));
    let reloads = Arc::clone(&callers.audit);
    thread::Builder::new().name("reload".into()).spawn(move || {
        follower.run_reloads(&woken, retry, |trigger, outcome| {
            reloads.reload_for(trigger, outcome, &follower.served());
        });
    })?;
    let public_url = match &options.public_url {
        Some(url) => url.clone(),
        // A Unix socket has no URL.
        None => first.unwrap_or_else(|| "http://localhost".to_owned()).parse()?,
    };
    let app = Arc::new(App::new(
        live,
        serve::ServeOptions {
            body_limit: options.body_limit,
            connections: callers.connections,
            max_in_flight: options.max_in_flight,
            log: Some(callers.log),
            public_url,
            authzen_context: options.authzen_context == ContextChoice::On,
            properties: match options.properties {
                PropertiesChoice::All => PropertyNames::All,
                PropertiesChoice::Peerage => PropertyNames::Peerage,
            },
            audit: callers.audit,
            admin_token: callers.admin,
            hosts: options.hosts.clone(),
            allow_status: options.allow_status,
            patience: Duration::from_millis(options.at_least_wait),
            dialects: callers.dialects,
            sockets: callers.sockets,
        },
    ));
    let drain = Duration::from_secs(options.drain);
    let DurationArg(shutdown_wait) = options.shutdown_wait;
    let on_hangup = if options.sighup_forces { Trigger::Forced } else { Trigger::Requested };
    let stopping = Arc::clone(&app);
    #[expect(
        clippy::async_yields_async,
        reason = "the inner future is the wait for running requests"
    )]
    let stop = async move {
        let mut wait = None;
        loop {
            tokio::select! {
                signalled = signals.next() => match signalled {
                    SignalRequest::Stop(name) => {
                        info!("stopping on {name}");
                        stopping.announce_stop();
                        if wait.is_some() || shutdown_wait.is_zero() {
                            break;
                        }
                        info!(wait = ?shutdown_wait, "serving until the wait ends");
                        wait = Some(Instant::now() + shutdown_wait);
                    }
                    // The receiver lives as long as the process.
                    SignalRequest::Reload => {
                        info!("reloading on SIGHUP");
                        trail.reopen();
                        let _ = wake.send(on_hangup);
                    }
                },
                () = until(wait) => break,
                () = watch.changed() => {
                    let _ = wake.send(Trigger::Changed);
                }
            }
        }
        // A second signal cuts the draining short.
        async move {
            tokio::select! {
                () = sleep(drain) => {}
                name = signals.stop() => info!("stopping at once on a second {name}"),
            }
        }
    };
    serve::serve(listeners, app, stop).await;
    audit.flush(AUDIT_PATIENCE);
    Ok(())
}

/// Waits until an instant; without one, forever.
async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => pending().await,
    }
}

/// Binds all sockets and prints their addresses, a line each. Returns the URL of the first TCP socket, too.
async fn listen(options: &ServeArgs, output: &Output) -> Result<(Listeners, Option<String>)> {
    let mut listeners = Listeners::default();
    let mut places = Vec::new();
    let default = ListenAddress::One(SocketAddr::from(([127, 0, 0, 1], 7411)));
    let is_default = options.listen.is_empty() && options.uds.is_empty();
    for address in options.listen.iter().chain(is_default.then_some(&default)) {
        let bound = address.bind(&mut listeners).await?;
        places.extend(bound.iter().map(|bound| format!("http://{bound}")));
    }
    for path in &options.uds {
        listeners.unix(path.clone()).await?;
        places.push(format!("unix:{}", path.display()));
    }
    for path in &options.admin_uds {
        listeners.admin(path.clone()).await?;
        places.push(format!("unix:{} for administrators", path.display()));
    }
    let first = places.iter().find(|place| place.starts_with("http")).cloned();
    // An address is printed once it is bound.
    for place in places {
        let line = if output.is_json() {
            json!({ "listening": place }).to_string()
        } else {
            format!("listening on {place}")
        };
        output.result(&(line + "\n"))?;
    }
    Ok((listeners, first))
}
