use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::sync::mpsc::Receiver;

use super::{list_stream::ListStream, peer::Reserved};

/// What an answer holds: a text, or what comes bit by bit.
#[derive(Debug)]
pub(super) enum ResponseBody {
    /// What is left of a text, and that it waits, if it is long.
    Whole(Bytes, Option<Reserved>),
    /// Whole only if its end comes. Without it the connection is cut, so that nobody takes a part for
    /// all: whoever sends may fail, or give up.
    Stream(Receiver<BodyPart>),
    List(Box<ListStream>),
}

/// What is sent of a stream.
#[derive(Debug)]
pub(super) enum BodyPart {
    Bytes(Bytes),
    End,
}

/// How many bytes are given to a connection at once: so much waits in it, whatever the text's length.
pub(super) const PART_BYTES: usize = 64 << 10;

impl From<Bytes> for ResponseBody {
    fn from(bytes: Bytes) -> Self {
        Self::Whole(bytes, None)
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match self.get_mut() {
            Self::Whole(text, _) if text.is_empty() => Poll::Ready(None),
            Self::Whole(text, _) => {
                let part = text.split_to(text.len().min(PART_BYTES));
                Poll::Ready(Some(Ok(Frame::data(part))))
            }
            Self::Stream(parts) => parts.poll_recv(cx).map(|part| match part {
                Some(BodyPart::Bytes(bytes)) => Some(Ok(Frame::data(bytes))),
                Some(BodyPart::End) => None,
                None => Some(Err(io::Error::other("it ended early"))),
            }),
            Self::List(list) => {
                list.poll_part(cx).map(|part| part.map(|part| part.map(Frame::data)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(text, _) => text.is_empty(),
            Self::Stream(_) => false,
            Self::List(list) => list.has_ended(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(text, _) => SizeHint::with_exact(text.len() as u64),
            Self::Stream(_) | Self::List(_) => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use tokio::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn a_stream_is_whole_only_if_its_end_comes() {
        for is_whole in [true, false] {
            let (parts, body) = mpsc::channel(2);
            parts.send(BodyPart::Bytes("some".into())).await.unwrap();
            if is_whole {
                parts.send(BodyPart::End).await.unwrap();
            }
            drop(parts);
            let read = ResponseBody::Stream(body).collect().await;
            assert_eq!(read.is_ok(), is_whole);
        }
    }
}
