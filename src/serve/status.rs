//! The status, readiness and metrics endpoints.

use std::time::SystemTime;

use hyper::{
    StatusCode,
    header::{CONTENT_TYPE, HeaderValue, VARY},
};
use serde_json::{Map, Value, json};

use super::{
    app::App,
    counts,
    exposition::MetricsFormat,
    handler::{RequestContext, RouteRequest},
    query::QueryParams,
    response::{self, HttpError, HttpResponse},
};
use crate::{
    live::{
        Freshness, HeldPolicy, LatestReload, Live, OnStale, ServedPolicy, StaleInput,
        facts::ShadowedEntry,
    },
    wire::unix_seconds,
};

/// `GET /v1/status`: the served policy, its age and size, and the outcome of the last reload.
pub(super) fn status(cx: &RequestContext<'_>) -> Result<HttpResponse, HttpError> {
    let RequestContext { app, served, .. } = *cx;
    QueryParams::parse(cx.request.query(), &[])?;
    let view = &served.view;
    let reloads = app.live.reloads();
    let latest = &reloads.latest;
    let memory = view.footprint();
    let body = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "revision": served.revision,
        "policy_digest": view.revision.policy_hex(),
        "facts": view.revision.facts,
        "paths": app.live.paths(),
        "started_at": unix_seconds(app.started),
        "served_since": unix_seconds(served.since),
        "age_seconds": served.since.elapsed().map_or(0, |age| age.as_secs()),
        "stale": app.live.staleness().freshness() != Freshness::Current,
        "staleness": staleness_json(&app.live),
        "counts": counts_json(served),
        "memory": {
            "view_bytes": memory.view,
            "id_bytes": memory.ids,
            "relation_bytes": memory.relations,
            "group_bytes": memory.groups,
            "bytes_per_user": memory.per_user(),
            "bytes_per_relation": memory.per_relation(),
            "resident_bytes": resident_bytes(),
        },
        "reloads": { "swapped": reloads.swapped, "refused": reloads.refused, "held": reloads.held },
        "last_reload": reload_json(latest),
        "state": state_json(&app.live),
        "store": store_json(app, served),
        "tls": app.options.tls.as_ref().map(|tls| tls.to_json()),
        "tokens": app.options.tokens.to_json(),
    });
    Ok(response::json_response(StatusCode::OK, body.to_string()))
}

/// The number of shadowed entries that are listed.
const MAX_SHADOWED: usize = 100;

/// The state of the store: its kind, whether it can be reached, and the entries that files shadow.
pub(super) fn store_json(app: &App, served: &ServedPolicy) -> Value {
    let Some(facts) = app.live.facts() else { return json!({ "kind": "none" }) };
    let cut_off = facts
        .disconnection()
        .map(|lapse| json!({ "seconds": lapse.age().map(|age| age.as_secs()), "why": lapse.why }));
    let copy = facts.copy().map(|copy| {
        json!({
            "dir": copy.folder,
            "revision": copy.saved.map(|saved| saved.revision),
            "confirmed_at": copy.saved.map(|saved| unix_seconds(saved.confirmed_at)),
            "error": copy.error,
            "serving": copy.is_served,
        })
    });
    let opening = facts.opening();
    let (first, total) = served.shadowed(MAX_SHADOWED);
    let each = |entry: &ShadowedEntry| -> Value {
        let what = entry.what.iter().map(|(name, text)| ((*name).to_owned(), json!(text)));
        let place = [
            ("file".to_owned(), json!(entry.place.file)),
            ("line".to_owned(), json!(entry.place.line)),
        ];
        what.chain(place).collect()
    };
    json!({
        "kind": facts.kind(),
        "revision": served.view.revision.facts,
        "writable": facts.write_obstacle().is_none(),
        "lost": facts.data_loss(),
        "opened": { "new": opening.is_new, "repairs": opening.repairs },
        "cut_off": cut_off,
        "copy": copy,
        "shadowed": { "total": total, "first": first.iter().map(each).collect::<Vec<_>>() },
    })
}

/// `GET /healthz`: 200 while the daemon answers.
#[expect(clippy::unnecessary_wraps, reason = "it is a handler like the others")]
pub(super) fn health(_: &RequestContext<'_>) -> Result<HttpResponse, HttpError> {
    Ok(response::text_response(StatusCode::OK, "ok\n"))
}

