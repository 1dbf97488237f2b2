use std::{future::poll_fn, pin::pin, task::Poll, time::Duration};

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::{
    HeaderMap, StatusCode,
    body::{Body, Bytes, Incoming},
    header::{self, EXPECT, HeaderValue},
};
use tokio::time::timeout;

use super::response::HttpError;

/// Where a refusal says that a body is of another kind.
pub(super) const CONTENT_TYPE: &str = "Content-Type";

/// How long a body may take to come.
const PATIENCE: Duration = Duration::from_secs(60);

/// How much of a body that nobody wants is read, and for how long.
const DISCARDED: usize = 64 << 20;
const DISCARDING: Duration = Duration::from_secs(5);

/// A JSON body, at most `limit` bytes of it.
pub(super) async fn read_json(
    headers: &HeaderMap,
    body: Incoming,
    limit: usize,
) -> Result<Bytes, HttpError> {
    if let Err(refusal) = check_content_type(headers) {
        discard(headers, body);
        return Err(refusal);
    }
    collect(headers, body, limit).await
}

/// A body of any kind, at most `limit` bytes of it.
pub(super) async fn collect(
    headers: &HeaderMap,
    mut body: Incoming,
    limit: usize,
) -> Result<Bytes, HttpError> {
    let checked = check_encoding(headers, &body).and_then(|()| check_length(&body, limit));
    if let Err(refusal) = checked {
        discard(headers, body);
        return Err(refusal);
    }
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let mut collecting = pin!(Limited::new(&mut body, limit).collect());
    // What came with the head needs no clock.
    let at_once = poll_fn(|cx| Poll::Ready(collecting.as_mut().poll(cx))).await;
    let collected = match at_once {
        Poll::Ready(collected) => Ok(collected),
        Poll::Pending => timeout(PATIENCE, collecting).await,
    };
    let Ok(collected) = collected else {
        return Err(HttpError {
            status: StatusCode::REQUEST_TIMEOUT,
            message: format!("the body did not come within {} seconds", PATIENCE.as_secs()),
            at: "body".to_owned(),
        });
    };
    match collected {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            discard(headers, body);
            Err(too_large(limit))
        }
        Err(_) => Err(HttpError::bad_request("body", "the body ended before it was complete")),
    }
}

/// Reads on beside the answer. If the connection were closed on what is still coming, the answer
/// could be lost on its way.
pub(super) fn discard(headers: &HeaderMap, body: Incoming) {
    // Whoever waits for a word before he sends the body need not send it.
    if body.is_end_stream() || headers.contains_key(EXPECT) {
        return;
    }
    tokio::spawn(timeout(DISCARDING, async move {
        let mut rest = Limited::new(body, DISCARDED);
        while let Some(Ok(_)) = rest.frame().await {}
    }));
}

fn check_content_type(headers: &HeaderMap) -> Result<(), HttpError> {
    let mut kinds = headers.get_all(header::CONTENT_TYPE).iter();
    let kind = match (kinds.next(), kinds.next()) {
        (Some(kind), None) => kind.to_str().unwrap_or_default(),
        _ => "",
    };
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let message = "the body must be application/json; send it with -H 'Content-Type: \
        application/json'";
    Err(unsupported(CONTENT_TYPE, message))
}

/// A body is read as it is: one that is packed would be taken for another.
fn check_encoding(headers: &HeaderMap, body: &Incoming) -> Result<(), HttpError> {
    let is_plain = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    if body.is_end_stream() || headers.get_all(header::CONTENT_ENCODING).iter().all(is_plain) {
        return Ok(());
    }
    Err(unsupported("Content-Encoding", "the body must come as it is; send no Content-Encoding"))
}

fn unsupported(at: &str, message: &str) -> HttpError {
    let (status, message) = (StatusCode::UNSUPPORTED_MEDIA_TYPE, message.to_owned());
    HttpError { status, message, at: at.to_owned() }
}

fn check_length(body: &Incoming, limit: usize) -> Result<(), HttpError> {
    let told = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if told > limit { Err(too_large(limit)) } else { Ok(()) }
}

fn too_large(limit: usize) -> HttpError {
    HttpError {
        status: StatusCode::PAYLOAD_TOO_LARGE,
        message: format!("a body may have {limit} bytes"),
        at: String::new(),
    }
}
