use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use hyper::{
    Request,
    body::{Bytes, Incoming},
    header::HeaderValue,
};

use super::{
    admission::AdmissionControl,
    allow::AllowStatus,
    at_least,
    audit::Audit,
    authzen::{self, PropertyNames, PublicUrl},
    body,
    descriptors::ConnectionLimits,
    dialects::{self, Hub, SocketOptions},
    endpoint::{self, Endpoint, Route},
    facts,
    host::{HostName, ListenerPolicy},
    line_writer::LineWriter,
    metrics::Metrics,
    peer::{Peer, WaitingBytes},
    response::{self, HttpError, HttpResponse, REVISION},
    response_body::{PART_BYTES, ResponseBody},
};
use crate::{
    dialects::Dialect,
    live::{Live, ServedPolicy},
    wire::Secret,
};

/// What every request is answered from.
#[derive(Debug)]
pub struct App {
    pub(super) live: Arc<Live>,
    pub(super) metrics: Metrics,
    pub(super) started: SystemTime,
    pub(super) options: ServeOptions,
    /// What AuthZEN's clients are told of where everything is.
    pub(super) metadata: Bytes,
    pub(super) admission: AdmissionControl,
    /// What waits to be read of answers that are ready.
    pub(super) waiting: WaitingBytes,
    /// Whether it was told to stop, so that nobody new should come.
    stopping: AtomicBool,
    /// The sockets of Venueless, if it is spoken.
    pub(super) hub: Option<Arc<Hub>>,
}

/// How requests are answered.
#[derive(Debug)]
pub struct ServeOptions {
    /// How large a request's body may be, in bytes.
    pub body_limit: usize,
    /// Where AuthZEN's clients find the daemon.
    pub public_url: PublicUrl,
    /// Whether AuthZEN's answers carry a `context`, which says why.
    pub authzen_context: bool,
    /// Which properties of AuthZEN's requests stand in for what the facts hold.
    pub properties: PropertyNames,
    /// Where it is told who changed what, and whose credentials were refused.
    pub audit: Arc<Audit>,
    /// What those must know who ask for more than decisions; `None` if nobody may.
    pub admin_token: Option<Secret>,
    /// The names by which loopback listeners may be called, besides those of every machine and that of
    /// the public URL.
    pub hosts: Vec<HostName>,
    /// The status by which `/v1/allow` allows.
    pub allow_status: AllowStatus,
    /// How long a caller waits at most who wants to be answered from a later revision.
    pub patience: Duration,
    /// How many connections there may be.
    pub connections: ConnectionLimits,
    /// How many decisions may be in flight at a time.
    pub max_in_flight: usize,
    /// Where the log goes, if what it drops is to be counted.
    pub log: Option<LineWriter>,
    /// The APIs of other systems that are spoken here, besides.
    pub dialects: Vec<Box<dyn Dialect>>,
    /// Venueless, if it is spoken here.
    pub venueless: Option<SocketOptions>,
}

impl App {
    pub fn new(live: Arc<Live>, mut options: ServeOptions) -> Self {
        options.hosts.extend(options.public_url.host());
        let metadata = options.public_url.metadata();
        let dialects = options.dialects.iter().map(|dialect| dialect.name());
        let sockets = options.venueless.iter().map(|_| dialects::VENUELESS);
        let metrics = Metrics::new(dialects, sockets, endpoint::route_names());
        let started = SystemTime::now();
        let spoken = options.dialects.iter().map(|dialect| dialect.name());
        let sockets = options.venueless.iter().map(|_| dialects::VENUELESS);
        options.audit.start_counters(spoken.chain(sockets).chain([NATIVE, facts::API]));
        let admission = AdmissionControl::new(options.max_in_flight);
        let waiting = WaitingBytes::default();
        let hub = options.venueless.clone().map(|sockets| Arc::new(Hub::new(sockets)));
        let stopping = AtomicBool::new(false);
        Self { live, metrics, started, options, metadata, admission, waiting, stopping, hub }
    }

