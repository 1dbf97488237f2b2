//! Reads of one record, or of a page of rules: from the view and the store, as of one revision.

use std::{borrow::Cow, sync::Arc};

use hyper::StatusCode;
use serde_json::Value;
use uuid::Uuid;

use super::{
    lists::{FactsReadError, rule_page},
    render,
};
use crate::{
    live::{ServedPolicy, facts::ReadError},
    request::check_id,
    serve::{
        admission::WorkClass,
        app::{App, stamp_revision},
        blocking::WorkPlace,
        handler::{ResponseFuture, RouteRequest},
        query::QueryParams,
        response::{self, HttpError, HttpResponse},
        view_wait::ViewWait,
    },
    wire::PercentEncoding,
};

type Read = fn(&App, &ServedPolicy, &RouteRequest) -> Result<Value, FactsReadError>;

/// `GET /v1/facts/users/ID`.
pub(in crate::serve) fn user(app: Arc<App>, request: RouteRequest) -> ResponseFuture {
    Box::pin(read(app, request, |app, served, request| {
        QueryParams::parse(request.query(), &[])?;
        let id = decode_id(&request.rest)?;
        let user = served.user(app.live.facts(), &id)?.ok_or_else(|| unknown("user", &id))?;
        Ok(render::user_json(&id, served, &user))
    }))
}

/// `GET /v1/facts/groups/ID`.
pub(in crate::serve) fn group(app: Arc<App>, request: RouteRequest) -> ResponseFuture {
    Box::pin(read(app, request, |app, served, request| {
        QueryParams::parse(request.query(), &[])?;
        let id = decode_id(&request.rest)?;
        let group = served.group(app.live.facts(), &id)?.ok_or_else(|| unknown("group", &id))?;
        Ok(render::group_json(&id, served, &group))
    }))
}

/// `GET /v1/facts/rules/ID`.
pub(in crate::serve) fn rule(app: Arc<App>, request: RouteRequest) -> ResponseFuture {
    Box::pin(read(app, request, |app, served, request| {
        QueryParams::parse(request.query(), &[])?;
        let text = decode_segment(&request.rest)?;
        let id: Uuid = text.parse().map_err(|error| {
            HttpError::bad_request("path", format!("a rule's id is a UUID: {error}"))
        })?;
        let rule = served.rule(app.live.facts(), id)?.ok_or_else(|| unknown("rule", &text))?;
        Ok(render::rule_json(&rule))
    }))
}

/// `GET /v1/facts/rules`: all rules, in the order of their ids.
pub(in crate::serve) fn rules(app: Arc<App>, request: RouteRequest) -> ResponseFuture {
    Box::pin(read(app, request, |app, served, request| {
        rule_page(served, app.live.facts(), request.query())
    }))
}

fn unknown(kind: &str, id: &str) -> HttpError {
    HttpError::new(StatusCode::NOT_FOUND, format!("there is no {kind} `{}`", id.escape_debug()))
}

/// Reads on a blocking thread, again while the view lags behind the store.
async fn read(app: Arc<App>, request: RouteRequest, read: Read) -> HttpResponse {
    let request = Arc::new(request);
    let peer = &request.connection.peer;
    let place = WorkPlace { class: WorkClass::Facts, route: request.route, peer };
    let permit = match app.admit(place).await {
        Ok(permit) => permit,
        Err(error) => return error.response(),
    };
    let mut wait = ViewWait::default();
    loop {
        let (worker, request) = (Arc::clone(&app), Arc::clone(&request));
        let work = move || {
            let served = worker.live.served();
            (read(&worker, &served, &request), served.revision.clone(), served.number)
        };
        let (outcome, revision, view) = match app.run(&permit, work).await {
            Ok(outcome) => outcome,
            Err(error) => return error.response(),
        };
        let mut response = match outcome {
            Ok(body) => response::json_response(StatusCode::OK, body.to_string()),
            Err(FactsReadError::Http(error)) => error.response(),
            Err(FactsReadError::Unreadable(ReadError::ViewBehind))
                if wait.retry(&app.live).await =>
            {
                continue;
            }
            Err(FactsReadError::Unreadable(error)) => {
                HttpError::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()).response()
            }
        };
        stamp_revision(&mut response, &revision, view);
        return response;
    }
}

/// An id in a path: slashes in it may be encoded or not.
fn decode_id(path: &str) -> Result<Cow<'_, str>, HttpError> {
    let id = decode_segment(path)?;
    check_id(&id).map_err(|error| HttpError::bad_request("path", error.to_string()))?;
    Ok(id)
}

fn decode_segment(path: &str) -> Result<Cow<'_, str>, HttpError> {
    let decoded = PercentEncoding::Path.decode(path.as_bytes());
    decoded.map_err(|error| HttpError::bad_request("path", error.to_string()))
}
