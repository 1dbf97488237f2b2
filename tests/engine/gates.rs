//! Each gate gives two views of one truth: what it says of a pair, and its sets.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail by it")]

use peerage::{
    gates::{GATES, GateContext, Principal, PrincipalPair},
    request::{Request, Resource, User},
    snapshot::{UserNumber, View},
};
use proptest::prelude::*;

use crate::oracle::{ACTIONS, kinds, takes_member};
use crate::worlds::{
    Chance,
    questions::{Subjects, request},
    text, view, world,
};

/// The gate's sets against its word on each pair, the subject or the other being any known user.
fn check_gates(view: &View, request: &Request<'_>, is_about_someone: bool) {
    let scene = GateContext::resolve(view, request);
    let subject = Principal::resolve(view, &request.subject);
    let other = scene.other_user(request).map(|user| Principal::resolve(view, user));
    let users: Vec<&str> =
        view.population.everyone.iter().map(|user| view.population.directory.id(user)).collect();
    for gate in GATES {
        let name = gate.name();
        let (admits, admitted) = (
            gate.admitted_others(view, &scene, &subject),
            gate.admitted_subjects(view, &scene, other.as_ref()),
        );
        for (number, id) in (0..).map(UserNumber).zip(&users) {
            let someone = Principal::resolve(view, &User::from(*id));
            if is_about_someone {
                let pair = PrincipalPair::new(view, &scene, &subject, Some(&someone));
                let is_open = gate.check(view, &scene, &pair).is_none();
                assert_eq!(admits.contains(number), is_open, "{name} admits {id}: {request:?}");
            }
            let pair = PrincipalPair::new(view, &scene, &someone, other.as_ref());
            let is_open = gate.check(view, &scene, &pair).is_none();
            assert_eq!(admitted.contains(number), is_open, "{name} is open for {id}: {request:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn sets_say_what_checks_say(world in world(), seed in any::<u64>()) {
        let view = view(&text::plain(&world), None);
        let chance = &mut Chance(seed);
        let subjects = Subjects::of(&world);
        for action in ACTIONS {
            for kind in kinds(action) {
                let question = subjects.about(action, kind, chance);
                let request = request(&question);
                let is_about_someone = match &request.resource {
                    Resource::None => false,
                    Resource::User(_) => true,
                    Resource::Group(_) => takes_member(action),
                };
                if is_known_group(&view, &request) {
                    check_gates(&view, &request, is_about_someone);
                }
            }
        }
    }
}

/// Of a group that is not known, lists hold nobody, whatever a gate may say of one who asks.
fn is_known_group(view: &View, request: &Request<'_>) -> bool {
    match &request.resource {
        Resource::Group(group) => view.groups.number(group.id).is_some(),
        _ => true,
    }
}
