//! One evaluation.

use hyper::StatusCode;

use super::{
    evaluation_parts::EvaluationParts, messages, property_reader::PropertyReader, verdict::Verdict,
};
use crate::serve::{
    handler::RequestContext,
    json::{self, JsonObject},
    response::{self, HttpError, HttpResponse},
};

/// `POST /access/v1/evaluation`. A denial has status 200 and the decision `false`.
pub(in crate::serve) fn evaluation(cx: &RequestContext<'_>) -> Result<HttpResponse, HttpError> {
    let RequestContext { app, served, request, .. } = *cx;
    let JsonObject(evaluation): JsonObject<messages::Evaluation<'_>> =
        json::read(&request.body, "an access evaluation")?;
    respond_single(cx, &EvaluationParts::read(&PropertyReader::new(app, served), evaluation)?)
}

/// The response to one evaluation.
pub(super) fn respond_single(
    cx: &RequestContext<'_>,
    question: &EvaluationParts<'_>,
) -> Result<HttpResponse, HttpError> {
    let verdict = Verdict::evaluate(cx, question, None)?;
    let mut body = String::with_capacity(64);
    verdict.write(cx.app.options.authzen_context, cx.decisions, &mut body);
    Ok(response::json_response(StatusCode::OK, body))
}
