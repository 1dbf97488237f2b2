//! The decision log: a JSON line for each decision, which `peerage replay` reads.

use std::{
    fmt,
    io::Write as _,
    str::FromStr,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant, SystemTime},
};

use hyper::header::HeaderValue;
use thiserror::Error;
use tracing::{Span, info_span};
use uuid::Uuid;

use super::{line_writer::LineWriter, trace_context::TraceContext};
use crate::{
    live::ServedPolicy,
    request::{ActionName, Decision, Request},
    wire::{IdForm, write_decision, write_json_text, write_rfc3339},
};

/// The decision log.
#[derive(Debug)]
pub struct DecisionLog {
    lines: LineWriter,
    filter: DecisionFilter,
    ids: IdForm,
    /// The number of decisions and requests so far; it spreads samples and makes request ids.
    count: AtomicU64,
    /// The part that all request ids made by this process share.
    process: u32,
}

/// The decisions that are logged.
#[derive(Clone, Copy, PartialEq, Default, Debug)]
pub enum DecisionFilter {
    #[default]
    All,
    Denied,
    /// A random share of them, from 0 to 1.
    Share(f64),
}

/// The error for a text that is not a [`DecisionFilter`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("expected all, denied, or a share of the decisions, as 10% or 0.1")]
pub struct DecisionFilterError;

/// The request to which decisions belong.
#[derive(Clone, Debug)]
pub(super) struct RequestTrace {
    /// The arrival of its head.
    pub(super) started: Instant,
    /// The id that its caller gave it, or that the daemon made.
    pub(super) id: Option<HeaderValue>,
    pub(super) context: Option<TraceContext>,
}

/// The API of a decision.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Via {
    Native,
    Allow,
    AuthZen,
    Dialect(&'static str),
}

/// The origin of a decision: the API, and the request.
#[derive(Clone, Copy, Debug)]
pub(super) struct DecisionOrigin<'o> {
    pub(super) via: Via,
    pub(super) trace: &'o RequestTrace,
    /// Whether the request names someone of a type or an id that nobody can have.
    pub(super) is_unresolved: bool,
}

/// The capacity with which a line begins: most are shorter.
const LINE_BYTES: usize = 384;

/// The multiplier that turns a count into bits that are spread evenly.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

impl DecisionLog {
    /// A log that writes these decisions with ids in this form.
    pub fn new(lines: LineWriter, filter: DecisionFilter, ids: IdForm) -> Self {
        let (process, ..) = Uuid::new_v4().as_fields();
        Self { lines, filter, ids, count: AtomicU64::default(), process }
    }

    /// Reopens the file of the log, which may have been moved.
    pub fn reopen(&self) {
        self.lines.reopen();
    }

    /// Waits until all lines are written, for `patience` at most.
    pub fn flush(&self, patience: Duration) {
        self.lines.flush(patience);
    }

    /// The number of lines dropped so far.
    pub(super) fn dropped(&self) -> u64 {
        self.lines.dropped()
    }

    /// A new id for a request.
    pub(super) fn request_id(&self) -> Option<HeaderValue> {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        HeaderValue::from_str(&format!("{:08x}-{number:08x}", self.process)).ok()
    }

    /// Writes a line.
    pub(super) fn write(&self, line: &[u8]) {
        self.lines.write(line);
    }

