//! Metrics of writes to the store.

use std::fmt;

use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeMetric, MetricEncoder, NoLabelSet},
    metrics::{MetricType, counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use crate::{
    facts::{WriteError, WriteOutcome},
    live::{
        Live,
        facts::{COMMIT_TIME_BOUNDS, CommitTimes, WriteReply},
    },
};

/// The outcomes of batches of commands.
const OUTCOMES: [&str; 5] = ["done", "replayed", "refused", "malformed", "failed"];

/// The counters of facts.
#[derive(Debug, Default)]
pub(in crate::serve) struct FactsMetrics {
    batches: [Counter; OUTCOMES.len()],
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

impl FactsMetrics {
    pub(in crate::serve) fn count(&self, written: &Result<WriteReply, WriteError>) {
        self.count_as(match written {
            Ok(WriteReply::New(WriteOutcome::Applied { .. })) => "done",
            Ok(WriteReply::Replayed { .. }) => "replayed",
            Ok(WriteReply::New(WriteOutcome::Refused { .. }))
            | Err(WriteError::RevisionChanged { .. } | WriteError::KeyReused { .. }) => "refused",
            Err(_) => "failed",
        });
    }

    pub(super) fn count_malformed(&self) {
        self.count_as("malformed");
    }

    fn count_as(&self, outcome: &str) {
        let counters = OUTCOMES.iter().zip(&self.batches);
        if let Some((_, counter)) = counters.into_iter().find(|&(&known, _)| known == outcome) {
            counter.inc();
        }
    }

    pub(in crate::serve) fn register(&self, live: &Live, registry: &mut Registry) {
        let Some(facts) = live.facts() else { return };
        let batches = Family::<Outcome, Counter>::default();
        for (outcome, counter) in OUTCOMES.iter().zip(&self.batches) {
            batches.get_or_create(&Outcome { outcome }).inc_by(counter.get());
        }
        registry.register("facts_batches", "Batches of commands by outcome", batches);
        let times = Times(facts.metrics().commit_times());
        registry.register("facts_commit_seconds", "How long commits to the store took", times);
        let cut_off =
            facts.disconnection().map_or(0, |lapse| lapse.age().unwrap_or_default().as_secs());
        let revision = live.served().view.revision.facts;
        let is_up = facts.write_obstacle().is_none() && facts.disconnection().is_none();
        let shadowed = live.served().shadowed(0).1;
        let gauges = [
            ("facts_revision", "The revision of the facts that are served", revision),
            ("store_up", "1 if facts can be written, as far as is known", u64::from(is_up)),
            ("store_cut_off_seconds", "How long the store was not reached, 0 if it is", cut_off),
            ("facts_shadowed", "What records say that files state otherwise", shadowed as u64),
        ];
        for (name, help, value) in gauges {
            let gauge = Gauge::<i64>::default();
            gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
            registry.register(name, help, gauge);
        }
    }
}

/// The times of commits as a histogram.
#[derive(Debug)]
struct Times(CommitTimes);

impl EncodeMetric for Times {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        let CommitTimes { counts, sum } = self.0;
        let bounds = COMMIT_TIME_BOUNDS.into_iter().chain([f64::INFINITY]);
        let buckets: Vec<(f64, u64)> = bounds.zip(counts).collect();
        encoder.encode_histogram::<NoLabelSet>(sum, counts.iter().sum(), &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}
