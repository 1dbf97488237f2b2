use std::{fmt, str::FromStr};

use hyper::{HeaderMap, StatusCode, Uri, header::AUTHORIZATION};
use subtle::ConstantTimeEq;
use thiserror::Error;

use super::{
    app::App,
    audit::Caller,
    query::QueryParams,
    response::{self, HttpError, HttpResponse},
    status,
};
use crate::dialects::Admission;

/// What those must know who may do more than ask.
#[derive(Clone)]
pub struct AdminToken(Box<[u8]>);

/// Why a text is no admin token.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("an admin token is one line of 16 printable characters or more, without blanks")]
pub struct AdminTokenError;

/// How many characters a token has at least.
const SHORTEST: usize = 16;

impl FromStr for AdminToken {
    type Err = AdminTokenError;

    /// White space around it is no part of it.
    fn from_str(text: &str) -> Result<Self, AdminTokenError> {
        let token = text.trim();
        let is_plain = token.bytes().all(|byte| byte.is_ascii_graphic());
        if is_plain && token.len() >= SHORTEST {
            Ok(Self(token.as_bytes().into()))
        } else {
            Err(AdminTokenError)
        }
    }
}

/// It is never shown.
impl fmt::Debug for AdminToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminToken")
    }
}

/// Whether the token is shown that administrators know. Takes as long for a wrong one as for a right
/// one of its length.
pub(super) fn check_token(app: &App, shown: Option<&[u8]>) -> Admission {
    match (&app.options.admin_token, shown) {
        (None, _) => Admission::Disabled,
        (_, None) => Admission::Missing,
        (Some(token), Some(shown)) if bool::from(shown.ct_eq(&token.0)) => Admission::Admitted,
        _ => Admission::Wrong,
    }
}

/// Whether the caller showed the admin token, or is `trusted` without.
pub(super) fn authorize(app: &App, headers: &HeaderMap, trusted: bool) -> Result<(), HttpError> {
    if trusted {
        return Ok(());
    }
    let shown = headers.get(AUTHORIZATION).map(hyper::header::HeaderValue::as_bytes);
    let shown = shown.and_then(|value| {
        let (scheme, token) = value.split_at_checked(b"Bearer ".len())?;
        scheme.eq_ignore_ascii_case(b"Bearer ").then_some(token)
    });
    match check_token(app, shown) {
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
