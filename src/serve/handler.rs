//! The types of a route's operations: who may call one, how its body is read, and where it runs.

use std::{pin::Pin, sync::Arc};

use hyper::{Method, body::Bytes, http::request::Parts};

use super::{
    admission::{Cancellation, WorkClass},
    app::App,
    connection::Connection,
    decision_log::RequestTrace,
    freshness::DecisionView,
    list_stream::Producer,
    response::{HttpError, HttpResponse},
};
use crate::{live::ServedPolicy, wire::AccessScope};

/// One operation of a route: the methods that ask for it, and how it is carried out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operation {
    pub(super) methods: Methods,
    pub(super) access: Access,
    pub(super) body: BodyKind,
    pub(super) handler: Handler,
}

/// The HTTP methods of an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Methods {
    /// GET and HEAD.
    Read,
    Post,
    Any,
}

/// The callers of an operation, and whether it is shed when the daemon is full.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Access {
    /// Those who may request decisions; counted as a decision in flight.
    Decision,
    /// Those who may request decisions.
    List,
    Anyone,
    /// Anyone, or the tokens that may read if there is a file of tokens.
    Status,
    /// Callers who show a token with the scope, or come by a socket for administrators. Never shed for the
    /// length of the answer.
    Administrator(AccessScope),
}

/// How an operation's request body is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum BodyKind {
    /// Not at all.
    Ignored,
    Json,
    /// JSON that asks for decisions.
    Question,
    /// Lines of JSON, far more of them than other bodies may have.
    Lines,
    /// JSON; any other content type is malformed (400), as AuthZEN has it.
    AuthZen,
}

/// Where an operation runs, and what it runs.
#[derive(Clone, Copy, Debug)]
pub(super) enum Handler {
    /// On the connection's task: it is quick and never waits.
    Inline(Respond),
    /// On the connection's task, or admitted to the class that the request calls for.
    Classed(Classify, Respond),
    /// On a blocking thread, admitted to a class.
    Blocking(WorkClass, Respond),
    /// The same without a view: one that it held could not be freed meanwhile.
    Detached(WorkClass, Work),
    /// A list, streamed from blocking threads.
    List(WorkClass, List),
    /// As a future of its own.
    Future(Run),
}

pub(super) type Respond = fn(&RequestContext<'_>) -> Result<HttpResponse, HttpError>;
pub(super) type Classify = fn(&RouteRequest) -> Option<WorkClass>;
pub(super) type Work = fn(&App, &RouteRequest) -> Result<HttpResponse, HttpError>;
pub(super) type List = fn(&RequestContext<'_>) -> Result<Producer, HttpError>;
pub(super) type Run = fn(Arc<App>, RouteRequest) -> ResponseFuture;
pub(super) type ResponseFuture = Pin<Box<dyn Future<Output = HttpResponse> + Send>>;

/// A request at its route, with its body.
#[derive(Debug)]
pub(super) struct RouteRequest {
    /// The path by which the route is counted.
    pub(super) route: &'static str,
    pub(super) head: Parts,
    /// The part of the path below the route, as it was sent.
    pub(super) rest: String,
    pub(super) body: Bytes,
    pub(super) connection: Connection,
    pub(super) trace: RequestTrace,
    /// The name of the caller's token, if the operation took one.
    pub(super) token: Option<Arc<str>>,
}

/// A request, and the view from which it is answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct RequestContext<'r> {
    pub(super) app: &'r App,
    pub(super) served: &'r Arc<ServedPolicy>,
    /// The same view, by which decisions are made.
    pub(super) decisions: DecisionView<'r>,
    pub(super) request: &'r RouteRequest,
    pub(super) cancellation: &'r Cancellation,
}

impl<'r> RequestContext<'r> {
    pub(super) fn new(
        app: &'r App,
        served: &'r Arc<ServedPolicy>,
        request: &'r RouteRequest,
        cancellation: &'r Cancellation,
    ) -> Self {
        let decisions = DecisionView::new(served, app.live.staleness().freshness());
        Self { app, served, decisions, request, cancellation }
    }
}

impl RouteRequest {
    pub(super) fn query(&self) -> Option<&str> {
        self.head.uri.query()
    }
}

/// The longest body of questions that are decided on the connection's task, in bytes: some dozens of them.
const LITTLE: usize = 8 << 10;

impl RouteRequest {
    /// The class of the decisions that the body asks for; `None` if they are cheap enough for the connection's
    /// task.
    pub(super) fn body_class(&self) -> Option<WorkClass> {
        let body = &self.body;
        if body.len() > LITTLE {
            return Some(WorkClass::Batch);
        }
        // No JSON can have a member of that name without one or the other.
        let contains = |text: &[u8]| body.windows(text.len()).any(|bytes| bytes == text);
        (contains(b"explain") || contains(br"\u")).then_some(WorkClass::Explanation)
    }
}

impl Methods {
    pub(super) fn contains(self, method: &Method) -> bool {
        match self {
            Self::Read => matches!(*method, Method::GET | Method::HEAD),
            Self::Post => *method == Method::POST,
            Self::Any => true,
        }
    }

    /// The methods as `Allow` lists them.
    pub(super) const fn names(self) -> &'static str {
        match self {
            Self::Read => "GET, HEAD",
            Self::Post => "POST",
            Self::Any => "*",
        }
    }
}
