//! `/v1/allow`: the decision as a status, for proxies and scripts.
//!
//! A proxy sends the request in the query or in headers. Additions by a client of the proxy must not
//! change it: a header that contradicts the query is refused, and below `/v1/allow/`, where proxies
//! append the path and the query of the original request, only the headers count. With `--allow-map`, maps say where the
//! parts of the question stand.

use super::{
    allow_map::{AllowMap, UnmappedRequest},
    decision_log::Via,
    freshness,
    handler::RequestContext,
    query::{DECIDE_PARAMETERS, QueryParams, header_name},
    question,
    response::{self, HttpError, HttpResponse, OBLIGATIONS, REASON},
};
use crate::request::Decision;
use hyper::{
    HeaderMap, StatusCode,
    header::{HeaderName, HeaderValue},
    http::request::Parts,
};

const PATH: &str = "/v1/allow";

/// The headers that give parameters, each with its parameter.
const HEADERS: [(HeaderName, &str); 7] = [
    (HeaderName::from_static("peerage-subject"), "subject"),
    (HeaderName::from_static("peerage-action"), "action"),
    (HeaderName::from_static("peerage-resource"), "resource"),
    (HeaderName::from_static("peerage-resource-type"), "resource_type"),
    (HeaderName::from_static("peerage-member"), "member"),
    (HeaderName::from_static("peerage-field"), "field"),
    (HeaderName::from_static("peerage-conversation"), "conversation"),
];

/// `/v1/allow`, by any method: the decision as a status.
pub(super) fn allow(cx: &RequestContext<'_>) -> Result<HttpResponse, HttpError> {
    let RequestContext { app, served, decisions, .. } = *cx;
    let head = &cx.request.head;
    let is_mapped = !app.options.allow_maps.is_empty();
    let query = if is_mapped { mapped(&app.options.allow_maps, head)? } else { parameters(head)? };
    // The response has no place for an explanation, but an invalid value is an error here too.
    query.flag("explain")?;
    let request = question::parse_request(served, &query);
    let request = if is_mapped { request.map_err(denied)? } else { request? };
    let decision = decisions.decide(&request);
    app.record_decision(cx.request.trace.origin(Via::Allow), served, &request, decision);
    let Decision { allow, reason, obligations } = decision;
    let status = if allow { app.options.allow_status.into() } else { StatusCode::FORBIDDEN };
    let mut response = response::empty_response(status);
    response.headers_mut().insert(REASON, HeaderValue::from_static(reason.as_str()));
    if !obligations.is_empty()
        && let Ok(value) = HeaderValue::from_str(&obligations.to_string())
    {
        response.headers_mut().insert(OBLIGATIONS, value);
    }
    if decisions.is_stale() {
        freshness::mark_header(&mut response);
    }
    Ok(response)
}

/// The parameters by the first map that is for the request.
fn mapped<'r>(maps: &'r [AllowMap], head: &'r Parts) -> Result<QueryParams<'r>, HttpError> {
    let values = AllowMap::read(maps, head, PATH)
        .map_err(|UnmappedRequest { at, message }| denied(HttpError::bad_request(at, message)))?;
    Ok(QueryParams::from_values(DECIDE_PARAMETERS, values))
}

/// An error that proxies take for a denial: to some of them, a 400 is a fault of the daemon.
fn denied(error: HttpError) -> HttpError {
    HttpError { status: StatusCode::FORBIDDEN, ..error }
}

fn parameters(head: &Parts) -> Result<QueryParams<'_>, HttpError> {
    let headers = header_parameters(&head.headers)?;
    if head.uri.path() != PATH {
        return Ok(QueryParams::from_headers(DECIDE_PARAMETERS, headers));
    }
    let query = QueryParams::parse(head.uri.query(), DECIDE_PARAMETERS)?;
    if query.is_empty() && !headers.is_empty() {
        return Ok(QueryParams::from_headers(DECIDE_PARAMETERS, headers));
    }
    match headers.iter().find(|&&(name, value)| query.get(name) != Some(value)) {
        None => Ok(query),
        Some((name, _)) => {
            let message = format!(
                "{} contradicts the query; use the query or headers, not both",
                header_name(name)
            );
            Err(HttpError::bad_request(*name, message))
        }
    }
}

/// The parameters that are given by headers.
fn header_parameters(headers: &HeaderMap) -> Result<Vec<(&'static str, &str)>, HttpError> {
    let mut values = Vec::new();
    for (header, name) in &HEADERS {
        let mut given = headers.get_all(header).iter();
        let Some(value) = given.next() else { continue };
        if given.next().is_some() {
            return Err(HttpError::bad_request(
                *name,
                format!("{} is given twice", header_name(name)),
            ));
        }
        let value = str::from_utf8(value.as_bytes()).map_err(|_| {
            HttpError::bad_request(*name, format!("{} is not UTF-8", header_name(name)))
        })?;
        values.push((*name, value));
    }
    Ok(values)
}
