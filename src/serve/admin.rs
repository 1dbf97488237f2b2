//! The administration of the daemon: authorization and reloads.

use std::sync::Arc;

use hyper::{HeaderMap, StatusCode, header::AUTHORIZATION};

use super::{
    app::{App, stamp_revision},
    audit::{Caller, NATIVE},
    handler::RouteRequest,
    host::ListenerPolicy,
    query::QueryParams,
    response::{self, HttpError, HttpResponse},
    status,
};
use crate::{
    dialects::Admission,
    live::Trigger,
    wire::{AccessScope, bearer_token},
};

/// Checks that a caller sends a token with a scope, unless the listener is for administrators only. Returns the
/// name of the token.
pub(super) fn authorize(
    app: &App,
    headers: &HeaderMap,
    listener: ListenerPolicy,
    scope: AccessScope,
) -> Result<Option<Arc<str>>, HttpError> {
    if listener.is_trusted() {
        return Ok(None);
    }
    let credential = headers.get(AUTHORIZATION).map(hyper::header::HeaderValue::as_bytes);
    let check = app.options.tokens.check(credential.and_then(bearer_token), scope);
    let message = check.admission.message();
    let (status, message) = match check.admission {
        Admission::Admitted => return Ok(check.name),
        Admission::Disabled | Admission::MissingScope(_) => {
            (StatusCode::FORBIDDEN, message.to_owned())
        }
        Admission::Wrong => (StatusCode::UNAUTHORIZED, message.to_owned()),
        Admission::Missing => {
            (StatusCode::UNAUTHORIZED, format!("{message}: send `Authorization: Bearer TOKEN`"))
        }
    };
    let error = HttpError::new(status, message).with_at(AUTHORIZATION.as_str());
    Err(HttpError { token: check.name, ..error })
}

/// `POST /v1/reload`: reads the files and responds with the outcome: 409 if the served policy is not that
/// of the files. With `force=true`, a policy is served however much it changes.
pub(super) fn reload(app: &App, request: &RouteRequest) -> Result<HttpResponse, HttpError> {
    let query = QueryParams::parse(request.query(), &["force"])?;
    // An empty value is an error: a script whose variable is not set sends `force=`.
    if query.get("force") == Some("") {
        return Err(HttpError::bad_request("force", "expected true or false, found nothing"));
    }
    let trigger = if query.flag("force")? { Trigger::Forced } else { Trigger::Requested };
    let caller = Caller::native(NATIVE, request.token.as_deref(), request.connection.listener);
    let reloads = app.live.reload_and_report(trigger);
    let outcome = reloads.latest.outcome;
    let status = if outcome.is_current() { StatusCode::OK } else { StatusCode::CONFLICT };
    let served = app.live.served();
    app.options.audit.reload_by(&caller, trigger, outcome, &served, status);
    let body = status::reload_json(&reloads.latest).to_string();
    let mut response = response::json_response(status, body);
    stamp_revision(&mut response, &served.revision, served.number);
    Ok(response)
}
