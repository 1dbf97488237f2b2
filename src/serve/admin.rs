//! The administration of the daemon: who may call it, and reloads.

use hyper::{HeaderMap, StatusCode, header::AUTHORIZATION};

use super::{
    admin_token::check_token,
    app::{App, stamp_revision},
    audit::{Caller, NATIVE},
    handler::RouteRequest,
    query::QueryParams,
    response::{self, HttpError, HttpResponse},
    status,
};
use crate::{dialects::Admission, wire::bearer_token};

/// Checks that a caller shows the admin token, or is trusted without.
pub(super) fn authorize(app: &App, headers: &HeaderMap, trusted: bool) -> Result<(), HttpError> {
    if trusted {
        return Ok(());
    }
    let shown = headers.get(AUTHORIZATION).map(hyper::header::HeaderValue::as_bytes);
    match check_token(app.options.admin_token.as_ref(), shown.and_then(bearer_token)) {
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

/// `POST /v1/reload`: reads the files now, and answers the outcome: 409 if what is served afterwards is
/// not what they hold. With `force=true` it takes a policy however much it changes.
pub(super) fn reload(app: &App, request: &RouteRequest) -> Result<HttpResponse, HttpError> {
    let query = QueryParams::parse(request.query(), &["force"])?;
    // It must be said: a script whose variable is not set sends `force=`.
    if query.get("force") == Some("") {
        return Err(HttpError::bad_request("force", "expected true or false, found nothing"));
    }
    let forced = query.flag("force")?;
    let caller = Caller::native(NATIVE, request.connection.listener.trusted);
    let reloads = app.live.reload_and_report(forced);
    let outcome = reloads.latest.outcome;
    let status = if outcome.is_current() { StatusCode::OK } else { StatusCode::CONFLICT };
    let served = app.live.served();
    app.options.audit.reload_by(&caller, (forced, outcome), &served, status);
    let body = status::reload_json(&reloads.latest).to_string();
    let mut response = response::json_response(status, body);
    stamp_revision(&mut response, &served.revision);
    Ok(response)
}
