use std::sync::atomic::{AtomicU16, Ordering};

use hyper::{
    Response, StatusCode,
    body::Bytes,
    header::{ALLOW, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, WWW_AUTHENTICATE},
};
use serde_json::json;

use super::payload::Payload;

pub(super) type Answer = Response<Payload>;

/// The header that says which policy and facts an answer was made from.
pub(super) const REVISION: HeaderName = HeaderName::from_static("peerage-revision");

/// The header that carries the reason of `/v1/allow`.
pub(super) const REASON: HeaderName = HeaderName::from_static("peerage-reason");

/// The header that carries the obligations of `/v1/allow`.
pub(super) const OBLIGATIONS: HeaderName = HeaderName::from_static("peerage-obligations");

/// Marks an answer by which a credential is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct CredentialRefused;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// In how many seconds to try again. They differ, so that those who are refused together do not all
/// come back together.
pub(super) fn retry_after() -> HeaderValue {
    static REFUSED: AtomicU16 = AtomicU16::new(0);
    HeaderValue::from(1 + REFUSED.fetch_add(1, Ordering::Relaxed) % 3)
}

/// Why a request can't be answered, and where in it the reason is.
#[derive(Debug)]
pub(super) struct Refusal {
    pub status: StatusCode,
    pub message: String,
    /// A parameter, a member of the body, or a place in its text; empty for the request as a whole.
    pub at: String,
}

impl Refusal {
    pub(super) fn bad(at: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, message: message.into(), at: at.into() }
    }

    pub(super) fn answer(&self) -> Answer {
        let mut answer = json_answer(self.status, self.body());
        if self.status == StatusCode::UNAUTHORIZED {
            answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if self.at.eq_ignore_ascii_case(AUTHORIZATION.as_str()) {
            answer.extensions_mut().insert(CredentialRefused);
        }
        answer
    }

    pub(super) fn body(&self) -> String {
        let error = if self.at.is_empty() {
            json!({ "message": self.message })
        } else {
            json!({ "message": self.message, "at": self.at })
        };
        json!({ "error": error }).to_string()
    }
}

pub(super) fn json_answer(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Payload::from(body.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, JSON);
    answer
}

pub(super) fn text_answer(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Payload::from(body.into()));
    *answer.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    answer.headers_mut().insert(CONTENT_TYPE, plain);
    answer
}

pub(super) fn empty_answer(status: StatusCode) -> Answer {
    let mut answer = Response::new(Payload::from(Bytes::new()));
    *answer.status_mut() = status;
    answer
}

pub(super) fn not_found(path: &str) -> Answer {
    let path: String = path.chars().take(200).collect();
    Refusal {
        status: StatusCode::NOT_FOUND,
        message: format!("there is nothing at {path}"),
        at: String::new(),
    }
    .answer()
}

pub(super) fn wrong_method(allowed: &'static str) -> Answer {
    let mut answer = Refusal {
        status: StatusCode::METHOD_NOT_ALLOWED,
        message: format!("this path takes {allowed}"),
        at: String::new(),
    }
    .answer();
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    answer
}
