//! The gate of barriers: who is kept apart, whatever rules allow.

use super::{
    ask::{Asked, Question, Resource},
    between::Barrier,
    world::World,
};

pub(super) fn barriers(world: &World, question: &Question) -> Option<&'static str> {
    let stands = |barrier: &Barrier| {
        stands_between_two(world, question, barrier) || stands_in_group(world, question, barrier)
    };
    world.between.barriers.iter().any(stands).then_some("barrier")
}

fn stands_between_two(world: &World, question: &Question, barrier: &Barrier) -> bool {
    let Some(other) = world.other(question) else { return false };
    let concerns =
        world.asked_as(question).iter().any(|it| world.concerns(barrier.actions.as_ref(), it));
    let (subject, is_both_ways) = (&question.subject, barrier.is_both_ways);
    concerns
        && world.is_between_two(question)
        && (bars(world, question, barrier, subject, other)
            || (is_both_ways && bars(world, question, barrier, other, subject)))
}

/// Whether it keeps the user who is added or joins from someone who is there: one direction does, whichever came
/// first.
fn stands_in_group(world: &World, question: &Question, barrier: &Barrier) -> bool {
    let Resource::Group { id, .. } = &question.resource else { return false };
    let (comer, is_concerned) = match world.base(question.action) {
        "add_member" => (question.member.as_ref(), world.asked_as(question)),
        // A barrier that concerns who is added concerns who joins.
        "join" => (Some(&question.subject), vec!["add_member"]),
        _ => return false,
    };
    let (Some(group), Some(comer)) = (world.groups.get(id), comer) else { return false };
    let concerns = is_concerned.iter().any(|it| world.concerns(barrier.actions.as_ref(), it));
    if !concerns || barrier.groups == Some(false) {
        return false;
    }
    // What the request says of a conversation is not about those who are there.
    let of_facts = Question { conversation: None, ..question.clone() };
    group.everyone().into_iter().filter(|id| *id != comer.id).any(|id| {
        let there = who(question, &id);
        bars(world, &of_facts, barrier, comer, &there)
            || bars(world, &of_facts, barrier, &there, comer)
    })
}

/// A user by their id; what the question gives of its subject stands in for their record.
fn who(question: &Question, id: &str) -> Asked {
    if id == question.subject.id { question.subject.clone() } else { id.into() }
}

/// Whether one meets the first side, the other the second, and nothing lifts it.
fn bars(world: &World, question: &Question, barrier: &Barrier, one: &Asked, other: &Asked) -> bool {
    let is_lifted = || {
        let unless = barrier.unless.as_ref();
        unless.is_some_and(|unless| world.relates(unless, question, one, other))
    };
    barrier.from.is_met_by(world.tags(one))
        && barrier.to.is_met_by(world.tags(other))
        && !is_lifted()
}
