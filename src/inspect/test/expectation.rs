//! Expectations of tests, resolved against a view and validated.

use super::{
    question::{TestQuestion, kind},
    vocabulary::parse_word,
};
use crate::{
    diagnostic::{Code, Diagnostic, did_you_mean},
    request::{Obligation, Reason, ResourceKind, UnknownUsers, Wildcard},
    snapshot::View,
    source::Span,
    syntax::{
        ast::{List, Text},
        tests::Expectation,
    },
};

/// A valid expectation that can be checked.
#[derive(Debug)]
pub(super) struct CheckedExpectation<'e> {
    pub(super) span: Span,
    pub(super) question: TestQuestion<'e>,
    pub(super) answer: ExpectedAnswer<'e>,
}

/// The expected answer.
#[derive(Debug)]
pub(super) enum ExpectedAnswer<'e> {
    Decision {
        allow: Option<bool>,
        reason: Option<Reason>,
        obligations: Option<Vec<Obligation>>,
    },
    /// The ids in order, each once.
    List(Vec<&'e str>),
}

/// The number of users or groups among which a suggestion for an unknown id is sought.
const MOST_COMPARED: usize = 100_000;

/// The number of problems of a test from which on no suggestions are sought.
const MOST_GUESSED: usize = 8;

impl<'e> CheckedExpectation<'e> {
    /// Resolves an expectation; `None`, with the reasons added to `problems`, if it is invalid.
    pub(super) fn resolve(
        written: &'e Expectation<'_>,
        view: &View,
        problems: &mut Vec<Diagnostic>,
    ) -> Option<Self> {
        let before = problems.len();
        let reason = reason(written, problems);
        let obligations = obligations(written, problems);
        if written.is_partial {
            return None;
        }
        let question = TestQuestion::resolve(written, view, problems)?;
        let allow = written.answer.allow.as_ref().map(|allow| allow.value);
        let judges = allow.is_some() || reason.is_some() || obligations.is_some();
        let (reaches, reached_by) = (&written.answer.reaches, &written.answer.reached_by);
        let list = match (question.open, reaches, reached_by) {
            (None, None, None) if judges => None,
            (Some(Wildcard::Subject), None, Some(list))
            | (Some(Wildcard::Group | Wildcard::Resource | Wildcard::Member), Some(list), None)
                if !judges =>
            {
                Some(list)
            }
            _ => {
                if problems.len() == before {
                    problems.push(expects_nothing(written));
                }
                return None;
            }
        };
        if reason.is_none() {
            // Otherwise a misspelled id would be denied as expected.
            check_known(written, &question, view, problems);
        }
        let answer = match list {
            None => ExpectedAnswer::Decision { allow, reason, obligations },
            Some(list) => ExpectedAnswer::List(listed(list, &question, view, problems)),
        };
        let expected = Self { span: written.span, question, answer };
        (problems.len() == before).then_some(expected)
    }
}

fn expects_nothing(written: &Expectation<'_>) -> Diagnostic {
    let message = "the expectation states nothing to check";
    Diagnostic::error(Code::EmptyTest, written.span, message).hint(
        "expect `allow`, `reason` or `obligations` of a whole question; `reaches` without the \
         resource or the member; or `reached_by` without the subject",
    )
}

fn reason(written: &Expectation<'_>, problems: &mut Vec<Diagnostic>) -> Option<Reason> {
    let text = written.answer.reason.as_ref()?;
    let reason = parse_word("reason", text, Reason::ALL, problems)?;
    let allow = written.answer.allow.as_ref().map(|allow| allow.value);
    if let Some(allow) = allow
        && allow != (reason == Reason::Allowed)
    {
        let message = if allow {
            format!("what is allowed has the reason `allowed`, not `{reason}`")
        } else {
            "what is denied has another reason than `allowed`".to_owned()
        };
        problems.push(Diagnostic::error(Code::Contradiction, text.span, message));
    }
    Some(reason)
}

