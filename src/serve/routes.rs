//! The table of routes: each path, its methods, who may call it, and where it runs.

use hyper::{Method, StatusCode};

use super::{
    admin,
    admission::WorkClass,
    allow, authzen, facts, following,
    handler::{
        Access, BodyKind, Handler, Methods, Operation, RequestContext, Respond, RouteRequest,
    },
    openapi,
    public_url::{PublicUrl, WELL_KNOWN},
    response::{self, HttpError, HttpResponse},
    status, v1,
};
use crate::wire::AccessScope;

/// A path, and the operations on it.
#[derive(Debug)]
pub(super) struct Route {
    /// The path, which is also the name in the metrics.
    pub(super) path: &'static str,
    scope: Scope,
    pub(super) home: RouteHome,
    operations: &'static [Operation],
}

/// The listeners that answer a route.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum RouteHome {
    /// All of them.
    Everywhere,
    /// Those for administrators, if there is one over TCP; else all.
    Admin,
}

/// The paths that a route takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Scope {
    /// The route's path.
    Exact,
    /// The paths below it.
    Below,
    /// The route's path and the paths below it.
    Tree,
}

/// An operation that decides a request given by a query or headers.
const fn decision(methods: Methods, handler: Handler) -> Operation {
    Operation { methods, access: Access::Decision, body: BodyKind::Ignored, handler }
}

/// An operation that decides the requests in a body.
const fn evaluation(respond: Respond) -> Operation {
    Operation {
        methods: Methods::Post,
        access: Access::Decision,
        body: BodyKind::AuthZen,
        handler: Handler::Classed(RouteRequest::body_class, respond),
    }
}

/// An operation that answers a search in a body.
const fn search(handler: Handler) -> Operation {
    Operation { methods: Methods::Post, access: Access::List, body: BodyKind::AuthZen, handler }
}

/// An operation that reads a public resource.
const fn read(handler: Handler) -> Operation {
    Operation { methods: Methods::Read, access: Access::Anyone, body: BodyKind::Ignored, handler }
}

/// An operation that reads a resource for administrators.
const fn admin_read(handler: Handler) -> Operation {
    Operation { access: Access::Administrator(AccessScope::Read), ..read(handler) }
}

/// A command of administrators, with a body or without.
const fn admin_post(scope: AccessScope, body: BodyKind, handler: Handler) -> Operation {
    Operation { methods: Methods::Post, access: Access::Administrator(scope), body, handler }
}

