use std::{future::poll_fn, pin::pin, task::Poll, time::Duration};

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::{
    HeaderMap, StatusCode,
    body::{Body, Bytes, Incoming},
    header::{CONTENT_TYPE, EXPECT},
};
use tokio::time::timeout;

use super::answer::Refusal;

/// How long a body may take to come.
const PATIENCE: Duration = Duration::from_secs(60);

/// How much of a body that nobody wants is read, and for how long.
const DISCARDED: usize = 64 << 20;
const DISCARDING: Duration = Duration::from_secs(5);

/// A JSON body, at most `limit` bytes of it.
pub(super) async fn read(
    headers: &HeaderMap,
    body: Incoming,
    limit: usize,
) -> Result<Bytes, Refusal> {
    if let Err(refusal) = check_kind(headers) {
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
) -> Result<Bytes, Refusal> {
    if let Err(refusal) = check_length(&body, limit) {
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
        return Err(Refusal {
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
        Err(_) => Err(Refusal::bad("body", "the body ended before it was complete")),
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

fn check_kind(headers: &HeaderMap) -> Result<(), Refusal> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        Err(Refusal::bad("Content-Type", "the body must be application/json"))
    }
}

fn check_length(body: &Incoming, limit: usize) -> Result<(), Refusal> {
    let told = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if told > limit { Err(too_large(limit)) } else { Ok(()) }
}

fn too_large(limit: usize) -> Refusal {
    Refusal {
        status: StatusCode::PAYLOAD_TOO_LARGE,
        message: format!("a body may have {limit} bytes"),
        at: String::new(),
    }
}
