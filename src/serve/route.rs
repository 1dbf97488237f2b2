use std::{sync::Arc, time::SystemTime};

use hyper::{Method, Request, StatusCode, body::Incoming, header::HeaderValue};

use super::{
    answer::{self, Answer, REVISION, Refusal},
    authzen, body,
    metrics::Metrics,
    native, status,
};
use crate::live::Live;

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
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Answer {
        let mut answer = match (endpoint(request.uri().path()), request.method()) {
            (None, _) => answer::not_found(request.uri().path()),
            (Some(Endpoint::Read(read)), &Method::GET | &Method::HEAD) => {
                let served = self.live.served();
                let answer = read(self, &served, request.uri().query());
                let mut answer = answer.unwrap_or_else(|refusal| refusal.answer());
                stamp(&mut answer, &served.revision);
                answer
            }
            (Some(Endpoint::Read(_)), _) => answer::wrong_method("GET, HEAD"),
            (Some(Endpoint::Ask(ask)), &Method::POST) => self.ask(ask, request).await,
            (Some(Endpoint::Ask(_)), _) => answer::wrong_method("POST"),
        };
        if !answer.headers().contains_key(REVISION) {
            stamp(&mut answer, &self.live.served().revision);
        }
        self.metrics.count_answer(answer.status());
        answer
    }

    async fn ask(&self, ask: Ask, request: Request<Incoming>) -> Answer {
        let (head, body) = request.into_parts();
        let answer = match body::read(&head.headers, body, self.body_limit).await {
            Err(refusal) => Err(refusal),
            Ok(bytes) => {
                let served = self.live.served();
                ask(self, &served, &bytes).map(|mut answer| {
                    stamp(&mut answer, &served.revision);
                    answer
                })
            }
        };
        let mut answer = answer.unwrap_or_else(|refusal| refusal.answer());
        if let Some(id) = head.headers.get(authzen::REQUEST_ID) {
            answer.headers_mut().insert(authzen::REQUEST_ID, id.clone());
        }
        answer
    }
}

type Read = fn(&App, &crate::live::Served, Option<&str>) -> Result<Answer, Refusal>;
type Ask = fn(&App, &crate::live::Served, &[u8]) -> Result<Answer, Refusal>;

/// What a path takes.
enum Endpoint {
    Read(Read),
    Ask(Ask),
}

fn endpoint(path: &str) -> Option<Endpoint> {
    Some(match path {
        "/v1/decide" => Endpoint::Read(native::decide),
        "/v1/allow" => Endpoint::Read(native::allow),
        "/v1/reach" => Endpoint::Read(native::reach),
        "/access/v1/evaluation" => Endpoint::Ask(authzen::evaluation),
        "/v1/status" => Endpoint::Read(status::status),
        "/metrics" => Endpoint::Read(status::metrics),
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
