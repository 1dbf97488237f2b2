//! The metrics of requests, decisions and reloads.

use std::sync::atomic::AtomicU64;

use hyper::StatusCode;
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use super::{audit::Audit, counts, facts::FactsMetrics, line_writer::LineWriter};
use crate::{live::Live, request::Decision};

/// The counters of requests and decisions.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    allowed: Counter,
    denied: Counter,
    answers: [Counter; STATUSES.len()],
    /// Calls by the names of the dialects.
    calls: Vec<(&'static str, Counter)>,
    /// Requests that were shed, by route.
    shed: Vec<(String, Counter)>,
    pub(super) facts: FactsMetrics,
}

/// The statuses of responses, each with a counter of its own, so that counting takes no lock.
const STATUSES: [StatusCode; 20] = [
    StatusCode::SWITCHING_PROTOCOLS,
    StatusCode::OK,
    StatusCode::CREATED,
    StatusCode::NO_CONTENT,
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

impl Metrics {
    /// Counters for these dialects, sockets and routes.
    pub(super) fn new(
        dialects: impl Iterator<Item = &'static str>,
        sockets: impl Iterator<Item = &'static str>,
        routes: impl Iterator<Item = &'static str>,
    ) -> Self {
        let calls: Vec<_> = dialects.map(|name| (name, Counter::default())).collect();
        let dialects = calls.iter().map(|(name, _)| *name).chain(sockets);
        let dialects = dialects.map(|name| format!("{DIALECT}{name}"));
        let routes = routes.map(str::to_owned).chain(dialects);
        let shed = routes.map(|route| (route, Counter::default())).collect();
        Self { calls, shed, ..Self::default() }
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

    pub(super) fn count_decision(&self, decision: Decision) {
        if decision.allow { &self.allowed } else { &self.denied }.inc();
    }

    pub(super) fn count_answer(&self, status: StatusCode) {
        let counters = STATUSES.iter().zip(&self.answers);
        if let Some((_, counter)) = counters.into_iter().find(|&(&known, _)| known == status) {
            counter.inc();
        }
    }

    /// All metrics in the text format of OpenMetrics; `sockets` is the number of open sockets, if there is
    /// an API over WebSockets.
    pub(super) fn encode_text(
        &self,
        live: &Live,
        sockets: Option<usize>,
        audit: &Audit,
        log: Option<&LineWriter>,
    ) -> String {
        let mut registry = Registry::with_prefix("peerage");
        let decisions = Family::<Outcome, Counter>::default();
        decisions.get_or_create(&Outcome { outcome: "allowed" }).inc_by(self.allowed.get());
        decisions.get_or_create(&Outcome { outcome: "denied" }).inc_by(self.denied.get());
        registry.register("decisions", "Decisions taken", decisions);
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

        let (served, reloads) = (live.served(), live.reloads());
        let outcomes = Family::<Outcome, Counter>::default();
        outcomes.get_or_create(&Outcome { outcome: "swapped" }).inc_by(reloads.swapped);
        outcomes.get_or_create(&Outcome { outcome: "refused" }).inc_by(reloads.refused);
        outcomes.get_or_create(&Outcome { outcome: "held" }).inc_by(reloads.held);
        registry.register(
            "reloads",
            "Reloads that changed, refused or held back a policy",
            outcomes,
        );

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
        audit.register(log, &mut registry);
        let mut text = String::new();
        // Writing to a string can't fail.
        let _ = encode(&mut text, &registry);
        text
    }
}

fn whole(count: impl TryInto<i64>) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}
