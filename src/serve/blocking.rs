//! Work on blocking threads: admission, execution, and responses to shed requests.

use std::sync::Arc;

use hyper::{StatusCode, header::RETRY_AFTER};
use thiserror::Error;
use tracing::Span;

use super::{
    admission::{Cancellation, Permit, WorkClass},
    app::{App, stamp_revision},
    peer::Peer,
    response::{self, HttpError, HttpResponse, REVISION},
};
use crate::live::ServedPolicy;

/// The reason why work has no outcome.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub(super) enum WorkError {
    #[error("too many requests of this kind are under way; try again after a moment")]
    Busy,
    #[error("the daemon is stopping")]
    Stopping,
    #[error("internal error")]
    Panicked,
}

/// The class of work, the route under which it is counted if it is shed, and its caller.
#[derive(Clone, Copy, Debug)]
pub(super) struct WorkPlace<'p> {
    pub(super) class: WorkClass,
    pub(super) route: &'p str,
    pub(super) peer: &'p Peer,
}

impl WorkError {
    pub(super) fn response(self) -> HttpResponse {
        let error = HttpError::new(StatusCode::SERVICE_UNAVAILABLE, self.to_string());
        let mut response = error.response();
        if self == Self::Busy {
            response.headers_mut().insert(RETRY_AFTER, response::retry_after());
        }
        response
    }
}

impl App {
    /// Counts a shed request, and returns its response.
    pub(super) fn shed(&self, route: &str) -> HttpResponse {
        self.metrics.count_shed(route);
        WorkError::Busy.response()
    }

    /// Waits until work is admitted; counts it if it is shed.
    pub(super) async fn admit(&self, place: WorkPlace<'_>) -> Result<Permit, WorkError> {
        let permit = self.admission.admit(place.class, place.peer).await;
        permit.ok_or_else(|| {
            self.metrics.count_shed(place.route);
            WorkError::Busy
        })
    }

    /// Runs admitted work on a blocking thread.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        permit: &Permit,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, WorkError> {
        // The lines that the work logs are in the trace of its request.
        let span = Span::current();
        let Some(running) = self.admission.run(permit, move || span.in_scope(work)).await else {
            return Err(WorkError::Stopping);
        };
        running.await.map_err(|error| {
            if error.is_panic() {
                tracing::error!(%error, "a request failed by a panic");
                WorkError::Panicked
            } else {
                WorkError::Stopping
            }
        })
    }

    /// Admits work and runs it on a blocking thread; it is cancelled if the caller stops
    /// waiting. The permit can be held for the work that remains.
    pub(super) async fn run_admitted<T: Send + 'static>(
        self: &Arc<Self>,
        place: WorkPlace<'_>,
        work: impl FnOnce(&Arc<Self>, &Cancellation) -> T + Send + 'static,
    ) -> Result<(T, Permit), WorkError> {
        let permit = self.admit(place).await?;
        let cancellation = Cancellation::new();
        let _cancel = cancellation.cancel_on_drop();
        let app = Arc::clone(self);
        let outcome = self.run(&permit, move || work(&app, &cancellation)).await?;
        Ok((outcome, permit))
    }

    /// Responds from the served view on a blocking thread.
    pub(super) async fn respond_blocking(
        self: &Arc<Self>,
        place: WorkPlace<'_>,
        respond: impl FnOnce(
            &Self,
            &Arc<ServedPolicy>,
            &Cancellation,
        ) -> Result<HttpResponse, HttpError>
        + Send
        + 'static,
    ) -> HttpResponse {
        let work = |app: &Arc<Self>, cancellation: &Cancellation| {
            let served = app.live.served();
            let response = respond(app, &served, cancellation);
            let mut response = response.unwrap_or_else(|error| error.response());
            if !response.headers().contains_key(REVISION) {
                stamp_revision(&mut response, &served.revision, served.number);
            }
            response
        };
        match self.run_admitted(place, work).await {
            Ok((response, _)) => response,
            Err(error) => error.response(),
        }
    }
}
