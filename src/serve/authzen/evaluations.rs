use hyper::StatusCode;
use serde_json::value::RawValue;

use super::{
    evaluation::single,
    question::Question,
    reading::{self, Reading},
    verdict::Verdict,
    wire,
};
use crate::{
    live::Served,
    serve::{
        admission::{Abandoned, Class},
        answer::{self, Answer, Refusal},
        json::{self, Object},
        route::App,
    },
};

/// How many evaluations one request may ask for.
const MOST: usize = 1000;

/// How long a body may be that is answered at once, in bytes: some dozens of evaluations.
const LITTLE: usize = 8 << 10;

/// The class of an evaluation or several, by their body; `None` if they cost so little that they are
/// answered at once.
pub(in crate::serve) fn class(body: &[u8]) -> Option<Class> {
    if body.len() > LITTLE {
        return Some(Class::Batch);
    }
    // No JSON can have a member of that name without one or the other.
    let asks = |text: &[u8]| body.windows(text.len()).any(|bytes| bytes == text);
    (asks(b"explain") || asks(br"\u")).then_some(Class::Explanation)
}

/// When to stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Semantic {
    ExecuteAll,
    DenyOnFirstDeny,
    PermitOnFirstPermit,
}

impl Semantic {
    fn read(options: Option<&Object<wire::Options<'_>>>) -> Result<Self, Refusal> {
        let semantic = options.and_then(|Object(options)| options.evaluations_semantic.as_ref());
        match semantic.map(json::Text::as_str) {
            None | Some("execute_all") => Ok(Self::ExecuteAll),
            Some("deny_on_first_deny") => Ok(Self::DenyOnFirstDeny),
            Some("permit_on_first_permit") => Ok(Self::PermitOnFirstPermit),
            Some(_) => Err(Refusal::bad(
                "options.evaluations_semantic",
                "`evaluations_semantic` is execute_all, deny_on_first_deny or permit_on_first_permit",
            )),
        }
    }

    /// Whether nothing after this is to be answered.
    fn stops_at(self, verdict: &Verdict) -> bool {
        match self {
            Self::ExecuteAll => false,
            Self::DenyOnFirstDeny => !verdict.allows(),
            Self::PermitOnFirstPermit => verdict.allows(),
        }
    }
}

/// `POST /access/v1/evaluations`: each for itself and in order, up to the one that stops them. Without
/// any, it is the one evaluation that the body itself makes up.
pub(in crate::serve) fn evaluations(
    app: &App,
    served: &Served,
    body: &[u8],
    abandoned: &Abandoned,
) -> Result<Answer, Refusal> {
    let Object(batch): Object<wire::Batch<'_>> = json::read(body, "access evaluations")?;
    let wire::Batch { subject, action, resource, context, evaluations, options } = batch;
    let semantic = Semantic::read(options.as_ref())?;
    let reading = Reading::new(app, served);
    let defaults = wire::Evaluation { subject, action, resource, context };
    let defaults = Question::read(&reading, defaults)?;
    let items = evaluations.unwrap_or_default();
    if items.is_empty() {
        return single(app, served, &defaults);
    }
    if items.len() > MOST {
        let message =
            format!("a request may hold {MOST} evaluations; this one has {}", items.len());
        return Err(Refusal::bad("evaluations", message));
    }
    let mut body = String::with_capacity(64 * items.len());
    body.push_str(r#"{"evaluations":["#);
    for (number, item) in items.into_iter().enumerate() {
        let verdict =
            evaluate(app, served, (item, &reading), &defaults).unwrap_or_else(|refusal| {
                let at = format!("evaluations[{number}]");
                let at = if refusal.at.is_empty() { at } else { format!("{at}.{}", refusal.at) };
                Verdict::failed(at, refusal.message)
            });
        if number > 0 {
            body.push(',');
        }
        verdict.write(app.options.authzen_context, &mut body);
        if semantic.stops_at(&verdict) || abandoned.is_set() {
            break;
        }
    }
    body.push_str("]}");
    Ok(answer::json_answer(StatusCode::OK, body))
}

fn evaluate(
    app: &App,
    served: &Served,
    (item, reading): (&RawValue, &Reading<'_>),
    defaults: &Question<'_>,
) -> Result<Verdict, Refusal> {
    let Object(evaluation): Object<wire::Evaluation<'_>> = reading::read(item, "")?;
    // What was passed over in an item that could not be read is not the next one's.
    reading.take_ignored();
    Verdict::of(app, served, &Question::read(reading, evaluation)?, Some(defaults))
}
