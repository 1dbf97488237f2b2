use std::path::Path;

use hyper::StatusCode;
use serde_json::json;

use crate::{
    facts::WriteError,
    live::ServedPolicy,
    serve::{
        app::App,
        query::QueryParams,
        response::{self, HttpError, HttpResponse},
        status,
    },
};

/// `GET /v1/facts`: where facts are kept, of which revision they are, and how much there is.
#[expect(clippy::unnecessary_wraps, reason = "it is an endpoint like the others")]
pub(in crate::serve) fn summary(
    app: &App,
    served: &ServedPolicy,
) -> Result<HttpResponse, HttpError> {
    let body = json!({
        "revision": served.view.revision.facts,
        "store": status::store_json(app, served),
        "counts": status::counts_json(served),
    });
    Ok(response::json_response(StatusCode::OK, body.to_string()))
}

/// `POST /v1/store/backup?to=PATH`: copies the store into a new file of the daemon's machine, while
/// it goes on. Never replaces a file.
pub(in crate::serve) fn backup(app: &App, query: Option<&str>) -> Result<HttpResponse, HttpError> {
    let query = QueryParams::parse(query, &["to"])?;
    let to = Path::new(query.required("to")?);
    if !to.is_absolute() {
        return Err(HttpError::bad_request(
            "to",
            "the path must begin at the root: it is the daemon's",
        ));
    }
    let Some(facts) = app.live.facts() else { return Err(no_store_error()) };
    let done = facts.backup(to).map_err(|error| HttpError {
        status: StatusCode::CONFLICT,
        message: error.to_string(),
        at: "to".to_owned(),
    })?;
    let body = json!({
        "revision": done.revision, "records": done.records, "bytes": done.bytes,
    });
    Ok(response::json_response(StatusCode::OK, body.to_string()))
}

pub(super) fn no_store_error() -> HttpError {
    HttpError {
        status: StatusCode::FORBIDDEN,
        message: WriteError::NoStore.to_string(),
        at: String::new(),
    }
}
