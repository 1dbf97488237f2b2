//! The export of all records, as a stream of lines.

use std::{ops::ControlFlow, sync::Arc, thread, time::Duration};

use hyper::{
    Response, StatusCode,
    header::{CONTENT_TYPE, HeaderValue},
};
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
};
use tracing::warn;

use super::store::no_store_error;
use crate::{
    facts::export_line::ExportHeader,
    live::{Live, facts::FactsHandle},
    serve::{
        admission::{Permit, WorkClass},
        app::App,
        blocking::WorkPlace,
        handler::{ResponseFuture, RouteRequest},
        query::QueryParams,
        response::{HttpError, HttpResponse},
        response_body::{BodyPart, ResponseBody},
    },
};

/// The number of bytes that are sent together, about.
const PART: usize = 64 << 10;

/// The number of parts that may wait for a slow reader, and how long one may.
const WAITING: usize = 4;
const PATIENCE: Duration = Duration::from_secs(30);

const NDJSON: HeaderValue = HeaderValue::from_static("application/x-ndjson");

/// `GET /v1/facts/export`: all records of one revision, a line each, the revision first. Begins when
/// they can be read; if that fails later, the connection is cut.
pub(in crate::serve) fn export(app: Arc<App>, request: RouteRequest) -> ResponseFuture {
    Box::pin(async move { start(&app, &request).await.unwrap_or_else(|error| error.response()) })
}

async fn start(app: &Arc<App>, request: &RouteRequest) -> Result<HttpResponse, HttpError> {
    QueryParams::parse(request.query(), &[])?;
    if app.live.facts().is_none() {
        return Err(no_store_error());
    }
    let peer = &request.connection.peer;
    let place = WorkPlace { class: WorkClass::Export, route: request.route, peer };
    let permit = match app.admit(place).await {
        Ok(permit) => permit,
        Err(error) => return Ok(error.response()),
    };
    let (parts, body) = mpsc::channel(WAITING);
    let (begun, beginning) = oneshot::channel();
    let (live, runtime) = (Arc::clone(&app.live), Handle::current());
    let work = move || run_export(&live, &runtime, parts, begun, permit);
    let spawned = thread::Builder::new().name("export".to_owned()).spawn(work);
    spawned.map_err(|error| unavailable(error.to_string()))?;
    match beginning.await {
        Ok(Ok(())) => {
            let mut response = Response::new(ResponseBody::Stream(body));
            *response.status_mut() = StatusCode::OK;
            response.headers_mut().insert(CONTENT_TYPE, NDJSON);
            Ok(response)
        }
        Ok(Err(message)) => Err(unavailable(message)),
        Err(_) => Err(unavailable("the export ended early".to_owned())),
    }
}

fn unavailable(message: String) -> HttpError {
    HttpError::new(StatusCode::SERVICE_UNAVAILABLE, message)
}

fn run_export(
    live: &Live,
    runtime: &Handle,
    parts: mpsc::Sender<BodyPart>,
    begun: oneshot::Sender<Result<(), String>>,
    permit: Permit,
) {
    let Some(facts) = live.facts() else { return };
    let patience = PATIENCE;
    let mut sender = ExportSender {
        runtime,
        parts,
        patience,
        begun: Some(begun),
        part: Vec::new(),
        is_cut: false,
    };
    let error = sender.send_all(facts).err().map(|error| error.to_string());
    match (error, sender.begun.take()) {
        (Some(error), Some(begun)) => drop(begun.send(Err(error))),
        (Some(error), None) => warn!(error, "an export failed"),
        (None, _) => {
            let _ = sender.end();
        }
    }
    drop(permit);
}

struct ExportSender<'r> {
    runtime: &'r Handle,
    parts: mpsc::Sender<BodyPart>,
    /// The longest wait of a part to be taken.
    patience: Duration,
    begun: Option<oneshot::Sender<Result<(), String>>>,
    part: Vec<u8>,
    /// Whether a part was not taken.
    is_cut: bool,
}

impl ExportSender<'_> {
    fn send_all(&mut self, facts: &FactsHandle) -> Result<(), impl std::error::Error + use<>> {
        let this = std::cell::RefCell::new(self);
        facts.export(
            &mut |revision| {
                let mut this = this.borrow_mut();
                if let Some(begun) = this.begun.take() {
                    let _ = begun.send(Ok(()));
                }
                let _ = this.line(&ExportHeader { revision }.encode());
            },
            &mut |line| this.borrow_mut().line(line),
        )
    }

    fn line(&mut self, line: &str) -> ControlFlow<()> {
        self.part.extend_from_slice(line.as_bytes());
        self.part.push(b'\n');
        if self.part.len() < PART { ControlFlow::Continue(()) } else { self.flush() }
    }

    fn flush(&mut self) -> ControlFlow<()> {
        let part = std::mem::take(&mut self.part);
        if part.is_empty() {
            ControlFlow::Continue(())
        } else {
            self.send(BodyPart::Bytes(part.into()))
        }
    }

    /// Sends the rest and the end, unless a part was not taken.
    fn end(&mut self) -> ControlFlow<()> {
        if self.is_cut {
            return ControlFlow::Break(());
        }
        self.flush()?;
        self.send(BodyPart::End)
    }

    /// Sends a part; breaks if it is not taken in time.
    fn send(&mut self, part: BodyPart) -> ControlFlow<()> {
        let sent = self
            .runtime
            .block_on(async { tokio::time::timeout(self.patience, self.parts.send(part)).await });
        self.is_cut |= !matches!(sent, Ok(Ok(())));
        if self.is_cut { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_taken_in_time_is_not_reported_as_whole() {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build();
        let runtime = runtime.unwrap();
        for (room, is_whole) in [(1, false), (2, false), (3, true)] {
            let (parts, mut body) = mpsc::channel(room);
            let (patience, runtime) = (Duration::from_millis(10), runtime.handle());
            let (begun, part, is_cut) = (None, Vec::new(), false);
            let mut sender = ExportSender { runtime, parts, patience, begun, part, is_cut };
            let _ = sender.line(&"x".repeat(PART));
            let _ = sender.line("y");
            let _ = sender.end();
            drop(sender);
            let mut last = None;
            while let Ok(part) = body.try_recv() {
                last = Some(part);
            }
            assert_eq!(matches!(last, Some(BodyPart::End)), is_whole, "{room}");
        }
    }
}