/// `GET /readyz`: 200 while the daemon is fully operational, with a line for each repair that was made
/// when the store was opened; 503 when it is about to stop, when what is served is stale, and when facts
/// can't be written without an intervention. A store that is temporarily cut off and files with errors
/// are no reason for 503 before they make it stale: decisions go on.
pub(super) fn ready(cx: &RequestContext<'_>) -> Result<HttpResponse, HttpError> {
    let app = cx.app;
    let unready = |message: String| HttpError::new(StatusCode::SERVICE_UNAVAILABLE, message);
    if app.is_stopping() {
        return Err(unready("the daemon is stopping".to_owned()));
    }
    let staleness = app.live.staleness();
    if staleness.freshness() != Freshness::Current {
        let stale = staleness.stale_inputs();
        let each = stale.iter().map(|StaleInput { name, lapse }| match lapse.age() {
            Some(age) => format!("the {name} is stale, {}s old: {}", age.as_secs(), lapse.why),
            None => format!("the {name} is stale: {}", lapse.why),
        });
        return Err(unready(each.collect::<Vec<_>>().join("; ")));
    }
    let Some(facts) = app.live.facts() else {
        return Ok(response::text_response(StatusCode::OK, "ok\n"));
    };
    if let Some(message) = facts.write_obstacle() {
        return Err(unready(message));
    }
    let copy = facts.copy().filter(|copy| copy.is_served).and_then(|_| facts.disconnection());
    let copy = copy.map(|lapse| match lapse.age() {
        Some(age) => {
            format!("store: serving a copy of the facts, {}s old: {}\n", age.as_secs(), lapse.why)
        }
        None => format!("store: serving a copy of the facts, of unknown age: {}\n", lapse.why),
    });
    let repairs = facts.opening().repairs.into_iter().map(|it| format!("store: {it}\n"));
    Ok(response::text_response(
        StatusCode::OK,
        format!("ok\n{}", copy.into_iter().chain(repairs).collect::<String>()),
    ))
}

/// The outcome of the last reload.
pub(super) fn reload_json(latest: &LatestReload) -> serde_json::Value {
    json!({
        "outcome": latest.outcome.as_str(),
        "ok": latest.outcome.is_current(),
        "at": unix_seconds(latest.at),
        "milliseconds": u64::try_from(latest.took.as_millis()).unwrap_or(u64::MAX),
        "diagnostics": latest.report.to_json(),
        "diff": latest.held.as_ref().map(HeldPolicy::to_json),
    })
}

/// How old what is served may become, and what is older than that.
fn staleness_json(live: &Live) -> Value {
    let staleness = live.staleness();
    let options = staleness.options();
    let Some(max_age) = options.max_age else { return Value::Null };
    let now = unix_seconds(SystemTime::now());
    let input = |StaleInput { name, lapse }: StaleInput| {
        let seconds = lapse.age().map(|age| age.as_secs());
        json!({
            "input": name,
            "since": seconds.map(|seconds| now.saturating_sub(seconds)),
            "seconds": seconds,
            "why": lapse.why,
        })
    };
    json!({
        "max_stale_seconds": max_age.as_secs_f64(),
        "on_stale": match options.on_stale {
            OnStale::Serve => "serve",
            OnStale::Deny => "deny",
        },
        "reasons": staleness.stale_inputs().into_iter().map(input).collect::<Vec<_>>(),
    })
}

/// The folder of the last good files, and whether they are served.
fn state_json(live: &Live) -> Value {
    let Some(state) = live.state() else { return Value::Null };
    let saved = state.saved.as_ref();
    json!({
        "dir": state.path,
        "saved_at": saved.map(|(at, _)| unix_seconds(*at)),
        "policy_digest": saved.map(|(_, digest)| digest),
        "serving_last_good": !live.reloads().latest.outcome.is_current(),
        "error": state.error,
    })
}

/// `GET /metrics`, for Prometheus. The query is ignored.
#[expect(clippy::unnecessary_wraps, reason = "it is a handler like the others")]
pub(super) fn metrics(app: &App, request: &RouteRequest) -> Result<HttpResponse, HttpError> {
    let format = MetricsFormat::accepted(&request.head.headers);
    let sockets = (!app.hubs.is_empty()).then(|| app.hubs.iter().map(|hub| hub.open_count()).sum());
    let text =
        format.render(app.metrics.encode_text(&app.live, (sockets, &app.feed), &app.options));
    let mut response = response::text_response(StatusCode::OK, text);
    let kind = HeaderValue::from_static(format.content_type());
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response.headers_mut().insert(VARY, HeaderValue::from_static("accept"));
    Ok(response)
}

pub(super) fn counts_json(served: &ServedPolicy) -> Value {
    let each = counts::counts(served).into_iter();
    let each = each.map(|(name, _, count)| (name.to_owned(), json!(count)));
    let relations: Map<String, Value> =
        counts::relations(served).map(|(kind, count)| (kind.to_owned(), json!(count))).collect();
    each.chain([("relations".to_owned(), Value::Object(relations))]).collect()
}

/// The process's resident memory in bytes; `None` where `/proc` does not have it.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kilobytes * 1024)
}
