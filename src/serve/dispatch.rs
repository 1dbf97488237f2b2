//! What is done at each path: the endpoints by their methods.

use std::{pin::pin, sync::Arc, time::Duration};

use hyper::{
    HeaderMap, Method, StatusCode,
    body::{Bytes, Incoming},
    http::request::Parts,
};
use tokio::time::timeout;

use super::{
    admin,
    admission::{Cancellation, InFlightGuard, WorkClass},
    allow,
    app::{App, Connection, NATIVE},
    audit::Caller,
    body,
    endpoint::{Endpoint, Route},
    exposition::MetricsFormat,
    facts,
    host::ListenerPolicy,
    response::{self, HttpError, HttpResponse},
    status, v1,
};
use crate::live::ServedPolicy;

/// For how long a decision is in flight while its body is still coming. After that it is so again when
/// the body is there.
const BODY_IN_FLIGHT: Duration = Duration::from_secs(2);

impl App {
    /// The answer at a path, to a request that is counted as in flight if it is a decision.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) async fn dispatch(
        self: &Arc<Self>,
        Route { path, endpoint }: Route,
        (head, body): (Parts, Incoming),
        connection: &Connection,
        mut in_flight: Option<InFlightGuard<'_>>,
    ) -> Result<HttpResponse, HttpError> {
        let Connection { listener: ListenerPolicy { trusted, .. }, peer } = connection;
        match (endpoint, &head.method) {
            (Endpoint::Evaluate(ask), &Method::POST) => {
                let mut read = pin!(self.read_authzen_body(&head.headers, body));
                let bytes = if let Ok(bytes) = timeout(BODY_IN_FLIGHT, read.as_mut()).await {
                    bytes?
                } else {
                    // Those who send slowly must not keep others out.
                    let was_counted = in_flight.take().is_some();
                    let bytes = read.await?;
                    if was_counted {
                        in_flight = self.admission.begin_decision();
                        if in_flight.is_none() {
                            return Ok(self.shed(path));
                        }
                    }
                    bytes
                };
                Ok(self.evaluate((path, ask), bytes, peer).await)
            }
            (Endpoint::Search(search), &Method::POST) => {
                let bytes = self.read_authzen_body(&head.headers, body).await?;
                let make =
                    move |app: &Self, served: &Arc<ServedPolicy>, abandoned: &Cancellation| {
                        search(app, served, &bytes, abandoned)
                    };
                Ok(self.respond_list((WorkClass::List, path), peer, make).await)
            }
            (Endpoint::Facts, &Method::POST) => {
                if let Err(refusal) = admin::authorize(self, &head.headers, *trusted) {
                    body::discard(&head.headers, body);
                    return Err(refusal);
                }
                let bytes = body::read_json(&head.headers, body, self.options.body_limit).await?;
                let by = Caller::native(facts::API, *trusted);
                Ok(facts::write(self, &by, &head.headers, &bytes).await)
            }
            (endpoint, _) => {
                body::discard(&head.headers, body);
                if endpoint.requires_admin() {
                    self.administer((path, endpoint), &head, connection).await
                } else {
                    Ok(self.look_up((path, endpoint), head, connection).await)
                }
            }
        }
    }

    /// What administrators ask without a body.
    async fn administer(
        self: &Arc<Self>,
        (path, endpoint): (&'static str, Endpoint),
        head: &Parts,
        Connection { listener: ListenerPolicy { trusted, .. }, peer }: &Connection,
    ) -> Result<HttpResponse, HttpError> {
        let reads = matches!(head.method, Method::GET | Method::HEAD);
        match endpoint {
            Endpoint::Reload | Endpoint::Backup if head.method != Method::POST => {
                return Ok(response::method_not_allowed("POST"));
            }
            Endpoint::FactsRead(_) if !reads => {
                return Ok(response::method_not_allowed("GET, HEAD"));
            }
            Endpoint::Facts if !reads => {
                return Ok(response::method_not_allowed("GET, HEAD, POST"));
            }
            _ => {}
        }
        admin::authorize(self, &head.headers, *trusted)?;
        let query = head.uri.query().unwrap_or_default().to_owned();
        Ok(match endpoint {
            Endpoint::Reload => {
                let forced = admin::parse_force(&head.uri)?;
                self.reload((path, peer), forced, Caller::native(NATIVE, *trusted)).await
            }
            Endpoint::Backup => {
                let copy = move |app: &Self, _: &ServedPolicy, _: &Cancellation| {
                    facts::backup(app, Some(&query))
                };
                self.run_blocking((WorkClass::Backup, path), peer, copy).await
            }
            Endpoint::FactsRead(read) => facts::read(self, (path, read), query, peer).await,
            _ => {
                let sum = |app: &Self, served: &ServedPolicy, _: &Cancellation| {
                    facts::summary(app, served)
                };
                self.run_blocking((WorkClass::Facts, path), peer, sum).await
            }
        })
    }

    /// What anyone asks without a body.
    async fn look_up(
        self: &Arc<Self>,
        (path, endpoint): (&'static str, Endpoint),
        head: Parts,
        Connection { peer, .. }: &Connection,
    ) -> HttpResponse {
        let reads = matches!(head.method, Method::GET | Method::HEAD);
        let query = head.uri.query();
        match endpoint {
            Endpoint::Allow => self.with_view(|served| allow::allow(self, served, &head)),
            Endpoint::Evaluate(_) | Endpoint::Search(_) => response::method_not_allowed("POST"),
            _ if !reads => response::method_not_allowed("GET, HEAD"),
            Endpoint::Decide(decide) if v1::wants_explanation(query) => {
                let explain = move |app: &Self, served: &ServedPolicy, _: &Cancellation| {
                    decide(app, served, head.uri.query())
                };
                self.run_blocking((WorkClass::Explanation, path), peer, explain).await
            }
            Endpoint::Read(read) | Endpoint::Decide(read) => {
                self.with_view(|served| read(self, served, query))
            }
            Endpoint::List(list) => {
                let make = move |_: &Self, served: &Arc<ServedPolicy>, _: &Cancellation| {
                    list(served, head.uri.query())
                };
                self.respond_list((WorkClass::List, path), peer, make).await
            }
            Endpoint::Report(read) => {
                let look = move |app: &Self, served: &ServedPolicy, _: &Cancellation| {
                    read(app, served, head.uri.query())
                };
                self.run_blocking((WorkClass::Status, path), peer, look).await
            }
            _ => {
                let format = MetricsFormat::accepted(&head.headers);
                let tell = move |app: &Self, _: &ServedPolicy, _: &Cancellation| {
                    Ok(status::metrics(app, format))
                };
                self.run_blocking((WorkClass::Status, path), peer, tell).await
            }
        }
    }

    /// A body of AuthZEN, of which one of another kind is malformed.
    async fn read_authzen_body(
        &self,
        headers: &HeaderMap,
        body: Incoming,
    ) -> Result<Bytes, HttpError> {
        let mut read = body::read_json(headers, body, self.options.body_limit).await;
        if let Err(refusal) = &mut read
            && refusal.at == body::CONTENT_TYPE
        {
            refusal.status = StatusCode::BAD_REQUEST;
        }
        read
    }
}
