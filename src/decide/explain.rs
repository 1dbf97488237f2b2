//! The explanation of a decision: what every gate says.

use uuid::Uuid;

use super::decision::conclude;
use crate::{
    gates::{
        self, GATES, Gate, GateContext, Principal, PrincipalPair, concerned_user, opening_rules,
    },
    request::{Decision, GateName, Reason, Request},
    snapshot::View,
};

/// A decision with the finding of every gate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Explanation {
    pub decision: Decision,
    /// The findings of all gates in their order, also of those after the first closed one.
    pub findings: Vec<GateFinding>,
    /// The first rules that allow it, at most [`MAX_RULES`]; empty unless it is allowed and rules apply.
    pub rules: Vec<RuleRef>,
    /// How many more rules allow it.
    pub more_rules: usize,
    /// The user whom a denial is about: who is banned, who blocks, who is unknown.
    pub concerned_user: Option<String>,
}

/// How many rules an explanation names.
pub const MAX_RULES: usize = gates::MAX_NAMED;

/// The finding of one gate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GateFinding {
    pub gate: GateName,
    /// The reason why the gate is closed; `None` if it is open.
    pub closed: Option<Reason>,
    /// A description of what the gate looked at.
    pub detail: String,
}

/// A rule as explanations name it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RuleRef {
    pub id: Uuid,
    pub name: Option<String>,
    pub description: Option<String>,
}

impl Explanation {
    /// The explanation of a decision that no gate took part in.
    pub fn without_gates(decision: Decision) -> Self {
        Self {
            decision,
            findings: Vec::new(),
            rules: Vec::new(),
            more_rules: 0,
            concerned_user: None,
        }
    }
}

/// The explanation of the decision which [`decide`](super::decide) makes. Costs a look at each rule
/// that could apply, and a few allocations for each gate.
pub fn explain(view: &View, request: &Request<'_>) -> Explanation {
    let context = GateContext::resolve(view, request);
    let subject = Principal::resolve(view, &request.subject);
    let other = context.other_user(request).map(|user| Principal::resolve(view, user));
    let pair = PrincipalPair::new(view, &context, &subject, other.as_ref());
    explain_with(view, &context, &pair, &GATES)
}

/// The explanation of a pair by some of the gates.
pub(super) fn explain_with(
    view: &View,
    context: &GateContext<'_>,
    pair: &PrincipalPair<'_, '_>,
    gates: &[&dyn Gate],
) -> Explanation {
    let findings: Vec<GateFinding> = gates
        .iter()
        .map(|gate| GateFinding {
            gate: gate.name(),
            closed: gate.check(view, context, pair),
            detail: gate.describe(view, context, pair),
        })
        .collect();
    let closed = findings.iter().find_map(|finding| finding.closed);
    let decision = conclude(view, closed, context, pair);
    let rules = if decision.allow { opening_rules(view, context, pair) } else { Vec::new() };
    let more_rules = rules.len().saturating_sub(MAX_RULES);
    let rules = rules
        .into_iter()
        .take(MAX_RULES)
        .map(|rule| RuleRef {
            id: rule.id,
            name: rule.name.clone(),
            description: rule.description.clone(),
        })
        .collect();
    let concerned_user = closed.and_then(|reason| concerned_user(view, context, pair, reason));
    let concerned_user = concerned_user.map(str::to_owned);
    Explanation { decision, findings, rules, more_rules, concerned_user }
}
