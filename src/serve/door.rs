//! The door: what is looked at of every request before it is answered, and noted of its answer.

use std::sync::Arc;

use hyper::{Request, body::Incoming, header::AUTHORIZATION, http::request::Parts};

use super::{
    answer::{Answer, CredentialRefused, Refusal},
    dialects, facts,
    host::{self, Entrance},
    route::{App, Connection, NATIVE},
};

impl App {
    /// Answers one request; whatever it holds, there is an answer.
    pub(super) async fn answer(
        self: &Arc<Self>,
        request: Request<Incoming>,
        connection: &Connection,
    ) -> Answer {
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let answer = self.respond(request, connection).await;
        if answer.extensions().get::<CredentialRefused>().is_some() {
            let what = (method.as_str(), uri.path());
            let (served, status) = (self.live.served(), answer.status());
            self.options.audit.refused(self.api(uri.path()), what, &served, status);
        }
        answer
    }

    /// The API to which a path belongs.
    fn api(&self, path: &str) -> &'static str {
        if self.route(path).is_none()
            && let Some(dialect) = dialects::of(self, path)
        {
            return dialect.name();
        }
        if path.starts_with("/v1/facts") || path.starts_with("/v1/store") {
            facts::API
        } else {
            NATIVE
        }
    }

    /// Whether a request may come in at all.
    pub(super) fn check(&self, head: &Parts, entrance: Entrance) -> Result<(), Refusal> {
        let known = entrance.checks_host.then_some(&*self.options.hosts);
        host::check(head, known)?;
        if head.headers.get_all(AUTHORIZATION).iter().nth(1).is_some() {
            let message = "the header is given twice, so none of them counts";
            return Err(Refusal::bad("Authorization", message));
        }
        Ok(())
    }
}
