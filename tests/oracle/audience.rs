//! The gate of audiences: from whom the user who is reached accepts something.

use super::{ask::Question, world::World};

pub(super) fn audience(world: &World, question: &Question) -> Option<&'static str> {
    let outside = outside(world, question);
    let is_closed = outside.iter().any(|action| !world.takes_requests(action));
    is_closed.then_some("not_in_audience")
}

/// Whether the answer, if it is an allow, is one to a request.
pub(super) fn is_request(world: &World, question: &Question) -> bool {
    let outside = outside(world, question);
    world.is_as_of_new(question) && outside.iter().any(|action| world.takes_requests(action))
}

/// The actions for which the subject is outside the audience of the user whom they reach.
fn outside(world: &World, question: &Question) -> Vec<&'static str> {
    let mut outside = world.asked_as(question);
    if !world.is_between_two(question) {
        return Vec::new();
    }
    outside.retain(|action| !admits(world, question, action));
    outside
}

fn admits(world: &World, question: &Question, action: &'static str) -> bool {
    let Some(owner) = world.other(question) else { return true };
    let entry = world.between.accepts.get(action);
    if entry.is_some_and(|entry| !world.asks(entry.asked, question)) {
        return true;
    }
    let mode = entry
        .and_then(|entry| entry.modes.iter().find(|mode| mode.when.is_met_by(world.tags(owner))));
    let stated = match mode {
        Some(mode) => Some(mode.audience),
        None => entry.and_then(|entry| entry.default),
    };
    let own = world.users.get(&owner.id).and_then(|record| record.accepts.get(action).copied());
    let is_locked = mode.is_some_and(|mode| mode.is_locked);
    let admits = |audience: &str| world.admits(audience, question, owner, &question.subject);
    match (own, stated) {
        (Some(own), Some(floor)) if is_locked => admits(own) && admits(floor),
        (Some(audience), _) | (None, Some(audience)) => admits(audience),
        (None, None) => true,
    }
}

impl World {
    /// Whether those outside the audience may ask for it.
    fn takes_requests(&self, action: &str) -> bool {
        self.between.accepts.get(action).is_some_and(|entry| entry.otherwise == Some("request"))
    }
}
