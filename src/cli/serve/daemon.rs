//! The daemon at work: its listeners, its reload thread, and what signals have it do.

use std::{
    future::pending,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use anyhow::Result;
use tokio::{
    task::block_in_place,
    time::{Instant, MissedTickBehavior, interval, sleep, sleep_until},
};
use tracing::info;

use super::{
    ServeArgs,
    access_args::Tokens,
    banner::{self, TokenUse},
    service_manager::ServiceManager,
    signals::{SignalRequest, Signals},
    socket_activation::InheritedSockets,
    tls_args::ServedTls,
    watched_file,
};
use crate::{
    cli::{Output, huge_pages::HugePages},
    dialects::Dialect,
    live::{Live, Timekeeper, Trigger, Watch},
    serve::{
        self, App, Audit, ConnectionLimits, DecisionLog, LineWriter, PublicUrl, ServeOptions,
        SocketOptions,
    },
};

/// A daemon that has read its policy, and does not listen yet.
pub(super) struct Daemon {
    pub(super) live: Arc<Live>,
    pub(super) watch: Watch,
    pub(super) signals: Signals,
    pub(super) callers: Callers,
    pub(super) inherited: InheritedSockets,
    pub(super) pages: HugePages,
}

/// The options of the served APIs: credentials, dialects, logs and limits.
pub(super) struct Callers {
    pub(super) audit: Arc<Audit>,
    pub(super) decision_log: Option<Arc<DecisionLog>>,
    pub(super) tokens: Tokens,
    pub(super) tls: Option<ServedTls>,
    pub(super) dialects: Vec<Box<dyn Dialect>>,
    pub(super) sockets: Vec<SocketOptions>,
    pub(super) connections: ConnectionLimits,
    pub(super) log: LineWriter,
}

/// The longest wait at the end for the last lines of each log.
const LOG_PATIENCE: Duration = Duration::from_secs(2);

impl Daemon {
    /// Serves until a signal stops it.
    pub(super) async fn run(self, options: &ServeArgs, output: &Output) -> Result<()> {
        let Self { live, mut watch, mut signals, callers, inherited, mut pages } = self;
        let scheme = if callers.tls.is_some() { "https" } else { "http" };
        let (listeners, places) =
            options.listen.bind(inherited, &options.access, scheme, output).await?;
        let retry = options.reload.poll();
        let (wake, woken) = mpsc::channel();
        let follower = Arc::clone(&live);
        let (audit, trail) = (Arc::clone(&callers.audit), Arc::clone(&callers.audit));
        let reloads = Arc::clone(&callers.audit);
        let (decision_log, decisions) =
            (callers.decision_log.clone(), callers.decision_log.clone());
        let manager = Arc::new(ServiceManager::from_environment());
        let reload_manager = Arc::clone(&manager);
        let reload_thread = thread::Builder::new().name("reload".into()).spawn(move || {
            follower.run_reloads(&woken, retry, |trigger, outcome| {
                let served = follower.served();
                reloads.reload_for(trigger, outcome, &served);
                reload_manager.ready(&banner::status(&served, outcome));
            });
        })?;
        let timekeeper = Timekeeper::start(&live)?;
        let staleness = Arc::clone(live.staleness());
        tokio::spawn(async move { staleness.follow().await });
        banner::log(&live.served(), &places, TokenUse::of(&callers.tokens.registry));
        let outcome = live.reloads().latest.outcome;
        manager.ready(&banner::status(&live.served(), outcome));
        let watchdog_manager = Arc::clone(&manager);
        tokio::spawn(async move { watchdog_manager.feed_watchdog(&reload_thread).await });
        let public_url = public_url(options, &places)?;
        let (serve_options, mut tokens, mut tls) = callers.serve_options(options, public_url)?;
        let app = Arc::new(App::new(live, serve_options));
        let drain = options.limits.drain();
        let shutdown_wait = options.limits.shutdown_wait();
        let on_hangup = options.reload.on_hangup();
        let refreshing = tokio::spawn(async move {
            let mut looks = interval(watched_file::INTERVAL);
            looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                looks.tick().await;
                // A few small files are read at most.
                block_in_place(|| {
                    tokens.refresh();
                    tls.iter_mut().for_each(ServedTls::refresh);
                    pages.adjust();
                });
            }
        });
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
                            manager.stopping();
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
                            decisions.iter().for_each(|log| log.reopen());
                            manager.reloading();
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
        let served = Arc::clone(&app);
        serve::serve(listeners, app, stop).await;
        refreshing.abort();
        drop(timekeeper);
        served.flush_spans(LOG_PATIENCE).await;
        audit.flush(LOG_PATIENCE);
        if let Some(log) = decision_log {
            log.flush(LOG_PATIENCE);
        }
        Ok(())
    }
}

impl Callers {
    /// The options of serving, and the tokens to refresh. Starts the exporter of spans on the current runtime.
    fn serve_options(
        self,
        options: &ServeArgs,
        public_url: PublicUrl,
    ) -> Result<(ServeOptions, Tokens, Option<ServedTls>)> {
        let serve_options = ServeOptions {
            body_limit: options.limits.body_limit,
            connections: self.connections,
            max_in_flight: options.limits.max_in_flight,
            log: Some(self.log),
            public_url,
            authzen_context: options.authzen.has_context(),
            properties: options.authzen.property_names(),
            audit: self.audit,
            decision_log: self.decision_log,
            spans: options.logs.spans()?,
            tls: self.tls.as_ref().map(|tls| Arc::clone(&tls.identity)),
            tokens: Arc::clone(&self.tokens.registry),
            hosts: options.listen.hosts.clone(),
            allow_status: options.listen.allow_status,
            allow_maps: options.listen.allow_maps.clone(),
            patience: options.limits.at_least_wait(),
            dialects: self.dialects,
            sockets: self.sockets,
        };
        Ok((serve_options, self.tokens, self.tls))
    }
}

/// The URL that options give, or the first address.
fn public_url(options: &ServeArgs, places: &[String]) -> Result<PublicUrl> {
    if let Some(url) = &options.listen.public_url {
        return Ok(url.clone());
    }
    // A Unix socket has no URL.
    let first = places.first().filter(|place| place.starts_with("http"));
    Ok(first.map_or("http://localhost", String::as_str).parse()?)
}

/// Waits until an instant; without one, forever.
async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => pending().await,
    }
}
