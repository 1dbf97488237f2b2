//! The trace of a decision: the gates and statements on which it turned.

use crate::{
    gates::{GATES, GateContext, Principal, PrincipalPair},
    request::{GateName, Request, StatementId},
    snapshot::View,
};

/// A step of a decision: one gate that had something to say of the action.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TraceStep {
    pub gate: GateName,
    pub is_open: bool,
    /// The statements of the policy that the gate consulted; of rules, those that open it.
    pub consulted: Vec<StatementId>,
}

/// The steps of the decision which [`decide`](super::decide) makes: the gates that concern the action,
/// up to the first that is closed. Costs a look at each rule that could apply.
pub fn trace(view: &View, request: &Request<'_>) -> Vec<TraceStep> {
    let context = GateContext::resolve(view, request);
    let subject = Principal::resolve(view, &request.subject);
    let other = context.other_user(request).map(|user| Principal::resolve(view, user));
    let pair = PrincipalPair::new(view, &context, &subject, other.as_ref());
    let mut steps = Vec::new();
    for gate in GATES {
        let is_open = gate.check(view, &context, &pair).is_none();
        let consulted = gate.consulted(view, &context, &pair);
        steps.extend(consulted.map(|consulted| TraceStep {
            gate: gate.name(),
            is_open,
            consulted,
        }));
        if !is_open {
            break;
        }
    }
    steps
}
