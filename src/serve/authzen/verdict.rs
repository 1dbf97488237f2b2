//! The answer to one evaluation.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::evaluation_parts::{EvaluationError, EvaluationParts};
use crate::{
    decide::Explanation,
    live::ServedPolicy,
    request::Decision,
    serve::{app::App, response::HttpError, v1},
    wire::explanation_json,
};

/// The answer to one evaluation.
#[derive(Debug)]
pub(super) struct Verdict {
    outcome: VerdictKind,
    /// Where the properties stand that were passed over.
    ignored: Vec<String>,
}

#[derive(Debug)]
enum VerdictKind {
    Decided(Decision),
    Explained(Box<Explanation>),
    /// It could not be judged, and so is not permitted.
    Failed {
        at: Option<String>,
        message: String,
    },
}

impl Verdict {
    /// What becomes of a question; what it lacks comes from the defaults.
    ///
    /// # Errors
    /// If it is malformed.
    #[inline]
    pub(super) fn evaluate(
        app: &App,
        served: &ServedPolicy,
        question: &EvaluationParts<'_>,
        defaults: Option<&EvaluationParts<'_>>,
    ) -> Result<Self, HttpError> {
        let (asked, context) = match question.resolve(defaults) {
            Ok(asked) => asked,
            Err(EvaluationError::Malformed(refusal)) => return Err(refusal),
            Err(EvaluationError::NotApplicable(message)) => {
                let outcome = VerdictKind::Failed { at: None, message };
                return Ok(Self { outcome, ignored: question.ignored(defaults) });
            }
        };
        let outcome = if context.explain && app.options.authzen_context {
            let explanation = asked.explain(served);
            app.metrics.count_decision(explanation.decision);
            VerdictKind::Explained(Box::new(explanation))
        } else {
            let decision = asked.decide(served);
            app.metrics.count_decision(decision);
            VerdictKind::Decided(decision)
        };
        Ok(Self { outcome, ignored: question.ignored(defaults) })
    }

    /// That of an evaluation which can't be read.
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

    /// As it stands in an answer, with its context or without.
    pub(super) fn write(&self, with_context: bool, body: &mut String) {
        // Writing to a string can't fail.
        let _ = write!(body, r#"{{"decision":{}"#, self.allows());
        if with_context {
            body.push_str(r#","context":"#);
            self.write_context(body);
        }
        body.push('}');
    }

    fn write_context(&self, body: &mut String) {
        let mut context = match &self.outcome {
            VerdictKind::Decided(decision) => {
                body.push('{');
                v1::write_reason(*decision, body);
                if !self.ignored.is_empty() {
                    // Writing to a string can't fail.
                    let _ = write!(body, r#","ignored":{}"#, json!(self.ignored));
                }
                body.push('}');
                return;
            }
            VerdictKind::Explained(explanation) => {
                let mut context = explanation_json(explanation);
                if let Value::Object(context) = &mut context {
                    // In its order, since the decision stood first.
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
        // Writing to a string can't fail.
        let _ = write!(body, "{context}");
    }
}

/// What is wrong with something that was answered all the same.
pub(super) fn error_json(at: Option<&str>, message: &str) -> Value {
    let mut error = json!({ "status": 400, "message": message });
    if let (Value::Object(error), Some(at)) = (&mut error, at) {
        error.insert("at".to_owned(), json!(at));
    }
    error
}
