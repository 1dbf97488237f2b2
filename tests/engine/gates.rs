//! The views that a gate gives of one truth: answers for pairs, sets, and one-sided conditions.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail by it")]

use std::collections::BTreeSet;

use peerage::{
    decide::{OneSided, PairEvaluator, UserCondition},
    gates::{GATES, GateContext, Principal, PrincipalPair},
    request::{Action, Conversation, GateName, Reason, Request, Resource, ResourceKind, User},
    snapshot::{RecordOverrides, Tie, UserNumber, View},
};
use proptest::prelude::*;

use crate::oracle::{ACTIONS, World};
use crate::worlds::{
    Chance, WorldShape,
    questions::{Subjects, request_for},
    shaped, text, view, world,
};

/// What the worlds say of two users.
const SHAPE: WorldShape = WorldShape::ALL;

/// The gate's sets against its word on each pair, the subject or the other being any known user.
fn check_gates(view: &View, request: &Request<'_>, is_about_someone: bool) {
    let context = GateContext::resolve(view, request);
    let subject = Principal::resolve(view, &request.subject);
    let other = context.other_user(request).map(|user| Principal::resolve(view, user));
    let users: Vec<&str> =
        view.population.everyone.iter().map(|user| view.population.directory.id(user)).collect();
    for gate in GATES {
        let name = gate.name();
        let (admits, admitted) = (
            gate.admitted_others(view, &context, &subject),
            gate.admitted_subjects(view, &context, other.as_ref()),
        );
        for (number, id) in (0..).map(UserNumber).zip(&users) {
            let someone = Principal::resolve(view, &User::from(*id));
            if is_about_someone {
                let pair = PrincipalPair::new(view, &context, &subject, Some(&someone));
                let is_open = gate.check(view, &context, &pair).is_none();
                assert_eq!(admits.contains(number), is_open, "{name} admits {id}: {request:?}");
            }
            let pair = PrincipalPair::new(view, &context, &someone, other.as_ref());
            let is_open = gate.check(view, &context, &pair).is_none();
            assert_eq!(admitted.contains(number), is_open, "{name} is open for {id}: {request:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn sets_say_what_checks_say(world in shaped(SHAPE), seed in any::<u64>()) {
        let view = view(&text::plain(&world), None);
        let chance = &mut Chance(seed);
        let subjects = Subjects::of(&world);
        for action in actions(&world) {
            for kind in world.kinds(action) {
                let question = subjects.about(action, kind, chance);
                let request = request_for(&view, &question);
                let is_about_someone = match &request.resource {
                    Resource::None => false,
                    Resource::User(_) => true,
                    Resource::Group(_) => world.takes_member(action),
                };
                if is_known_group(&view, &request) {
                    check_gates(&view, &request, is_about_someone);
                }
            }
        }
    }
}

/// All actions, those that the policy declares among them.
fn actions(world: &World) -> Vec<&'static str> {
    ACTIONS.into_iter().chain(world.between.actions.keys().copied()).collect()
}

/// Of a group that is not known, lists hold nobody, whatever a gate may say of one who asks.
fn is_known_group(view: &View, request: &Request<'_>) -> bool {
    match &request.resource {
        Resource::Group(group) => view.groups.number(group.id).is_some(),
        _ => true,
    }
}

#[test]
#[allow(
    clippy::redundant_closure_for_method_calls,
    reason = "the method of a trait object, of whatever lifetime"
)]
fn the_gates_stand_in_the_order_of_their_names() {
    assert_eq!(GATES.map(|gate| gate.name()).as_slice(), GateName::ALL);
}

#[test]
fn each_reason_of_a_gate_belongs_to_one() {
    let mut reasons: Vec<&str> = GATES
        .iter()
        .flat_map(|gate| gate.denials())
        .map(|denial| denial.reason.as_str())
        .chain([Reason::Allowed.as_str(), Reason::Stale.as_str()])
        .collect();
    reasons.sort_unstable();
    let all: BTreeSet<&str> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
    assert_eq!(reasons, all.into_iter().collect::<Vec<_>>());
}

/// The users who meet all of some conditions.
fn meeting<'c, 'v: 'c>(
    conditions: impl Iterator<Item = &'c UserCondition<'v>>,
    view: &View,
) -> Vec<bool> {
    let conditions: Vec<_> = conditions.collect();
    view.population
        .directory
        .numbers()
        .map(|user| conditions.iter().all(|it| it.users.contains(user)))
        .collect()
}

/// Whether the rules open for two users without a conversation.
fn rules_open(
    view: &View,
    one_sided: &OneSided<'_>,
    subject: UserNumber,
    other: UserNumber,
) -> bool {
    one_sided.rules.is_none_or(|book| {
        let mut tags = view.population.directory.tags(other).iter();
        tags.any(|tag| book.reachers(tag).is_some_and(|users| users.contains(subject)))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    /// Without a tie, two users are allowed exactly if each meets their conditions and the rules open.
    #[test]
    fn one_sided_conditions_decide_about_unrelated_users(world in world()) {
        let view = view(&text::plain(&world), None);
        let users: Vec<UserNumber> = view.population.directory.numbers().collect();
        for &action in Action::ALL {
            if !action.takes().contains(&ResourceKind::User) {
                continue;
            }
            for conversation in [None, Some(Conversation::New), Some(Conversation::Existing)] {
                let evaluator = PairEvaluator::new(&view, action, conversation);
                let one_sided = evaluator.one_sided();
                let subjects = meeting(one_sided.unrelated_subjects(), &view);
                let others = meeting(one_sided.unrelated_others(), &view);
                let pairs = users.iter().flat_map(|&one| users.iter().map(move |&it| (one, it)));
                for (subject, other) in pairs.filter(|(one, other)| one != other) {
                    let expected = subjects[subject.index()]
                        && others[other.index()]
                        && rules_open(&view, &one_sided, subject, other);
                    let is_allowed = evaluator.allows(subject, other, Tie::NONE);
                    prop_assert_eq!(is_allowed, expected, "{} {:?}", action, conversation);
                }
            }
        }
    }

    /// Of users whose records set nothing, a condition as a set and as one on tags are the same.
    #[test]
    fn conditions_by_tags_agree_with_sets(world in world()) {
        let view = view(&text::plain(&world), None);
        let population = &view.population;
        let plain: Vec<UserNumber> = population
            .directory
            .numbers()
            .filter(|&user| {
                let (record, conditions) = population.overrides(user);
                record == RecordOverrides::default()
                    && conditions.is_empty()
                    && population.ties_of(user).next().is_none()
            })
            .collect();
        for &action in Action::ALL {
            let one_sided = PairEvaluator::new(&view, action, None).one_sided();
            for condition in one_sided.unrelated_subjects().chain(one_sided.unrelated_others()) {
                for &user in &plain {
                    let tags = population.directory.tags(user);
                    let by_tags = condition.tags.is_on(&|tag| tags.contains(*tag));
                    prop_assert_eq!(condition.users.contains(user), by_tags, "{}", action);
                }
            }
        }
    }
}
