use crate::{
    gates::{GATES, Pair, Party, Scene},
    request::{GateName, Request, Statement},
    snapshot::View,
};

/// What a decision turned on: one of the gates that had something to say of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    pub gate: GateName,
    pub is_open: bool,
    /// The statements of the policy that it looked at; of rules, those that opened it.
    pub asked: Vec<Statement>,
}

/// The way of a decision: the gates that concern it, up to the first that is closed. The same walk
/// as [`decide`](super::decide). Costs a look at each rule in question.
pub fn trace(view: &View, request: &Request<'_>) -> Vec<Step> {
    let scene = Scene::set(view, request);
    let subject = Party::find(view, &request.subject);
    let other = scene.other(request).map(|user| Party::find(view, user));
    let pair = Pair::new(view, &scene, &subject, other.as_ref());
    let mut steps = Vec::new();
    for gate in GATES {
        let is_open = gate.check(view, &scene, &pair).is_none();
        let asked = gate.asks(view, &scene, &pair);
        steps.extend(asked.map(|asked| Step { gate: gate.name(), is_open, asked }));
        if !is_open {
            break;
        }
    }
    steps
}
