//! The spans of requests, exported over OTLP by a build with the feature `otlp`.

use std::time::{Duration, SystemTime};

use thiserror::Error;

use super::trace_context::TraceContext;

#[cfg(not(feature = "otlp"))]
mod absent;
#[cfg(feature = "otlp")]
mod exporter;
#[cfg(feature = "otlp")]
mod payload;

#[cfg(not(feature = "otlp"))]
use absent::AbsentExporter as Exporter;
#[cfg(feature = "otlp")]
use exporter::OtlpExporter as Exporter;

/// An exporter of spans over OTLP/HTTP, in JSON; none can be started in a build without the feature `otlp`.
#[derive(Debug)]
pub struct SpanExporter(Exporter);

/// A request that has its response.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "otlp"), expect(dead_code, reason = "no exporter reads it"))]
pub(super) struct RequestSpan {
    pub(super) context: TraceContext,
    pub(super) method: String,
    /// The route as it is counted; `None` for a path that there is not.
    pub(super) route: Option<String>,
    pub(super) status: u16,
    pub(super) started: SystemTime,
    pub(super) took: Duration,
}

/// The error of an endpoint to which spans can't be exported.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum SpanExportError {
    #[error("expected http://HOST:PORT of a collector, as http://127.0.0.1:4318, found `{0}`")]
    Endpoint(String),
    #[error("this build can't export spans; build it with `--features otlp`")]
    Absent,
}

impl SpanExporter {
    /// Starts to export to the collector at a URL, on the current runtime. Nothing is sent yet.
    ///
    /// # Errors
    /// If it is no plain URL of HTTP, or the build can't export spans.
    pub fn start(endpoint: &str) -> Result<Self, SpanExportError> {
        Exporter::start(endpoint).map(Self)
    }

    /// Waits until all earlier spans are sent or dropped, for `patience` at most.
    pub(super) async fn flush(&self, patience: Duration) {
        self.0.flush(patience).await;
    }

    /// Exports a span, unless its caller records none.
    pub(super) fn export(&self, span: RequestSpan) {
        self.0.export(span);
    }

    /// The context of a request that brings none: a trace of its own.
    pub(super) fn context(&self) -> TraceContext {
        self.0.context()
    }

    /// The numbers of exported and dropped spans.
    pub(super) fn counts(&self) -> (u64, u64) {
        self.0.counts()
    }
}
