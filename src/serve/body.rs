//! Request bodies: read within bounds of length and time, or discarded.

use std::{future::poll_fn, pin::pin, task::Poll, time::Duration};

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::{
    HeaderMap, StatusCode,
    body::{Body, Bytes, Incoming},
    header::{self, EXPECT, HeaderValue},
};
use tokio::time::timeout;

use super::response::HttpError;

/// The place in errors about the content type.
pub(super) const CONTENT_TYPE: &str = "Content-Type";

/// The time within which a body must be received.
const PATIENCE: Duration = Duration::from_secs(60);

/// The limits for reading an unwanted body: bytes and time.
const DISCARDED: usize = 64 << 20;
const DISCARDING: Duration = Duration::from_secs(5);

/// Reads a JSON body of at most `limit` bytes.
pub(super) async fn read_json(
    headers: &HeaderMap,
    body: Incoming,
    limit: usize,
) -> Result<Bytes, HttpError> {
    if let Err(refusal) = check_content_type(headers, "application/json") {
        discard(headers, body);
        return Err(refusal);
    }
    collect(headers, body, limit).await
}

/// Reads a body of lines of JSON, of at most `limit` bytes.
pub(super) async fn read_lines(
    headers: &HeaderMap,
    body: Incoming,
    limit: usize,
) -> Result<Bytes, HttpError> {
    if let Err(refusal) = check_content_type(headers, "application/x-ndjson") {
        discard(headers, body);
        return Err(refusal);
    }
    collect(headers, body, limit).await
}

/// Reads a body of any content type, of at most `limit` bytes.
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
    // A body that arrived with the head needs no timer.
    let at_once = poll_fn(|cx| Poll::Ready(collecting.as_mut().poll(cx))).await;
    let collected = match at_once {
        Poll::Ready(collected) => Ok(collected),
        Poll::Pending => timeout(PATIENCE, collecting).await,
    };
    let Ok(collected) = collected else {
        let message = format!("request body was not received in {} seconds", PATIENCE.as_secs());
        return Err(HttpError::new(StatusCode::REQUEST_TIMEOUT, message).with_at("body"));
    };
    match collected {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            discard(headers, body);
            Err(too_large(limit))
        }
        Err(_) => Err(HttpError::bad_request("body", "request body ended before it was complete")),
    }
}

/// Reads and drops an unwanted body in the background. If the connection were closed while the client is
/// still sending, the response could be lost.
pub(super) fn discard(headers: &HeaderMap, body: Incoming) {
    // A client that sent `Expect: 100-continue` has not sent the body yet.
    if body.is_end_stream() || headers.contains_key(EXPECT) {
        return;
    }
    tokio::spawn(timeout(DISCARDING, async move {
        let mut rest = Limited::new(body, DISCARDED);
        while let Some(Ok(_)) = rest.frame().await {}
    }));
}

fn check_content_type(headers: &HeaderMap, expected: &str) -> Result<(), HttpError> {
    let mut kinds = headers.get_all(header::CONTENT_TYPE).iter();
    let kind = match (kinds.next(), kinds.next()) {
        (Some(kind), None) => kind.to_str().unwrap_or_default(),
        _ => "",
    };
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case(expected) {
        return Ok(());
    }
    let message =
        format!("the content type must be {expected}; send -H 'Content-Type: {expected}'");
    Err(unsupported(CONTENT_TYPE, &message))
}

/// Checks that the body is not compressed: bodies are not decoded.
fn check_encoding(headers: &HeaderMap, body: &Incoming) -> Result<(), HttpError> {
    let is_plain = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    if body.is_end_stream() || headers.get_all(header::CONTENT_ENCODING).iter().all(is_plain) {
        return Ok(());
    }
    Err(unsupported(
        "Content-Encoding",
        "content encodings are not supported; send no Content-Encoding",
    ))
}

fn unsupported(at: &str, message: &str) -> HttpError {
    HttpError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message).with_at(at)
}

fn check_length(body: &Incoming, limit: usize) -> Result<(), HttpError> {
    let length = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if length > limit { Err(too_large(limit)) } else { Ok(()) }
}

fn too_large(limit: usize) -> HttpError {
    let message = format!("request body exceeds {limit} bytes");
    HttpError::new(StatusCode::PAYLOAD_TOO_LARGE, message)
}
