//! The state from which every request is answered.

use std::{
    cell::RefCell,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use hyper::{body::Bytes, header::HeaderValue};
use tokio::sync::Semaphore;

use super::{
    admission::{AdmissionControl, Cancellation},
    audit::{FACTS, NATIVE},
    decision_log::DecisionOrigin,
    dialects::{DecisionRecorder, ServedBackend},
    following::{ChangeFeed, EntityTag},
    metrics::Metrics,
    options::ServeOptions,
    peer::WaitingBytes,
    response::{HttpError, HttpResponse, REVISION, VIEW},
    sockets::Hub,
};
use crate::live::{Live, ServedPolicy};

/// The most long bodies that are read at a time, each of which is held whole.
const MAX_UPLOADS: usize = 4;

/// The state from which every request is answered.
#[derive(Debug)]
pub struct App {
    pub(super) live: Arc<Live>,
    pub(super) metrics: Metrics,
    pub(super) started: SystemTime,
    pub(super) options: ServeOptions,
    /// AuthZEN's metadata: where its endpoints are.
    pub(super) metadata: Bytes,
    pub(super) admission: AdmissionControl,
    /// The bytes of finished responses that wait to be read.
    pub(super) waiting: WaitingBytes,
    /// Whether the daemon is about to stop, so that no new callers should come.
    stopping: AtomicBool,
    /// The signal of changes to those who follow them.
    pub(super) feed: ChangeFeed,
    /// Room for long bodies that are being read.
    pub(super) uploads: Semaphore,
    pub(super) etag: EntityTag,
    /// The sockets of each dialect over WebSockets.
    pub(super) hubs: Vec<Arc<Hub>>,
}

impl App {
    /// The state for serving a policy; `routes` are the names by which shed requests are counted.
    pub(super) fn with_routes(
        live: Arc<Live>,
        mut options: ServeOptions,
        routes: impl Iterator<Item = &'static str>,
    ) -> Self {
        options.hosts.extend(options.public_url.host());
        let metadata = options.public_url.metadata();
        let hubs: Vec<Arc<Hub>> =
            options.sockets.iter().map(|sockets| Arc::new(Hub::new(sockets.clone()))).collect();
        let dialects = || options.dialects.iter().map(|dialect| dialect.name());
        let sockets = || hubs.iter().map(|hub| hub.name());
        let metrics = Metrics::new(dialects(), sockets(), routes);
        options.audit.start_counters(dialects().chain(sockets()).chain([NATIVE, FACTS]));
        let admission = AdmissionControl::new(options.max_in_flight);
        let (waiting, stopping) = (WaitingBytes::default(), AtomicBool::new(false));
        let started = SystemTime::now();
        Self {
            live,
            metrics,
            started,
            options,
            metadata,
            admission,
            waiting,
            stopping,
            feed: ChangeFeed::default(),
            uploads: Semaphore::new(MAX_UPLOADS),
            etag: EntityTag::default(),
            hubs,
        }
    }

    /// Answers `/readyz` with 503 from now on, so that balancers send no new callers.
    pub fn announce_stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    /// Waits until the spans of all requests are exported, for `patience` at most.
    pub async fn flush_spans(&self, patience: Duration) {
        if let Some(spans) = &self.options.spans {
            spans.flush(patience).await;
        }
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// The backend of dialects, on a view.
    pub(super) fn backend<'a>(
        &'a self,
        served: &'a ServedPolicy,
        cancellation: &'a Cancellation,
    ) -> ServedBackend<'a> {
        let tokens = &self.options.tokens;
        let freshness = self.live.staleness().freshness();
        ServedBackend { live: &self.live, tokens, served, freshness, cancellation, recorder: None }
    }

    /// The same for a step, whose decisions it gathers to be recorded.
    pub(super) fn recording_backend<'a>(
        &'a self,
        served: &'a ServedPolicy,
        cancellation: &'a Cancellation,
        origin: DecisionOrigin<'a>,
    ) -> ServedBackend<'a> {
        let log = self.options.decision_log.as_deref();
        let recorder = DecisionRecorder { log, origin, decisions: RefCell::default() };
        ServedBackend { recorder: Some(recorder), ..self.backend(served, cancellation) }
    }

    /// Responds from the served view, and stamps the response with its revision.
    pub(super) fn with_view(
        &self,
        respond: impl FnOnce(&Arc<ServedPolicy>) -> Result<HttpResponse, HttpError>,
    ) -> HttpResponse {
        let served = self.live.served();
        let mut response = respond(&served).unwrap_or_else(|error| error.response());
        stamp_revision(&mut response, &served.revision, served.number);
        response
    }
}

/// Says from which revision, and which of the views that were served, a response was made.
pub(super) fn stamp_revision(response: &mut HttpResponse, revision: &str, view: u64) {
    if let Ok(value) = HeaderValue::from_str(revision) {
        response.headers_mut().insert(REVISION, value);
    }
    response.headers_mut().insert(VIEW, HeaderValue::from(view));
}
