use hyper::StatusCode;

use super::{question::Question, reading::Reading, verdict::Verdict, wire};
use crate::{
    live::Served,
    serve::{
        admission::Abandoned,
        answer::{self, Answer, Refusal},
        json::{self, Object},
        route::App,
    },
};

/// `POST /access/v1/evaluation`. A denial is an answer like any other: 200 and `false`.
pub(in crate::serve) fn evaluation(
    app: &App,
    served: &Served,
    body: &[u8],
    _: &Abandoned,
) -> Result<Answer, Refusal> {
    let Object(evaluation): Object<wire::Evaluation<'_>> =
        json::read(body, "an access evaluation")?;
    single(app, served, &Question::read(&Reading::new(app, served), evaluation)?)
}

/// The answer to one question, for itself.
pub(super) fn single(
    app: &App,
    served: &Served,
    question: &Question<'_>,
) -> Result<Answer, Refusal> {
    let verdict = Verdict::of(app, served, question, None)?;
    let mut body = String::with_capacity(64);
    verdict.write(app.options.authzen_context, &mut body);
    Ok(answer::json_answer(StatusCode::OK, body))
}
