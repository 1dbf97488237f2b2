use uuid::Uuid;

use super::decision;
use crate::{
    gates::{self, GATES, Gate, GateContext, Principal, PrincipalPair, about, opening_rules},
    request::{Decision, GateName, Reason, Request},
    snapshot::View,
};

/// A decision with what every gate said of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Explanation {
    pub decision: Decision,
    /// All gates in their order, those after the first closed one too.
    pub findings: Vec<GateFinding>,
    /// The first rules that opened it, [`MAX_RULES`] at most; empty unless it is allowed and the
    /// policy has rules.
    pub rules: Vec<RuleRef>,
    /// How many more rules opened it.
    pub more_rules: usize,
    /// The user whom the reason of a denial is about: who is banned, who blocks, who is unknown.
    pub concerned_user: Option<String>,
}

/// How many rules an explanation names.
pub const MAX_RULES: usize = gates::MAX_NAMED;

/// What one gate said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GateFinding {
    pub gate: GateName,
    /// Why it is closed; `None` if it is open.
    pub closed: Option<Reason>,
    /// What it looked at, in words.
    pub detail: String,
}

/// A rule, as it is named to people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RuleRef {
    pub id: Uuid,
    pub name: Option<String>,
    pub description: Option<String>,
}

/// The same decision as [`decide`](super::decide), with every gate's verdict. Costs a look at each
/// rule in question.
pub fn explain(view: &View, request: &Request<'_>) -> Explanation {
    let scene = GateContext::resolve(view, request);
    let subject = Principal::resolve(view, &request.subject);
    let other = scene.other_user(request).map(|user| Principal::resolve(view, user));
    let pair = PrincipalPair::new(view, &scene, &subject, other.as_ref());
    explain_with(view, &scene, &pair, &GATES)
}

/// What these gates say of a pair.
pub(super) fn explain_with(
    view: &View,
    scene: &GateContext<'_>,
    pair: &PrincipalPair<'_, '_>,
    gates: &[&dyn Gate],
) -> Explanation {
    let findings: Vec<GateFinding> = gates
        .iter()
        .map(|gate| GateFinding {
            gate: gate.name(),
            closed: gate.check(view, scene, pair),
            detail: gate.describe(view, scene, pair),
        })
        .collect();
    let closed = findings.iter().find_map(|finding| finding.closed);
    let decision = decision(closed, scene, pair);
    let rules = if decision.allow { opening_rules(view, scene, pair) } else { Vec::new() };
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
    let about = about(view, scene, pair, decision.reason).map(str::to_owned);
    Explanation { decision, findings, rules, more_rules, concerned_user: about }
}
