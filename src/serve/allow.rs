//! `/v1/allow`: the decision as a status, for proxies and scripts.
//!
//! A proxy asks with the query or with headers. What a client of the proxy adds to either must not
//! change the question: a header that says other than the query is refused, and below `/v1/allow/`,
//! where proxies append the path and the query of what is asked of them, the headers alone count.

use std::str::FromStr;

use hyper::{
    HeaderMap, StatusCode,
    header::{HeaderName, HeaderValue},
    http::request::Parts,
};
use thiserror::Error;

use super::{
    app::App,
    query::{QueryParams, header_name},
    response::{self, HttpError, HttpResponse, OBLIGATIONS, REASON},
    v1,
};
use crate::{decide, live::ServedPolicy, request::Decision};

/// The status by which `/v1/allow` allows.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum AllowStatus {
    /// 200, for proxies that take no other for a yes.
    Ok,
    /// 204.
    #[default]
    NoContent,
}

/// Why a text is no status by which `/v1/allow` allows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("it is 200 or 204")]
pub struct AllowStatusError;

impl FromStr for AllowStatus {
    type Err = AllowStatusError;

    fn from_str(text: &str) -> Result<Self, AllowStatusError> {
        match text {
            "200" => Ok(Self::Ok),
            "204" => Ok(Self::NoContent),
            _ => Err(AllowStatusError),
        }
    }
}

impl From<AllowStatus> for StatusCode {
    fn from(status: AllowStatus) -> Self {
        match status {
            AllowStatus::Ok => Self::OK,
            AllowStatus::NoContent => Self::NO_CONTENT,
        }
    }
}

const PATH: &str = "/v1/allow";

/// The headers that may say what is asked, each with the parameter for which it stands.
const HEADERS: [(HeaderName, &str); 7] = [
    (HeaderName::from_static("peerage-subject"), "subject"),
    (HeaderName::from_static("peerage-action"), "action"),
    (HeaderName::from_static("peerage-resource"), "resource"),
    (HeaderName::from_static("peerage-resource-type"), "resource_type"),
    (HeaderName::from_static("peerage-member"), "member"),
    (HeaderName::from_static("peerage-field"), "field"),
    (HeaderName::from_static("peerage-conversation"), "conversation"),
];

/// Whether a path is that of the endpoint, or one below it.
pub(super) fn matches_path(path: &str) -> bool {
    path.strip_prefix(PATH).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Answers a request of any method.
pub(super) fn allow(
    app: &App,
    served: &ServedPolicy,
    head: &Parts,
) -> Result<HttpResponse, HttpError> {
    let asked = parameters(head)?;
    // There is no room for it in the answer, but a mistake in it is one here too.
    asked.flag("explain")?;
    let decision = decide::decide(&served.view, &v1::parse_request(&asked)?);
    app.metrics.count_decision(decision);
    let Decision { allow, reason, obligation } = decision;
    let status = if allow { app.options.allow_status.into() } else { StatusCode::FORBIDDEN };
    let mut answer = response::empty_response(status);
    answer.headers_mut().insert(REASON, HeaderValue::from_static(reason.as_str()));
    if let Some(obligation) = obligation {
        let value = HeaderValue::from_static(obligation.as_str());
        answer.headers_mut().insert(OBLIGATIONS, value);
    }
    Ok(answer)
}

fn parameters(head: &Parts) -> Result<QueryParams<'_>, HttpError> {
    let headers = header_parameters(&head.headers)?;
    if head.uri.path() != PATH {
        return Ok(QueryParams::from_headers(v1::DECIDE_PARAMETERS, headers));
    }
    let query = QueryParams::parse(head.uri.query(), v1::DECIDE_PARAMETERS)?;
    if query.is_empty() && !headers.is_empty() {
        return Ok(QueryParams::from_headers(v1::DECIDE_PARAMETERS, headers));
    }
    match headers.iter().find(|&&(name, value)| query.get(name) != Some(value)) {
        None => Ok(query),
        Some((name, _)) => {
            let message = format!(
                "{} says other than the query; ask with the query or with headers",
                header_name(name)
            );
            Err(HttpError::bad_request(*name, message))
        }
    }
}

/// What the headers say, by parameter.
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
