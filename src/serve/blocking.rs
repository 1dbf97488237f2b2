//! Work that is done when it is its turn, and the answers where there is no room for it.

use std::sync::Arc;

use hyper::{StatusCode, body::Bytes, header::RETRY_AFTER};
use tokio::task::JoinError;

use super::{
    admin,
    admission::{Cancellation, WorkClass},
    app::{App, stamp_revision},
    audit::Caller,
    authzen,
    endpoint::EvaluationHandler,
    peer::Peer,
    response::{self, HttpError, HttpResponse, REVISION},
};
use crate::live::ServedPolicy;

impl App {
    /// Decides what a body asks: at once if that is little, else when it is its turn.
    pub(super) async fn evaluate(
        self: &Arc<Self>,
        (path, ask): (&'static str, EvaluationHandler),
        bytes: Bytes,
        peer: &Peer,
    ) -> HttpResponse {
        let Some(class) = authzen::work_class(&bytes) else {
            return self.with_view(|served| ask(self, served, &bytes, &Cancellation::NEVER));
        };
        let work = move |app: &Self, served: &ServedPolicy, abandoned: &Cancellation| {
            ask(app, served, &bytes, abandoned)
        };
        self.run_blocking((class, path), peer, work).await
    }

    /// The answer to a request for which there is no room now.
    pub(super) fn shed(&self, route: &str) -> HttpResponse {
        self.metrics.count_shed(route);
        overloaded()
    }

    /// Works on a thread for what takes long, when it is its turn.
    pub(super) async fn run_blocking(
        self: &Arc<Self>,
        (class, route): (WorkClass, &str),
        peer: &Peer,
        make: impl FnOnce(&Self, &ServedPolicy, &Cancellation) -> Result<HttpResponse, HttpError>
        + Send
        + 'static,
    ) -> HttpResponse {
        let Some(permit) = self.admission.admit(class, peer).await else {
            return self.shed(route);
        };
        let abandoned = Cancellation::new();
        let _abandon = abandoned.cancel_on_drop();
        let app = Arc::clone(self);
        let work = move || {
            let served = app.live.served();
            let mut answer =
                make(&app, &served, &abandoned).unwrap_or_else(|refusal| refusal.response());
            if !answer.headers().contains_key(REVISION) {
                stamp_revision(&mut answer, &served.revision);
            }
            answer
        };
        match self.admission.run(&permit, work).await {
            Some(working) => working.await.unwrap_or_else(|error| join_error_response(&error)),
            None => stopping(),
        }
    }

    /// Reloads on a thread of its own; stamped with what is served afterwards.
    pub(super) async fn reload(
        self: &Arc<Self>,
        (route, peer): (&str, &Peer),
        forced: bool,
        by: Caller,
    ) -> HttpResponse {
        let Some(permit) = self.admission.admit(WorkClass::Reload, peer).await else {
            return self.shed(route);
        };
        let app = Arc::clone(self);
        match self.admission.run(&permit, move || admin::reload(&app, forced, &by)).await {
            Some(reloading) => reloading.await.unwrap_or_else(|error| join_error_response(&error)),
            None => stopping(),
        }
    }
}

fn stopping() -> HttpResponse {
    unavailable("the daemon is stopping")
}

/// Of work that ended without an answer.
pub(super) fn join_error_response(error: &JoinError) -> HttpResponse {
    if error.is_panic() {
        tracing::error!(%error, "a request could not be answered");
        return unavailable("it can't be answered, by a mistake in peerage itself");
    }
    stopping()
}

fn unavailable(message: &str) -> HttpResponse {
    HttpError {
        status: StatusCode::SERVICE_UNAVAILABLE,
        message: message.to_owned(),
        at: String::new(),
    }
    .response()
}

/// For now there is no room.
fn overloaded() -> HttpResponse {
    let message = "too many requests of this kind are under way; try again after a moment";
    let mut answer = unavailable(message);
    answer.headers_mut().insert(RETRY_AFTER, response::retry_after());
    answer
}
