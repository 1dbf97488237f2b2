//! Other systems' APIs: what they ask is read from what is served, and what they change is written.

mod carry;
mod guest_cleanup;
mod guests;
mod house;
mod hub;
mod origin;
mod socket;
mod upgrade;

pub(super) use guest_cleanup::clean_up;
pub use hub::Sockets;
pub(super) use hub::{Hub, VENUELESS};
pub use origin::{InvalidOrigin, Origin, SiteOrigin};

use std::sync::Arc;

use hyper::{
    HeaderMap, StatusCode,
    body::Incoming,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE},
    http::request,
};

use house::Inside;

use super::{
    admission::Abandoned,
    answer::{self, Answer, CredentialRefused, Refusal},
    audit::Caller,
    body,
    route::{App, Connection, stamp},
};
use crate::dialects::{Call, Dialect, Failure, Reply};

/// What is spoken at a path.
pub(super) enum Spoken<'a> {
    Http(&'a dyn Dialect),
    /// Venueless, and the name of a world.
    Socket(&'a Arc<Hub>, String),
}

impl Spoken<'_> {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Http(dialect) => dialect.name(),
            Self::Socket(..) => hub::VENUELESS,
        }
    }
}

/// The dialect to which a path belongs.
pub(super) fn of<'a>(app: &'a App, path: &str) -> Option<Spoken<'a>> {
    if let Some(hub) = &app.hub
        && let Some(world) = upgrade::world(path)
    {
        return Some(Spoken::Socket(hub, world));
    }
    let mut dialects = app.options.dialects.iter();
    dialects.find(|dialect| dialect.takes(path)).map(|dialect| Spoken::Http(&**dialect))
}

/// Answers in a dialect, whatever is sent.
pub(super) async fn answer(
    app: &Arc<App>,
    spoken: Spoken<'_>,
    head: request::Parts,
    body: Incoming,
    connection: &Connection,
) -> Answer {
    let dialect = match spoken {
        Spoken::Http(dialect) => dialect,
        Spoken::Socket(hub, world) => return upgrade::upgrade(app, hub, world, head, &body),
    };
    app.metrics.count_call(dialect.name());
    let mut call = Call {
        method: head.method.as_str(),
        path: head.uri.path(),
        query: head.uri.query().unwrap_or_default(),
        content_type: text(&head.headers, &CONTENT_TYPE),
        authorization: head.headers.get(AUTHORIZATION).map(HeaderValue::as_bytes),
        trusted: connection.entrance.trusted,
        body: &[],
    };
    // Who may not do it sends no body that is waited for.
    let by = {
        let served = app.live.served();
        let house = Inside { app, served: &served, abandoned: &Abandoned::NEVER };
        if let Some(reply) = dialect.refuse(&call, &house) {
            body::discard(&head.headers, body);
            return told(reply);
        }
        dialect.caller(&call, &house)
    };
    let caller = Caller { api: dialect.name(), by };
    let body = match body::collect(&head.headers, body, app.options.body_limit).await {
        Ok(body) => body,
        Err(refusal) => return told(dialect.failed(&failure(refusal, app.options.body_limit))),
    };
    call.body = &body;
    let origin = carry::CallOrigin { dialect: dialect.name(), peer: &connection.peer };
    match carry::carry(app, (&caller, origin), |house| dialect.answer(&call, house)).await {
        Ok(done) => {
            let mut answer = told(done.answer);
            stamp(&mut answer, &done.revision);
            answer
        }
        Err(failure) => told(dialect.failed(&failure)),
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> &'h str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn failure(refusal: Refusal, limit: usize) -> Failure {
    match refusal.status {
        StatusCode::PAYLOAD_TOO_LARGE => Failure::TooLarge(limit),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Failure::Encoded(refusal.message),
        StatusCode::REQUEST_TIMEOUT => Failure::Late(refusal.message),
        _ => Failure::Cut(refusal.message),
    }
}

fn told(reply: Reply) -> Answer {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let mut answer = answer::empty_answer(status);
    *answer.body_mut() = hyper::body::Bytes::from(reply.body).into();
    if reply.refuses_credential {
        answer.extensions_mut().insert(CredentialRefused);
    }
    let headers = answer.headers_mut();
    if !reply.content_type.is_empty() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    }
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    for (name, value) in reply.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    answer
}
