//! The check of an expectation against the decision of a policy.

use super::expectation::{CheckedExpectation, ExpectedAnswer};
use crate::{
    decide::{Explanation, decide, explain, reach, reachable_groups, reached_by},
    request::{ActionName, Obligation, Reason, Request, Resource, Wildcard},
    snapshot::View,
};

/// An expectation that was not met.
#[derive(Debug)]
pub struct ExpectationFailure {
    /// The place of the expectation; both count from 1.
    pub line: usize,
    pub column: usize,
    /// The question in words.
    pub question: String,
    pub expected: String,
    pub actual: String,
    /// The ids that are missing from a list.
    pub missing: Vec<String>,
    /// The ids that are on a list unexpectedly.
    pub extra: Vec<String>,
    /// The explanations: of the decision, or for a list, of the first missing and the first
    /// unexpected id.
    pub explanations: Vec<ExplainedFor>,
}

/// An explanation, and the id on a list that it concerns.
#[derive(Debug)]
pub struct ExplainedFor {
    /// The id on a list; `None` for a decision.
    pub listed_id: Option<String>,
    pub explanation: Explanation,
}

/// The failure of an expectation; `None` if it is met. The caller fills in the place. The ids on a
/// list are added to `on_list`.
pub(super) fn check(
    expected: &CheckedExpectation<'_>,
    view: &View,
    on_list: &mut Vec<String>,
) -> Option<ExpectationFailure> {
    let request = &expected.question.request;
    let found = match &expected.answer {
        ExpectedAnswer::Decision { allow, reason, obligations } => {
            return check_decision(request, *allow, *reason, obligations.as_deref(), view);
        }
        ExpectedAnswer::List(_) => match expected.question.open {
            Some(Wildcard::Group) => {
                reachable_groups(view, request).ids().iter().map(|&id| id.to_owned()).collect()
            }
            Some(Wildcard::Subject) => reached_by(view, request).ids().map(str::to_owned).collect(),
            Some(Wildcard::Resource | Wildcard::Member) | None => {
                reach(view, request).ids().map(str::to_owned).collect::<Vec<_>>()
            }
        },
    };
    let failure = compare_list(expected, &found, view);
    on_list.extend(found);
    failure
}

fn check_decision(
    request: &Request<'_>,
    allow: Option<bool>,
    reason: Option<Reason>,
    obligations: Option<&[Obligation]>,
    view: &View,
) -> Option<ExpectationFailure> {
    let decision = decide(view, request);
    let found: Vec<Obligation> = decision.obligations.iter().collect();
    let is_right = allow.is_none_or(|allow| allow == decision.allow)
        && reason.is_none_or(|reason| reason == decision.reason)
        && obligations.is_none_or(|obligations| obligations == found);
    if is_right {
        return None;
    }
    let shown = Some(found.as_slice()).filter(|it| obligations.is_some() || !it.is_empty());
    Some(ExpectationFailure {
        line: 0,
        column: 0,
        question: describe_question(&view.action_name(request.requested()), request, None),
        expected: describe_decision(allow, reason, obligations),
        actual: describe_decision(Some(decision.allow), Some(decision.reason), shown),
        missing: Vec::new(),
        extra: Vec::new(),
        explanations: vec![ExplainedFor { listed_id: None, explanation: explain(view, request) }],
    })
}

fn compare_list(
    expected: &CheckedExpectation<'_>,
    found: &[String],
    view: &View,
) -> Option<ExpectationFailure> {
    let ExpectedAnswer::List(wanted) = &expected.answer else { return None };
    let missing: Vec<String> = wanted
        .iter()
        .filter(|&&id| found.binary_search_by(|it| it.as_str().cmp(id)).is_err())
        .map(|&id| id.to_owned())
        .collect();
    let extra: Vec<String> =
        found.iter().filter(|id| wanted.binary_search(&id.as_str()).is_err()).cloned().collect();
    if missing.is_empty() && extra.is_empty() {
        return None;
    }
    let explained = missing.first().into_iter().chain(extra.first()).map(|id| ExplainedFor {
        listed_id: Some(id.clone()),
        explanation: explain(view, &expected.question.with_listed(id)),
    });
    Some(ExpectationFailure {
        line: 0,
        column: 0,
        question: describe_question(
            &view.action_name(expected.question.request.requested()),
            &expected.question.request,
            expected.question.open,
        ),
        expected: format!("[{}]", wanted.join(", ")),
        actual: format!("[{}]", found.join(", ")),
        explanations: explained.collect(),
        missing,
        extra,
    })
}

/// A decision in words.
fn describe_decision(
    allow: Option<bool>,
    reason: Option<Reason>,
    obligations: Option<&[Obligation]>,
) -> String {
    let allow = allow.map(|allow| if allow { "allow" } else { "deny" }.to_owned());
    let reason = reason.filter(|it| allow.is_none() || *it != Reason::Allowed);
    let obligations = obligations.map(|all| match all {
        [] => "without obligations".to_owned(),
        [one] => format!("with the obligation {one}"),
        all => {
            let all: Vec<&str> = all.iter().map(|it| it.as_str()).collect();
            format!("with the obligations {}", all.join(", "))
        }
    });
    let parts = allow.into_iter().chain(reason.map(|it| it.to_string())).chain(obligations);
    parts.collect::<Vec<_>>().join(", ")
}

/// A question in words, without the open part.
fn describe_question(action: &ActionName, request: &Request<'_>, open: Option<Wildcard>) -> String {
    let mut parts = vec![action.to_string()];
    let mut part = |what: &str, id: &str| parts.push(format!("{what} `{}`", id.escape_debug()));
    if open != Some(Wildcard::Subject) {
        part("subject", request.subject.id);
    }
    match &request.resource {
        Resource::User(user) if open != Some(Wildcard::Resource) => part("resource", user.id),
        Resource::Group(group) if open != Some(Wildcard::Group) => part("group", group.id),
        _ => {}
    }
    if let Some(member) = request.member.as_ref().filter(|_| open != Some(Wildcard::Member)) {
        part("member", member.id);
    }
    if let Some(field) = request.field {
        part("field", field);
    }
    if let Some(conversation) = request.conversation {
        parts.push(format!("{conversation} conversation"));
    }
    match open {
        None => {}
        Some(Wildcard::Subject) => parts.push("reached by".to_owned()),
        Some(_) => parts.push("reaches".to_owned()),
    }
    parts.join(", ")
}
