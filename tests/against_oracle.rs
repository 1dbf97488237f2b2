//! Random policies, decided by peerage and by a plain oracle, which must agree for all pairs.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail by it")]

mod oracle;
mod worlds;

use peerage::{
    decide::{Reach, decide, explain, reach, reached_by},
    diagnostic::Code,
    gates::{GATES, Party},
    request::{Action, Request, User},
    snapshot::View,
};
use proptest::{collection::vec, prelude::*, sample::select};
use uuid::Uuid;

use oracle::{Asked, World};
use worlds::{Chance, IDS, TAGS, build, text, view, world};

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases) }
}

fn asked(who: Asked<'_>) -> User<'_> {
    User { id: who.id, tags: who.tags.map(|tags| tags.iter().map(String::as_str).collect()) }
}

fn question<'a>(subject: Asked<'a>, resource: Asked<'a>) -> Request<'a> {
    Request { subject: asked(subject), action: Action::StartChat, resource: asked(resource) }
}

fn check_decision(world: &World, view: &View, subject: Asked<'_>, resource: Asked<'_>) {
    let decision = decide(view, &question(subject, resource));
    let reason = world.reason(subject, resource);
    assert_eq!(decision.reason.as_str(), reason, "{subject:?} to {resource:?}");
    assert_eq!(decision.allow, reason == "allowed");
}

fn check_explanation(world: &World, view: &View, subject: Asked<'_>, resource: Asked<'_>) {
    let explanation = explain(view, &question(subject, resource));
    let reason = world.reason(subject, resource);
    assert_eq!(explanation.decision.reason.as_str(), reason, "{subject:?} to {resource:?}");
    assert_eq!(explanation.decision.allow, reason == "allowed");

    let gates: Vec<_> = explanation.findings.iter().map(|finding| finding.gate.as_str()).collect();
    assert_eq!(gates, ["known", "self", "rules"]);
    let closed: Vec<_> = explanation
        .findings
        .iter()
        .map(|finding| finding.closed.map(peerage::request::Reason::as_str))
        .collect();
    assert_eq!(closed, world.verdicts(subject, resource), "{subject:?} to {resource:?}");

    let expected = if reason == "allowed" { world.opening(subject, resource) } else { Vec::new() };
    let rules: Vec<Uuid> = explanation.rules.iter().map(|rule| rule.id).collect();
    assert_eq!(rules, expected, "{subject:?} to {resource:?}");
    for rule in &explanation.rules {
        let written = world.rules.iter().flatten().find(|r| r.expected_id() == rule.id).unwrap();
        assert_eq!(rule.name, written.name);
        assert_eq!(rule.description, written.description);
    }
}

/// Each gate's sets against its check, one of the two being a known user as he is.
fn check_gates(world: &World, view: &View, who: Asked<'_>) {
    let someone = Party::find(view, &asked(who));
    for gate in GATES {
        let admits = gate.admits(view, &someone);
        let admitted = gate.admitted(view, &someone);
        for id in world.users.keys() {
            let other = Party::find(view, &User::from(id.as_str()));
            let number = other.number.unwrap();
            let name = gate.name();
            assert_eq!(
                admits.contains(number),
                gate.check(view, &someone, &other).is_none(),
                "{name}: {who:?} to {id}"
            );
            assert_eq!(
                admitted.contains(number),
                gate.check(view, &other, &someone).is_none(),
                "{name}: {id} to {who:?}"
            );
        }
    }
}

fn check_list(list: &Reach<'_>, expected: &[&str], limit: usize) {
    assert_eq!(list.total(), expected.len() as u64);
    assert_eq!(list.ids().collect::<Vec<_>>(), expected);
    let mut gathered = Vec::new();
    let mut after = None;
    loop {
        let page = list.page(after, limit);
        assert_eq!(page.total, expected.len() as u64);
        assert!(page.users.len() <= limit);
        gathered.extend(page.users.iter().copied());
        let Some(next) = page.next else { break };
        assert_eq!(page.users.len(), limit, "only the last page may be short");
        assert_eq!(page.users.last(), Some(&next));
        after = Some(next);
    }
    assert_eq!(gathered, expected);
}

fn check_lists(world: &World, view: &View, who: Asked<'_>, limit: usize) {
    let action = Action::StartChat;
    check_list(&reach(view, &asked(who), action), &world.reach(who), limit);
    check_list(&reached_by(view, &asked(who), action), &world.reached_by(who), limit);
}

fn check_all(world: &World, view: &View, guests: &[Vec<String>], limit: usize) {
    let strangers = ["", "nobody", "ALICE", "~~~"];
    let known = world.users.keys().map(String::as_str);
    let ids: Vec<&str> = known.chain(strangers).collect();
    for (at, &subject) in ids.iter().enumerate() {
        let given = |turn: usize| guests.get(turn % guests.len().max(1)).map(Vec::as_slice);
        let with_tags = Asked { id: subject, tags: given(at) };
        for who in [subject.into(), with_tags] {
            check_gates(world, view, who);
            check_lists(world, view, who, limit);
        }
        for (to, &resource) in ids.iter().enumerate() {
            let resource_with_tags = Asked { id: resource, tags: given(at + to) };
            let pairs = [
                (subject.into(), resource.into()),
                (with_tags, resource.into()),
                (subject.into(), resource_with_tags),
                (with_tags, resource_with_tags),
            ];
            for (subject, resource) in pairs {
                check_decision(world, view, subject, resource);
            }
            for (subject, resource) in [pairs[0], pairs[1 + (at + to) % 3]] {
                check_explanation(world, view, subject, resource);
            }
        }
    }
}

fn guests() -> impl Strategy<Value = Vec<Vec<String>>> {
    let tags = TAGS.iter().copied().chain(["unheard-of"]).collect::<Vec<_>>();
    vec(vec(select(tags).prop_map(String::from), 0..4), 1..4)
}

proptest! {
    #![proptest_config(config(1000))]

    #[test]
    fn small_worlds(
        world in world(), seed in any::<u64>(), guests in guests(), limit in 1..5_usize
    ) {
        let view = view(&text::scattered(&world, seed), None);
        check_all(&world, &view, &guests, limit);
    }
}

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn an_undeclared_tag_is_refused(world in world(), seed in any::<u64>()) {
        let mut world = world;
        world.declared = Some(vec!["declared".into()]);
        let names_a_tag = world.users.values().flatten().any(|tags| !tags.is_empty())
            || world.rules.iter().any(|rules| !rules.is_empty());
        let outcome = build(&text::scattered(&world, seed), None);
        prop_assert_eq!(outcome.view.is_none(), names_a_tag);
        for found in &outcome.report.diagnostics {
            prop_assert_eq!(found.code, Code::UndeclaredTag);
        }
    }
}

