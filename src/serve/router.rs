//! The router: each request is checked, admitted, run at its route or in its dialect, and finished.

use std::{
    pin::pin,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use hyper::{
    HeaderMap, Method, Request, StatusCode,
    body::{Bytes, Incoming},
    header::{AUTHORIZATION, CACHE_CONTROL, ETAG, HeaderValue, IF_NONE_MATCH},
    http::request::Parts,
};
use tokio::time::timeout;
use tracing::Instrument as _;

use super::{
    admin,
    admission::{Cancellation, DecisionGuard},
    app::{App, stamp_revision},
    at_least,
    audit::{CredentialFailure, FACTS, NATIVE},
    blocking::WorkPlace,
    body,
    connection::Connection,
    decision_log::{DecisionLog, RequestTrace},
    dialects, following, freshness,
    handler::{Access, BodyKind, Handler, Methods, Operation, RequestContext, RouteRequest},
    host::{self, HostCheck, ListenerPolicy},
    options::ServeOptions,
    request_metrics::RouteIndex,
    response::{self, CredentialRejection, HttpError, HttpResponse, REQUEST_ID, REVISION, VIEW},
    response_body::{PART_BYTES, ResponseBody},
    routes::{self, RouteHome, RouteMatch},
    sockets::{self, Hub},
    spans::{RequestSpan, SpanExporter},
    trace_context::{TRACEPARENT, TraceContext},
};
use crate::{
    dialects::Dialect,
    live::{Freshness, Live, ServedPolicy},
    wire::AccessScope,
};

/// The time for which a decision counts as in flight while its body is read. It counts again when the
/// body is complete.
const BODY_IN_FLIGHT: Duration = Duration::from_secs(2);

/// The longest body of lines, in bytes.
const MAX_LINES_BYTES: usize = 16 << 20;

/// How responses may be kept: decisions not at all, lists until the view changes.
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const NO_CACHE: HeaderValue = HeaderValue::from_static("private, no-cache");

/// The target of a request.
enum Target<'a> {
    Route(RouteMatch<'a>),
    Dialect(&'a dyn Dialect),
    /// A dialect over WebSockets, and the endpoint that the path names.
    Socket(&'a Arc<Hub>, String),
    Missing,
}

impl App {
    /// The state for serving a policy.
    pub fn new(live: Arc<Live>, options: ServeOptions) -> Self {
        Self::with_routes(live, options, routes::names())
    }

    /// Responds to a request, whatever it holds.
    pub(super) async fn respond(
        self: &Arc<Self>,
        request: Request<Incoming>,
        connection: &Connection,
    ) -> HttpResponse {
        let started = Instant::now();
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let (mut head, body) = request.into_parts();
        let log = self.options.decision_log.as_deref();
        let id = head.headers.remove(REQUEST_ID);
        let trace = RequestTrace {
            started,
            id: id.or_else(|| log.and_then(DecisionLog::request_id)),
            context: TraceContext::read(&head.headers)
                .or_else(|| self.options.spans.as_ref().map(SpanExporter::context)),
        };
        let span = trace.span();
        let target = self.find(uri.path(), connection.listener);
        let sheddable = target.sheddable(&method, connection.listener);
        let api = target.api(uri.path());
        let route = self.route_index(&target);
        let response = self.run_target(target, head, body, (connection, &trace));
        let response = response.instrument(span).await;
        let response = response.unwrap_or_else(|error| error.response());
        let response = self.finish(response, &trace, sheddable);
        if let Some(CredentialRejection { token }) = response.extensions().get() {
            let token = token.as_deref();
            let (method, path, status) = (method.as_str(), uri.path(), response.status());
            let request = CredentialFailure { api, token, method, path, status };
            self.options.audit.credential_rejected(request, &self.live.served());
        }
        let took = started.elapsed();
        self.metrics.requests.record_time(route, took);
        if let (Some(spans), Some(context)) = (&self.options.spans, trace.context) {
            spans.export(RequestSpan {
                context,
                method: method.to_string(),
                route: self.metrics.route_name(route),
                status: response.status().as_u16(),
                started: SystemTime::now() - took,
                took,
            });
        }
        response
    }

    /// The index by which requests of a target are counted.
    fn route_index(&self, target: &Target<'_>) -> RouteIndex {
        match target {
            Target::Route(found) => RouteIndex(found.index),
            Target::Dialect(dialect) => {
                let mut dialects = self.options.dialects.iter();
                let position = dialects.position(|it| it.name() == dialect.name());
                self.metrics.dialect_index(position.unwrap_or_default())
            }
            Target::Socket(hub, _) => {
                let position = self.hubs.iter().position(|it| it.name() == hub.name());
                let before = self.options.dialects.len();
                self.metrics.dialect_index(before + position.unwrap_or_default())
            }
            Target::Missing => self.metrics.other_index(),
        }
    }

    /// The target of a path at a listener.
    fn find<'a>(&'a self, path: &'a str, listener: ListenerPolicy) -> Target<'a> {
        if let Some(found) = routes::find(path, &self.options.public_url) {
            let is_answered = found.route.home == RouteHome::Everywhere || listener.answers_admin;
            return if is_answered { Target::Route(found) } else { Target::Missing };
        }
        for hub in &self.hubs {
            if let Some(endpoint) = hub.endpoint(path) {
                return Target::Socket(hub, endpoint);
            }
        }
        let mut dialects = self.options.dialects.iter();
        let dialect = dialects.find(|dialect| dialect.owns_path(path));
        dialect.map_or(Target::Missing, |dialect| Target::Dialect(&**dialect))
    }

    async fn run_target(
        self: &Arc<Self>,
        target: Target<'_>,
        head: Parts,
        body: Incoming,
        (connection, trace): (&Connection, &RequestTrace),
    ) -> Result<HttpResponse, HttpError> {
        let checked = match self.check_head(&head, connection.listener) {
            Ok(()) => at_least::wait_for_revision(self, &head.headers).await,
            refused => refused,
        };
        if let Err(error) = checked {
            body::discard(&head.headers, body);
            return Err(error);
        }
        match target {
            Target::Route(found) => self.run_route(found, head, body, (connection, trace)).await,
            Target::Dialect(dialect) => {
                Ok(dialects::respond(self, dialect, head, body, (connection, trace)).await)
            }
            Target::Socket(hub, endpoint) => Ok(sockets::upgrade(self, hub, endpoint, head, &body)),
            Target::Missing => {
                body::discard(&head.headers, body);
                Ok(response::not_found(head.uri.path()))
            }
        }
    }

    /// Checks the host and the credentials of a request's head.
    fn check_head(&self, head: &Parts, listener: ListenerPolicy) -> Result<(), HttpError> {
        let checks_host =
            listener.host_check == HostCheck::KnownHosts && !self.options.tokens.guards_decisions();
        let known = checks_host.then_some(&*self.options.hosts);
        host::check(head, known)?;
        if head.headers.get_all(AUTHORIZATION).iter().nth(1).is_some() {
            return Err(HttpError::bad_request("Authorization", "header given more than once"));
        }
        Ok(())
    }

    /// Runs a request at its route: admits it, reads its body, and hands both to the operation.
    async fn run_route(
        self: &Arc<Self>,
        RouteMatch { route, rest, .. }: RouteMatch<'_>,
        head: Parts,
        body: Incoming,
        (connection, trace): (&Connection, &RequestTrace),
    ) -> Result<HttpResponse, HttpError> {
        let Some(operation) = route.operation(&head.method) else {
            body::discard(&head.headers, body);
            return Ok(response::method_not_allowed(route.methods()));
        };
        let listener = connection.listener;
        let mut in_flight = None;
        // Requests of administrators are not shed. What is shed costs nothing but its refusal.
        if operation.access == Access::Decision && !listener.is_trusted() {
            in_flight = self.admission.begin_decision(connection.peer.arrival());
            if in_flight.is_none() {
                body::discard(&head.headers, body);
                return Ok(self.shed(route.path));
            }
        }
        let token = match self.authorize(operation.access, &head.headers, listener) {
            Ok(token) => token,
            Err(error) => {
                body::discard(&head.headers, body);
                return Err(error);
            }
        };
        let Some(body) =
            self.read_body(operation.body, &head.headers, body, &mut in_flight).await?
        else {
            return Ok(self.shed(route.path));
        };
        let request = RouteRequest {
            route: route.path,
            head,
            rest: rest.to_owned(),
            body,
            connection: connection.clone(),
            trace: trace.clone(),
            token,
        };
        let is_list =
            operation.methods == Methods::Read && matches!(operation.handler, Handler::List(..));
        if is_list && let Some(unchanged) = self.unchanged_list(&request.head.headers) {
            return Ok(unchanged);
        }
        let mut response = self.run_operation(operation, request).await;
        if operation.access == Access::Decision {
            response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
        } else if is_list && response.status() == StatusCode::OK {
            self.tag_list(&mut response);
        }
        Ok(response)
    }

    /// The response to a caller who has the lists of the served view already.
    fn unchanged_list(&self, headers: &HeaderMap) -> Option<HttpResponse> {
        if !headers.contains_key(IF_NONE_MATCH) {
            return None;
        }
        let served = self.live.served();
        let tag = self.etag.of_view(served.number, self.live.staleness().freshness())?;
        if !following::is_known(headers, &tag) {
            return None;
        }
        let mut response = response::empty_response(StatusCode::NOT_MODIFIED);
        stamp_revision(&mut response, &served.revision, served.number);
        self.tag_list(&mut response);
        Some(response)
    }

    /// Adds the entity tag of the view from which a list was made.
    fn tag_list(&self, response: &mut HttpResponse) {
        let view = response.headers().get(VIEW).and_then(|view| view.to_str().ok()?.parse().ok());
        let freshness = self.live.staleness().freshness();
        if let Some(tag) = view.and_then(|view| self.etag.of_view(view, freshness)) {
            response.headers_mut().insert(ETAG, tag);
            response.headers_mut().insert(CACHE_CONTROL, NO_CACHE);
        }
    }

    /// Checks that the caller may request an operation. Returns the name of the token, if it takes one.
    fn authorize(
        &self,
        access: Access,
        headers: &HeaderMap,
        listener: ListenerPolicy,
    ) -> Result<Option<Arc<str>>, HttpError> {
        let tokens = &self.options.tokens;
        let scope = match access {
            Access::Administrator(scope) => Some(scope),
            Access::Decision | Access::List => {
                let is_guarded = listener.takes_tokens && tokens.guards_decisions();
                is_guarded.then_some(AccessScope::Decide)
            }
            Access::Status => {
                let is_guarded = listener.takes_tokens && tokens.guards_status();
                is_guarded.then_some(AccessScope::Read)
            }
            Access::Anyone => None,
        };
        scope.map_or(Ok(None), |scope| admin::authorize(self, headers, listener, scope))
    }

    /// Whether a stream that was opened with these headers may go on: tokens may have changed since.
    pub(super) fn still_admits(&self, headers: &HeaderMap, listener: ListenerPolicy) -> bool {
        self.authorize(Access::List, headers, listener).is_ok()
    }

    /// Reads a request's body; `None` if there is no longer room for its decision.
    async fn read_body<'a>(
        &'a self,
        kind: BodyKind,
        headers: &HeaderMap,
        body: Incoming,
        in_flight: &mut Option<DecisionGuard<'a>>,
    ) -> Result<Option<Bytes>, HttpError> {
        let limit = self.options.body_limit;
        match kind {
            BodyKind::Ignored => {
                body::discard(headers, body);
                Ok(Some(Bytes::new()))
            }
            BodyKind::Json => body::read_json(headers, body, limit).await.map(Some),
            BodyKind::Lines => self.read_lines(headers, body).await,
            BodyKind::Question | BodyKind::AuthZen => {
                let mut reading = pin!(read_question_body(kind, headers, body, limit));
                if let Ok(bytes) = timeout(BODY_IN_FLIGHT, reading.as_mut()).await {
                    return bytes.map(Some);
                }
                // A slow sender must not keep others out.
                let was_counted = in_flight.take().is_some();
                let bytes = reading.await?;
                if was_counted {
                    // It was not in flight meanwhile.
                    *in_flight = self.admission.begin_decision(self.admission.decided().now());
                    if in_flight.is_none() {
                        return Ok(None);
                    }
                }
                Ok(Some(bytes))
            }
        }
    }

    /// Reads a long body of lines; `None` if too many such bodies are being read.
    async fn read_lines(
        &self,
        headers: &HeaderMap,
        body: Incoming,
    ) -> Result<Option<Bytes>, HttpError> {
        let Ok(_turn) = self.uploads.try_acquire() else {
            body::discard(headers, body);
            return Ok(None);
        };
        body::read_lines(headers, body, MAX_LINES_BYTES).await.map(Some)
    }

    /// Runs an operation at the place that its handler names.
    async fn run_operation(
        self: &Arc<Self>,
        operation: &Operation,
        request: RouteRequest,
    ) -> HttpResponse {
        let peer = Arc::clone(&request.connection.peer);
        let place = |class| WorkPlace { class, route: request.route, peer: &peer };
        let (class, respond) = match operation.handler {
            Handler::Inline(respond) => (None, respond),
            Handler::Classed(class, respond) => (class(&request), respond),
            Handler::Blocking(class, respond) => (Some(class), respond),
            Handler::Detached(class, work) => {
                let place = place(class);
                let work = move |app: &Arc<Self>, _: &Cancellation| work(app, &request);
                return match self.run_admitted(place, work).await {
                    Ok((response, _)) => response.unwrap_or_else(|error| error.response()),
                    Err(error) => error.response(),
                };
            }
            Handler::List(class, list) => {
                let place = place(class);
                let list =
                    move |app: &Self, served: &Arc<ServedPolicy>, cancellation: &Cancellation| {
                        list(&RequestContext::new(app, served, &request, cancellation))
                    };
                return self.respond_list(place, list).await;
            }
            Handler::Future(run) => return run(Arc::clone(self), request).await,
        };
        let Some(class) = class else {
            let cancellation = &Cancellation::NEVER;
            return self.with_view(|served| {
                respond(&RequestContext::new(self, served, &request, cancellation))
            });
        };
        let place = place(class);
        let respond = move |app: &Self, served: &Arc<ServedPolicy>, cancellation: &Cancellation| {
            respond(&RequestContext::new(app, served, &request, cancellation))
        };
        self.respond_blocking(place, respond).await
    }

    /// Adds the common headers to a response, and counts it. A long response waits only if there is room;
    /// otherwise it is shed under the name of its route.
    pub(super) fn finish(
        &self,
        mut response: HttpResponse,
        trace: &RequestTrace,
        sheddable: Option<&str>,
    ) -> HttpResponse {
        if let ResponseBody::Whole(text, reserved) = response.body_mut()
            && text.len() > PART_BYTES
        {
            *reserved = self.waiting.reserve(text.len());
            if let (None, Some(route)) = (&*reserved, sheddable) {
                response = self.shed(route);
            }
        }
        if let Some(id) = &trace.id {
            response.headers_mut().insert(REQUEST_ID, id.clone());
        }
        if let Some(header) = trace.context.and_then(TraceContext::header) {
            response.headers_mut().insert(TRACEPARENT, header);
        }
        if !response.headers().contains_key(REVISION) {
            let served = self.live.served();
            stamp_revision(&mut response, &served.revision, served.number);
        }
        if self.live.staleness().freshness() != Freshness::Current {
            freshness::mark_header(&mut response);
        }
        self.metrics.count_answer(response.status());
        response
    }
}

/// Reads a body that asks for decisions. AuthZEN has no error 415: another content type is malformed.
async fn read_question_body(
    kind: BodyKind,
    headers: &HeaderMap,
    body: Incoming,
    limit: usize,
) -> Result<Bytes, HttpError> {
    body::read_json(headers, body, limit).await.map_err(|error| {
        if kind == BodyKind::AuthZen && error.at.as_deref() == Some(body::CONTENT_TYPE) {
            HttpError { status: StatusCode::BAD_REQUEST, ..error }
        } else {
            error
        }
    })
}

impl Target<'_> {
    /// The name under which a long response is shed; `None` if it is never shed, as responses to writes
    /// and to administrators are not.
    fn sheddable(&self, method: &Method, listener: ListenerPolicy) -> Option<&'static str> {
        match self {
            Self::Route(RouteMatch { route, .. }) if !listener.is_trusted() => {
                let operation = route.operation(method);
                let is_open =
                    operation.is_none_or(|it| !matches!(it.access, Access::Administrator(_)));
                is_open.then_some(route.path)
            }
            _ => None,
        }
    }

    /// The API to which a path belongs, by its name in the audit trail.
    fn api(&self, path: &str) -> &'static str {
        match self {
            Self::Dialect(dialect) => dialect.name(),
            Self::Socket(hub, _) => hub.name(),
            Self::Route(_) | Self::Missing => {
                if path.starts_with("/v1/facts") || path.starts_with("/v1/store") {
                    FACTS
                } else {
                    NATIVE
                }
            }
        }
    }
}
