//! Lists that are streamed: written part by part, so that memory does not grow with their length.

use std::{
    fmt, io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use hyper::{StatusCode, body::Bytes};

use super::{
    admission::{Cancellation, Permit},
    app::{App, stamp_revision},
    blocking::WorkPlace,
    response::{self, HttpError, HttpResponse},
    response_body::{PART_BYTES, PartSource, ResponseBody},
};
use crate::{decide::ListCursor, live::ServedPolicy};

/// A writer of the next part of a list behind the contents of a buffer; whether more follows.
pub(super) type Producer = Box<dyn FnMut(&mut Vec<u8>) -> bool + Send>;

/// The number of items that are written between two checks of the length.
const BATCH: usize = 256;

/// A list of ids: a head, the ids, each between two texts, and a tail.
pub(super) fn id_list(
    served: &Arc<ServedPolicy>,
    mut cursor: ListCursor,
    head: String,
    around: (&'static str, &'static str),
    tail: impl FnOnce(Option<&str>) -> String + Send + 'static,
) -> Producer {
    let served = Arc::clone(served);
    let (mut head, mut tail, mut is_first) = (Some(head), Some(tail), true);
    Box::new(move |part| {
        if let Some(head) = head.take() {
            part.extend_from_slice(head.as_bytes());
        }
        while part.len() < PART_BYTES {
            let count = cursor.take(&served.view, BATCH, |id| {
                part.extend_from_slice(if is_first { b"" } else { b"," });
                is_first = false;
                part.extend_from_slice(around.0.as_bytes());
                write_json(id, part);
                part.extend_from_slice(around.1.as_bytes());
            });
            if count == 0 {
                let tail = tail.take().map(|tail| tail(cursor.next_after(&served.view)));
                part.extend_from_slice(tail.unwrap_or_default().as_bytes());
                return false;
            }
        }
        true
    })
}

/// Writes a text as JSON.
pub(super) fn write_json(text: &str, into: &mut Vec<u8>) {
    // Writing to a vector can't fail.
    let _ = serde_json::to_writer(into, text);
}

/// The rest of a list. Each part is written by a blocking thread when there is room for it.
struct ListStream {
    app: Arc<App>,
    /// Held until all is sent or given up.
    permit: Arc<Permit>,
    state: ListState,
}

/// A part, and the producer of those that follow.
type WrittenPart = (Vec<u8>, Option<Producer>);

enum ListState {
    Part(Bytes, Option<Producer>),
    Waiting(Producer),
    Writing(Pin<Box<dyn Future<Output = io::Result<WrittenPart>> + Send>>),
    Ended,
}

impl fmt::Debug for ListStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ListStream")
    }
}

impl PartSource for ListStream {
    fn has_ended(&self) -> bool {
        matches!(self.state, ListState::Ended)
    }

    fn poll_part(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        loop {
            match std::mem::replace(&mut self.state, ListState::Ended) {
                ListState::Ended => return Poll::Ready(None),
                ListState::Part(part, more) => {
                    self.state = more.map_or(ListState::Ended, ListState::Waiting);
                    return Poll::Ready(Some(Ok(part)));
                }
                ListState::Waiting(producer) => {
                    let (app, permit) = (Arc::clone(&self.app), Arc::clone(&self.permit));
                    let writing = async move { write_part(&app, &permit, producer).await };
                    self.state = ListState::Writing(Box::pin(writing));
                }
                ListState::Writing(mut writing) => match writing.as_mut().poll(cx) {
                    Poll::Ready(Ok((part, more))) => {
                        self.state = ListState::Part(part.into(), more);
                    }
                    Poll::Ready(Err(error)) => return Poll::Ready(Some(Err(error))),
                    Poll::Pending => {
                        self.state = ListState::Writing(writing);
                        return Poll::Pending;
                    }
                },
            }
        }
    }
}

async fn write_part(app: &App, permit: &Permit, mut producer: Producer) -> io::Result<WrittenPart> {
    let write = move || {
        let mut part = Vec::with_capacity(PART_BYTES + PART_BYTES / 4);
        let has_more = producer(&mut part);
        (part, has_more.then_some(producer))
    };
    app.run(permit, write).await.map_err(io::Error::other)
}

impl App {
    /// Responds with a list, once it is admitted: whole if it is short, else as a stream.
    pub(super) async fn respond_list(
        self: &Arc<Self>,
        place: WorkPlace<'_>,
        list: impl FnOnce(&Self, &Arc<ServedPolicy>, &Cancellation) -> Result<Producer, HttpError>
        + Send
        + 'static,
    ) -> HttpResponse {
        let start = move |app: &Arc<Self>, cancellation: &Cancellation| {
            let served = Arc::clone(&app.live.served());
            let first = list(app, &served, cancellation).map(|mut producer| {
                let mut part = Vec::with_capacity(PART_BYTES / 16);
                let has_more = !cancellation.is_cancelled() && producer(&mut part);
                (part, has_more.then_some(producer))
            });
            (first, served.revision.clone(), served.number)
        };
        let ((first, revision, view), permit) = match self.run_admitted(place, start).await {
            Ok(started) => started,
            Err(error) => return error.response(),
        };
        let mut response = match first {
            Err(error) => error.response(),
            Ok((part, None)) => response::json_response(StatusCode::OK, part),
            Ok((part, more)) => {
                let state = ListState::Part(part.into(), more);
                let list = ListStream { app: Arc::clone(self), permit: Arc::new(permit), state };
                let mut response = response::json_response(StatusCode::OK, Bytes::new());
                *response.body_mut() = ResponseBody::Parts(Box::new(list));
                response
            }
        };
        stamp_revision(&mut response, &revision, view);
        response
    }
}
