//! `/v1/changes`: the changes of the served view as server-sent events.

use std::{io::Write as _, sync::Arc, time::Duration};

use hyper::{
    HeaderMap, Response, StatusCode,
    header::{CONTENT_TYPE, HeaderName, HeaderValue},
};
use serde_json::json;

use super::feed::{ChangeFollower, FeedEvent, StreamKind};
use crate::{
    live::{ViewChange, ViewChanges},
    serve::{
        app::{App, stamp_revision},
        handler::{ResponseFuture, RouteRequest},
        query::QueryParams,
        response::{HttpError, HttpResponse},
        response_body::ResponseBody,
    },
};

const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");

/// The header by which a client that connects again says which event it saw last.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The header by which nginx is told to pass events on at once.
const UNBUFFERED: HeaderName = HeaderName::from_static("x-accel-buffering");

/// The time without an event after which a comment shows that the stream is alive.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// `GET /v1/changes`: an event for each view that is served from now on, or since an earlier one, in order. Its `id`
/// is the view's number, as in `Peerage-View`.
pub(in crate::serve) fn changes(app: Arc<App>, request: RouteRequest) -> ResponseFuture {
    Box::pin(async move { start(&app, &request).unwrap_or_else(|error| error.response()) })
}

fn start(app: &Arc<App>, request: &RouteRequest) -> Result<HttpResponse, HttpError> {
    let since = since(request.query(), &request.head.headers)?;
    let Some(room) = app.feed.room() else { return Ok(app.shed(request.route)) };
    let (follower, body) = app.feed.follower(StreamKind::Changes);
    let (revision, view) = {
        let served = app.live.served();
        (served.revision.clone(), served.number)
    };
    let (app, connection) = (Arc::clone(app), request.connection.clone());
    let headers = request.head.headers.clone();
    tokio::spawn(async move {
        let _room = room;
        let _watch = connection.peer.watch();
        let may_go_on = || app.still_admits(&headers, connection.listener);
        send_changes(&app, follower, since.unwrap_or(view), may_go_on).await;
    });
    let mut response = Response::new(ResponseBody::Stream(body));
    *response.status_mut() = StatusCode::OK;
    stamp_revision(&mut response, &revision, view);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, EVENT_STREAM);
    headers.insert(UNBUFFERED, HeaderValue::from_static("no"));
    Ok(response)
}

/// The view that the client saw last. What a client sends by itself when it connects again comes before what its
/// first request asked for; an id that is no number is one that is not known.
fn since(query: Option<&str>, headers: &HeaderMap) -> Result<Option<u64>, HttpError> {
    let query = QueryParams::parse(query, &["since"])?;
    if let Some(last) = headers.get(LAST_EVENT_ID).filter(|last| !last.is_empty()) {
        return Ok(Some(last.to_str().ok().and_then(|last| last.parse().ok()).unwrap_or(0)));
    }
    let Some(since) = query.get("since") else { return Ok(None) };
    let since = since.parse().map_err(|_| {
        let message = "expected the id of an event, or the value of a header Peerage-View";
        HttpError::bad_request("since", message)
    })?;
    Ok(Some(since))
}

async fn send_changes(
    app: &App,
    mut follower: ChangeFollower,
    since: u64,
    may_go_on: impl Fn() -> bool,
) {
    let mut seen = since;
    // A first line, so that proxies pass the head on.
    let mut part = b"retry: 1000\n\n".to_vec();
    while may_go_on() {
        write_changes(app, &mut seen, &mut part);
        if !follower.send(std::mem::take(&mut part)).await {
            break;
        }
        match follower.next(HEARTBEAT).await {
            FeedEvent::Changed => {}
            FeedEvent::Idle => part.extend_from_slice(b": still here\n\n"),
            FeedEvent::Ended => break,
        }
    }
    follower.end().await;
}

/// Writes the events after the last one that was seen, which the last of them is then.
fn write_changes(app: &App, seen: &mut u64, part: &mut Vec<u8>) {
    match app.live.changes_since(*seen) {
        ViewChanges::All(changes) => {
            for change in changes {
                *seen = change.number;
                write_change(&change, part);
            }
        }
        ViewChanges::Unknown(_) => {
            let served = app.live.served();
            *seen = served.number;
            let data = json!({
                "revision": served.revision,
                "all": true,
                "users": [],
                "groups": [],
                "missed": true,
            });
            // Writing to a vector can't fail.
            let _ = write!(part, "id: {seen}\ndata: {data}\n\n");
        }
    }
}

fn write_change(ViewChange { number, revision, concerned }: &ViewChange, part: &mut Vec<u8>) {
    let data = json!({
        "revision": revision,
        "all": concerned.is_all(),
        "users": concerned.users(),
        "groups": concerned.groups(),
        "missed": false,
    });
    // Writing to a vector can't fail.
    let _ = write!(part, "id: {number}\ndata: {data}\n\n");
}
