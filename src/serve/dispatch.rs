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
    admission::{Abandoned, Class, InFlight},
    allow,
    answer::{self, Answer, Refusal},
    audit::Caller,
    body,
    endpoint::{Endpoint, Route},
    exposition::Format,
    facts,
    host::Entrance,
    native,
    route::{App, Connection, NATIVE},
    status,
};
use crate::live::Served;

/// For how long a decision is in flight while its body is still coming. After that it is so again when
/// the body is there.
const BODY_IN_FLIGHT: Duration = Duration::from_secs(2);

impl App {
    /// The answer at a path, to a request that is counted as in flight if it is a decision.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) async fn answer_at(
        self: &Arc<Self>,
        Route { path, endpoint }: Route,
        (head, body): (Parts, Incoming),
        connection: &Connection,
        mut in_flight: Option<InFlight<'_>>,
    ) -> Result<Answer, Refusal> {
        let Connection { entrance: Entrance { trusted, .. }, peer } = connection;
        match (endpoint, &head.method) {
            (Endpoint::Ask(ask), &Method::POST) => {
                let mut read = pin!(self.authzen_body(&head.headers, body));
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
                Ok(self.ask((path, ask), bytes, peer).await)
            }
            (Endpoint::Search(search), &Method::POST) => {
                let bytes = self.authzen_body(&head.headers, body).await?;
                let make = move |app: &Self, served: &Arc<Served>, abandoned: &Abandoned| {
                    search(app, served, &bytes, abandoned)
                };
                Ok(self.list((Class::List, path), peer, make).await)
            }
            (Endpoint::Facts, &Method::POST) => {
                if let Err(refusal) = admin::check(self, &head.headers, *trusted) {
                    body::discard(&head.headers, body);
                    return Err(refusal);
                }
                let bytes = body::read(&head.headers, body, self.options.body_limit).await?;
                let by = Caller::native(facts::API, *trusted);
                Ok(facts::write(self, &by, &head.headers, &bytes).await)
            }
            (endpoint, _) => {
                body::discard(&head.headers, body);
                if endpoint.is_for_administrators() {
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
        Connection { entrance: Entrance { trusted, .. }, peer }: &Connection,
    ) -> Result<Answer, Refusal> {
        let reads = matches!(head.method, Method::GET | Method::HEAD);
        match endpoint {
            Endpoint::Reload | Endpoint::Backup if head.method != Method::POST => {
                return Ok(answer::wrong_method("POST"));
            }
            Endpoint::FactsRead(_) if !reads => return Ok(answer::wrong_method("GET, HEAD")),
            Endpoint::Facts if !reads => return Ok(answer::wrong_method("GET, HEAD, POST")),
            _ => {}
        }
        admin::check(self, &head.headers, *trusted)?;
        let query = head.uri.query().unwrap_or_default().to_owned();
        Ok(match endpoint {
            Endpoint::Reload => {
                let forced = admin::forces(&head.uri)?;
                self.reload((path, peer), forced, Caller::native(NATIVE, *trusted)).await
            }
            Endpoint::Backup => {
                let copy =
                    move |app: &Self, _: &Served, _: &Abandoned| facts::backup(app, Some(&query));
                self.gather((Class::Backup, path), peer, copy).await
            }
            Endpoint::FactsRead(read) => facts::read(self, (path, read), query, peer).await,
            _ => {
                let sum = |app: &Self, served: &Served, _: &Abandoned| facts::summary(app, served);
                self.gather((Class::Facts, path), peer, sum).await
            }
        })
    }

    /// What anyone asks without a body.
    async fn look_up(
        self: &Arc<Self>,
        (path, endpoint): (&'static str, Endpoint),
        head: Parts,
        Connection { peer, .. }: &Connection,
    ) -> Answer {
        let reads = matches!(head.method, Method::GET | Method::HEAD);
        let query = head.uri.query();
        match endpoint {
            Endpoint::Allow => self.on_served(|served| allow::allow(self, served, &head)),
            Endpoint::Ask(_) | Endpoint::Search(_) => answer::wrong_method("POST"),
            _ if !reads => answer::wrong_method("GET, HEAD"),
            Endpoint::Decide(decide) if native::explains(query) => {
                let explain = move |app: &Self, served: &Served, _: &Abandoned| {
                    decide(app, served, head.uri.query())
                };
                self.gather((Class::Explanation, path), peer, explain).await
            }
            Endpoint::Read(read) | Endpoint::Decide(read) => {
                self.on_served(|served| read(self, served, query))
            }
            Endpoint::List(list) => {
                let make = move |_: &Self, served: &Arc<Served>, _: &Abandoned| {
                    list(served, head.uri.query())
                };
                self.list((Class::List, path), peer, make).await
            }
            Endpoint::Gather(read) => {
                let look = move |app: &Self, served: &Served, _: &Abandoned| {
                    read(app, served, head.uri.query())
                };
                self.gather((Class::Status, path), peer, look).await
            }
            _ => {
                let format = Format::accepted(&head.headers);
                let tell =
                    move |app: &Self, _: &Served, _: &Abandoned| Ok(status::metrics(app, format));
                self.gather((Class::Status, path), peer, tell).await
            }
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
}
