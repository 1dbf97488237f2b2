//! One evaluation.

use hyper::StatusCode;

use super::{
    evaluation_parts::EvaluationParts, messages, property_reader::PropertyReader, verdict::Verdict,
};
use crate::serve::{
    app::App,
    freshness::DecisionView,
    handler::RequestContext,
    json::{self, JsonObject},
    response::{self, HttpError, HttpResponse},
};

/// `POST /access/v1/evaluation`. A denial has status 200 and the decision `false`.
pub(in crate::serve) fn evaluation(cx: &RequestContext<'_>) -> Result<HttpResponse, HttpError> {
    let RequestContext { app, served, decisions, request, .. } = *cx;
    let JsonObject(evaluation): JsonObject<messages::Evaluation<'_>> =
        json::read(&request.body, "an access evaluation")?;
    respond_single(
        app,
        decisions,
        &EvaluationParts::read(&PropertyReader::new(app, served), evaluation)?,
    )
}

/// The response to one evaluation.
pub(super) fn respond_single(
    app: &App,
    decisions: DecisionView<'_>,
    question: &EvaluationParts<'_>,
) -> Result<HttpResponse, HttpError> {
    let verdict = Verdict::evaluate(app, decisions, question, None)?;
    let mut body = String::with_capacity(64);
    verdict.write(app.options.authzen_context, decisions, &mut body);
    Ok(response::json_response(StatusCode::OK, body))
}
