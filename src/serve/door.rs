//! The door: what is looked at of every request before it is answered, and noted of its answer.

use std::sync::Arc;

use hyper::{Request, body::Incoming, header::AUTHORIZATION, http::request::Parts};

use super::{
    app::{App, Connection, NATIVE},
    dialects, facts,
    host::{self, ListenerPolicy},
    response::{CredentialRejection, HttpError, HttpResponse},
};

impl App {
    /// Answers one request; whatever it holds, there is an answer.
    pub(super) async fn answer(
        self: &Arc<Self>,
        request: Request<Incoming>,
        connection: &Connection,
    ) -> HttpResponse {
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let answer = self.respond(request, connection).await;
        if answer.extensions().get::<CredentialRejection>().is_some() {
            let what = (method.as_str(), uri.path());
            let (served, status) = (self.live.served(), answer.status());
            self.options.audit.credential_rejected(
                self.api_name(uri.path()),
                what,
                &served,
                status,
            );
        }
        answer
    }

    /// The API to which a path belongs.
    fn api_name(&self, path: &str) -> &'static str {
        if self.route(path).is_none()
            && let Some(dialect) = dialects::find(self, path)
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
    pub(super) fn check_head(
        &self,
        head: &Parts,
        entrance: ListenerPolicy,
    ) -> Result<(), HttpError> {
        let known = entrance.checks_host.then_some(&*self.options.hosts);
        host::check(head, known)?;
        if head.headers.get_all(AUTHORIZATION).iter().nth(1).is_some() {
            let message = "the header is given twice, so none of them counts";
            return Err(HttpError::bad_request("Authorization", message));
        }
        Ok(())
    }
}
