//! HTTP responses and errors.

use std::sync::{
    Arc,
    atomic::{AtomicU16, Ordering},
};

use hyper::{
    Response, StatusCode,
    body::Bytes,
    header::{ALLOW, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, WWW_AUTHENTICATE},
};
use serde_json::json;

use super::response_body::ResponseBody;

pub(super) type HttpResponse = Response<ResponseBody>;

/// The header that says from which policy and facts a response was made.
pub(super) const REVISION: HeaderName = HeaderName::from_static("peerage-revision");

/// The header that says which of the views that were served a response was made from.
pub(super) const VIEW: HeaderName = HeaderName::from_static("peerage-view");

/// The header that carries the reason of `/v1/allow`.
pub(super) const REASON: HeaderName = HeaderName::from_static("peerage-reason");

/// The header that carries the obligations of `/v1/allow`.
pub(super) const OBLIGATIONS: HeaderName = HeaderName::from_static("peerage-obligations");

/// The caller's id of a request, which the response returns.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The mark of a response that refuses a credential.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct CredentialRejection {
    /// The name of the token, if it is known.
    pub(super) token: Option<Arc<str>>,
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The number of seconds after which to try again. It varies, so that callers who are refused together
/// do not all come back together.
pub(super) fn retry_after() -> HeaderValue {
    static REFUSED: AtomicU16 = AtomicU16::new(0);
    HeaderValue::from(1 + REFUSED.fetch_add(1, Ordering::Relaxed) % 3)
}

/// An error that is answered to a request.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct HttpError {
    pub(super) status: StatusCode,
    pub(super) message: String,
    /// The parameter, header, member of the body or place in its text that is wrong; `None` for the
    /// request as a whole.
    pub(super) at: Option<String>,
    /// The name of the token that lacks a scope.
    pub(super) token: Option<Arc<str>>,
}

impl HttpError {
    /// An error about the request as a whole.
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), at: None, token: None }
    }

    /// The same about a part of the request; an empty text means the request as a whole.
    pub(super) fn with_at(self, at: impl Into<String>) -> Self {
        Self { at: Some(at.into()).filter(|at| !at.is_empty()), ..self }
    }

    /// A 400 about a part of the request.
    pub(super) fn bad_request(at: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message).with_at(at)
    }

    pub(super) fn response(&self) -> HttpResponse {
        let mut response = json_response(self.status, self.json());
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        let at = self.at.as_deref().unwrap_or_default();
        if at.eq_ignore_ascii_case(AUTHORIZATION.as_str()) {
            response.extensions_mut().insert(CredentialRejection { token: self.token.clone() });
        }
        response
    }

    pub(super) fn json(&self) -> String {
        let error = match &self.at {
            None => json!({ "message": self.message }),
            Some(at) => json!({ "message": self.message, "at": at }),
        };
        json!({ "error": error }).to_string()
    }
}

pub(super) fn json_response(status: StatusCode, body: impl Into<Bytes>) -> HttpResponse {
    let mut response = Response::new(ResponseBody::from(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

pub(super) fn text_response(status: StatusCode, body: impl Into<Bytes>) -> HttpResponse {
    let mut response = Response::new(ResponseBody::from(body.into()));
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}

pub(super) fn empty_response(status: StatusCode) -> HttpResponse {
    let mut response = Response::new(ResponseBody::from(Bytes::new()));
    *response.status_mut() = status;
    response
}

pub(super) fn not_found(path: &str) -> HttpResponse {
    let path: String = path.chars().take(200).collect();
    HttpError::new(StatusCode::NOT_FOUND, format!("not found: {path}")).response()
}

/// A 405 that lists the methods which a path takes.
pub(super) fn method_not_allowed<'m>(allowed: impl IntoIterator<Item = &'m str>) -> HttpResponse {
    let allowed = allowed.into_iter().collect::<Vec<_>>().join(", ");
    let message = format!("method not allowed; use {allowed}");
    let mut response = HttpError::new(StatusCode::METHOD_NOT_ALLOWED, message).response();
    if let Ok(value) = HeaderValue::from_str(&allowed) {
        response.headers_mut().insert(ALLOW, value);
    }
    response
}
