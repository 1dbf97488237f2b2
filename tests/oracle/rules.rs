//! The gate of rules: each set that is asked must hold a rule that opens the pair.

use uuid::Uuid;

use super::{
    ask::Question,
    presets,
    words::{Outcome, Rule},
    world::World,
};

pub(super) fn rules(world: &World, question: &Question) -> Option<&'static str> {
    let closed = |set: &&[Rule]| !set.iter().any(|rule| opens(world, question, rule));
    if sets(world, question).iter().any(closed) { Some("no_rule") } else { None }
}

/// The ids of the rules that let the subject reach the other, in order; none where the rules have
/// nothing to say.
pub(super) fn opening(world: &World, question: &Question) -> Vec<Uuid> {
    let rules = sets(world, question).into_iter().flatten();
    let opening = rules.filter(|rule| opens(world, question, rule));
    let mut ids: Vec<Uuid> = opening.map(Rule::expected_id).collect();
    ids.sort();
    ids
}

/// The sets that concern the question and are asked.
fn sets<'w>(world: &'w World, question: &Question) -> Vec<&'w [Rule]> {
    let mut sets = Vec::new();
    if !world.is_between_two(question) {
        return sets;
    }
    let has_rules = world.rules.is_some() || presets::has_rules(world.settings.preset);
    let concerns_rules = ["start_chat", "send_message", "voice_call", "video_call", "add_member"]
        .contains(&world.base(question.action));
    if has_rules && concerns_rules && world.asks(Some("new"), question) {
        sets.push(world.rules.as_deref().unwrap_or_default());
    }
    for set in &world.between.sets {
        let mut actions = world.asked_as(question).into_iter();
        if actions.any(|action| world.concerns(set.actions.as_ref(), action))
            && world.asks(set.asked, question)
        {
            sets.push(&set.rules);
        }
    }
    sets
}

fn opens(world: &World, question: &Question, rule: &Rule) -> bool {
    let (subject, Some(other)) = (&question.subject, world.other(question)) else { return false };
    let leads_there = match &rule.outcome {
        Outcome::Tags(tags) => world.tags(other).iter().any(|tag| tags.contains(tag)),
        Outcome::Condition(condition) => condition.is_met_by(world.tags(other)),
        Outcome::LeftOut => true,
    };
    let between = rule.between.as_ref();
    rule.condition.is_met_by(world.tags(subject))
        && leads_there
        && between.is_none_or(|between| world.relates(between, question, subject, other))
}
