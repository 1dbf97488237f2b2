//! The administration of the daemon: authorization and reloads.

use hyper::{HeaderMap, StatusCode, header::AUTHORIZATION};

use super::{
    admin_token::check_token,
    app::{App, stamp_revision},
    audit::{Caller, NATIVE},
    handler::RouteRequest,
    host::ListenerPolicy,
    query::QueryParams,
    response::{self, HttpError, HttpResponse},
    status,
};
use crate::{dialects::Admission, live::Trigger, wire::bearer_token};

/// Checks that a caller sends the admin token, unless the listener is for administrators only.
pub(super) fn authorize(
    app: &App,
    headers: &HeaderMap,
    listener: ListenerPolicy,
) -> Result<(), HttpError> {
    if listener.is_trusted() {
        return Ok(());
    }
    let credential = headers.get(AUTHORIZATION).map(hyper::header::HeaderValue::as_bytes);
    match check_token(app.options.admin_token.as_ref(), credential.and_then(bearer_token)) {
        Admission::Admitted => Ok(()),
        why @ Admission::Disabled => Err(unauthorized(StatusCode::FORBIDDEN, why.message())),
        why @ Admission::Wrong => Err(unauthorized(StatusCode::UNAUTHORIZED, why.message())),
        Admission::Missing => Err(unauthorized(
            StatusCode::UNAUTHORIZED,
            "the admin token is missing: send `Authorization: Bearer TOKEN`",
        )),
    }
}

fn unauthorized(status: StatusCode, message: &str) -> HttpError {
    HttpError::new(status, message).with_at(AUTHORIZATION.as_str())
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
    let caller = Caller::native(NATIVE, request.connection.listener);
    let reloads = app.live.reload_and_report(trigger);
    let outcome = reloads.latest.outcome;
    let status = if outcome.is_current() { StatusCode::OK } else { StatusCode::CONFLICT };
    let served = app.live.served();
    app.options.audit.reload_by(&caller, trigger, outcome, &served, status);
    let body = status::reload_json(&reloads.latest).to_string();
    let mut response = response::json_response(status, body);
    stamp_revision(&mut response, &served.revision);
    Ok(response)
}