fn obligations(
    written: &Expectation<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Option<Vec<Obligation>> {
    let list = written.answer.obligations.as_ref()?;
    let words = list.value.iter();
    Some(
        words
            .filter_map(|text| parse_word("obligation", text, Obligation::ALL, problems))
            .collect(),
    )
}

/// Adds a problem for each named user or group that is unknown, where that matters.
fn check_known(
    written: &Expectation<'_>,
    question: &TestQuestion<'_>,
    view: &View,
    problems: &mut Vec<Diagnostic>,
) {
    if view.settings.unknown_users == UnknownUsers::AllowDefaults {
        return;
    }
    for user in [&written.subject, &written.member].into_iter().flatten() {
        problems.extend(unknown_user(user, view, true, problems.len()));
    }
    let Some(resource) = &written.resource else { return };
    let before = problems.len();
    problems.extend(match kind(written, question.request.action) {
        ResourceKind::User => unknown_user(resource, view, true, before),
        ResourceKind::Group => unknown_group(resource, view, true, before),
        ResourceKind::None => None,
    });
}

/// The ids of a list, which may only hold known ones.
fn listed<'e>(
    list: &'e List<'_>,
    question: &TestQuestion<'_>,
    view: &View,
    problems: &mut Vec<Diagnostic>,
) -> Vec<&'e str> {
    let mut ids: Vec<(&str, Span)> = Vec::new();
    for id in &list.value {
        let before = problems.len();
        problems.extend(match question.open {
            Some(Wildcard::Group) => unknown_group(id, view, false, before),
            Some(Wildcard::Subject | Wildcard::Resource | Wildcard::Member) | None => {
                unknown_user(id, view, false, before)
            }
        });
        ids.push((&id.value, id.span));
    }
    // A stable sort keeps the first of two equal entries first.
    ids.sort_by_key(|&(id, _)| id);
    for pair in ids.windows(2) {
        if let [(one, first), (other, again)] = pair
            && one == other
        {
            let message = format!("`{}` is named twice in this list", one.escape_debug());
            problems.push(
                Diagnostic::error(Code::RepeatedEntry, *again, message)
                    .related(*first, "first named here"),
            );
        }
    }
    ids.into_iter().map(|(id, _)| id).collect()
}

/// The problem of an unknown user; `before` is the number of problems so far.
fn unknown_user(
    id: &Text<'_>,
    view: &View,
    may_be_meant: bool,
    before: usize,
) -> Option<Diagnostic> {
    let directory = &view.population.directory;
    if directory.number(&id.value).is_some() {
        return None;
    }
    let message = format!("unknown user `{}`", id.value.escape_debug());
    let most = if before < MOST_GUESSED { MOST_COMPARED } else { 0 };
    let known = directory.numbers().take(most).map(|user| directory.id(user));
    let near = did_you_mean(&id.value, known);
    Some(unknown_id(Code::UnknownUser, message, id, near, may_be_meant))
}

fn unknown_group(
    id: &Text<'_>,
    view: &View,
    may_be_meant: bool,
    before: usize,
) -> Option<Diagnostic> {
    if view.groups.number(&id.value).is_some() {
        return None;
    }
    let message = format!("unknown group `{}`", id.value.escape_debug());
    let most = if before < MOST_GUESSED { MOST_COMPARED } else { 0 };
    let known = view.groups.iter().take(most).map(|(_, group)| group.id);
    let near = did_you_mean(&id.value, known);
    Some(unknown_id(Code::UnknownGroup, message, id, near, may_be_meant))
}

fn unknown_id(
    code: Code,
    message: String,
    id: &Text<'_>,
    near: Option<&str>,
    may_be_meant: bool,
) -> Diagnostic {
    let near = near.map(|near| format!("did you mean `{near}`?"));
    let meant = may_be_meant.then(|| "to test an unknown id, expect the `reason`".to_owned());
    let hints: Vec<String> = near.into_iter().chain(meant).collect();
    let problem = Diagnostic::error(code, id.span, message);
    if hints.is_empty() { problem } else { problem.hint(hints.join("\n")) }
}
