use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use hyper::{
    HeaderMap, Method, Request, StatusCode,
    body::{Bytes, Incoming},
    header::HeaderValue,
    http::request::Parts,
};
use tokio::{sync::Semaphore, task::JoinError};

use super::{
    admin::{self, AdminToken},
    allow::{self, AllowStatus},
    answer::{self, Answer, REVISION, Refusal},
    audit::{Audit, Caller},
    authzen::{self, PropertyNames, PublicUrl},
    body,
    dialects::{self, Hub, Sockets},
    exposition::Format,
    facts,
    host::{Entrance, HostName},
    metrics::Metrics,
    native, recent, status,
};
use crate::{
    dialects::Dialect,
    live::{Live, Served},
};

/// What every request is answered from.
#[derive(Debug)]
pub struct App {
    pub(super) live: Arc<Live>,
    pub(super) metrics: Metrics,
    pub(super) started: SystemTime,
    pub(super) options: Options,
    /// What AuthZEN's clients are told of where everything is.
    pub(super) metadata: Bytes,
    /// One reload at a time is waited for: more would take the threads that lists are read on.
    reloading: Semaphore,
    /// As many exports as there may be at a time.
    pub(super) exporting: Arc<Semaphore>,
    /// As many long look-ups for other systems' APIs as there may be at a time.
    pub(super) looking: Arc<Semaphore>,
    /// Whether it was told to stop, so that nobody new should come.
    stopping: AtomicBool,
    /// The sockets of Venueless, if it is spoken.
    pub(super) hub: Option<Arc<Hub>>,
}

/// How requests are answered.
#[derive(Debug)]
pub struct Options {
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
    pub admin_token: Option<AdminToken>,
    /// The names by which loopback listeners may be called, besides those of every machine and that of
    /// the public URL.
    pub hosts: Vec<HostName>,
    /// The status by which `/v1/allow` allows.
    pub allow_status: AllowStatus,
    /// How long a caller waits at most who wants to be answered from a later revision.
    pub patience: Duration,
    /// The APIs of other systems that are spoken here, besides.
    pub dialects: Vec<Box<dyn Dialect>>,
    /// Venueless, if it is spoken here.
    pub venueless: Option<Sockets>,
}

impl App {
    pub fn new(live: Arc<Live>, mut options: Options) -> Self {
        options.hosts.extend(options.public_url.host());
        let metadata = options.public_url.metadata();
        let exporting = Arc::new(Semaphore::new(facts::MOST_EXPORTS));
        let dialects = options.dialects.iter().map(|dialect| dialect.name());
        let (metrics, started) = (Metrics::of(dialects), SystemTime::now());
        let reloading = Semaphore::new(1);
        let spoken = options.dialects.iter().map(|dialect| dialect.name());
        options.audit.count_from_none(spoken.chain([NATIVE, facts::API]));
        let looking = Arc::new(Semaphore::new(dialects::MOST_LOOKS));
        let hub = options.venueless.clone().map(|sockets| Arc::new(Hub::new(sockets)));
        let stopping = AtomicBool::new(false);
        Self {
            live,
            metrics,
            started,
            options,
            metadata,
            reloading,
            exporting,
            looking,
            stopping,
            hub,
        }
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
        entrance: Entrance,
    ) -> Answer {
        let (mut head, body) = request.into_parts();
        let trusted = entrance.trusted;
        let id = head.headers.remove(authzen::REQUEST_ID);
        let checked = match self.check(&head, entrance) {
            Ok(()) => recent::wait(self, &head.headers).await,
            refused => refused,
        };
        if let Err(refusal) = checked {
            body::discard(&head.headers, body);
            return self.told(refusal.answer(), id);
        }
        let endpoint = self.endpoint(head.uri.path());
        if endpoint.is_none()
            && let Some(dialect) = dialects::of(self, head.uri.path())
        {
            return self.told(dialects::answer(self, dialect, head, body, trusted).await, id);
        }
        let answer = match (endpoint, &head.method) {
            (Some(Endpoint::Ask(ask)), &Method::POST) => {
                match self.authzen_body(&head.headers, body).await {
                    Ok(bytes) => self.on_served(|served| ask(self, served, &bytes)),
                    Err(refusal) => refusal.answer(),
                }
            }
            (Some(Endpoint::Search(ask)), &Method::POST) => {
                match self.authzen_body(&head.headers, body).await {
                    Ok(bytes) => self.gather(move |app, served| ask(app, served, &bytes)).await,
                    Err(refusal) => refusal.answer(),
                }
            }
            (Some(Endpoint::Reload), &Method::POST) => {
                body::discard(&head.headers, body);
                self.reload(&head, trusted).await
            }
            (Some(Endpoint::Facts), &Method::POST) => {
                self.write(&head.headers, body, trusted).await
            }
            (Some(Endpoint::Backup), &Method::POST) => {
                body::discard(&head.headers, body);
                match admin::check(self, &head.headers, trusted) {
                    Ok(()) => {
                        let uri = head.uri;
                        self.gather(move |app, _| facts::backup(app, uri.query())).await
                    }
                    Err(refusal) => refusal.answer(),
                }
            }
            (Some(Endpoint::FactsRead(read)), &Method::GET | &Method::HEAD) => {
                body::discard(&head.headers, body);
                let query = head.uri.query().unwrap_or_default().to_owned();
                match admin::check(self, &head.headers, trusted) {
                    Ok(()) => facts::read(self, read, query).await,
                    Err(refusal) => refusal.answer(),
                }
            }
            (Some(Endpoint::Facts), &Method::GET | &Method::HEAD) => {
                body::discard(&head.headers, body);
                match admin::check(self, &head.headers, trusted) {
                    Ok(()) => self.gather(facts::summary).await,
                    Err(refusal) => refusal.answer(),
                }
            }
            (endpoint, method) => {
                body::discard(&head.headers, body);
                match (endpoint, method) {
                    (Some(Endpoint::Allow), _) => {
                        self.on_served(|served| allow::allow(self, served, &head))
                    }
                    (None, _) => answer::not_found(head.uri.path()),
                    (
                        Some(
                            Endpoint::Ask(_)
                            | Endpoint::Search(_)
                            | Endpoint::Reload
                            | Endpoint::Backup,
                        ),
                        _,
                    ) => answer::wrong_method("POST"),
                    (Some(Endpoint::Facts), _) => answer::wrong_method("GET, HEAD, POST"),
                    (Some(Endpoint::Read(read)), &Method::GET | &Method::HEAD) => {
                        self.on_served(|served| read(self, served, head.uri.query()))
                    }
                    (Some(Endpoint::Gather(read)), &Method::GET | &Method::HEAD) => {
                        let uri = head.uri;
                        self.gather(move |app, served| read(app, served, uri.query())).await
                    }
                    (Some(Endpoint::Metrics), &Method::GET | &Method::HEAD) => {
                        let format = Format::accepted(&head.headers);
                        self.gather(move |app, _| Ok(status::metrics(app, format))).await
                    }
                    (Some(_), _) => answer::wrong_method("GET, HEAD"),
                }
            }
        };
        self.told(answer, id)
    }