    /// The line of a decision; `None` if it is not logged.
    pub(super) fn line(
        &self,
        origin: DecisionOrigin<'_>,
        served: &ServedPolicy,
        request: &Request<'_>,
        decision: Decision,
    ) -> Option<Vec<u8>> {
        if !self.takes(decision) {
            return None;
        }
        let DecisionOrigin { via, trace, is_unresolved } = origin;
        let mut line = Vec::with_capacity(LINE_BYTES);
        line.extend_from_slice(br#"{"time":""#);
        write_rfc3339(&mut line, SystemTime::now());
        line.extend_from_slice(br#"","revision":""#);
        line.extend_from_slice(served.revision.as_bytes());
        line.push(b'"');
        if let Some(id) = &trace.id {
            line.extend_from_slice(br#","request_id":"#);
            write_json_text(&mut line, &String::from_utf8_lossy(id.as_bytes()));
        }
        if let Some(context) = &trace.context {
            // Writing to a vector can't fail.
            let _ = write!(line, r#","trace_id":"{}""#, context.trace);
        }
        let took = trace.started.elapsed().as_micros();
        let _ = write!(line, r#","via":"{via}","took_us":{took},"#);
        if self.ids == IdForm::Hashed {
            line.extend_from_slice(br#""ids":"hashed","#);
        }
        if is_unresolved {
            line.extend_from_slice(br#""unresolved":true,"#);
        }
        let action = served.view.action_name(request.requested());
        write_decision(&mut line, &action, request, decision, self.ids);
        line.extend_from_slice(b"}\n");
        Some(line)
    }

    fn takes(&self, decision: Decision) -> bool {
        match self.filter {
            DecisionFilter::All => true,
            DecisionFilter::Denied => !decision.allow,
            DecisionFilter::Share(share) => {
                let number = self.count.fetch_add(1, Ordering::Relaxed);
                let bits = number.wrapping_add(u64::from(self.process)).wrapping_mul(SPREAD);
                let bits = (bits ^ (bits >> 32)).wrapping_mul(SPREAD) >> 32;
                u32::try_from(bits).is_ok_and(|bits| f64::from(bits) < share * 4_294_967_296.0)
            }
        }
    }
}

/// The decisions of a step of a dialect. They are recorded when the step has an answer: one that has none
/// runs again.
#[derive(Debug, Default)]
pub(super) struct StepDecisions(pub(super) Vec<RecordedDecision>);

#[derive(Debug)]
pub(super) struct RecordedDecision {
    pub(super) action: ActionName,
    pub(super) decision: Decision,
    /// The line to log, if it is logged.
    pub(super) line: Option<Vec<u8>>,
}

impl StepDecisions {
    pub(super) fn add(
        &mut self,
        log: Option<&DecisionLog>,
        origin: DecisionOrigin<'_>,
        served: &ServedPolicy,
        request: &Request<'_>,
        decision: Decision,
    ) {
        let line = log.and_then(|log| log.line(origin, served, request, decision));
        self.0.push(RecordedDecision { action: request.action.into(), decision, line });
    }
}

impl RequestTrace {
    /// The trace of what is no HTTP request, such as a frame.
    pub(super) fn begin(log: Option<&DecisionLog>) -> Self {
        let id = log.and_then(DecisionLog::request_id);
        Self { started: Instant::now(), id, context: None }
    }

    /// The span of the request's log lines, which then have its trace; none for one without.
    pub(super) fn span(&self) -> Span {
        self.context
            .map_or_else(Span::none, |context| info_span!("request", trace_id = %context.trace))
    }

    /// The origin of decisions by this API.
    pub(super) fn origin(&self, via: Via) -> DecisionOrigin<'_> {
        DecisionOrigin { via, trace: self, is_unresolved: false }
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Native => f.write_str("native"),
            Self::Allow => f.write_str("allow"),
            Self::AuthZen => f.write_str("authzen"),
            Self::Dialect(name) => write!(f, "dialect:{name}"),
        }
    }
}

impl fmt::Display for DecisionFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Denied => f.write_str("denied"),
            Self::Share(share) => share.fmt(f),
        }
    }
}

impl FromStr for DecisionFilter {
    type Err = DecisionFilterError;

    fn from_str(text: &str) -> Result<Self, DecisionFilterError> {
        let number = |text: &str| text.trim().parse::<f64>().ok();
        let share = match text {
            "all" => return Ok(Self::All),
            "denied" => return Ok(Self::Denied),
            _ => match text.strip_suffix('%') {
                Some(percent) => number(percent).map(|percent| percent / 100.0),
                None => number(text),
            },
        };
        let share = share.filter(|share| (0.0..=1.0).contains(share));
        share.map(Self::Share).ok_or(DecisionFilterError)
    }
}

#[cfg(test)]
mod tests {
    use super::{DecisionFilter, DecisionFilterError};

    #[test]
    fn filters() {
        for (text, filter) in [
            ("all", DecisionFilter::All),
            ("denied", DecisionFilter::Denied),
            ("10%", DecisionFilter::Share(0.1)),
            ("0.1", DecisionFilter::Share(0.1)),
            ("100%", DecisionFilter::Share(1.0)),
            ("0", DecisionFilter::Share(0.0)),
        ] {
            assert_eq!(text.parse(), Ok(filter), "{text}");
        }
        for text in ["", "none", "10", "101%", "-1%", "1.1", "nan", "inf%", "ALL"] {
            assert_eq!(text.parse::<DecisionFilter>(), Err(DecisionFilterError), "{text}");
        }
    }
}
