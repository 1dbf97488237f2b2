//! Response bodies: whole texts, and streams of parts.

use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll},
};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::sync::mpsc::Receiver;

use super::peer::Reserved;

/// The body of a response.
#[derive(Debug)]
pub(super) enum ResponseBody {
    /// The rest of a text, and the memory reserved for a long one until it is sent.
    Whole(Bytes, Option<Reserved>),
    /// A stream that ends with [`BodyPart::End`]. If the sender stops without it, the connection is
    /// aborted, so that no caller mistakes a truncated response for a complete one.
    Stream(Receiver<BodyPart>),
    /// Parts that are produced on demand.
    Parts(Box<dyn PartSource>),
}

/// A source of parts that are produced on demand.
pub(super) trait PartSource: fmt::Debug + Send {
    /// The next part; `None` at the end.
    fn poll_part(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>>;

    fn has_ended(&self) -> bool;
}

/// A part of a stream.
#[derive(Debug)]
pub(super) enum BodyPart {
    Bytes(Bytes),
    End,
}

/// The number of bytes that are passed to a connection at once, which bounds its buffer for texts of any
/// length.
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
                None => Some(Err(io::Error::other("the stream ended early"))),
            }),
            Self::Parts(parts) => {
                parts.poll_part(cx).map(|part| part.map(|part| part.map(Frame::data)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(text, _) => text.is_empty(),
            Self::Stream(_) => false,
            Self::Parts(parts) => parts.has_ended(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(text, _) => SizeHint::with_exact(text.len() as u64),
            Self::Stream(_) | Self::Parts(_) => SizeHint::default(),
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
