//! Lists of users, groups, conversations and rules, a page at a time.

use std::sync::Arc;

use serde_json::{Value, json};
use uuid::Uuid;

use super::render;
use crate::{
    decide::ListCursor,
    live::{
        ServedPolicy,
        facts::{FactsHandle, ReadError},
    },
    serve::{
        handler::RequestContext,
        list_stream::{self, Producer},
        query::QueryParams,
        response::HttpError,
    },
};

/// The error of a read of facts.
pub(super) enum FactsReadError {
    /// Records can't be read, or the view lags behind them.
    Unreadable(ReadError),
    Http(HttpError),
}

impl From<HttpError> for FactsReadError {
    fn from(error: HttpError) -> Self {
        Self::Http(error)
    }
}

impl From<ReadError> for FactsReadError {
    fn from(error: ReadError) -> Self {
        Self::Unreadable(error)
    }
}

/// The length of a page unless the query says another.
const LIMIT: usize = 1000;

/// The page of a list that a query asks for.
struct PageQuery<'q> {
    query: QueryParams<'q>,
    limit: usize,
}

impl<'q> PageQuery<'q> {
    fn parse(query: Option<&'q str>) -> Result<Self, HttpError> {
        let query = QueryParams::parse(query, &["limit", "after"])?;
        let limit = match query.get("limit").map(str::parse) {
            None => LIMIT,
            Some(Ok(limit)) if limit > 0 => limit,
            Some(_) => {
                return Err(HttpError::bad_request("limit", "expected a whole number from 1"));
            }
        };
        Ok(Self { query, limit })
    }

    fn after(&self) -> Option<&str> {
        self.query.get("after").filter(|after| !after.is_empty())
    }
}

/// `GET /v1/facts/users`: the ids of all users, in order.
pub(in crate::serve) fn users(cx: &RequestContext<'_>) -> Result<Producer, HttpError> {
    let page = PageQuery::parse(cx.request.query())?;
    Ok(id_list(cx.served, "users", ListCursor::all_users(&cx.served.view), &page))
}

/// `GET /v1/facts/groups`: the ids of all groups, in order.
pub(in crate::serve) fn groups(cx: &RequestContext<'_>) -> Result<Producer, HttpError> {
    let page = PageQuery::parse(cx.request.query())?;
    Ok(id_list(cx.served, "groups", ListCursor::all_groups(&cx.served.view), &page))
}

fn id_list(
    served: &Arc<ServedPolicy>,
    name: &str,
    all: ListCursor,
    page: &PageQuery<'_>,
) -> Producer {
    let total = all.total();
    let cursor = all.page(&served.view, page.after(), page.limit);
    let tail = move |next: Option<&str>| tail(total, next.unwrap_or_default());
    list_stream::id_list(served, cursor, head(served, name), ("", ""), tail)
}

/// `GET /v1/facts/conversations`: the two users of each, in order.
pub(in crate::serve) fn conversations(cx: &RequestContext<'_>) -> Result<Producer, HttpError> {
    let page = PageQuery::parse(cx.request.query())?;
    let mut after: Option<(String, String)> = page
        .after()
        .map(|after| {
            serde_json::from_str(after).map_err(|_| {
                HttpError::bad_request("after", "expected the `next` of the page before")
            })
        })
        .transpose()?;
    let total = cx.served.conversation_count();
    let served = Arc::clone(cx.served);
    let (mut left, mut head) = (page.limit, Some(head(&served, "conversations")));
    let mut separator = "";
    Ok(Box::new(move |part| {
        part.extend_from_slice(head.take().unwrap_or_default().as_bytes());
        let from = after.as_ref().map(|(one, other)| (one.as_str(), other.as_str()));
        let most = left.min(BATCH);
        let mut pairs = served.conversations(from, most.saturating_add(1));
        let has_more = truncate_page(&mut pairs, most).is_some();
        for (one, other) in &pairs {
            part.extend_from_slice(separator.as_bytes());
            part.push(b'[');
            list_stream::write_json(one, part);
            part.push(b',');
            list_stream::write_json(other, part);
            part.push(b']');
            separator = ",";
        }
        left -= pairs.len();
        let last = pairs.last().map(|(one, other)| ((*one).to_owned(), (*other).to_owned()));
        after = last.or_else(|| after.take());
        if has_more && left > 0 {
            return true;
        }
        let next = after.as_ref().filter(|_| has_more).map(|pair| json!(pair).to_string());
        part.extend_from_slice(tail(total, &next.unwrap_or_default()).as_bytes());
        false
    }))
}

/// The number of conversations that are written together.
const BATCH: usize = 1000;

fn head(served: &ServedPolicy, name: &str) -> String {
    format!(r#"{{"revision":{},"{name}":["#, served.view.revision.facts)
}

fn tail(total: u64, next: &str) -> String {
    format!(r#"],"total":{total},"next":{}}}"#, Value::from(next))
}

/// A page of rules, in the order of their ids.
pub(super) fn rule_page(
    served: &ServedPolicy,
    facts: Option<&FactsHandle>,
    query: Option<&str>,
) -> Result<Value, FactsReadError> {
    let page = PageQuery::parse(query)?;
    let after: Option<Uuid> = page
        .after()
        .map(|after| {
            let uuid = after.parse();
            uuid.map_err(|_| HttpError::bad_request("after", "expected the id of a rule, a UUID"))
        })
        .transpose()?;
    let mut stored = served.rules(facts, after, page.limit.saturating_add(1))?;
    let next = truncate_page(&mut stored.rules, page.limit).map(|rule| rule.id.to_string());
    let rules: Vec<Value> = stored.rules.iter().map(render::rule_json).collect();
    Ok(json!({
        "revision": served.view.revision.facts, "in_force": stored.in_force,
        "rules": rules, "next": next.unwrap_or_default(),
    }))
}

/// Truncates a page that was read with one item more; its last item, if there are more after it.
fn truncate_page<T>(all: &mut Vec<T>, limit: usize) -> Option<&T> {
    let has_more = all.len() > limit;
    all.truncate(limit);
    all.last().filter(|_| has_more)
}