    /// Carries out the batch of commands that a body holds.
    async fn write(&self, headers: &HeaderMap, body: Incoming, trusted: bool) -> Answer {
        if let Err(refusal) = admin::check(self, headers, trusted) {
            body::discard(headers, body);
            return refusal.answer();
        }
        match body::read(headers, body, self.options.body_limit).await {
            Ok(bytes) => {
                facts::write(self, &Caller::native(facts::API, trusted), headers, &bytes).await
            }
            Err(refusal) => refusal.answer(),
        }
    }

    /// A body of AuthZEN, of which one of another kind is malformed.
    async fn authzen_body(&self, headers: &HeaderMap, body: Incoming) -> Result<Bytes, Refusal> {
        let mut read = body::read(headers, body, self.options.body_limit).await;
        if let Err(refusal) = &mut read
            && refusal.at == body::CONTENT_TYPE
        {
            refusal.status = StatusCode::BAD_REQUEST;
        }
        read
    }

    /// An answer with what every answer carries, counted.
    fn told(&self, mut answer: Answer, id: Option<HeaderValue>) -> Answer {
        if let Some(id) = id {
            answer.headers_mut().insert(authzen::REQUEST_ID, id);
        }
        if !answer.headers().contains_key(REVISION) {
            stamp(&mut answer, &self.live.served().revision);
        }
        self.metrics.count_answer(answer.status());
        answer
    }

    /// An answer or a refusal, stamped with the revision from which it was made.
    pub(super) fn on_served(
        &self,
        make: impl FnOnce(&Served) -> Result<Answer, Refusal>,
    ) -> Answer {
        let served = self.live.served();
        let mut answer = make(&served).unwrap_or_else(|refusal| refusal.answer());
        stamp(&mut answer, &served.revision);
        answer
    }

    /// Reads on a thread of its own, so that decisions don't wait for a long list.
    pub(super) async fn gather(
        self: &Arc<Self>,
        make: impl FnOnce(&Self, &Served) -> Result<Answer, Refusal> + Send + 'static,
    ) -> Answer {
        let app = Arc::clone(self);
        let gathered =
            tokio::task::spawn_blocking(move || app.on_served(|served| make(&app, served)));
        gathered.await.unwrap_or_else(|error| unanswered(&error))
    }