#[test]
fn worlds_of_hundreds() {
    for seed in 0..3 {
        let world = World::large(300, 20, 25, seed);
        let view = view(&text::scattered(&world, seed), None);
        let chance = &mut Chance(seed);
        let ids: Vec<&str> = world.users.keys().map(String::as_str).collect();
        for &subject in &ids {
            for &resource in &ids {
                check_decision(&world, &view, subject.into(), resource.into());
            }
            check_explanation(&world, &view, subject.into(), (*chance.pick(&ids)).into());
        }
        for _ in 0..20 {
            let who = (*chance.pick(&ids)).into();
            check_lists(&world, &view, who, 7);
            check_gates(&world, &view, who);
        }
    }
}

/// From some thousands of users on, sets may be kept as plain bitsets.
#[test]
fn worlds_of_thousands() {
    for (seed, tags, rules) in [(1, 6, 4), (2, 60, 12)] {
        let users: u32 = 20_000;
        let world = World::large(users, tags, rules, seed);
        let view = view(&text::bulk(&world), None);
        let plain = size_of::<peerage::snapshot::UserSet>() + users as usize / 8 + 1;
        let reachers = &view.rules.as_ref().unwrap().reachers;
        assert!(reachers.iter().any(|users| users.memory() == plain));

        let chance = &mut Chance(seed);
        let ids: Vec<&str> = world.users.keys().map(String::as_str).collect();
        for _ in 0..3000 {
            let (subject, resource) = (*chance.pick(&ids), *chance.pick(&ids));
            check_decision(&world, &view, subject.into(), resource.into());
        }
        let given = [vec!["t0".to_owned()], vec!["t1".to_owned(), "t3".to_owned()]];
        for round in 0..3_usize {
            let tags = given.get(round).map(Vec::as_slice);
            let who = Asked { id: chance.pick::<&str>(&ids), tags };
            check_lists(&world, &view, who, 6000);
            check_gates(&world, &view, who);
        }
    }
}

#[test]
fn the_ids_are_worth_testing_with() {
    for id in IDS {
        peerage::request::check_id(id).unwrap();
    }
    for tag in TAGS {
        peerage::request::check_tag(tag).unwrap();
    }
}
