//! Calls in dialects over HTTP.

use std::sync::Arc;

use hyper::{
    HeaderMap, StatusCode,
    body::Incoming,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE},
    http::request,
};

use super::drive::{self, CallOrigin};
use crate::{
    dialects::{Call, CallError, Dialect, Reply},
    serve::{
        admission::Cancellation,
        app::{App, stamp_revision},
        audit::Caller,
        body,
        connection::Connection,
        decision_log::RequestTrace,
        response::{self, CredentialRejection, HttpError, HttpResponse},
    },
};

/// Responds to a call in a dialect.
pub(in crate::serve) async fn respond(
    app: &Arc<App>,
    dialect: &dyn Dialect,
    head: request::Parts,
    body: Incoming,
    (connection, trace): (&Connection, &RequestTrace),
) -> HttpResponse {
    app.metrics.count_call(dialect.name());
    let mut call = Call {
        method: head.method.as_str(),
        path: head.uri.path(),
        query: head.uri.query().unwrap_or_default(),
        content_type: header_text(&head.headers, &CONTENT_TYPE),
        authorization: head.headers.get(AUTHORIZATION).map(HeaderValue::as_bytes),
        trusted: connection.listener.is_trusted(),
        body: &[],
    };
    // A call that is refused whatever its body holds does not wait for it.
    {
        let served = app.live.served();
        let backend = app.backend(&served, &Cancellation::NEVER);
        if let Some(reply) = dialect.refuse_early(&call, &backend) {
            body::discard(&head.headers, body);
            return with_token(
                reply_response(reply),
                call.bearer().and_then(|it| app.options.tokens.name(it)),
            );
        }
    }
    let body = match body::collect(&head.headers, body, app.options.body_limit).await {
        Ok(body) => body,
        Err(error) => {
            let error = body_error(error, app.options.body_limit);
            return reply_response(dialect.render_error(&error));
        }
    };
    call.body = &body;
    let by = dialect.caller_label(&call, &app.backend(&app.live.served(), &Cancellation::NEVER));
    let caller = Caller { api: dialect.name(), by };
    let origin = CallOrigin { caller: &caller, peer: &connection.peer, trace };
    match drive::drive(app, origin, |backend| dialect.answer(&call, backend)).await {
        Ok(output) => {
            let mut response = reply_response(output.answer);
            stamp_revision(&mut response, &output.revision, output.view);
            response
        }
        Err(error) => reply_response(dialect.render_error(&error)),
    }
}

fn header_text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> &'h str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn body_error(error: HttpError, limit: usize) -> CallError {
    match error.status {
        StatusCode::PAYLOAD_TOO_LARGE => CallError::TooLarge(limit),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => CallError::Encoded(error.message),
        StatusCode::REQUEST_TIMEOUT => CallError::TimedOut(error.message),
        _ => CallError::Incomplete(error.message),
    }
}

/// Names the known token of a call that was refused.
fn with_token(mut response: HttpResponse, token: Option<Arc<str>>) -> HttpResponse {
    if let Some(rejection) = response.extensions_mut().get_mut::<CredentialRejection>() {
        rejection.token = token;
    }
    response
}

fn reply_response(reply: Reply) -> HttpResponse {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let mut response = response::empty_response(status);
    *response.body_mut() = hyper::body::Bytes::from(reply.body).into();
    if reply.refuses_credential {
        response.extensions_mut().insert(CredentialRejection { token: None });
    }
    let headers = response.headers_mut();
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
    response
}
