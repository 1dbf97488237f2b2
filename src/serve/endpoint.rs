//! The paths that there are, and what each takes.

use std::sync::Arc;

use hyper::StatusCode;

use super::{
    admission::Abandoned,
    allow,
    answer::{self, Answer, Refusal},
    authzen, facts,
    listing::Producer,
    native,
    route::App,
    status,
};
use crate::live::Served;

pub(super) type Read = fn(&App, &Served, Option<&str>) -> Result<Answer, Refusal>;
pub(super) type Ask = fn(&App, &Served, &[u8], &Abandoned) -> Result<Answer, Refusal>;
pub(super) type List = fn(&Arc<Served>, Option<&str>) -> Result<Producer, Refusal>;
pub(super) type Search = fn(&App, &Arc<Served>, &[u8], &Abandoned) -> Result<Producer, Refusal>;

/// A path, and what it takes.
pub(super) struct Route {
    /// By this name it is counted.
    pub(super) path: &'static str,
    pub(super) endpoint: Endpoint,
}

#[derive(Clone)]
pub(super) enum Endpoint {
    Read(Read),
    /// Decisions, asked for in a query string.
    Decide(Read),
    /// The decision as a status, whatever the method.
    Allow,
    /// Decisions, asked for in a body.
    Ask(Ask),
    List(List),
    Search(Search),
    /// What operators look at; what it gathers grows with the policy.
    Gather(Read),
    Metrics,
    Reload,
    Facts,
    /// Something of the facts, for administrators.
    FactsRead(facts::Read),
    Backup,
}

impl Endpoint {
    pub(super) fn is_for_administrators(&self) -> bool {
        matches!(self, Self::Reload | Self::Facts | Self::FactsRead(_) | Self::Backup)
    }

    pub(super) fn decides(&self) -> bool {
        matches!(self, Self::Decide(_) | Self::Allow | Self::Ask(_))
    }
}

/// The paths that are counted by their names, and what each takes.
const ROUTES: [(&str, Endpoint); 16] = [
    ("/v1/decide", Endpoint::Decide(native::decide)),
    ("/v1/allow", Endpoint::Allow),
    ("/access/v1/evaluation", Endpoint::Ask(authzen::evaluation)),
    ("/access/v1/evaluations", Endpoint::Ask(authzen::evaluations)),
    ("/v1/reach", Endpoint::List(native::reach)),
    ("/access/v1/search/subject", Endpoint::Search(authzen::search_subject)),
    ("/access/v1/search/resource", Endpoint::Search(authzen::search_resource)),
    ("/access/v1/search/action", Endpoint::Ask(authzen::search_action)),
    (authzen::WELL_KNOWN, Endpoint::Read(metadata)),
    ("/v1/reload", Endpoint::Reload),
    ("/v1/facts", Endpoint::Facts),
    ("/v1/store/backup", Endpoint::Backup),
    ("/v1/status", Endpoint::Gather(status::status)),
    ("/metrics", Endpoint::Metrics),
    ("/healthz", Endpoint::Read(|_, _, _| Ok(answer::text_answer(StatusCode::OK, "ok\n")))),
    ("/readyz", Endpoint::Read(status::ready)),
];

pub(super) fn route(path: &str) -> Option<Route> {
    let known = ROUTES.iter().find(|(known, _)| *known == path);
    if let Some((path, endpoint)) = known {
        return Some(Route { path, endpoint: endpoint.clone() });
    }
    if allow::is_at(path) {
        return Some(Route { path: "/v1/allow", endpoint: Endpoint::Allow });
    }
    let read = facts::Read::at(path)?;
    Some(Route { path: read.route(), endpoint: Endpoint::FactsRead(read) })
}

/// The names by which requests are counted that are shed, those of dialects aside.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    ROUTES.iter().map(|(path, _)| *path).chain(facts::Read::ROUTES)
}

/// `GET /.well-known/authzen-configuration`: where AuthZEN's endpoints are.
#[expect(clippy::unnecessary_wraps, reason = "it is an endpoint like the others")]
pub(super) fn metadata(app: &App, _: &Served, _: Option<&str>) -> Result<Answer, Refusal> {
    Ok(answer::json_answer(StatusCode::OK, app.metadata.clone()))
}
