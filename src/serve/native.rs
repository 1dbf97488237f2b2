use std::fmt::Write as _;

use hyper::{StatusCode, header::HeaderValue};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    answer::{self, Answer, REASON, Refusal},
    query::Query,
    route::App,
};
use crate::{
    decide::{self, Explanation},
    live::Served,
    request::{Action, Decision, Request, UnknownWord, check_id},
};

const DECIDE: &[&str] =
    &["subject", "action", "resource", "resource_type", "conversation", "explain"];
const REACH: &[&str] = &["subject", "resource", "action", "limit", "after"];

/// `GET /v1/decide`: the decision and its reason; with `explain=true`, every gate's verdict.
pub(super) fn decide(app: &App, served: &Served, query: Option<&str>) -> Result<Answer, Refusal> {
    let query = Query::parse(query, DECIDE)?;
    let request = question(&query)?;
    if query.flag("explain")? {
        let explanation = decide::explain(&served.view, &request);
        app.metrics.count_decision(explanation.decision);
        return Ok(answer::json_answer(StatusCode::OK, explained(&explanation).to_string()));
    }
    let decision = decide::decide(&served.view, &request);
    app.metrics.count_decision(decision);
    let mut body = String::with_capacity(64);
    // Writing to a string can't fail.
    let _ = write!(body, r#"{{"decision":{},"reason":"{}"}}"#, decision.allow, decision.reason);
    Ok(answer::json_answer(StatusCode::OK, body))
}

/// `GET /v1/allow`: the decision as a status, for proxies and scripts.
pub(super) fn allow(app: &App, served: &Served, query: Option<&str>) -> Result<Answer, Refusal> {
    let query = Query::parse(query, DECIDE)?;
    // There is no room for it in the answer, but a mistake in it is one here too.
    query.flag("explain")?;
    let decision = decide::decide(&served.view, &question(&query)?);
    app.metrics.count_decision(decision);
    let Decision { allow, reason, .. } = decision;
    let status = if allow { StatusCode::NO_CONTENT } else { StatusCode::FORBIDDEN };
    let mut answer = answer::empty_answer(status);
    answer.headers_mut().insert(REASON, HeaderValue::from_static(reason.as_str()));
    Ok(answer)
}

/// `GET /v1/reach`: whom the subject may reach, or who may reach the resource.
pub(super) fn reach(_: &App, served: &Served, query: Option<&str>) -> Result<Answer, Refusal> {
    let query = Query::parse(query, REACH)?;
    let action = action(&query)?;
    let list = match (query.get("subject"), query.get("resource")) {
        (Some(_), None) => {
            decide::reach(&served.view, &Request::new(user(&query, "subject")?, action, ""))
        }
        (None, Some(_)) => {
            decide::reached_by(&served.view, &Request::new("", action, user(&query, "resource")?))
        }
        _ => {
            return Err(Refusal::bad(
                "query",
                "give either `subject`, for whom he may reach, or `resource`, for who may reach him",
            ));
        }
    };
    let limit = match query.get("limit").map(str::parse) {
        None => usize::MAX,
        Some(Ok(limit)) if limit > 0 => limit,
        Some(_) => return Err(Refusal::bad("limit", "`limit` takes a whole number from 1")),
    };
    let page = list.page(query.get("after"), limit);
    let list = List { users: &page.ids, total: page.total, next: page.next.unwrap_or_default() };
    let body = serde_json::to_vec(&list).map_err(|error| Refusal {
        status: StatusCode::INTERNAL_SERVER_ERROR,
        message: error.to_string(),
        at: String::new(),
    })?;
    Ok(answer::json_answer(StatusCode::OK, body))
}

/// A page of users on the wire.
#[derive(Serialize)]
struct List<'v> {
    users: &'v [&'v str],
    total: u64,
    next: &'v str,
}

fn question<'q>(query: &'q Query<'_>) -> Result<Request<'q>, Refusal> {
    let subject = user(query, "subject")?;
    let action = action(query)?;
    let resource = user(query, "resource")?;
    match query.get("resource_type") {
        None | Some("user") => {}
        Some(_) => {
            return Err(Refusal::bad(
                "resource_type",
                format!("`resource_type` is user: the resource of `{action}` is one"),
            ));
        }
    }
    // A chat that is started is new, whatever else the two have going; the word is only checked.
    if !matches!(query.get("conversation"), None | Some("new" | "existing")) {
        return Err(Refusal::bad("conversation", "`conversation` is new or existing"));
    }
    Ok(Request::new(subject, action, resource))
}

/// An id that could be a user's: nobody asks in earnest about one that never could be.
fn user<'q>(query: &'q Query<'_>, name: &'static str) -> Result<&'q str, Refusal> {
    let id = query.required(name)?;
    check_id(id).map_err(|error| Refusal::bad(name, format!("`{name}`: {error}")))?;
    Ok(id)
}

fn action(query: &Query<'_>) -> Result<Action, Refusal> {
    query
        .required("action")?
        .parse()
        .map_err(|error: UnknownWord| Refusal::bad("action", error.to_string()))
}

/// An explanation on the wire: the decision and its reason, the rules that opened it, and every
/// gate's verdict.
pub fn explained(explanation: &Explanation) -> Value {
    let gates: Vec<Value> = explanation
        .findings
        .iter()
        .map(|finding| match finding.closed {
            None => json!({
                "gate": finding.gate.as_str(), "open": true, "detail": finding.detail,
            }),
            Some(reason) => json!({
                "gate": finding.gate.as_str(), "open": false, "reason": reason.as_str(),
                "detail": finding.detail,
            }),
        })
        .collect();
    let rules: Vec<Value> = explanation
        .rules
        .iter()
        .map(|rule| {
            let mut told = json!({ "rule_id": rule.id.to_string() });
            if let Value::Object(told) = &mut told {
                let texts = [("name", &rule.name), ("description", &rule.description)];
                for (key, text) in texts {
                    if let Some(text) = text {
                        told.insert(key.to_owned(), json!(text));
                    }
                }
            }
            told
        })
        .collect();
    json!({
        "decision": explanation.decision.allow,
        "reason": explanation.decision.reason.as_str(),
        "rules": rules,
        "gates": gates,
    })
}
