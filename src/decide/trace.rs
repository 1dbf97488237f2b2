use crate::{
    gates::{GATES, GateContext, Principal, PrincipalPair},
    request::{GateName, Request, StatementId},
    snapshot::View,
};

/// What a decision turned on: one of the gates that had something to say of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TraceStep {
    pub gate: GateName,
    pub is_open: bool,
    /// The statements of the policy that it looked at; of rules, those that opened it.
    pub consulted: Vec<StatementId>,
}

/// The way of a decision: the gates that concern it, up to the first that is closed. The same walk
/// as [`decide`](super::decide). Costs a look at each rule in question.
pub fn trace(view: &View, request: &Request<'_>) -> Vec<TraceStep> {
    let context = GateContext::resolve(view, request);
    let subject = Principal::resolve(view, &request.subject);
    let other = context.other_user(request).map(|user| Principal::resolve(view, user));
    let pair = PrincipalPair::new(view, &context, &subject, other.as_ref());
    let mut steps = Vec::new();
    for gate in GATES {
        let is_open = gate.check(view, &context, &pair).is_none();
        let asked = gate.consulted(view, &context, &pair);
        steps.extend(asked.map(|asked| TraceStep { gate: gate.name(), is_open, consulted: asked }));
        if !is_open {
            break;
        }
    }
    steps
}
