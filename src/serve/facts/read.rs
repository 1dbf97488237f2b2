use std::{borrow::Cow, sync::Arc, thread, time::Duration};

use hyper::StatusCode;
use serde_json::Value;
use uuid::Uuid;

use super::{export, lists, render};
use crate::{
    live::{ServedPolicy, facts::ReadError},
    request::check_id,
    serve::{
        admission::{Cancellation, WorkClass},
        app::{App, stamp_revision},
        list_stream::Producer,
        peer::Peer,
        query::QueryParams,
        response::{self, HttpError, HttpResponse},
    },
    wire::PercentEncoding,
};

/// What is to be read of the facts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::serve) enum FactsQuery {
    Users,
    Groups,
    Conversations,
    Rules,
    Export,
    /// The rest of the path, as it was sent.
    User(String),
    Group(String),
    Rule(String),
}

/// How often it is tried to read what is served and kept as of one revision, and how long apart.
const MOST_TRIES: usize = 500;
const APART: Duration = Duration::from_millis(2);

/// Why there is no answer.
pub(super) enum FactsReadError {
    /// What is served must first follow.
    Unreadable(ReadError),
    Refused(HttpError),
}

impl From<HttpError> for FactsReadError {
    fn from(refusal: HttpError) -> Self {
        Self::Refused(refusal)
    }
}

impl From<ReadError> for FactsReadError {
    fn from(not: ReadError) -> Self {
        Self::Unreadable(not)
    }
}

impl FactsQuery {
    /// The paths, and below them.
    pub(in crate::serve) const ROUTES: [&str; 5] = [
        "/v1/facts/users",
        "/v1/facts/groups",
        "/v1/facts/conversations",
        "/v1/facts/rules",
        "/v1/facts/export",
    ];

    /// Of these paths, the one that this is at or below.
    pub(in crate::serve) fn route(&self) -> &'static str {
        let [users, groups, conversations, rules, export] = Self::ROUTES;
        match self {
            Self::Users | Self::User(_) => users,
            Self::Groups | Self::Group(_) => groups,
            Self::Conversations => conversations,
            Self::Rules | Self::Rule(_) => rules,
            Self::Export => export,
        }
    }

    /// What is at a path.
    pub(in crate::serve) fn from_path(path: &str) -> Option<Self> {
        let path = path.strip_prefix("/v1/facts/")?;
        Some(match path.split_once('/') {
            None => match path {
                "users" => Self::Users,
                "groups" => Self::Groups,
                "conversations" => Self::Conversations,
                "rules" => Self::Rules,
                "export" => Self::Export,
                _ => return None,
            },
            Some((_, "")) => return None,
            Some(("users", id)) => Self::User(id.to_owned()),
            Some(("groups", id)) => Self::Group(id.to_owned()),
            Some(("rules", id)) => Self::Rule(id.to_owned()),
            Some(_) => return None,
        })
    }

    fn answer(
        &self,
        app: &App,
        served: &ServedPolicy,
        query: &str,
    ) -> Result<Value, FactsReadError> {
        let facts = app.live.facts();
        let plain = || QueryParams::parse(Some(query), &[]).map(drop);
        let nobody = |what: &str, id: &str| {
            let message = format!("there is no {what} `{}`", id.escape_debug());
            HttpError { status: StatusCode::NOT_FOUND, message, at: String::new() }
        };
        Ok(match self {
            Self::Rules => lists::rules(served, facts, query)?,
            Self::User(path) => {
                plain()?;
                let id = decode_id(path)?;
                let user = served.user(facts, &id)?.ok_or_else(|| nobody("user", &id))?;
                render::user_json(&id, served, &user)
            }
            Self::Group(path) => {
                plain()?;
                let id = decode_id(path)?;
                let group = served.group(facts, &id)?.ok_or_else(|| nobody("group", &id))?;
                render::group_json(&id, served, &group)
            }
            Self::Rule(path) => {
                plain()?;
                let text = decode_segment(path)?;
                let id: Uuid = text.parse().map_err(|error| {
                    HttpError::bad_request("path", format!("a rule's id is a UUID: {error}"))
                })?;
                let rule = served.rule(facts, id)?.ok_or_else(|| nobody("rule", &text))?;
                render::rule_json(&rule)
            }
            Self::Users | Self::Groups | Self::Conversations | Self::Export => Value::Null,
        })
    }
}

/// Reads what is served and what is kept, as of one revision.
pub(in crate::serve) async fn read(
    app: &Arc<App>,
    (route, read): (&'static str, FactsQuery),
    query: String,
    peer: &Peer,
) -> HttpResponse {
    let of = (WorkClass::Facts, route);
    let list: fn(&Arc<ServedPolicy>, &str) -> Result<Producer, HttpError> = match &read {
        FactsQuery::Export => {
            let exported = export::export(app, route, &query, peer).await;
            return exported.unwrap_or_else(|refusal| refusal.response());
        }
        FactsQuery::Users => lists::users,
        FactsQuery::Groups => lists::groups,
        FactsQuery::Conversations => lists::conversations,
        FactsQuery::Rules | FactsQuery::User(_) | FactsQuery::Group(_) | FactsQuery::Rule(_) => {
            let one = move |app: &App, _: &ServedPolicy, abandoned: &Cancellation| {
                Ok(read_one(app, &read, &query, abandoned))
            };
            return app.run_blocking(of, peer, one).await;
        }
    };
    app.respond_list(of, peer, move |_, served, _| list(served, &query)).await
}

/// Reads until what is served has followed what is kept.
fn read_one(app: &App, read: &FactsQuery, query: &str, abandoned: &Cancellation) -> HttpResponse {
    let mut tries = 0;
    loop {
        tries += 1;
        let served = app.live.served();
        let read = match read.answer(app, &served, query) {
            Ok(body) => Ok(response::json_response(StatusCode::OK, body.to_string())),
            Err(FactsReadError::Refused(refusal)) => Err(refusal),
            Err(FactsReadError::Unreadable(ReadError::ViewBehind))
                if tries < MOST_TRIES && !abandoned.is_cancelled() =>
            {
                drop(served);
                thread::sleep(APART);
                continue;
            }
            Err(FactsReadError::Unreadable(not)) => Err(HttpError {
                status: StatusCode::SERVICE_UNAVAILABLE,
                message: not.to_string(),
                at: String::new(),
            }),
        };
        let mut answer = read.unwrap_or_else(|refusal| refusal.response());
        stamp_revision(&mut answer, &served.revision);
        return answer;
    }
}

/// An id in a path: slashes in it may be encoded or not.
fn decode_id(path: &str) -> Result<Cow<'_, str>, HttpError> {
    let id = decode_segment(path)?;
    check_id(&id).map_err(|error| HttpError::bad_request("path", error.to_string()))?;
    Ok(id)
}

fn decode_segment(path: &str) -> Result<Cow<'_, str>, HttpError> {
    let decoded = PercentEncoding::Path.decode(path.as_bytes());
    decoded.map_err(|error| HttpError::bad_request("path", error.to_string()))
}
