use std::{fmt::Write as _, sync::Arc};

use hyper::StatusCode;
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Map, Value, json};

use super::{
    answer::{self, Answer, Refusal},
    listing::{self, Producer},
    query::Query,
    route::App,
};
use crate::{
    decide::{self, Explanation, Finding, Page, RuleRef},
    live::Served,
    request::{
        Action, Conversation, Decision, Misfit, Open, Parts, Request, ResourceKind, UnknownWord,
        check_id,
    },
};

/// The parameters of a decision.
pub(super) const DECIDE: &[&str] = &[
    "subject",
    "action",
    "resource",
    "resource_type",
    "member",
    "field",
    "conversation",
    "explain",
];
const REACH: &[&str] = &[
    "subject",
    "action",
    "resource",
    "resource_type",
    "member",
    "field",
    "conversation",
    "limit",
    "after",
];

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
    let _ = write!(body, r#"{{"decision":{},"#, decision.allow);
    write_reason(decision, &mut body);
    body.push('}');
    Ok(answer::json_answer(StatusCode::OK, body))
}

/// Whether a query string asks `/v1/decide` to explain, which costs more than deciding.
pub(super) fn explains(query: Option<&str>) -> bool {
    let may = |text: &str| text.contains("explain") || text.contains('%');
    let query = query.filter(|text| may(text)).and_then(|_| Query::parse(query, DECIDE).ok());
    query.is_some_and(|query| query.flag("explain").is_ok_and(|explains| explains))
}

/// `GET /v1/reach`: everyone who could stand where the request leaves a place open, or the groups.
pub(super) fn reach(served: &Arc<Served>, query: Option<&str>) -> Result<Producer, Refusal> {
    let query = Query::parse(query, REACH)?;
    let (request, open) = parts(&query, id(&query, "subject")?)?.list().map_err(refusal)?;
    let limit = match query.get("limit").map(str::parse) {
        None => usize::MAX,
        Some(Ok(limit)) if limit > 0 => limit,
        Some(_) => return Err(Refusal::bad("limit", "`limit` takes a whole number from 1")),
    };
    let after = query.get("after");
    let cursor = match open {
        Open::Subject => decide::reached_by(&served.view, &request).cursor(),
        Open::Resource | Open::Member => decide::reach(&served.view, &request).cursor(),
        Open::Group => decide::groups(&served.view, &request).cursor(),
    };
    let cursor = cursor.page(&served.view, after, limit);
    let head = format!(r#"{{"{}":["#, plural(open));
    let total = cursor.total();
    let tail = move |next: Option<&str>| {
        let next = Value::from(next.unwrap_or_default());
        format!(r#"],"total":{total},"next":{next}}}"#)
    };
    Ok(listing::ids(served, cursor, head, ("", ""), tail))
}

fn plural(open: Open) -> &'static str {
    if open == Open::Group { "groups" } else { "users" }
}

/// A page of a list on the wire.
#[derive(Debug)]
pub struct Listed<'v> {
    /// What it is a list of.
    pub open: Open,
    pub page: Page<'v>,
}

impl Serialize for Listed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { open, page } = self;
        let mut members = serializer.serialize_map(Some(3))?;
        members.serialize_entry(plural(*open), &page.ids)?;
        members.serialize_entry("total", &page.total)?;
        members.serialize_entry("next", page.next.unwrap_or_default())?;
        members.end()
    }
}

/// The request that parameters make up.
pub(super) fn question<'q>(query: &'q Query<'_>) -> Result<Request<'q>, Refusal> {
    let subject = query.required("subject").and_then(|_| id(query, "subject"))?;
    parts(query, subject)?.whole().map_err(refusal)
}

fn parts<'q>(query: &'q Query<'_>, subject: Option<&'q str>) -> Result<Parts<'q>, Refusal> {
    let action = query.required("action")?;
    let action: Action = action.parse().map_err(|error| unknown("action", &error))?;
    let resource_type = query.get("resource_type");
    // What is neither a user nor a group may be called anything.
    let is_free =
        resource_type.is_some_and(|name| ResourceKind::of_type(name) == ResourceKind::None);
    let resource = if is_free { query.get("resource") } else { id(query, "resource")? };
    let member = if action.takes_member() { id(query, "member")? } else { None };
    let conversation: Option<Conversation> = query
        .get("conversation")
        .map(|word| word.parse().map_err(|error| unknown("conversation", &error)))
        .transpose()?;
    let field = query.get("field");
    Ok(Parts { subject, action, resource_type, resource, member, field, conversation })
}

/// An id that could be a user's or a group's: nobody asks in earnest about one that never could be.
fn id<'q>(query: &'q Query<'_>, name: &'static str) -> Result<Option<&'q str>, Refusal> {
    let id = query.get(name);
    id.map_or(Ok(()), check_id)
        .map_err(|error| Refusal::bad(name, format!("`{name}`: {error}")))?;
    Ok(id)
}

fn unknown(at: &str, error: &UnknownWord) -> Refusal {
    Refusal::bad(at, error.to_string())
}

fn refusal(misfit: Misfit) -> Refusal {
    match (misfit.part(), misfit) {
        ("", _) => Refusal::bad("query", misfit.to_string()),
        (at, Misfit::WrongKind(_)) => Refusal::bad(at, format!("`{at}`: {misfit}")),
        (at, _) => Refusal::bad(at, misfit.to_string()),
    }
}

/// The reason and the obligations, as members of an object.
pub(super) fn write_reason(decision: Decision, body: &mut String) {
    // Writing to a string can't fail.
    let _ = write!(body, r#""reason":"{}""#, decision.reason);
    if let Some(obligation) = decision.obligation {
        let _ = write!(body, r#","obligations":["{obligation}"]"#);
    }
}

/// An explanation on the wire: the decision and its reason, whom a denial is about, the first rules
/// that opened it and how many more there are, and every gate's verdict.
pub fn explained(explanation: &Explanation) -> Value {
    let Explanation { decision, findings, rules, more_rules, about } = explanation;
    let gates: Vec<Value> = findings.iter().map(gate).collect();
    let rules: Vec<Value> = rules.iter().map(rule).collect();
    let mut told = Map::new();
    told.insert("decision".to_owned(), json!(decision.allow));
    told.insert("reason".to_owned(), json!(decision.reason.as_str()));
    if let Some(obligation) = decision.obligation {
        told.insert("obligations".to_owned(), json!([obligation.as_str()]));
    }
    if let Some(user) = about {
        told.insert("user".to_owned(), json!(user));
    }
    told.insert("rules".to_owned(), json!(rules));
    if *more_rules > 0 {
        told.insert("more_rules".to_owned(), json!(more_rules));
    }
    told.insert("gates".to_owned(), json!(gates));
    Value::Object(told)
}

fn gate(finding: &Finding) -> Value {
    let Finding { gate, closed, detail } = finding;
    match closed {
        None => json!({ "gate": gate.as_str(), "open": true, "detail": detail }),
        Some(reason) => json!({
            "gate": gate.as_str(), "open": false, "reason": reason.as_str(), "detail": detail,
        }),
    }
}

fn rule(rule: &RuleRef) -> Value {
    let mut told = Map::new();
    told.insert("rule_id".to_owned(), json!(rule.id.to_string()));
    for (key, text) in [("name", &rule.name), ("description", &rule.description)] {
        if let Some(text) = text {
            told.insert(key.to_owned(), json!(text));
        }
    }
    Value::Object(told)
}