const ROUTES: &[Route] = &[
    Route {
        path: "/v1/decide",
        scope: Scope::Exact,
        home: RouteHome::Everywhere,
        operations: &[
            decision(Methods::Read, Handler::Classed(v1::work_class, v1::decide)),
            Operation {
                methods: Methods::Post,
                access: Access::Decision,
                body: BodyKind::Question,
                handler: Handler::Classed(RouteRequest::body_class, v1::decide_posted),
            },
        ],
    },
    Route {
        path: "/v1/allow",
        scope: Scope::Tree,
        home: RouteHome::Everywhere,
        operations: &[decision(Methods::Any, Handler::Inline(allow::allow))],
    },
    Route {
        path: "/access/v1/evaluation",
        scope: Scope::Exact,
        home: RouteHome::Everywhere,
        operations: &[evaluation(authzen::evaluation)],
    },
    Route {
        path: "/access/v1/evaluations",
        scope: Scope::Exact,
        home: RouteHome::Everywhere,
        operations: &[evaluation(authzen::evaluations)],
    },
    Route {
        path: "/v1/reach",
        scope: Scope::Exact,
        home: RouteHome::Everywhere,
        operations: &[Operation {
            access: Access::List,
            ..read(Handler::List(WorkClass::List, v1::reach))
        }],
    },
    Route {
        path: "/access/v1/search/subject",
        scope: Scope::Exact,
        home: RouteHome::Everywhere,
        operations: &[search(Handler::List(WorkClass::List, authzen::search_subject))],
    },
    Route {
        path: "/access/v1/search/resource",
        scope: Scope::Exact,
        home: RouteHome::Everywhere,
        operations: &[search(Handler::List(WorkClass::List, authzen::search_resource))],
    },
    Route {
        path: "/access/v1/search/action",
        scope: Scope::Exact,
        home: RouteHome::Everywhere,
        operations: &[evaluation(authzen::search_action)],
    },
    Route {
        path: "/v1/changes",
        scope: Scope::Exact,
        home: RouteHome::Everywhere,
        operations: &[Operation {
            access: Access::List,
            ..read(Handler::Future(following::changes))
        }],
    },
    Route {
        path: "/v1/watch",
        scope: Scope::Exact,
        home: RouteHome::Everywhere,
        operations: &[Operation {
            methods: Methods::Post,
            access: Access::List,
            body: BodyKind::Lines,
            handler: Handler::Future(following::watch),
        }],
    },
    Route {
        path: WELL_KNOWN,
        scope: Scope::Exact,
        home: RouteHome::Everywhere,
        operations: &[read(Handler::Inline(metadata))],
    },
    Route {
        path: "/openapi.json",
        scope: Scope::Exact,
        home: RouteHome::Everywhere,
        operations: &[read(Handler::Inline(openapi::document))],
    },
    Route {
        path: "/v1/reload",
        scope: Scope::Exact,
        home: RouteHome::Admin,
        operations: &[admin_post(
            AccessScope::Reload,
            BodyKind::Ignored,
            Handler::Detached(WorkClass::Reload, admin::reload),
        )],
    },
    Route {
        path: "/v1/facts",
        scope: Scope::Exact,
        home: RouteHome::Admin,
        operations: &[
            admin_read(Handler::Blocking(WorkClass::Facts, facts::summary)),
            admin_post(AccessScope::Write, BodyKind::Json, Handler::Future(facts::write)),
        ],
    },
    Route {
        path: "/v1/store/backup",
        scope: Scope::Exact,
        home: RouteHome::Admin,
        operations: &[admin_post(
            AccessScope::Write,
            BodyKind::Ignored,
            Handler::Detached(WorkClass::Backup, facts::backup),
        )],
    },
    Route {
        path: "/v1/status",
        scope: Scope::Exact,
        home: RouteHome::Admin,
        operations: &[Operation {
            access: Access::Status,
            ..read(Handler::Blocking(WorkClass::Status, status::status))
        }],
    },
    Route {
        path: "/metrics",
        scope: Scope::Exact,
        home: RouteHome::Admin,
        operations: &[read(Handler::Detached(WorkClass::Status, status::metrics))],
    },
    Route {
        path: "/healthz",
        scope: Scope::Exact,
        home: RouteHome::Everywhere,
        operations: &[read(Handler::Inline(status::health))],
    },
    Route {
        path: "/readyz",
        scope: Scope::Exact,
        home: RouteHome::Everywhere,
        operations: &[read(Handler::Inline(status::ready))],
    },
    Route {
        path: "/v1/facts/users",
        scope: Scope::Exact,
        home: RouteHome::Admin,
        operations: &[admin_read(Handler::List(WorkClass::Facts, facts::users))],
    },
    Route {
        path: "/v1/facts/users",
        scope: Scope::Below,
        home: RouteHome::Admin,
        operations: &[admin_read(Handler::Future(facts::user))],
    },
    Route {
        path: "/v1/facts/groups",
        scope: Scope::Exact,
        home: RouteHome::Admin,
        operations: &[admin_read(Handler::List(WorkClass::Facts, facts::groups))],
    },
    Route {
        path: "/v1/facts/groups",
        scope: Scope::Below,
        home: RouteHome::Admin,
        operations: &[admin_read(Handler::Future(facts::group))],
    },
    Route {
        path: "/v1/facts/conversations",
        scope: Scope::Exact,
        home: RouteHome::Admin,
        operations: &[admin_read(Handler::List(WorkClass::Facts, facts::conversations))],
    },
    Route {
        path: "/v1/facts/rules",
        scope: Scope::Exact,
        home: RouteHome::Admin,
        operations: &[admin_read(Handler::Future(facts::rules))],
    },
    Route {
        path: "/v1/facts/rules",
        scope: Scope::Below,
        home: RouteHome::Admin,
        operations: &[admin_read(Handler::Future(facts::rule))],
    },
    Route {
        path: "/v1/facts/history",
        scope: Scope::Exact,
        home: RouteHome::Admin,
        operations: &[admin_read(Handler::Blocking(WorkClass::Facts, facts::history))],
    },
    Route {
        path: "/v1/facts/export",
        scope: Scope::Exact,
        home: RouteHome::Admin,
        operations: &[admin_read(Handler::Future(facts::export))],
    },
];