    /// Reloads for an administrator, on a thread of its own; stamped with what is served afterwards.
    async fn reload(self: &Arc<Self>, head: &Parts, trusted: bool) -> Answer {
        let admin = admin::check(self, &head.headers, trusted);
        let forced = match admin.and_then(|()| admin::forces(&head.uri)) {
            Ok(forced) => forced,
            Err(refusal) => return refusal.answer(),
        };
        let by = Caller::native(NATIVE, trusted);
        let Ok(_turn) = self.reloading.acquire().await else { return stopping() };
        let app = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || admin::reload(&app, forced, &by));
        done.await.unwrap_or_else(|error| unanswered(&error))
    }

    /// What is at a path, with a slash at its end or without. AuthZEN's are also found below the path of the public URL: a proxy may
    /// leave it as it is.
    pub(super) fn endpoint(&self, path: &str) -> Option<Endpoint> {
        // A slash at the end says nothing.
        let path = path.strip_suffix('/').unwrap_or(path);
        endpoint(path).or_else(|| {
            let public = self.options.public_url.path();
            if let Some(scope) = path.strip_prefix(authzen::WELL_KNOWN) {
                let is_ours = !public.is_empty() && scope.trim_end_matches('/') == public;
                return is_ours.then_some(Endpoint::Read(metadata));
            }
            let path = path.strip_prefix(public)?;
            if path.starts_with("/access/v1/") { endpoint(path) } else { None }
        })
    }
}

fn stopping() -> Answer {
    unavailable("the daemon is stopping")
}

/// Of work that ended without an answer.
pub(super) fn unanswered(error: &JoinError) -> Answer {
    if error.is_panic() {
        tracing::error!(%error, "a request could not be answered");
        return unavailable("it can't be answered, by a mistake in peerage itself");
    }
    stopping()
}

fn unavailable(message: &str) -> Answer {
    Refusal {
        status: StatusCode::SERVICE_UNAVAILABLE,
        message: message.to_owned(),
        at: String::new(),
    }
    .answer()
}

/// What peerage's own API is called where APIs are told apart.
pub(super) const NATIVE: &str = "native";

pub(super) type Read = fn(&App, &Served, Option<&str>) -> Result<Answer, Refusal>;
pub(super) type Ask = fn(&App, &Served, &[u8]) -> Result<Answer, Refusal>;

/// What a path takes.
pub(super) enum Endpoint {
    Read(Read),
    /// As `Read`, but what it gathers grows with the policy.
    Gather(Read),
    Ask(Ask),
    /// As `Ask`, but what it gathers grows with the policy or the body.
    Search(Ask),
    Metrics,
    /// The decision as a status, whatever the method.
    Allow,
    Reload,
    Facts,
    /// Something of the facts, for administrators.
    FactsRead(facts::Read),
    Backup,
}

fn endpoint(path: &str) -> Option<Endpoint> {
    Some(match path {
        "/v1/decide" => Endpoint::Read(native::decide),
        _ if allow::is_at(path) => Endpoint::Allow,
        "/v1/reach" => Endpoint::Gather(native::reach),
        "/access/v1/evaluation" => Endpoint::Ask(authzen::evaluation),
        "/access/v1/evaluations" => Endpoint::Search(authzen::evaluations),
        "/access/v1/search/subject" => Endpoint::Search(authzen::search_subject),
        "/access/v1/search/resource" => Endpoint::Search(authzen::search_resource),
        "/access/v1/search/action" => Endpoint::Search(authzen::search_action),
        authzen::WELL_KNOWN => Endpoint::Read(metadata),
        "/v1/reload" => Endpoint::Reload,
        "/v1/facts" => Endpoint::Facts,
        "/v1/store/backup" => Endpoint::Backup,
        "/v1/status" => Endpoint::Gather(status::status),
        "/metrics" => Endpoint::Metrics,
        "/healthz" => Endpoint::Read(|_, _, _| Ok(answer::text_answer(StatusCode::OK, "ok\n"))),
        "/readyz" => Endpoint::Read(status::ready),
        _ => return facts::Read::at(path).map(Endpoint::FactsRead),
    })
}

/// `GET /.well-known/authzen-configuration`: where AuthZEN's endpoints are.
#[expect(clippy::unnecessary_wraps, reason = "it is an endpoint like the others")]
fn metadata(app: &App, _: &Served, _: Option<&str>) -> Result<Answer, Refusal> {
    Ok(answer::json_answer(StatusCode::OK, app.metadata.clone()))
}

pub(super) fn stamp(answer: &mut Answer, revision: &str) {
    if let Ok(value) = HeaderValue::from_str(revision) {
        answer.headers_mut().insert(REVISION, value);
    }
}