    /// Answers `/readyz` with 503 from now on, so that balancers send nobody new.
    pub fn announce_stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// Answers a request.
    pub(super) async fn respond(
        self: &Arc<Self>,
        request: Request<Incoming>,
        connection: &Connection,
    ) -> HttpResponse {
        let (mut head, body) = request.into_parts();
        let id = head.headers.remove(authzen::REQUEST_ID);
        let route = self.route(head.uri.path());
        let checked = match self.check_head(&head, connection.listener) {
            Ok(()) => at_least::wait_for_revision(self, &head.headers).await,
            refused => refused,
        };
        if let Err(refusal) = checked {
            body::discard(&head.headers, body);
            return self.finish(refusal.response(), id, None);
        }
        let mut in_flight = None;
        // Administrators are heard whatever others ask.
        if let Some(Route { path, .. }) =
            route.as_ref().filter(|route| route.endpoint.is_decision())
            && !connection.listener.trusted
        {
            in_flight = self.admission.begin_decision();
            if in_flight.is_none() {
                body::discard(&head.headers, body);
                return self.finish(self.shed(path), id, None);
            }
        }
        // What was written is told however much waits, and administrators are heard whatever others ask.
        let sheddable = route.as_ref().filter(|_| !connection.listener.trusted);
        let sheddable = sheddable.filter(|route| !route.endpoint.requires_admin());
        let sheddable = sheddable.map(|route| route.path);
        let answer = match route {
            Some(route) => {
                let answered = self.dispatch(route, (head, body), connection, in_flight).await;
                answered.unwrap_or_else(|refusal| refusal.response())
            }
            None => {
                if let Some(dialect) = dialects::find(self, head.uri.path()) {
                    dialects::respond(self, dialect, head, body, connection).await
                } else {
                    body::discard(&head.headers, body);
                    response::not_found(head.uri.path())
                }
            }
        };
        self.finish(answer, id, sheddable)
    }

    /// An answer with what every answer carries, counted. One that is long waits only if there is room,
    /// where it may be shed: by the name of its route.
    fn finish(
        &self,
        mut answer: HttpResponse,
        id: Option<HeaderValue>,
        sheddable: Option<&str>,
    ) -> HttpResponse {
        if let ResponseBody::Whole(text, reserved) = answer.body_mut()
            && text.len() > PART_BYTES
        {
            *reserved = self.waiting.reserve(text.len());
            if let (None, Some(route)) = (&*reserved, sheddable) {
                answer = self.shed(route);
            }
        }
        if let Some(id) = id {
            answer.headers_mut().insert(authzen::REQUEST_ID, id);
        }
        if !answer.headers().contains_key(REVISION) {
            stamp_revision(&mut answer, &self.live.served().revision);
        }
        self.metrics.count_answer(answer.status());
        answer
    }

    /// An answer or a refusal, stamped with the revision from which it was made.
    pub(super) fn with_view(
        &self,
        make: impl FnOnce(&ServedPolicy) -> Result<HttpResponse, HttpError>,
    ) -> HttpResponse {
        let served = self.live.served();
        let mut answer = make(&served).unwrap_or_else(|refusal| refusal.response());
        stamp_revision(&mut answer, &served.revision);
        answer
    }

    /// What is at a path, with a slash at its end or without. AuthZEN's are also found below the path of the public URL: a proxy may
    /// leave it as it is.
    pub(super) fn route(&self, path: &str) -> Option<Route> {
        // A slash at the end says nothing.
        let path = path.strip_suffix('/').unwrap_or(path);
        endpoint::route(path).or_else(|| {
            let public = self.options.public_url.path();
            if let Some(scope) = path.strip_prefix(authzen::WELL_KNOWN) {
                let is_ours = !public.is_empty() && scope.trim_end_matches('/') == public;
                return is_ours.then_some(Route {
                    path: authzen::WELL_KNOWN,
                    endpoint: Endpoint::Read(endpoint::metadata),
                });
            }
            let path = path.strip_prefix(public)?;
            if path.starts_with("/access/v1/") { endpoint::route(path) } else { None }
        })
    }
}

/// What peerage's own API is called where APIs are told apart.
pub(super) const NATIVE: &str = "native";

/// The connection by which a request came.
#[derive(Debug)]
pub(super) struct Connection {
    /// Where it came in.
    pub(super) listener: ListenerPolicy,
    pub(super) peer: Arc<Peer>,
}

pub(super) fn stamp_revision(answer: &mut HttpResponse, revision: &str) {
    if let Ok(value) = HeaderValue::from_str(revision) {
        answer.headers_mut().insert(REVISION, value);
    }
}
