use std::{borrow::Cow, sync::Arc, thread, time::Duration};

use hyper::StatusCode;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use uuid::Uuid;

use super::{export, lists, told};
use crate::{
    live::{Served, facts::Not},
    request::check_id,
    serve::{
        admission::{Abandoned, Class},
        answer::{self, Answer, Refusal},
        listing::Producer,
        peer::Peer,
        query::Query,
        route::{App, stamp},
    },
};

/// What is to be read of the facts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::serve) enum Read {
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
pub(super) enum Failure {
    /// What is served must first follow.
    Early(Not),
    Refused(Refusal),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Not> for Failure {
    fn from(not: Not) -> Self {
        Self::Early(not)
    }
}

impl Read {
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
    pub(in crate::serve) fn at(path: &str) -> Option<Self> {
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

    fn answer(&self, app: &App, served: &Served, query: &str) -> Result<Value, Failure> {
        let facts = app.live.facts();
        let plain = || Query::parse(Some(query), &[]).map(drop);
        let nobody = |what: &str, id: &str| {
            let message = format!("there is no {what} `{}`", id.escape_debug());
            Refusal { status: StatusCode::NOT_FOUND, message, at: String::new() }
        };
        Ok(match self {
            Self::Rules => lists::rules(served, facts, query)?,
            Self::User(path) => {
                plain()?;
                let id = id(path)?;
                let user = served.user(facts, &id)?.ok_or_else(|| nobody("user", &id))?;
                told::user(&id, served, &user)
            }
            Self::Group(path) => {
                plain()?;
                let id = id(path)?;
                let group = served.group(facts, &id)?.ok_or_else(|| nobody("group", &id))?;
                told::group(&id, served, &group)
            }
            Self::Rule(path) => {
                plain()?;
                let text = decoded(path)?;
                let id: Uuid = text.parse().map_err(|error| {
                    Refusal::bad("path", format!("a rule's id is a UUID: {error}"))
                })?;
                let rule = served.rule(facts, id)?.ok_or_else(|| nobody("rule", &text))?;
                told::rule(&rule)
            }
            Self::Users | Self::Groups | Self::Conversations | Self::Export => Value::Null,
        })
    }
}

/// Reads what is served and what is kept, as of one revision.
pub(in crate::serve) async fn read(
    app: &Arc<App>,
    (route, read): (&'static str, Read),
    query: String,
    peer: &Peer,
) -> Answer {
    let of = (Class::Facts, route);
    let list: fn(&Arc<Served>, &str) -> Result<Producer, Refusal> = match &read {
        Read::Export => {
            let exported = export::export(app, route, &query, peer).await;
            return exported.unwrap_or_else(|refusal| refusal.answer());
        }
        Read::Users => lists::users,
        Read::Groups => lists::groups,
        Read::Conversations => lists::conversations,
        Read::Rules | Read::User(_) | Read::Group(_) | Read::Rule(_) => {
            let one = move |app: &App, _: &Served, abandoned: &Abandoned| {
                Ok(one(app, &read, &query, abandoned))
            };
            return app.gather(of, peer, one).await;
        }
    };
    app.list(of, peer, move |_, served, _| list(served, &query)).await
}

/// Reads until what is served has followed what is kept.
fn one(app: &App, read: &Read, query: &str, abandoned: &Abandoned) -> Answer {
    let mut tries = 0;
    loop {
        tries += 1;
        let served = app.live.served();
        let read = match read.answer(app, &served, query) {
            Ok(body) => Ok(answer::json_answer(StatusCode::OK, body.to_string())),
            Err(Failure::Refused(refusal)) => Err(refusal),
            Err(Failure::Early(Not::Followed)) if tries < MOST_TRIES && !abandoned.is_set() => {
                drop(served);
                thread::sleep(APART);
                continue;
            }
            Err(Failure::Early(not)) => Err(Refusal {
                status: StatusCode::SERVICE_UNAVAILABLE,
                message: not.to_string(),
                at: String::new(),
            }),
        };
        let mut answer = read.unwrap_or_else(|refusal| refusal.answer());
        stamp(&mut answer, &served.revision);
        return answer;
    }
}

/// An id in a path: slashes in it may be encoded or not.
fn id(path: &str) -> Result<Cow<'_, str>, Refusal> {
    let id = decoded(path)?;
    check_id(&id).map_err(|error| Refusal::bad("path", error.to_string()))?;
    Ok(id)
}

fn decoded(path: &str) -> Result<Cow<'_, str>, Refusal> {
    let is_escape = |part: &str| part.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
    if !path.split('%').skip(1).all(is_escape) {
        return Err(Refusal::bad("path", "`%` must be followed by two hexadecimal digits"));
    }
    let text = percent_decode_str(path).decode_utf8();
    text.map_err(|_| Refusal::bad("path", "the id is not UTF-8"))
}
