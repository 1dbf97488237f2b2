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
        answer::{self, Answer, Refusal},
        query::Query,
        route::{App, unanswered},
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
            Self::Users => lists::users(served, query)?,
            Self::Groups => lists::groups(served, query)?,
            Self::Conversations => lists::conversations(served, query)?,
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
            Self::Export => Value::Null,
        })
    }
}

/// Reads what is served and what is kept, as of one revision.
pub(in crate::serve) async fn read(app: &Arc<App>, read: Read, query: String) -> Answer {
    if read == Read::Export {
        let exported = export::export(app, &query).await;
        return exported.unwrap_or_else(|refusal| refusal.answer());
    }
    let app = Arc::clone(app);
    let gathered = tokio::task::spawn_blocking(move || {
        let mut tries = 0;
        loop {
            let mut must_wait = false;
            let answer = app.on_served(|served| match read.answer(&app, served, &query) {
                Ok(body) => Ok(answer::json_answer(StatusCode::OK, body.to_string())),
                Err(Failure::Refused(refusal)) => Err(refusal),
                Err(Failure::Early(not)) => {
                    must_wait = matches!(not, Not::Followed);
                    Err(Refusal {
                        status: StatusCode::SERVICE_UNAVAILABLE,
                        message: not.to_string(),
                        at: String::new(),
                    })
                }
            });
            tries += 1;
            if !must_wait || tries >= MOST_TRIES {
                return answer;
            }
            thread::sleep(APART);
        }
    });
    gathered.await.unwrap_or_else(|error| unanswered(&error))
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
