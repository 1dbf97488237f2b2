//! The result of one evaluation.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::evaluation_parts::{EvaluationError, EvaluationParts};
use crate::{
    decide::Explanation,
    request::Decision,
    serve::{
        decision_log::{DecisionOrigin, Via},
        freshness::DecisionView,
        handler::RequestContext,
        response::HttpError,
        v1,
    },
    wire::explanation_json,
};

/// The result of one evaluation.
#[derive(Debug)]
pub(super) struct Verdict {
    outcome: VerdictKind,
    /// The places of the ignored properties.
    ignored: Vec<String>,
}

#[derive(Debug)]
enum VerdictKind {
    Decided(Decision),
    Explained(Box<Explanation>),
    /// No action applies to its parts, so it is denied.
    Failed {
        at: Option<String>,
        message: String,
    },
}

impl Verdict {
    /// Evaluates a question, whose missing parts come from the defaults.
    ///
    /// # Errors
    /// If it is malformed.
    #[inline]
    pub(super) fn evaluate(
        cx: &RequestContext<'_>,
        question: &EvaluationParts<'_>,
        defaults: Option<&EvaluationParts<'_>>,
    ) -> Result<Self, HttpError> {
        let RequestContext { app, served, decisions, request, .. } = *cx;
        let (evaluation, context) = match question.resolve(defaults) {
            Ok(resolved) => resolved,
            Err(EvaluationError::Malformed(refusal)) => return Err(refusal),
            Err(EvaluationError::NotApplicable(message)) => {
                let outcome = VerdictKind::Failed { at: None, message };
                return Ok(Self { outcome, ignored: question.ignored(defaults) });
            }
        };
        let origin = DecisionOrigin {
            is_unresolved: evaluation.unknown_entity.is_some(),
            ..request.trace.origin(Via::AuthZen)
        };
        let outcome = if context.explain && app.options.authzen_context {
            let explanation = evaluation.explain(decisions);
            app.record_decision(origin, served, &evaluation.request, explanation.decision);
            VerdictKind::Explained(Box::new(explanation))
        } else {
            let decision = evaluation.decide(decisions);
            app.record_decision(origin, served, &evaluation.request, decision);
            VerdictKind::Decided(decision)
        };
        Ok(Self { outcome, ignored: question.ignored(defaults) })
    }

    /// The result of an evaluation that can't be decoded.
    pub(super) fn failed(at: Option<String>, message: String) -> Self {
        Self { outcome: VerdictKind::Failed { at, message }, ignored: Vec::new() }
    }

    pub(super) fn allows(&self) -> bool {
        match &self.outcome {
            VerdictKind::Decided(decision) => decision.allow,
            VerdictKind::Explained(explanation) => explanation.decision.allow,
            VerdictKind::Failed { .. } => false,
        }
    }

    /// The result as JSON, with its context or without.
    pub(super) fn write(&self, with_context: bool, decisions: DecisionView<'_>, body: &mut String) {
        // Writing to a string can't fail.
        let _ = write!(body, r#"{{"decision":{}"#, self.allows());
        if with_context {
            body.push_str(r#","context":"#);
            self.write_context(decisions, body);
        }
        body.push('}');
    }

    fn write_context(&self, decisions: DecisionView<'_>, body: &mut String) {
        let mut context = match &self.outcome {
            VerdictKind::Decided(decision) => {
                body.push('{');
                v1::write_reason(*decision, body);
                if !self.ignored.is_empty() {
                    // Writing to a string can't fail.
                    let _ = write!(body, r#","ignored":{}"#, json!(self.ignored));
                }
                body.push_str(decisions.mark());
                body.push('}');
                return;
            }
            VerdictKind::Explained(explanation) => {
                let mut context = explanation_json(explanation);
                if let Value::Object(context) = &mut context {
                    // The decision stays the first field.
                    context.shift_remove("decision");
                }
                context
            }
            VerdictKind::Failed { at, message } => {
                json!({ "error": error_json(at.as_deref(), message) })
            }
        };
        if let (Value::Object(context), false) = (&mut context, self.ignored.is_empty()) {
            context.insert("ignored".to_owned(), json!(self.ignored));
        }
        decisions.mark_json(&mut context);
        // Writing to a string can't fail.
        let _ = write!(body, "{context}");
    }
}

/// The error in the context of a response with status 200.
pub(super) fn error_json(at: Option<&str>, message: &str) -> Value {
    let mut error = json!({ "status": 400, "message": message });
    if let (Value::Object(error), Some(at)) = (&mut error, at) {
        error.insert("at".to_owned(), json!(at));
    }
    error
}