/// A route, and the part of a path below it.
#[derive(Clone, Copy, Debug)]
pub(super) struct RouteMatch<'p> {
    pub(super) route: &'static Route,
    /// The route's position in the table.
    pub(super) index: usize,
    pub(super) rest: &'p str,
}

/// The route of a path, with a slash at its end or without. AuthZEN's are also found below the path of
/// the public URL: a proxy may leave it as it is.
pub(super) fn find<'p>(path: &'p str, public: &PublicUrl) -> Option<RouteMatch<'p>> {
    let path = path.strip_suffix('/').unwrap_or(path);
    find_exact(path).or_else(|| {
        let public = public.path();
        if let Some(scope) = path.strip_prefix(WELL_KNOWN) {
            let is_ours = !public.is_empty() && scope.trim_end_matches('/') == public;
            return is_ours.then(|| find_exact(WELL_KNOWN)).flatten();
        }
        let path = path.strip_prefix(public)?;
        if path.starts_with("/access/v1/") { find_exact(path) } else { None }
    })
}

fn find_exact(path: &str) -> Option<RouteMatch<'_>> {
    let mut routes = ROUTES.iter().enumerate();
    routes.find_map(|(index, route)| Some(RouteMatch { route, index, rest: route.rest(path)? }))
}

/// The names by which requests are counted, those of dialects aside: one for each route, though several
/// routes may have the same.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    ROUTES.iter().map(|route| route.path)
}

impl Route {
    /// The part of a path below this route, empty at the route itself; `None` if it takes no such path.
    fn rest<'p>(&self, path: &'p str) -> Option<&'p str> {
        let rest = path.strip_prefix(self.path)?;
        if rest.is_empty() {
            return (self.scope != Scope::Below).then_some(rest);
        }
        let rest = rest.strip_prefix('/').filter(|_| self.scope != Scope::Exact)?;
        (self.scope == Scope::Tree || !rest.is_empty()).then_some(rest)
    }

    /// The operation of a method.
    pub(super) fn operation(&self, method: &Method) -> Option<&'static Operation> {
        self.operations.iter().find(|operation| operation.methods.contains(method))
    }

    /// The methods that the route takes.
    pub(super) fn methods(&self) -> impl Iterator<Item = &'static str> {
        self.operations.iter().map(|operation| operation.methods.names())
    }
}

/// `GET /.well-known/authzen-configuration`: where AuthZEN's endpoints are.
#[expect(clippy::unnecessary_wraps, reason = "it is a handler like the others")]
fn metadata(cx: &RequestContext<'_>) -> Result<HttpResponse, HttpError> {
    Ok(response::json_response(StatusCode::OK, cx.app.metadata.clone()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    #[test]
    fn the_description_has_each_route_and_no_other() {
        let document: Value = serde_json::from_str(include_str!("openapi.json")).unwrap();
        let described: BTreeSet<String> = document["paths"]
            .as_object()
            .unwrap()
            .iter()
            .flat_map(|(path, methods)| {
                methods.as_object().unwrap().keys().map(move |method| format!("{method} {path}"))
            })
            .collect();
        let routes = ROUTES.iter().flat_map(|route| {
            let below = if route.scope == Scope::Below { "/{id}" } else { "" };
            route.operations.iter().map(move |operation| {
                let method = if operation.methods == Methods::Post { "post" } else { "get" };
                format!("{method} {}{below}", route.path)
            })
        });
        assert_eq!(described, routes.collect());
    }
}
