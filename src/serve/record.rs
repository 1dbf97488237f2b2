//! The recording of decisions, in the metrics and in the decision log.

use super::{
    app::App,
    decision_log::{DecisionOrigin, RecordedDecision, StepDecisions},
};
use crate::{
    live::ServedPolicy,
    request::{Decision, Request},
};

impl App {
    /// Counts and logs a decision.
    #[inline]
    pub(super) fn record_decision(
        &self,
        origin: DecisionOrigin<'_>,
        served: &ServedPolicy,
        request: &Request<'_>,
        decision: Decision,
    ) {
        self.metrics
            .requests
            .count_decision(&served.view.action_name(request.requested()), decision);
        if let Some(log) = &self.options.decision_log
            && let Some(line) = log.line(origin, served, request, decision)
        {
            log.write(&line);
        }
    }

    /// Counts and logs the decisions of a step.
    pub(super) fn record_step(&self, decisions: StepDecisions) {
        for RecordedDecision { action, decision, line } in decisions.0 {
            self.metrics.requests.count_decision(&action, decision);
            if let (Some(log), Some(line)) = (&self.options.decision_log, line) {
                log.write(&line);
            }
        }
    }
}
