//! The native API's decisions and lists: `/v1/decide` and `/v1/reach`.

use std::fmt::Write as _;

use hyper::StatusCode;
use serde_json::Value;

use super::{
    admission::WorkClass,
    decision_log::Via,
    handler::{RequestContext, RouteRequest},
    list_stream::{self, Producer},
    query::QueryParams,
    response::{self, HttpError, HttpResponse},
};
use crate::{
    decide,
    live::ServedPolicy,
    request::{
        Conversation, Decision, QuestionParts, QuestionPartsError, Request, ResourceKind,
        UnknownWordError, Wildcard, check_id,
    },
    wire::{explanation_json, list_field},
};

/// The parameters of a decision.
pub(super) const DECIDE_PARAMETERS: &[&str] = &[
    "subject",
    "action",
    "resource",
    "resource_type",
    "member",
    "field",
    "conversation",
    "explain",
];
const REACH_PARAMETERS: &[&str] = &[
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
pub(super) fn decide(cx: &RequestContext<'_>) -> Result<HttpResponse, HttpError> {
    let RequestContext { app, served, decisions, .. } = *cx;
    let query = QueryParams::parse(cx.request.query(), DECIDE_PARAMETERS)?;
    let request = parse_request(served, &query)?;
    let origin = cx.request.trace.origin(Via::Native);
    if query.flag("explain")? {
        let explanation = decisions.explain(&request);
        app.record_decision(origin, served, &request, explanation.decision);
        let mut body = explanation_json(&explanation);
        decisions.mark_json(&mut body);
        return Ok(response::json_response(StatusCode::OK, body.to_string()));
    }
    let decision = decisions.decide(&request);
    app.record_decision(origin, served, &request, decision);
    let mut body = String::with_capacity(64);
    // Writing to a string can't fail.
    let _ = write!(body, r#"{{"decision":{},"#, decision.allow);
    write_reason(decision, &mut body);
    body.push_str(decisions.mark());
    body.push('}');
    Ok(response::json_response(StatusCode::OK, body))
}

/// The class of a decision: an explanation costs too much to run on the connection's thread.
pub(super) fn work_class(request: &RouteRequest) -> Option<WorkClass> {
    wants_explanation(request.query()).then_some(WorkClass::Explanation)
}

fn wants_explanation(query: Option<&str>) -> bool {
    let may = |text: &str| text.contains("explain") || text.contains('%');
    let query = query
        .filter(|text| may(text))
        .and_then(|_| QueryParams::parse(query, DECIDE_PARAMETERS).ok());
    query.is_some_and(|query| query.flag("explain").is_ok_and(|explains| explains))
}

/// `GET /v1/reach`: all users or groups for the wildcard that the request leaves open.
pub(super) fn reach(cx: &RequestContext<'_>) -> Result<Producer, HttpError> {
    let RequestContext { served, decisions, .. } = *cx;
    let query = QueryParams::parse(cx.request.query(), REACH_PARAMETERS)?;
    let (request, open) = parse_parts(served, &query, id(&query, "subject")?)?
        .into_list_request()
        .map_err(refusal)?;
    let limit = match query.get("limit").map(str::parse) {
        None => usize::MAX,
        Some(Ok(limit)) if limit > 0 => limit,
        Some(_) => {
            return Err(HttpError::bad_request("limit", "expected a whole number from 1"));
        }
    };
    let after = query.get("after");
    let cursor = decisions.list(|| match open {
        Wildcard::Subject => decide::reached_by(&served.view, &request).cursor(),
        Wildcard::Resource | Wildcard::Member => decide::reach(&served.view, &request).cursor(),
        Wildcard::Group => decide::reachable_groups(&served.view, &request).cursor(),
    });
    let cursor = cursor.page(&served.view, after, limit);
    let head = format!(r#"{{"{}":["#, list_field(open));
    let (total, mark) = (cursor.total(), decisions.mark());
    let tail = move |next: Option<&str>| {
        let next = Value::from(next.unwrap_or_default());
        format!(r#"],"total":{total},"next":{next}{mark}}}"#)
    };
    Ok(list_stream::id_list(served, cursor, head, ("", ""), tail))
}

/// Builds the request from its parameters.
pub(super) fn parse_request<'q>(
    served: &ServedPolicy,
    query: &'q QueryParams<'_>,
) -> Result<Request<'q>, HttpError> {
    let subject = query.required("subject").and_then(|_| id(query, "subject"))?;
    parse_parts(served, query, subject)?.into_request().map_err(refusal)
}

fn parse_parts<'q>(
    served: &ServedPolicy,
    query: &'q QueryParams<'_>,
    subject: Option<&'q str>,
) -> Result<QuestionParts<'q>, HttpError> {
    let action = query.required("action")?;
    let action =
        served.view.requested_action(action).map_err(|error| unknown_word("action", &error))?;
    let resource_type = query.get("resource_type");
    // The id of a resource that is neither a user nor a group may have any form.
    let is_free =
        resource_type.is_some_and(|name| ResourceKind::from_type_name(name) == ResourceKind::None);
    let resource = if is_free { query.get("resource") } else { id(query, "resource")? };
    let member = if action.action.takes_member() { id(query, "member")? } else { None };
    let conversation: Option<Conversation> = query
        .get("conversation")
        .map(|word| word.parse().map_err(|error| unknown_word("conversation", &error)))
        .transpose()?;
    let field = query.get("field");
    Ok(QuestionParts { subject, action, resource_type, resource, member, field, conversation })
}

/// A parameter that is an id; one that no user or group could have is an error.
fn id<'q>(query: &'q QueryParams<'_>, name: &'static str) -> Result<Option<&'q str>, HttpError> {
    let id = query.get(name);
    id.map_or(Ok(()), check_id)
        .map_err(|error| HttpError::bad_request(name, format!("`{name}`: {error}")))?;
    Ok(id)
}

fn unknown_word(at: &str, error: &UnknownWordError) -> HttpError {
    HttpError::bad_request(at, error.to_string())
}

fn refusal(misfit: QuestionPartsError) -> HttpError {
    match (misfit.part(), misfit) {
        ("", _) => HttpError::bad_request("query", misfit.to_string()),
        (at, QuestionPartsError::WrongKind(_)) => {
            HttpError::bad_request(at, format!("`{at}`: {misfit}"))
        }
        (at, _) => HttpError::bad_request(at, misfit.to_string()),
    }
}

/// The reason and the obligations, as members of an object.
pub(super) fn write_reason(decision: Decision, body: &mut String) {
    // Writing to a string can't fail.
    let _ = write!(body, r#""reason":"{}""#, decision.reason);
    for (at, obligation) in decision.obligations.iter().enumerate() {
        body.push_str(if at == 0 { r#","obligations":[""# } else { r#"",""# });
        body.push_str(obligation.as_str());
    }
    if !decision.obligations.is_empty() {
        body.push_str(r#""]"#);
    }
}
