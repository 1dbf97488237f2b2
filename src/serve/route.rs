use std::{sync::Arc, time::SystemTime};

use hyper::{Method, Request, StatusCode, Uri, body::Incoming, header::HeaderValue};

use super::{
    answer::{self, Answer, REVISION, Refusal},
    authzen, body,
    metrics::Metrics,
    native, status,
};
use crate::live::{Live, Served};

/// What every request is answered from.
#[derive(Debug)]
pub struct App {
    pub(super) live: Arc<Live>,
    pub(super) metrics: Metrics,
    pub(super) started: SystemTime,
    /// How large a request's body may be, in bytes.
    pub(super) body_limit: usize,
}

impl App {
    pub fn new(live: Arc<Live>, body_limit: usize) -> Self {
        Self { live, metrics: Metrics::default(), started: SystemTime::now(), body_limit }
    }

    /// Answers one request; whatever it holds, there is an answer.
    pub(super) async fn answer(self: &Arc<Self>, request: Request<Incoming>) -> Answer {
        let (mut head, body) = request.into_parts();
        let id = head.headers.remove(authzen::REQUEST_ID);
        let mut answer = match (endpoint(head.uri.path()), &head.method) {
            (Some(Endpoint::Ask(ask)), &Method::POST) => {
                match body::read(&head.headers, body, self.body_limit).await {
                    Ok(bytes) => self.on_served(|served| ask(self, served, &bytes)),
                    Err(refusal) => refusal.answer(),
                }
            }
            (endpoint, method) => {
                body::discard(&head.headers, body);
                match (endpoint, method) {
                    (None, _) => answer::not_found(head.uri.path()),
                    (Some(Endpoint::Ask(_)), _) => answer::wrong_method("POST"),
                    (Some(Endpoint::Read(read)), &Method::GET | &Method::HEAD) => {
                        self.on_served(|served| read(self, served, head.uri.query()))
                    }
                    (Some(Endpoint::Gather(read)), &Method::GET | &Method::HEAD) => {
                        self.gather(read, head.uri).await
                    }
                    (Some(_), _) => answer::wrong_method("GET, HEAD"),
                }
            }
        };
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
    fn on_served(&self, make: impl FnOnce(&Served) -> Result<Answer, Refusal>) -> Answer {
        let served = self.live.served();
        let mut answer = make(&served).unwrap_or_else(|refusal| refusal.answer());
        stamp(&mut answer, &served.revision);
        answer
    }

    /// Reads on a thread of its own, so that decisions don't wait for a long list.
    async fn gather(self: &Arc<Self>, read: Read, uri: Uri) -> Answer {
        let app = Arc::clone(self);
        let gathered = tokio::task::spawn_blocking(move || {
            app.on_served(|served| read(&app, served, uri.query()))
        });
        gathered.await.unwrap_or_else(|_| {
            Refusal {
                status: StatusCode::SERVICE_UNAVAILABLE,
                message: "the daemon is stopping".to_owned(),
                at: String::new(),
            }
            .answer()
        })
    }
}

type Read = fn(&App, &Served, Option<&str>) -> Result<Answer, Refusal>;
type Ask = fn(&App, &Served, &[u8]) -> Result<Answer, Refusal>;

/// What a path takes.
enum Endpoint {
    Read(Read),
    /// As `Read`, but what it gathers grows with the policy.
    Gather(Read),
    Ask(Ask),
}

fn endpoint(path: &str) -> Option<Endpoint> {
    Some(match path {
        "/v1/decide" => Endpoint::Read(native::decide),
        "/v1/allow" => Endpoint::Read(native::allow),
        "/v1/reach" => Endpoint::Gather(native::reach),
        "/access/v1/evaluation" => Endpoint::Ask(authzen::evaluation),
        "/v1/status" => Endpoint::Gather(status::status),
        "/metrics" => Endpoint::Gather(status::metrics),
        "/healthz" | "/readyz" => {
            Endpoint::Read(|_, _, _| Ok(answer::text_answer(StatusCode::OK, "ok\n")))
        }
        _ => return None,
    })
}

fn stamp(answer: &mut Answer, revision: &str) {
    if let Ok(value) = HeaderValue::from_str(revision) {
        answer.headers_mut().insert(REVISION, value);
    }
}
