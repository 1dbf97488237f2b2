//! The W3C trace context of a request: where it belongs in a trace that its caller began.

use std::fmt;

use hyper::{
    HeaderMap,
    header::{HeaderName, HeaderValue},
};
use uuid::Uuid;

/// The header of the W3C Trace Context.
pub(super) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The place of a request in a trace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct TraceContext {
    pub(super) trace: TraceId,
    /// The span of the caller; `None` for a trace that begins here.
    pub(super) parent: Option<SpanId>,
    /// The span of the request itself.
    pub(super) span: SpanId,
    /// Whether the caller records the trace.
    pub(super) is_sampled: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct TraceId(u128);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct SpanId(u64);

impl TraceContext {
    /// The context that a request brings, with a span of its own; `None` if there is none, or a malformed
    /// one, or several.
    pub(super) fn read(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(TRACEPARENT).iter();
        let value = values.next()?;
        if values.next().is_some() {
            return None;
        }
        Self::parse(value.to_str().ok()?)
    }

    /// Parses `00-TRACE-SPAN-FLAGS`. Later versions may have more after the flags.
    fn parse(text: &str) -> Option<Self> {
        let mut fields = text.splitn(5, '-');
        let version = hex(fields.next()?, 2)?;
        let trace = hex(fields.next()?, 32).filter(|&trace| trace != 0)?;
        let parent = hex(fields.next()?, 16).filter(|&parent| parent != 0)?;
        let flags = hex(fields.next()?, 2)?;
        if version == 0xff || version == 0 && fields.next().is_some() {
            return None;
        }
        let parent = SpanId(u64::try_from(parent).ok()?);
        let is_sampled = flags & 1 == 1;
        Some(Self {
            trace: TraceId(trace),
            parent: Some(parent),
            span: SpanId::random(),
            is_sampled,
        })
    }

    /// The context of a trace that begins here.
    #[cfg(feature = "otlp")]
    pub(super) fn root() -> Self {
        let trace = TraceId(Uuid::new_v4().as_u128());
        Self { trace, parent: None, span: SpanId::random(), is_sampled: true }
    }

    /// The header of the response: the trace, and the span of the request.
    pub(super) fn header(self) -> Option<HeaderValue> {
        let flags = u8::from(self.is_sampled);
        HeaderValue::from_str(&format!("00-{}-{}-{flags:02x}", self.trace, self.span)).ok()
    }
}

impl SpanId {
    fn random() -> Self {
        let (bits, _) = Uuid::new_v4().as_u64_pair();
        Self(bits.max(1))
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// A number in lowercase hexadecimal of so many digits.
fn hex(text: &str, digits: usize) -> Option<u128> {
    let is_hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if text.len() != digits || !is_hex {
        return None;
    }
    u128::from_str_radix(text, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::TraceContext;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_context_goes_on_with_a_span_of_its_own() {
        let context = TraceContext::parse(GOOD).unwrap();
        let header = context.header().unwrap();
        let header = header.to_str().unwrap();
        assert!(header.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"), "{header}");
        assert!(
            header.ends_with("-01") && header.len() == GOOD.len() && header != GOOD,
            "{header}"
        );
        // Of a later version, what is known.
        let later = GOOD.replacen("00", "cc", 1) + "-more";
        assert_eq!(TraceContext::parse(&later).map(|it| it.trace), Some(context.trace));
    }

    #[test]
    fn a_malformed_context_is_none() {
        for text in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "+0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(TraceContext::parse(text), None, "{text}");
        }
    }
}
