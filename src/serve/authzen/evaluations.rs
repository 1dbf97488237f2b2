//! Several evaluations in one request.

use hyper::StatusCode;
use serde_json::value::RawValue;

use super::{
    evaluation::respond_single,
    evaluation_parts::EvaluationParts,
    messages,
    property_reader::{self, PropertyReader},
    verdict::Verdict,
};
use crate::serve::{
    handler::RequestContext,
    json::{self, JsonObject},
    response::{self, HttpError, HttpResponse},
};

/// The most evaluations of one request.
const MOST: usize = 1000;

/// The condition at which evaluations end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum EvaluationSemantic {
    ExecuteAll,
    DenyOnFirstDeny,
    PermitOnFirstPermit,
}

impl EvaluationSemantic {
    fn read(
        options: Option<&JsonObject<messages::EvaluationOptions<'_>>>,
    ) -> Result<Self, HttpError> {
        let semantic =
            options.and_then(|JsonObject(options)| options.evaluations_semantic.as_ref());
        match semantic.map(json::JsonText::as_str) {
            None | Some("execute_all") => Ok(Self::ExecuteAll),
            Some("deny_on_first_deny") => Ok(Self::DenyOnFirstDeny),
            Some("permit_on_first_permit") => Ok(Self::PermitOnFirstPermit),
            Some(_) => Err(HttpError::bad_request(
                "options.evaluations_semantic",
                "`evaluations_semantic` is execute_all, deny_on_first_deny or permit_on_first_permit",
            )),
        }
    }

    /// Whether the evaluations end after this result.
    fn stops_at(self, verdict: &Verdict) -> bool {
        match self {
            Self::ExecuteAll => false,
            Self::DenyOnFirstDeny => !verdict.allows(),
            Self::PermitOnFirstPermit => verdict.allows(),
        }
    }
}

/// `POST /access/v1/evaluations`: evaluates each item in order, up to the one that ends them. Without
/// items, the body itself is one evaluation.
pub(in crate::serve) fn evaluations(cx: &RequestContext<'_>) -> Result<HttpResponse, HttpError> {
    let RequestContext { app, served, decisions, request, cancellation } = *cx;
    let JsonObject(batch): JsonObject<messages::EvaluationBatch<'_>> =
        json::read(&request.body, "access evaluations")?;
    let messages::EvaluationBatch { subject, action, resource, context, evaluations, options } =
        batch;
    let semantic = EvaluationSemantic::read(options.as_ref())?;
    let reading = PropertyReader::new(app, served);
    let defaults = messages::Evaluation { subject, action, resource, context };
    let defaults = EvaluationParts::read(&reading, defaults)?;
    let items = evaluations.unwrap_or_default();
    if items.is_empty() {
        return respond_single(cx, &defaults);
    }
    if items.len() > MOST {
        let message =
            format!("a request may hold {MOST} evaluations; this one has {}", items.len());
        return Err(HttpError::bad_request("evaluations", message));
    }
    let mut body = String::with_capacity(64 * items.len());
    body.push_str(r#"{"evaluations":["#);
    for (number, item) in items.into_iter().enumerate() {
        let verdict = evaluate(cx, (item, &reading), &defaults).unwrap_or_else(|refusal| {
            let at = format!("evaluations[{number}]");
            let at = refusal.at.map_or_else(|| at.clone(), |part| format!("{at}.{part}"));
            Verdict::failed(Some(at), refusal.message)
        });
        if number > 0 {
            body.push(',');
        }
        verdict.write(app.options.authzen_context, decisions, &mut body);
        if semantic.stops_at(&verdict) || cancellation.is_cancelled() {
            break;
        }
    }
    body.push_str("]}");
    Ok(response::json_response(StatusCode::OK, body))
}

fn evaluate(
    cx: &RequestContext<'_>,
    (item, reading): (&RawValue, &PropertyReader<'_>),
    defaults: &EvaluationParts<'_>,
) -> Result<Verdict, HttpError> {
    let JsonObject(evaluation): JsonObject<messages::Evaluation<'_>> =
        property_reader::parse_raw(item, "")?;
    // The ignored properties of an invalid item are not those of the next one.
    reading.take_ignored();
    Verdict::evaluate(cx, &EvaluationParts::read(reading, evaluation)?, Some(defaults))
}
