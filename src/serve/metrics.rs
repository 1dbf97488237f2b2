//! The metrics of requests, decisions and reloads.

use std::{sync::atomic::AtomicU64, time::SystemTime};

use hyper::StatusCode;
use prometheus_client::{
    encoding::{
        EncodeLabelSet,
        text::{encode_eof, encode_registry},
    },
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use super::{
    counts,
    facts::FactsMetrics,
    following::{ChangeFeed, StreamKind},
    line_writer::LineWriter,
    options::ServeOptions,
    process_metrics,
    request_metrics::{RequestMetrics, RouteIndex},
    spans::SpanExporter,
};
use crate::{
    live::{Freshness, Live, ReloadHistory},
    wire::unix_seconds,
};

/// The counters of requests and decisions.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    /// Decisions, and the times of requests.
    pub(super) requests: RequestMetrics,
    /// The number of routes, after which come the dialects, and then the requests of neither.
    route_count: usize,
    answers: [Counter; STATUSES.len()],
    /// Calls by the names of the dialects.
    calls: Vec<(&'static str, Counter)>,
    /// Requests that were shed, by route.
    shed: Vec<(String, Counter)>,
    pub(super) facts: FactsMetrics,
}

/// The statuses of responses, each with a counter of its own, so that counting takes no lock.
const STATUSES: [StatusCode; 21] = [
    StatusCode::SWITCHING_PROTOCOLS,
    StatusCode::OK,
    StatusCode::CREATED,
    StatusCode::NO_CONTENT,
    StatusCode::NOT_MODIFIED,
    StatusCode::BAD_REQUEST,
    StatusCode::UNAUTHORIZED,
    StatusCode::FORBIDDEN,
    StatusCode::NOT_FOUND,
    StatusCode::METHOD_NOT_ALLOWED,
    StatusCode::REQUEST_TIMEOUT,
    StatusCode::CONFLICT,
    StatusCode::PAYLOAD_TOO_LARGE,
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
    StatusCode::MISDIRECTED_REQUEST,
    StatusCode::UNPROCESSABLE_ENTITY,
    StatusCode::URI_TOO_LONG,
    StatusCode::UPGRADE_REQUIRED,
    StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
    StatusCode::INTERNAL_SERVER_ERROR,
    StatusCode::SERVICE_UNAVAILABLE,
];

/// The name of the route of requests for paths that there are not.
const OTHER: &str = "other";

/// The prefix of a dialect's name in the label of shed routes.
pub(super) const DIALECT: &str = "dialect:";

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Status {
    status: u16,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct DialectLabel {
    dialect: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Route {
    route: String,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Log {
    log: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Build {
    version: &'static str,
    commit: &'static str,
    features: &'static str,
}

impl Build {
    const CURRENT: Self = Self {
        version: env!("CARGO_PKG_VERSION"),
        commit: env!("BUILD_COMMIT"),
        features: env!("BUILD_FEATURES"),
    };
}

impl Metrics {
    /// Counters for these dialects, sockets and routes.
    pub(super) fn new(
        dialects: impl Iterator<Item = &'static str>,
        sockets: impl Iterator<Item = &'static str>,
        routes: impl Iterator<Item = &'static str>,
    ) -> Self {
        let calls: Vec<_> = dialects.map(|name| (name, Counter::default())).collect();
        let mut names: Vec<String> = routes.map(str::to_owned).collect();
        let route_count = names.len();
        let dialects = calls.iter().map(|(name, _)| *name).chain(sockets);
        names.extend(dialects.map(|name| format!("{DIALECT}{name}")));
        let mut shed: Vec<(String, Counter)> = Vec::new();
        for name in &names {
            if shed.iter().all(|(known, _)| known != name) {
                shed.push((name.clone(), Counter::default()));
            }
        }
        names.push(OTHER.to_owned());
        let requests = RequestMetrics::new(names);
        Self { requests, route_count, calls, shed, ..Self::default() }
    }

    /// The index of a dialect's requests, by its position among the dialects and then the sockets.
    pub(super) fn dialect_index(&self, position: usize) -> RouteIndex {
        RouteIndex(self.route_count + position)
    }

    /// The name of a route; `None` for requests that belong to none.
    pub(super) fn route_name(&self, index: RouteIndex) -> Option<String> {
        self.requests.route_name(index).filter(|&name| name != OTHER).map(str::to_owned)
    }

    /// The index of requests that belong to no route and no dialect.
    pub(super) fn other_index(&self) -> RouteIndex {
        RouteIndex(self.requests.route_count().saturating_sub(1))
    }

    /// Counts a shed request. The route is a path, or a dialect's name behind [`DIALECT`].
    pub(super) fn count_shed(&self, route: &str) {
        if let Some((_, counter)) = self.shed.iter().find(|(name, _)| name == route) {
            counter.inc();
        }
    }

    pub(super) fn count_call(&self, dialect: &str) {
        if let Some((_, counter)) = self.calls.iter().find(|(name, _)| *name == dialect) {
            counter.inc();
        }
    }

    pub(super) fn count_answer(&self, status: StatusCode) {
        let counters = STATUSES.iter().zip(&self.answers);
        if let Some((_, counter)) = counters.into_iter().find(|&(&known, _)| known == status) {
            counter.inc();
        }
    }

    /// All metrics in the text format of OpenMetrics; `sockets` is the number of open sockets, if there is
    /// an API over WebSockets, and `feed` knows the streams.
    pub(super) fn encode_text(
        &self,
        live: &Live,
        (sockets, feed): (Option<usize>, &ChangeFeed),
        options: &ServeOptions,
    ) -> String {
        let mut registry = Registry::with_prefix("peerage");
        self.requests.register(&mut registry);
        let build = Family::<Build, Gauge>::default();
        build.get_or_create(&Build::CURRENT).set(1);
        registry.register("build_info", "1, with the build's version, commit and features", build);
        let answers = Family::<Status, Counter>::default();
        for (status, counter) in STATUSES.iter().zip(&self.answers).filter(|(_, c)| c.get() > 0) {
            answers.get_or_create(&Status { status: status.as_u16() }).inc_by(counter.get());
        }
        registry.register("http_answers", "HTTP answers by status", answers);
        let shed = Family::<Route, Counter>::default();
        for (route, counter) in &self.shed {
            shed.get_or_create(&Route { route: route.clone() }).inc_by(counter.get());
        }
        registry.register("shed", "Requests refused for want of room, by route", shed);

        if !self.calls.is_empty() {
            let calls = Family::<DialectLabel, Counter>::default();
            for (dialect, counter) in &self.calls {
                calls.get_or_create(&DialectLabel { dialect }).inc_by(counter.get());
            }
            registry.register("dialect_calls", "Calls in other systems' APIs", calls);
        }
        if let Some(sockets) = sockets {
            let gauge = Gauge::<i64>::default();
            gauge.set(whole(sockets));
            registry.register("sockets", "WebSockets that are open", gauge);
        }

        let streams = Family::<Route, Gauge>::default();
        for kind in StreamKind::ALL {
            let route = Route { route: kind.route().to_owned() };
            streams.get_or_create(&route).set(whole(feed.open_count(kind)));
        }
        registry.register("streams", "Streams of changes and of answers that are open", streams);

        let (served, reloads) = (live.served(), live.reloads());
        register_reloads(live, &reloads, &mut registry);
        let (memory, counts) = (served.view.footprint(), counts::counts(&served));
        let relations = Family::<Kind, Gauge>::default();
        for (kind, count) in counts::relations(&served) {
            relations.get_or_create(&Kind { kind }).set(whole(count));
        }
        registry.register("relations", "Relations between users by kind", relations);

        let changed = Gauge::<f64, AtomicU64>::default();
        changed.set(reloads.latest.held.as_ref().map_or(0.0, |held| held.share));
        let help = "Share of all pairs that the policy held back would change, 0 if none is";
        registry.register("held_changed_share", help, changed);
        let gauges = [
            (
                "policy_current",
                "1 if the policy served is what the files hold, 0 if they hold errors or what is held",
                i64::from(reloads.latest.outcome.is_current()),
            ),
            ("stale", "1 if the policy or the facts are older than they may be", is_stale(live)),
            ("view_bytes", "Memory of the compiled view, about", whole(memory.view)),
            ("id_bytes", "Of that, the text of users' ids", whole(memory.ids)),
            ("relation_bytes", "Of that, what is between users", whole(memory.relations)),
            ("group_bytes", "Of that, groups", whole(memory.groups)),
        ];
        let counts = counts.map(|(name, help, count)| (name, help, whole(count)));
        for (name, help, value) in gauges.into_iter().chain(counts) {
            let gauge = Gauge::<i64>::default();
            gauge.set(value);
            registry.register(name, help, gauge);
        }
        self.facts.register(live, &mut registry);
        register_certificate(options, &mut registry);
        register_logs(options, &mut registry);
        let mut process = Registry::default();
        process_metrics::register(&mut process);
        let mut text = String::new();
        // Writing to a string can't fail.
        let _ = encode_registry(&mut text, &registry)
            .and_then(|()| encode_registry(&mut text, &process))
            .and_then(|()| encode_eof(&mut text));
        text
    }
}

/// Registers the reloads by outcome, and what they left behind.
fn register_reloads(live: &Live, reloads: &ReloadHistory, registry: &mut Registry) {
    let outcomes = Family::<Outcome, Counter>::default();
    outcomes.get_or_create(&Outcome { outcome: "swapped" }).inc_by(reloads.swapped);
    outcomes.get_or_create(&Outcome { outcome: "refused" }).inc_by(reloads.refused);
    outcomes.get_or_create(&Outcome { outcome: "held" }).inc_by(reloads.held);
    registry.register("reloads", "Reloads that changed, refused or held back a policy", outcomes);

    let last_good = Gauge::<f64, AtomicU64>::default();
    let since_epoch = reloads.last_good.duration_since(SystemTime::UNIX_EPOCH);
    last_good.set(since_epoch.unwrap_or_default().as_secs_f64());
    let help = "When the files were last read and found to hold what is served";
    registry.register("last_good_reload_timestamp_seconds", help, last_good);
    let held_reloads = Counter::<u64>::default();
    held_reloads.inc_by(reloads.held);
    let text = "Reloads of a policy that is not taken by itself";
    registry.register("held_reloads", text, held_reloads);
    if let Some(state) = live.state() {
        let kept = Gauge::<i64>::default();
        kept.set(i64::from(state.error.is_none()));
        let text = "1 if the last good files could be kept for a restart, 0 if not";
        registry.register("state_kept", text, kept);
    }
}

/// 1 if what is served is stale, else 0.
fn is_stale(live: &Live) -> i64 {
    i64::from(live.staleness().freshness() != Freshness::Current)
}

/// Registers the end of the TLS certificate, if there is one.
fn register_certificate(options: &ServeOptions, registry: &mut Registry) {
    if let Some(tls) = &options.tls {
        let expires = Gauge::<i64>::default();
        expires.set(whole(unix_seconds(tls.expires())));
        let help = "When the TLS certificate expires, or one between it and the root";
        registry.register("certificate_expiry_timestamp_seconds", help, expires);
    }
}

/// Registers the metrics of logs and spans.
fn register_logs(options: &ServeOptions, registry: &mut Registry) {
    options.audit.register(registry);
    let dropped = Family::<Log, Counter>::default();
    for (log, lines) in [
        ("audit", options.audit.dropped()),
        ("decision", options.decision_log.as_ref().map(|log| log.dropped())),
        ("log", options.log.as_ref().map(LineWriter::dropped)),
    ] {
        if let Some(lines) = lines {
            dropped.get_or_create(&Log { log }).inc_by(lines);
        }
    }
    registry.register("log_dropped", "Lines of logs that were dropped", dropped);
    if let Some((exported, dropped)) = options.spans.as_ref().map(SpanExporter::counts) {
        let counters = [
            ("spans_exported", "Spans that the collector took", exported),
            ("spans_dropped", "Spans that were dropped", dropped),
        ];
        for (name, help, count) in counters {
            let counter = Counter::<u64>::default();
            counter.inc_by(count);
            registry.register(name, help, counter);
        }
    }
}

fn whole(count: impl TryInto<i64>) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}
