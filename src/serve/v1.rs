//! The native API's decisions and lists: `/v1/decide` and `/v1/reach`.

use std::fmt::Write as _;

use hyper::StatusCode;
use serde_json::Value;

use super::{
    admission::WorkClass,
    decision_log::Via,
    handler::{RequestContext, RouteRequest},
    json::JsonObject,
    list_stream::{self, Producer},
    query::{DECIDE_PARAMETERS, QueryParams},
    question::{self, QuestionBody},
    response::{self, HttpError, HttpResponse},
};
use crate::{
    decide,
    request::{Decision, Request, Wildcard},
    wire::{explanation_json, list_field},
};

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
    let query = QueryParams::parse(cx.request.query(), DECIDE_PARAMETERS)?;
    let request = question::parse_request(cx.served, &query)?;
    let mut body = String::with_capacity(64);
    write_answer(cx, &request, query.flag("explain")?, &mut body);
    Ok(response::json_response(StatusCode::OK, body))
}

/// `POST /v1/decide`: the same for the question in the body, or for each of a list of them, in order.
pub(super) fn decide_posted(cx: &RequestContext<'_>) -> Result<HttpResponse, HttpError> {
    // The body alone asks: a parameter would be ignored.
    QueryParams::parse(cx.request.query(), &[])?;
    let mut body = String::with_capacity(64);
    match QuestionBody::read(&cx.request.body)? {
        QuestionBody::One(question) => {
            let request = question.request(cx.served)?;
            write_answer(cx, &request, question.explain == Some(true), &mut body);
        }
        QuestionBody::Many(questions) => {
            let requests = questions.iter().enumerate().map(|(at, JsonObject(question))| {
                let request = question.request(cx.served);
                let request = request.map_err(|error| {
                    let place = format!("[{at}].{}", error.at.as_deref().unwrap_or_default());
                    error.with_at(place.trim_end_matches('.'))
                })?;
                Ok((request, question.explain == Some(true)))
            });
            // Nothing is decided, nor recorded, unless all can be.
            let requests = requests.collect::<Result<Vec<_>, HttpError>>()?;
            body.push('[');
            for (at, (request, explains)) in requests.iter().enumerate() {
                if cx.cancellation.is_cancelled() {
                    break;
                }
                body.push_str(if at == 0 { "" } else { "," });
                write_answer(cx, request, *explains, &mut body);
            }
            body.push(']');
        }
    }
    Ok(response::json_response(StatusCode::OK, body))
}

/// Decides a request, and writes the answer as an object.
fn write_answer(cx: &RequestContext<'_>, request: &Request<'_>, explains: bool, body: &mut String) {
    let RequestContext { app, served, decisions, .. } = *cx;
    let origin = cx.request.trace.origin(Via::Native);
    if explains {
        let explanation = decisions.explain(request);
        app.record_decision(origin, served, request, explanation.decision);
        let mut object = explanation_json(&explanation);
        decisions.mark_json(&mut object);
        // Writing to a string can't fail.
        let _ = write!(body, "{object}");
        return;
    }
    let decision = decisions.decide(request);
    app.record_decision(origin, served, request, decision);
    let _ = write!(body, r#"{{"decision":{},"#, decision.allow);
    write_reason(decision, body);
    body.push_str(decisions.mark());
    body.push('}');
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
    let (request, open) =
        question::parse_parts(served, &query)?.into_list_request().map_err(question::refusal)?;
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
