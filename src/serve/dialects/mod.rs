//! Other systems' APIs: what they ask is read from what is served, and what they change is written.

mod backend;
mod drive;
mod guest_cleanup;
mod guests;
mod hub;
mod origin;
mod socket;
mod upgrade;

pub(super) use guest_cleanup::clean_up;
pub use hub::SocketOptions;
pub(super) use hub::{Hub, VENUELESS};
pub use origin::{Origin, OriginError, SiteOrigin};

use std::sync::Arc;

use hyper::{
    HeaderMap, StatusCode,
    body::Incoming,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE},
    http::request,
};

use backend::ServedBackend;

use super::{
    admission::Cancellation,
    app::{App, Connection, stamp_revision},
    audit::Caller,
    body,
    response::{self, CredentialRejection, HttpError, HttpResponse},
};
use crate::dialects::{Call, CallError, Dialect, Reply};

/// What is spoken at a path.
pub(super) enum DialectMatch<'a> {
    Http(&'a dyn Dialect),
    /// Venueless, and the name of a world.
    Socket(&'a Arc<Hub>, String),
}

impl DialectMatch<'_> {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Http(dialect) => dialect.name(),
            Self::Socket(..) => hub::VENUELESS,
        }
    }
}

/// The dialect to which a path belongs.
pub(super) fn find<'a>(app: &'a App, path: &str) -> Option<DialectMatch<'a>> {
    if let Some(hub) = &app.hub
        && let Some(world) = upgrade::world(path)
    {
        return Some(DialectMatch::Socket(hub, world));
    }
    let mut dialects = app.options.dialects.iter();
    dialects.find(|dialect| dialect.owns_path(path)).map(|dialect| DialectMatch::Http(&**dialect))
}

/// Answers in a dialect, whatever is sent.
pub(super) async fn respond(
    app: &Arc<App>,
    spoken: DialectMatch<'_>,
    head: request::Parts,
    body: Incoming,
    connection: &Connection,
) -> HttpResponse {
    let dialect = match spoken {
        DialectMatch::Http(dialect) => dialect,
        DialectMatch::Socket(hub, world) => return upgrade::upgrade(app, hub, world, head, &body),
    };
    app.metrics.count_call(dialect.name());
    let mut call = Call {
        method: head.method.as_str(),
        path: head.uri.path(),
        query: head.uri.query().unwrap_or_default(),
        content_type: header_text(&head.headers, &CONTENT_TYPE),
        authorization: head.headers.get(AUTHORIZATION).map(HeaderValue::as_bytes),
        trusted: connection.listener.trusted,
        body: &[],
    };
    // Who may not do it sends no body that is waited for.
    let by = {
        let served = app.live.served();
        let house = ServedBackend { app, served: &served, cancellation: &Cancellation::NEVER };
        if let Some(reply) = dialect.refuse_early(&call, &house) {
            body::discard(&head.headers, body);
            return reply_response(reply);
        }
        dialect.caller_label(&call, &house)
    };
    let caller = Caller { api: dialect.name(), by };
    let body = match body::collect(&head.headers, body, app.options.body_limit).await {
        Ok(body) => body,
        Err(refusal) => {
            return reply_response(
                dialect.render_error(&body_failure(refusal, app.options.body_limit)),
            );
        }
    };
    call.body = &body;
    let origin = drive::CallOrigin { dialect: dialect.name(), peer: &connection.peer };
    match drive::drive(app, (&caller, origin), |house| dialect.answer(&call, house)).await {
        Ok(done) => {
            let mut answer = reply_response(done.answer);
            stamp_revision(&mut answer, &done.revision);
            answer
        }
        Err(failure) => reply_response(dialect.render_error(&failure)),
    }
}

fn header_text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> &'h str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn body_failure(refusal: HttpError, limit: usize) -> CallError {
    match refusal.status {
        StatusCode::PAYLOAD_TOO_LARGE => CallError::TooLarge(limit),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => CallError::Encoded(refusal.message),
        StatusCode::REQUEST_TIMEOUT => CallError::TimedOut(refusal.message),
        _ => CallError::Incomplete(refusal.message),
    }
}

fn reply_response(reply: Reply) -> HttpResponse {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let mut answer = response::empty_response(status);
    *answer.body_mut() = hyper::body::Bytes::from(reply.body).into();
    if reply.refuses_credential {
        answer.extensions_mut().insert(CredentialRejection);
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
