use hyper::{HeaderMap, StatusCode, Uri, header::AUTHORIZATION};

use super::{
    app::App,
    audit::Caller,
    query::QueryParams,
    response::{self, HttpError, HttpResponse},
    status,
};
use crate::{dialects::Admission, wire::bearer_token};

/// Whether the token is shown that administrators know. Takes as long for a wrong one as for a right
/// one of its length.
pub(super) fn check_token(app: &App, shown: Option<&[u8]>) -> Admission {
    match (&app.options.admin_token, shown) {
        (None, _) => Admission::Disabled,
        (_, None) => Admission::Missing,
        (Some(token), Some(shown)) if token.matches(shown) => Admission::Admitted,
        _ => Admission::Wrong,
    }
}

/// Whether the caller showed the admin token, or is `trusted` without.
pub(super) fn authorize(app: &App, headers: &HeaderMap, trusted: bool) -> Result<(), HttpError> {
    if trusted {
        return Ok(());
    }
    let shown = headers.get(AUTHORIZATION).map(hyper::header::HeaderValue::as_bytes);
    match check_token(app, shown.and_then(bearer_token)) {
        Admission::Admitted => Ok(()),
        why @ Admission::Disabled => Err(refusal(StatusCode::FORBIDDEN, why.message())),
        why @ Admission::Wrong => Err(refusal(StatusCode::UNAUTHORIZED, why.message())),
        Admission::Missing => Err(refusal(
            StatusCode::UNAUTHORIZED,
            "the admin token is missing: send `Authorization: Bearer TOKEN`",
        )),
    }
}

fn refusal(status: StatusCode, message: &str) -> HttpError {
    HttpError { status, message: message.to_owned(), at: AUTHORIZATION.as_str().to_owned() }
}

/// Whether a reload is to take a policy however much it changes. It must say so: a script whose
/// variable is not set sends `force=`.
pub(super) fn parse_force(uri: &Uri) -> Result<bool, HttpError> {
    let query = QueryParams::parse(uri.query(), &["force"])?;
    if query.get("force") == Some("") {
        return Err(HttpError::bad_request("force", "`force` takes true or false, and is empty"));
    }
    query.flag("force")
}

/// `POST /v1/reload`: reads the files now, and answers what became of them: 409 if they are not what
/// is served afterwards.
pub(super) fn reload(app: &App, forced: bool, by: &Caller) -> HttpResponse {
    let reloads = app.live.reload_and_report(forced);
    let outcome = reloads.latest.outcome;
    let status = if outcome.is_current() { StatusCode::OK } else { StatusCode::CONFLICT };
    app.options.audit.reload_by(by, (forced, outcome), &app.live.served(), status);
    response::json_response(status, status::reload_json(&reloads.latest).to_string())
}
