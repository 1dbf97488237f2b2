//! The paths that there are, and what each takes.

use std::sync::Arc;

use hyper::StatusCode;

use super::{
    admission::Cancellation,
    allow,
    app::App,
    authzen, facts,
    list_stream::Producer,
    response::{self, HttpError, HttpResponse},
    status, v1,
};
use crate::live::ServedPolicy;

pub(super) type ReadHandler =
    fn(&App, &ServedPolicy, Option<&str>) -> Result<HttpResponse, HttpError>;
pub(super) type EvaluationHandler =
    fn(&App, &ServedPolicy, &[u8], &Cancellation) -> Result<HttpResponse, HttpError>;
pub(super) type ListHandler = fn(&Arc<ServedPolicy>, Option<&str>) -> Result<Producer, HttpError>;
pub(super) type SearchHandler =
    fn(&App, &Arc<ServedPolicy>, &[u8], &Cancellation) -> Result<Producer, HttpError>;

/// A path, and what it takes.
pub(super) struct Route {
    /// By this name it is counted.
    pub(super) path: &'static str,
    pub(super) endpoint: Endpoint,
}

#[derive(Clone)]
pub(super) enum Endpoint {
    Read(ReadHandler),
    /// Decisions, asked for in a query string.
    Decide(ReadHandler),
    /// The decision as a status, whatever the method.
    Allow,
    /// Decisions, asked for in a body.
    Evaluate(EvaluationHandler),
    List(ListHandler),
    Search(SearchHandler),
    /// What operators look at; what it gathers grows with the policy.
    Report(ReadHandler),
    Metrics,
    Reload,
    Facts,
    /// Something of the facts, for administrators.
    FactsRead(facts::FactsQuery),
    Backup,
}

impl Endpoint {
    pub(super) fn requires_admin(&self) -> bool {
        matches!(self, Self::Reload | Self::Facts | Self::FactsRead(_) | Self::Backup)
    }

    pub(super) fn is_decision(&self) -> bool {
        matches!(self, Self::Decide(_) | Self::Allow | Self::Evaluate(_))
    }
}

/// The paths that are counted by their names, and what each takes.
const ROUTES: [(&str, Endpoint); 16] = [
    ("/v1/decide", Endpoint::Decide(v1::decide)),
    ("/v1/allow", Endpoint::Allow),
    ("/access/v1/evaluation", Endpoint::Evaluate(authzen::evaluation)),
    ("/access/v1/evaluations", Endpoint::Evaluate(authzen::evaluations)),
    ("/v1/reach", Endpoint::List(v1::reach)),
    ("/access/v1/search/subject", Endpoint::Search(authzen::search_subject)),
    ("/access/v1/search/resource", Endpoint::Search(authzen::search_resource)),
    ("/access/v1/search/action", Endpoint::Evaluate(authzen::search_action)),
    (authzen::WELL_KNOWN, Endpoint::Read(metadata)),
    ("/v1/reload", Endpoint::Reload),
    ("/v1/facts", Endpoint::Facts),
    ("/v1/store/backup", Endpoint::Backup),
    ("/v1/status", Endpoint::Report(status::status)),
    ("/metrics", Endpoint::Metrics),
    ("/healthz", Endpoint::Read(|_, _, _| Ok(response::text_response(StatusCode::OK, "ok\n")))),
    ("/readyz", Endpoint::Read(status::ready)),
];

pub(super) fn route(path: &str) -> Option<Route> {
    let known = ROUTES.iter().find(|(known, _)| *known == path);
    if let Some((path, endpoint)) = known {
        return Some(Route { path, endpoint: endpoint.clone() });
    }
    if allow::matches_path(path) {
        return Some(Route { path: "/v1/allow", endpoint: Endpoint::Allow });
    }
    let read = facts::FactsQuery::from_path(path)?;
    Some(Route { path: read.route(), endpoint: Endpoint::FactsRead(read) })
}

/// The names by which requests are counted that are shed, those of dialects aside.
pub(super) fn route_names() -> impl Iterator<Item = &'static str> {
    ROUTES.iter().map(|(path, _)| *path).chain(facts::FactsQuery::ROUTES)
}

/// `GET /.well-known/authzen-configuration`: where AuthZEN's endpoints are.
#[expect(clippy::unnecessary_wraps, reason = "it is an endpoint like the others")]
pub(super) fn metadata(
    app: &App,
    _: &ServedPolicy,
    _: Option<&str>,
) -> Result<HttpResponse, HttpError> {
    Ok(response::json_response(StatusCode::OK, app.metadata.clone()))
}
