//! The store over HTTP: its summary, and backups.

use std::path::Path;

use hyper::StatusCode;
use serde_json::json;

use crate::{
    facts::WriteError,
    serve::{
        app::App,
        handler::{RequestContext, RouteRequest},
        query::QueryParams,
        response::{self, HttpError, HttpResponse},
        status,
    },
};

/// `GET /v1/facts`: the kind of the store, the revision of the facts, and how many there are.
#[expect(clippy::unnecessary_wraps, reason = "it is a handler like the others")]
pub(in crate::serve) fn summary(cx: &RequestContext<'_>) -> Result<HttpResponse, HttpError> {
    let RequestContext { app, served, .. } = *cx;
    let body = json!({
        "revision": served.view.revision.facts,
        "store": status::store_json(app, served),
        "counts": status::counts_json(served),
    });
    Ok(response::json_response(StatusCode::OK, body.to_string()))
}

/// `POST /v1/store/backup?to=PATH`: copies the store into a new file on the daemon's machine, while the
/// daemon goes on. Never replaces a file.
pub(in crate::serve) fn backup(
    app: &App,
    request: &RouteRequest,
) -> Result<HttpResponse, HttpError> {
    let query = QueryParams::parse(request.query(), &["to"])?;
    let to = Path::new(query.required("to")?);
    if !to.is_absolute() {
        let message = "path must be absolute, as it is on the daemon's machine";
        return Err(HttpError::bad_request("to", message));
    }
    let Some(facts) = app.live.facts() else { return Err(no_store_error()) };
    let backup = facts
        .backup(to)
        .map_err(|error| HttpError::new(StatusCode::CONFLICT, error.to_string()).with_at("to"))?;
    let body = json!({
        "revision": backup.revision, "records": backup.records, "bytes": backup.bytes,
    });
    Ok(response::json_response(StatusCode::OK, body.to_string()))
}

pub(super) fn no_store_error() -> HttpError {
    HttpError::new(StatusCode::FORBIDDEN, WriteError::NoStore.to_string())
}
