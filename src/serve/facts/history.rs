//! The history of commands, a page at a time.

use hyper::StatusCode;
use serde_json::{Map, Value, json};

use super::store::no_store_error;
use crate::{
    facts::{HistoryFilter, HistoryId, HistoryQuery, HistoryRecord, StoredHistory, UnixMillis},
    request::Moment,
    serve::{
        handler::RequestContext,
        query::QueryParams,
        response::{self, HttpError, HttpResponse},
    },
};

/// The length of a page unless the query says another, and the greatest.
const LIMIT: usize = 1000;
const MAX_LIMIT: usize = 10_000;

/// `GET /v1/facts/history`: what commands did, the newest first.
pub(in crate::serve) fn history(cx: &RequestContext<'_>) -> Result<HttpResponse, HttpError> {
    let query = parse(cx.request.query())?;
    let Some(facts) = cx.app.live.facts() else { return Err(no_store_error()) };
    let now = cx.app.live.now();
    let page = facts
        .history(query, now)
        .map_err(|error| HttpError::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()))?;
    let entries: Vec<Value> =
        page.entries.into_iter().map(|entry| entry_json(entry, now.millis())).collect();
    let next = page.next.map(|next| next.to_string()).unwrap_or_default();
    let revision = cx.served.view.revision.facts;
    let body = json!({ "revision": revision, "entries": entries, "next": next });
    Ok(response::json_response(StatusCode::OK, body.to_string()))
}

fn parse(text: Option<&str>) -> Result<HistoryQuery, HttpError> {
    let query = QueryParams::parse(text, &["user", "group", "by", "since", "limit", "after"])?;
    let mut filters = ["user", "group", "by"].into_iter().filter_map(|name| {
        let value = query.get(name)?.to_owned();
        Some((
            name,
            match name {
                "user" => HistoryFilter::User(value),
                "group" => HistoryFilter::Group(value),
                _ => HistoryFilter::By(value),
            },
        ))
    });
    let first = filters.next();
    if let (Some((first, _)), Some((other, _))) = (&first, filters.next()) {
        let problem = format!("`{first}` and `{other}` can't be combined");
        return Err(HttpError::bad_request(other, problem));
    }
    let since = query.get("since").map(str::parse::<Moment>).transpose();
    let since = since.map_err(|error| HttpError::bad_request("since", error.to_string()))?;
    let limit = match query.get("limit").map(str::parse) {
        None => LIMIT,
        Some(Ok(limit)) if (1..=MAX_LIMIT).contains(&limit) => limit,
        Some(_) => {
            let problem = format!("expected a whole number from 1 to {MAX_LIMIT}");
            return Err(HttpError::bad_request("limit", problem));
        }
    };
    let after = query.get("after").filter(|after| !after.is_empty());
    let after = after
        .map(str::parse::<HistoryId>)
        .transpose()
        .map_err(|_| HttpError::bad_request("after", "expected the `next` of the page before"))?;
    Ok(HistoryQuery {
        filter: first.map_or(HistoryFilter::All, |(_, filter)| filter),
        since: since.map_or(0, Moment::millis),
        after,
        limit,
    })
}

/// An entry on the wire.
fn entry_json(stored: StoredHistory, now: UnixMillis) -> Value {
    let revision = stored.revision();
    let HistoryRecord { id, entry } = stored.record;
    let time = |millis| Moment::from_millis(millis).to_string();
    let mut into = Map::new();
    into.insert("id".to_owned(), id.to_string().into());
    into.insert("time".to_owned(), time(id.at()).into());
    into.insert("revision".to_owned(), revision.into());
    let (until, ended) = (entry.until, entry.has_ended(now));
    let is_imported = entry.revision.is_some();
    // The fields of an entry, in their order.
    if let Ok(Value::Object(fields)) = serde_json::to_value(entry) {
        let fields = fields.into_iter().filter(|(name, _)| name != "until" && name != "revision");
        into.extend(fields);
    }
    into.extend(until.map(|until| ("until".to_owned(), time(until).into())));
    into.extend(ended.map(|ended| ("ended".to_owned(), ended.into())));
    if is_imported {
        into.insert("imported".to_owned(), true.into());
    }
    Value::Object(into)
}
