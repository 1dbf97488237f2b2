use hyper::{HeaderMap, StatusCode, header::HeaderName};

use super::{app::App, response::HttpError};

/// The header of a request that is to be answered from this revision of the facts or a later one.
const AT_LEAST: HeaderName = HeaderName::from_static("peerage-at-least");

/// Waits until the facts that a request asks for are served, if it asks for any.
///
/// # Errors
/// 400 if what it asks for is no revision; 503 if it does not come in time.
pub(super) async fn wait_for_revision(app: &App, headers: &HeaderMap) -> Result<(), HttpError> {
    let Some(wanted) = headers.get(AT_LEAST) else { return Ok(()) };
    let wanted = wanted.to_str().ok().and_then(parse_revision).ok_or_else(|| {
        HttpError::bad_request(
            "Peerage-At-Least",
            "a revision is a number, as of `revision` in an answer to /v1/facts, or what the header \
             Peerage-Revision holds",
        )
    })?;
    let now = app.live.served().view.revision.facts;
    if now >= wanted {
        return Ok(());
    }
    let reached = match app.live.facts() {
        Some(facts) => facts.wait_for_revision(wanted, app.options.patience).await,
        None => false,
    };
    if reached {
        return Ok(());
    }
    let now = app.live.served().view.revision.facts;
    Err(HttpError {
        status: StatusCode::SERVICE_UNAVAILABLE,
        message: format!("the facts of revision {wanted} are not here yet; these are of {now}"),
        at: "Peerage-At-Least".to_owned(),
    })
}

/// The number of the facts: alone, or after the policy's digest and a dot.
fn parse_revision(text: &str) -> Option<u64> {
    let number = text.rsplit_once('.').map_or(text, |(_, number)| number);
    let is_plain = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    if is_plain { number.parse().ok() } else { None }
}
