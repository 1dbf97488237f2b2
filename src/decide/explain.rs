use uuid::Uuid;

use super::decision;
use crate::{
    gates::{self, GATES, Gate, Pair, Party, Scene, about, opening_rules},
    request::{Decision, GateName, Reason, Request},
    snapshot::View,
};

/// A decision with what every gate said of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Explanation {
    pub decision: Decision,
    /// All gates in their order, those after the first closed one too.
    pub findings: Vec<Finding>,
    /// The first rules that opened it, [`MOST_RULES`] at most; empty unless it is allowed and the
    /// policy has rules.
    pub rules: Vec<RuleRef>,
    /// How many more rules opened it.
    pub more_rules: usize,
    /// The user whom the reason of a denial is about: who is banned, who blocks, who is unknown.
    pub about: Option<String>,
}

/// How many rules an explanation names.
pub const MOST_RULES: usize = gates::MOST_NAMED;

/// What one gate said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
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
    let scene = Scene::set(view, request);
    let subject = Party::find(view, &request.subject);
    let other = scene.other(request).map(|user| Party::find(view, user));
    let pair = Pair::new(view, &scene, &subject, other.as_ref());
    told(view, &scene, &pair, &GATES)
}

/// What these gates say of a pair.
pub(super) fn told(
    view: &View,
    scene: &Scene<'_>,
    pair: &Pair<'_, '_>,
    gates: &[&dyn Gate],
) -> Explanation {
    let findings: Vec<Finding> = gates
        .iter()
        .map(|gate| Finding {
            gate: gate.name(),
            closed: gate.check(view, scene, pair),
            detail: gate.detail(view, scene, pair),
        })
        .collect();
    let closed = findings.iter().find_map(|finding| finding.closed);
    let decision = decision(closed, scene, pair);
    let rules = if decision.allow { opening_rules(view, scene, pair) } else { Vec::new() };
    let more_rules = rules.len().saturating_sub(MOST_RULES);
    let rules = rules
        .into_iter()
        .take(MOST_RULES)
        .map(|rule| RuleRef {
            id: rule.id,
            name: rule.name.clone(),
            description: rule.description.clone(),
        })
        .collect();
    let about = about(view, scene, pair, decision.reason).map(str::to_owned);
    Explanation { decision, findings, rules, more_rules, about }
}
