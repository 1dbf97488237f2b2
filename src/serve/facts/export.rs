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
    facts::export_line::{self, ExportHeader},
    live::{Live, facts::FactsHandle},
    serve::{
        admission::{Permit, WorkClass},
        app::App,
        peer::Peer,
        query::QueryParams,
        response::{HttpError, HttpResponse},
        response_body::{BodyPart, ResponseBody},
    },
};

/// About how many bytes are sent together.
const PART: usize = 64 << 10;

/// How many parts wait for a slow reader at most, and for how long.
const WAITING: usize = 4;
const PATIENCE: Duration = Duration::from_secs(30);

const NDJSON: HeaderValue = HeaderValue::from_static("application/x-ndjson");

/// `GET /v1/facts/export`: all records of one revision, a line each, the revision first. Begins when
/// they can be read; if they can't any more in the midst of it, the connection breaks off.
pub(super) async fn export(
    app: &Arc<App>,
    route: &str,
    query: &str,
    peer: &Peer,
) -> Result<HttpResponse, HttpError> {
    QueryParams::parse(Some(query), &[])?;
    if app.live.facts().is_none() {
        return Err(no_store_error());
    }
    let Some(permit) = app.admission.admit(WorkClass::Export, peer).await else {
        return Ok(app.shed(route));
    };
    let (parts, body) = mpsc::channel(WAITING);
    let (begun, beginning) = oneshot::channel();
    let (live, runtime) = (Arc::clone(&app.live), Handle::current());
    let work = move || run_export(&live, &runtime, parts, begun, permit);
    let spawned = thread::Builder::new().name("export".to_owned()).spawn(work);
    spawned.map_err(|error| unavailable(error.to_string()))?;
    match beginning.await {
        Ok(Ok(())) => {
            let mut answer = Response::new(ResponseBody::Stream(body));
            *answer.status_mut() = StatusCode::OK;
            answer.headers_mut().insert(CONTENT_TYPE, NDJSON);
            Ok(answer)
        }
        Ok(Err(message)) => Err(unavailable(message)),
        Err(_) => Err(unavailable("the export ended early".to_owned())),
    }
}

fn unavailable(message: String) -> HttpError {
    HttpError { status: StatusCode::SERVICE_UNAVAILABLE, message, at: String::new() }
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
        (Some(error), None) => warn!(error, "an export broke off"),
        (None, _) => {
            let _ = sender.end();
        }
    }
    drop(permit);
}

struct ExportSender<'r> {
    runtime: &'r Handle,
    parts: mpsc::Sender<BodyPart>,
    /// How long a part may wait to be taken.
    patience: Duration,
    begun: Option<oneshot::Sender<Result<(), String>>>,
    part: Vec<u8>,
    /// Whether some of it was not taken.
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
            &mut |key, record| match export_line::encode(key, record) {
                Some(line) => this.borrow_mut().line(&line),
                None => ControlFlow::Continue(()),
            },
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

    /// Sends what is left, and that it was all: not if some of it was not taken.
    fn end(&mut self) -> ControlFlow<()> {
        if self.is_cut {
            return ControlFlow::Break(());
        }
        self.flush()?;
        self.send(BodyPart::End)
    }

    /// Breaks off if nobody takes it.
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
    fn what_is_not_taken_in_time_is_not_told_as_whole() {
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
