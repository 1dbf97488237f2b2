//! The header `Peerage-At-Least`: a request waits for a revision of the facts.

use hyper::{HeaderMap, StatusCode, header::HeaderName};

use super::{app::App, response::HttpError};

/// The header that requires a response from a revision of the facts or a later one.
const AT_LEAST: HeaderName = HeaderName::from_static("peerage-at-least");

/// Waits until the revision that a request requires is served, if it requires one.
///
/// # Errors
/// 400 if it is not a revision; 503 if it is not served in time.
pub(super) async fn wait_for_revision(app: &App, headers: &HeaderMap) -> Result<(), HttpError> {
    let Some(wanted) = headers.get(AT_LEAST) else { return Ok(()) };
    let wanted = wanted.to_str().ok().and_then(parse_revision).ok_or_else(|| {
        HttpError::bad_request(
            "Peerage-At-Least",
            "expected a revision: the number in `revision` of an answer to /v1/facts, or the value of \
             a header Peerage-Revision",
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
    let message = format!("revision {wanted} is not served yet; the facts are of revision {now}");
    Err(HttpError::new(StatusCode::SERVICE_UNAVAILABLE, message).with_at("Peerage-At-Least"))
}

/// The revision of the facts: alone, or after the policy's digest and a dot.
fn parse_revision(text: &str) -> Option<u64> {
    let number = text.rsplit_once('.').map_or(text, |(_, number)| number);
    let is_plain = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    if is_plain { number.parse().ok() } else { None }
}
