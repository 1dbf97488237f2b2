//! Lists as they are sent: written part by part, so that memory does not grow with what is asked.

use std::{
    fmt, io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use hyper::{StatusCode, body::Bytes};

use super::{
    admission::{Cancellation, Permit, WorkClass},
    app::{App, stamp_revision},
    blocking::join_error_response,
    peer::Peer,
    response::{self, HttpError, HttpResponse},
    response_body::{PART_BYTES, ResponseBody},
};
use crate::{decide::ListCursor, live::ServedPolicy};

/// Writes the next part of a list behind what a buffer holds; whether more follows.
pub(super) type Producer = Box<dyn FnMut(&mut Vec<u8>) -> bool + Send>;

/// How many items are written between two looks at the length.
const AT_ONCE: usize = 256;

/// A list of ids: a head, the ids, each between two texts, and what comes after them.
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
            let count = cursor.take(&served.view, AT_ONCE, |id| {
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

/// What is still to be sent of a list. Each part is written by a thread when there is room for it.
pub(super) struct ListStream {
    app: Arc<App>,
    /// Kept until all is sent or given up.
    permit: Arc<Permit>,
    state: State,
}

/// A part, and what writes those that follow.
type WrittenPart = (Vec<u8>, Option<Producer>);

enum State {
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

impl ListStream {
    pub(super) fn has_ended(&self) -> bool {
        matches!(self.state, State::Ended)
    }

    pub(super) fn poll_part(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        loop {
            match std::mem::replace(&mut self.state, State::Ended) {
                State::Ended => return Poll::Ready(None),
                State::Part(part, more) => {
                    self.state = more.map_or(State::Ended, State::Waiting);
                    return Poll::Ready(Some(Ok(part)));
                }
                State::Waiting(producer) => {
                    let (app, permit) = (Arc::clone(&self.app), Arc::clone(&self.permit));
                    let writing = async move { write(&app, &permit, producer).await };
                    self.state = State::Writing(Box::pin(writing));
                }
                State::Writing(mut writing) => match writing.as_mut().poll(cx) {
                    Poll::Ready(Ok((part, more))) => self.state = State::Part(part.into(), more),
                    Poll::Ready(Err(error)) => return Poll::Ready(Some(Err(error))),
                    Poll::Pending => {
                        self.state = State::Writing(writing);
                        return Poll::Pending;
                    }
                },
            }
        }
    }
}

async fn write(app: &App, permit: &Permit, mut producer: Producer) -> io::Result<WrittenPart> {
    let write = move || {
        let mut part = Vec::with_capacity(PART_BYTES + PART_BYTES / 4);
        let has_more = producer(&mut part);
        (part, has_more.then_some(producer))
    };
    let written = app.admission.run(permit, write).await;
    let written = written.ok_or_else(|| io::Error::other("the daemon is stopping"))?;
    written.await.map_err(|error| {
        tracing::error!(%error, "a list broke off");
        io::Error::other(error)
    })
}

impl App {
    /// Answers with a list, when it is its turn: one that is short at once, a longer one as a stream.
    pub(super) async fn respond_list(
        self: &Arc<Self>,
        (class, route): (WorkClass, &str),
        peer: &Peer,
        make: impl FnOnce(&Self, &Arc<ServedPolicy>, &Cancellation) -> Result<Producer, HttpError>
        + Send
        + 'static,
    ) -> HttpResponse {
        let Some(permit) = self.admission.admit(class, peer).await else {
            return self.shed(route);
        };
        let abandoned = Cancellation::new();
        let _abandon = abandoned.cancel_on_drop();
        let app = Arc::clone(self);
        let start = move || {
            let served = Arc::clone(&app.live.served());
            let first = make(&app, &served, &abandoned).map(|mut producer| {
                let mut part = Vec::with_capacity(PART_BYTES / 16);
                let has_more = !abandoned.is_cancelled() && producer(&mut part);
                (part, has_more.then_some(producer))
            });
            (first, served.revision.clone())
        };
        let Some(started) = self.admission.run(&permit, start).await else {
            return self.shed(route);
        };
        let (first, revision) = match started.await {
            Ok(started) => started,
            Err(error) => return join_error_response(&error),
        };
        let mut answer = match first {
            Err(refusal) => refusal.response(),
            Ok((part, None)) => response::json_response(StatusCode::OK, part),
            Ok((part, more)) => {
                let state = State::Part(part.into(), more);
                let list = ListStream { app: Arc::clone(self), permit: Arc::new(permit), state };
                let mut answer = response::json_response(StatusCode::OK, Bytes::new());
                *answer.body_mut() = ResponseBody::List(Box::new(list));
                answer
            }
        };
        stamp_revision(&mut answer, &revision);
        answer
    }
}
