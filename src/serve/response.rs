use std::sync::atomic::{AtomicU16, Ordering};

use hyper::{
    Response, StatusCode,
    body::Bytes,
    header::{ALLOW, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, WWW_AUTHENTICATE},
};
use serde_json::json;

use super::response_body::ResponseBody;

pub(super) type HttpResponse = Response<ResponseBody>;

/// The header that says which policy and facts an answer was made from.
pub(super) const REVISION: HeaderName = HeaderName::from_static("peerage-revision");

/// The header that carries the reason of `/v1/allow`.
pub(super) const REASON: HeaderName = HeaderName::from_static("peerage-reason");

/// The header that carries the obligations of `/v1/allow`.
pub(super) const OBLIGATIONS: HeaderName = HeaderName::from_static("peerage-obligations");

/// Marks an answer by which a credential is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct CredentialRejection;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// In how many seconds to try again. They differ, so that those who are refused together do not all
/// come back together.
pub(super) fn retry_after() -> HeaderValue {
    static REFUSED: AtomicU16 = AtomicU16::new(0);
    HeaderValue::from(1 + REFUSED.fetch_add(1, Ordering::Relaxed) % 3)
}

/// Why a request can't be answered, and where in it the reason is.
#[derive(Debug)]
pub(super) struct HttpError {
    pub status: StatusCode,
    pub message: String,
    /// A parameter, a member of the body, or a place in its text; empty for the request as a whole.
    pub at: String,
}

impl HttpError {
    pub(super) fn bad_request(at: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, message: message.into(), at: at.into() }
    }

    pub(super) fn response(&self) -> HttpResponse {
        let mut answer = json_response(self.status, self.json());
        if self.status == StatusCode::UNAUTHORIZED {
            answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if self.at.eq_ignore_ascii_case(AUTHORIZATION.as_str()) {
            answer.extensions_mut().insert(CredentialRejection);
        }
        answer
    }

    pub(super) fn json(&self) -> String {
        let error = if self.at.is_empty() {
            json!({ "message": self.message })
        } else {
            json!({ "message": self.message, "at": self.at })
        };
        json!({ "error": error }).to_string()
    }
}

pub(super) fn json_response(status: StatusCode, body: impl Into<Bytes>) -> HttpResponse {
    let mut answer = Response::new(ResponseBody::from(body.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, JSON);
    answer
}

pub(super) fn text_response(status: StatusCode, body: impl Into<Bytes>) -> HttpResponse {
    let mut answer = Response::new(ResponseBody::from(body.into()));
    *answer.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    answer.headers_mut().insert(CONTENT_TYPE, plain);
    answer
}

pub(super) fn empty_response(status: StatusCode) -> HttpResponse {
    let mut answer = Response::new(ResponseBody::from(Bytes::new()));
    *answer.status_mut() = status;
    answer
}

pub(super) fn not_found(path: &str) -> HttpResponse {
    let path: String = path.chars().take(200).collect();
    HttpError {
        status: StatusCode::NOT_FOUND,
        message: format!("there is nothing at {path}"),
        at: String::new(),
    }
    .response()
}

pub(super) fn method_not_allowed(allowed: &'static str) -> HttpResponse {
    let mut answer = HttpError {
        status: StatusCode::METHOD_NOT_ALLOWED,
        message: format!("this path takes {allowed}"),
        at: String::new(),
    }
    .response();
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    answer
}
