//! Random policies, decided by peerage and by a plain oracle, which must agree on all requests.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail by it")]

use std::collections::BTreeMap;

use peerage::{
    compile,
    decide::{ListPage, allowed_actions, decide, explain, reach, reachable_groups, reached_by},
    diagnostic::{Code, Severity},
    request::{Decision, GateName, Group, Moment, Obligation, Reason, Request, Resource, User},
    snapshot::View,
    source::Sources,
};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use uuid::Uuid;

use crate::oracle::{ACTIONS, GATES, Question, REACHING, Settings, World};
use crate::worlds::{
    Chance, GROUPS, IDS, TAGS, THIN, WorldShape, build,
    questions::{STRANGERS, Subjects, request_for},
    shaped, text, view, world,
};

/// What the worlds say of two users.
const SHAPE: WorldShape = WorldShape::ALL;

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig::with_cases(cases)
}

fn check_decision(world: &World, view: &View, question: &Question) {
    let decision = decide(view, &request_for(view, question));
    let reason = world.reason(question);
    assert_eq!(decision.reason.as_str(), reason, "{question:?}");
    assert_eq!(decision.allow, reason == "allowed", "{question:?}");
    assert_eq!(obligations(decision), world.obligations(question), "{question:?}");
}

fn obligations(decision: Decision) -> Vec<&'static str> {
    decision.obligations.iter().map(Obligation::as_str).collect()
}

/// The oracle's gates that the engine has, with their numbers among them.
fn gates() -> impl Iterator<Item = (usize, &'static str)> {
    GATES.into_iter().enumerate().filter(|(_, name)| name.parse::<GateName>().is_ok())
}

/// How many gates, from the first on, have a verdict that the reference settles. What those after
/// the first say of a request that makes no sense is left open, and so is what the last, the role,
/// says of a group that is refused because it is not known.
fn comparable(world: &World, question: &Question) -> usize {
    let takes_unknown = world.settings.unknown_users == Some("allow_defaults");
    match &question.resource {
        _ if !world.fits(question) => 1,
        crate::oracle::Resource::Group { id, matrix } => {
            let is_taken = world.groups.contains_key(id) || (takes_unknown && matrix.is_some());
            GATES.len() - usize::from(!is_taken)
        }
        _ => GATES.len(),
    }
}

/// Whether the reference leaves open what a gate says: of what is between someone and themselves,
/// where they are refused as `self` before it is asked.
fn is_open_to_readings(world: &World, question: &Question, gate: &str) -> bool {
    let is_of_oneself = match &question.resource {
        crate::oracle::Resource::User(user) => user.id == question.subject.id,
        _ => false,
    };
    is_of_oneself && world.says_more() && ["audience", "barriers", "rules"].contains(&gate)
}

fn check_explanation(world: &World, view: &View, question: &Question) {
    let explanation = explain(view, &request_for(view, question));
    assert_eq!(explanation.decision, decide(view, &request_for(view, question)), "{question:?}");

    let gates: Vec<_> = explanation.findings.iter().map(|finding| finding.gate.as_str()).collect();
    assert!(gates.iter().copied().eq(self::gates().map(|(_, name)| name)), "{gates:?}");
    let verdicts = world.verdicts(question);
    let count = comparable(world, question);
    for (finding, (number, gate)) in explanation.findings.iter().zip(self::gates()) {
        if number < count && !is_open_to_readings(world, question, gate) {
            let closed = finding.closed.map(Reason::as_str);
            assert_eq!(closed, verdicts[number], "{gate}: {question:?}");
        }
    }

    let mut rules: Vec<Uuid> = explanation.rules.iter().map(|rule| rule.id).collect();
    if SHAPE.sets {
        rules.sort();
    }
    assert_eq!(rules, world.rules_named(question), "{question:?}");
    let sets = world.between.sets.iter().flat_map(|set| &set.rules);
    let all: Vec<_> = world.rules.iter().flatten().chain(sets).collect();
    for rule in &explanation.rules {
        let written = all.iter().find(|it| it.expected_id() == rule.id).unwrap();
        assert_eq!(rule.name, written.name);
        assert_eq!(rule.description, written.description);
    }
}

/// A list whole and in pages of at most `limit`.
fn check_list<'v>(
    ids: &[&str],
    page: impl Fn(Option<&str>) -> ListPage<'v>,
    limit: usize,
    expected: &[&str],
    question: &Question,
) {
    assert_eq!(ids, expected, "{question:?}");
    let mut gathered = Vec::new();
    let mut after = None;
    loop {
        let page = page(after);
        assert_eq!(page.total, expected.len() as u64, "{question:?}");
        assert!(page.ids.len() <= limit);
        gathered.extend(page.ids.iter().copied());
        let Some(next) = page.next else { break };
        assert_eq!(page.ids.len(), limit, "only the last page may be short");
        assert_eq!(page.ids.last(), Some(&next));
        after = Some(next);
    }
    assert_eq!(gathered, expected, "{question:?}");
}

/// Whom the subject may reach, and who may do this: what is open in the request does not count.
fn check_lists(world: &World, view: &View, question: &Question, limit: usize) {
    let request = request_for(view, question);
    let is_about_someone = match request.resource {
        Resource::None => false,
        Resource::User(_) => true,
        Resource::Group(_) => world.takes_member(question.action),
    };
    if is_about_someone {
        let list = reach(view, &request);
        let ids: Vec<&str> = list.ids().collect();
        let page = |after: Option<&str>| list.page(after, limit);
        check_list(&ids, page, limit, &world.reach(question), question);
        assert_eq!(list.total(), ids.len() as u64);

        let mut open = request.clone();
        match &mut open.resource {
            Resource::User(user) => *user = User::from(""),
            _ => open.member = None,
        }
        assert_eq!(reach(view, &open).ids().collect::<Vec<_>>(), ids, "{question:?}");
    }
    let list = reached_by(view, &request);
    let ids: Vec<&str> = list.ids().collect();
    let page = |after: Option<&str>| list.page(after, limit);
    check_list(&ids, page, limit, &world.reached_by(question), question);
    let open = Request { subject: User::from(""), ..request };
    assert_eq!(reached_by(view, &open).ids().collect::<Vec<_>>(), ids, "{question:?}");
}

fn check_groups(world: &World, view: &View, question: &Question, limit: usize) {
    let open =
        Request { resource: Resource::Group(Group::from("")), ..request_for(view, question) };
    let list = reachable_groups(view, &open);
    let page = |after: Option<&str>| list.page(after, limit);
    check_list(list.ids(), page, limit, &world.groups_open(question), question);
}

fn check_actions(world: &World, view: &View, question: &Question) {
    let open = allowed_actions(view, &request_for(view, question));
    let open: Vec<String> =
        open.into_iter().map(|asked| view.action_name(asked).to_string()).collect();
    assert_eq!(open, world.actions_open(question), "{question:?}");
}

/// What is said of an action between users, for all pairs; and the lists against the decisions.
fn check_pairs(world: &World, view: &View, action: &'static str) {
    let known = world.users.keys().map(String::as_str);
    let ids: Vec<&str> = known.chain(STRANGERS).collect();
    let mut pairs: BTreeMap<(&str, &str), bool> = BTreeMap::new();
    for &subject in &ids {
        for &resource in &ids {
            let question = Question::new(subject, action, resource);
            check_decision(world, view, &question);
            let allow = decide(view, &request_for(view, &question)).allow;
            pairs.insert((subject, resource), allow);
        }
    }
    for &id in &ids {
        let alone = Question::new(id, action, id);
        let expected: Vec<&str> =
            world.users.keys().map(String::as_str).filter(|&to| pairs[&(id, to)]).collect();
        assert_eq!(
            reach(view, &request_for(view, &alone)).ids().collect::<Vec<_>>(),
            expected,
            "{alone:?}"
        );
        let expected: Vec<&str> =
            world.users.keys().map(String::as_str).filter(|&from| pairs[&(from, id)]).collect();
        let list = reached_by(view, &request_for(view, &alone));
        assert_eq!(list.ids().collect::<Vec<_>>(), expected, "{alone:?}");
    }
}

fn check_some(world: &World, view: &View, chance: &mut Chance, count: u64, limit: usize) {
    let subjects = Subjects::of(world);
    for number in 0..count {
        let question = subjects.question(chance);
        check_decision(world, view, &question);
        check_explanation(world, view, &question);
        if number % 4 == 0 && world.fits(&question) {
            check_lists(world, view, &question, limit);
        }
        if number % 10 == 1 {
            check_groups(world, view, &question, limit);
            check_actions(world, view, &question);
        }
    }
}

fn action_between_users(world: &World, chance: &mut Chance) -> &'static str {
    let declared = world.between.actions.keys().copied();
    let between: Vec<&str> = ACTIONS
        .into_iter()
        .chain(declared)
        .filter(|action| world.kinds(action).contains(&"user"))
        .collect();
    chance.pick::<&str>(&between)
}

proptest! {
    #![proptest_config(config(3000))]

    #[test]
    fn small_worlds(world in shaped(SHAPE), seed in any::<u64>(), limit in 1..5_usize) {
        let view = view(&text::scattered(&world, seed), None);
        let chance = &mut Chance(seed);
        check_some(&world, &view, chance, 32, limit);
        check_pairs(&world, &view, action_between_users(&world, chance));
    }
}

/// A moment as peerage takes it.
fn moment(millis: i64) -> Moment {
    Moment::from_millis(u64::try_from(millis).unwrap())
}

/// The files of a world, read at a moment.
fn files_at(world: &World, seed: u64, at: Moment) -> Sources {
    text::scattered(world, seed).at(at.into())
}

proptest! {
    #![proptest_config(config(1500))]

    /// Worlds with windows and ends, each as it is at a moment that matters to it.
    #[test]
    fn timed_worlds(world in shaped(WorldShape::TIMED), seed in any::<u64>(), limit in 1..5_usize) {
        let chance = &mut Chance(seed);
        let at = world.moment(chance);
        let view = view(&files_at(&world, seed, moment(at)), None);
        let world = world.at(at);
        check_some(&world, &view, chance, 32, limit);
        check_pairs(&world, &view, action_between_users(&world, chance));
    }
}

proptest! {
    #![proptest_config(config(600))]

    /// What is served as time passes is what a start at that moment would serve.
    #[test]
    fn time_passes(world in shaped(WorldShape::TIMED), seed in any::<u64>()) {
        let chance = &mut Chance(seed);
        let mut moments: Vec<i64> = (0..4).map(|_| world.moment(chance)).collect();
        moments.sort_unstable();
        let mut view = view(&files_at(&world, seed, moment(moments[0])), None);
        for &at in &moments[1..] {
            compile::advance(&mut view, moment(at));
            let world = world.at(at);
            check_some(&world, &view, chance, 12, 3);
            check_pairs(&world, &view, action_between_users(&world, chance));
        }
    }
}

/// Where nothing but rules and groups can refuse anything, decisions take a shorter way.
fn without_settings(mut world: World) -> World {
    let managers = world.settings.managers.take();
    world.settings = Settings { managers, ..Settings::default() };
    for user in world.users.values_mut() {
        *user = crate::oracle::User { tags: user.tags.take(), ..crate::oracle::User::default() };
    }
    world.conversations.clear();
    world
}

proptest! {
    #![proptest_config(config(300))]

    #[test]
    fn plain_worlds(world in world(), seed in any::<u64>()) {
        let world = without_settings(world);
        let view = view(&text::plain(&world), None);
        prop_assert!(view.only_rules_restrict);
        let chance = &mut Chance(seed);
        check_some(&world, &view, chance, 32, 3);
        check_pairs(&world, &view, action_between_users(&world, chance));
    }
}

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn an_undeclared_tag_is_refused(world in world(), seed in any::<u64>()) {
        let mut world = world;
        world.declared = Some(vec!["declared".into()]);
        let has_a_tag = world.users.values().any(|user| user.tags.iter().flatten().next().is_some());
        // Conditions stand in many places, and say so when they are shown.
        let names_a_tag = has_a_tag || format!("{world:?}").contains("HasTag(");
        let outcome = build(&text::scattered(&world, seed), None);
        prop_assert_eq!(outcome.view.is_none(), names_a_tag);
        for found in &outcome.report.diagnostics {
            let is_error = found.severity == Severity::Error;
            prop_assert!(!is_error || found.code == Code::UndeclaredTag);
        }
    }
}

#[test]
fn worlds_of_hundreds() {
    for seed in 0..5 {
        let world = World::large(300, 20, 25, seed).extended(SHAPE, seed, &THIN).sound();
        let view = view(&text::scattered(&world, seed), None);
        let chance = &mut Chance(seed);
        check_some(&world, &view, chance, 300, 7);
        let ids: Vec<&str> = world.users.keys().map(String::as_str).collect();
        for action in ["start_chat", "send_message", action_between_users(&world, chance)] {
            for &subject in &ids {
                for _ in 0..50 {
                    let question = Question::new(subject, action, chance.pick::<&str>(&ids));
                    check_decision(&world, &view, &question);
                }
            }
        }
    }
}

/// From some thousands of users on, sets may be kept as plain bitsets.
#[test]
fn worlds_of_thousands() {
    for (seed, tags, rules) in [(1, 6, 4), (2, 60, 12)] {
        let users = 20_000;
        let world = World::large(users, tags, rules, seed).extended(SHAPE, seed, &THIN).sound();
        let view = view(&text::bulk(&world), None);
        let plain = size_of::<peerage::snapshot::UserSet>() + 20_000 / 8 + 1;
        let book = view.rules.as_ref().unwrap();
        let targets = book.targets.all.iter().map(|target| &target.reachers);
        let mut reachers = book.reachers.iter().chain(targets);
        assert!(reachers.any(|users| users.memory() == plain));

        let chance = &mut Chance(seed);
        let subjects = Subjects::of(&world);
        for _ in 0..1000 {
            let question = subjects.question(chance);
            check_decision(&world, &view, &question);
            check_explanation(&world, &view, &question);
        }
        for (action, kind) in [
            ("start_chat", "user"),
            ("friend_request", "user"),
            ("add_member", "group"),
            ("voice_call", "group"),
        ] {
            let question = subjects.about(action, kind, chance);
            if world.fits(&question) {
                check_lists(&world, &view, &question, 6000);
            }
        }
    }
}

type Tally = BTreeMap<(&'static str, &'static str), u32>;

/// How often the oracle says what, of random questions to random worlds of a shape: by gate or
/// action, and verdict.
fn tally(shape: WorldShape) -> Tally {
    let mut verdicts = Tally::new();
    let mut count = |key, times: u32| *verdicts.entry(key).or_default() += times;
    let mut runner = TestRunner::deterministic();
    let chance = &mut Chance(1);
    for _ in 0..300 {
        let world = shaped(shape).new_tree(&mut runner).unwrap().current();
        let subjects = Subjects::of(&world);
        for _ in 0..120 {
            let question = subjects.question(chance);
            for (gate, verdict) in GATES.iter().zip(world.verdicts(&question)) {
                count((gate, verdict.unwrap_or("open")), 1);
            }
            let reason = world.reason(&question);
            count(("decision", reason), 1);
            count((question.action, reason), 1);
            count(("rules", "named"), u32::from(!world.rules_named(&question).is_empty()));
            for obligation in world.obligations(&question) {
                count(("obligation", obligation), 1);
            }
        }
    }
    verdicts
}

/// Whatever a gate can say is said in some of the worlds, and often enough to be tested.
#[test]
fn the_worlds_are_worth_testing_with() {
    for id in IDS.iter().chain(&GROUPS) {
        peerage::request::check_id(id).unwrap();
    }
    for tag in TAGS {
        peerage::request::check_tag(tag).unwrap();
    }
    let verdicts = tally(SHAPE);
    let is_to_be_said = |reason: &str| match reason {
        // No gate says that what is served is stale.
        "stale" => false,
        "not_in_audience" => SHAPE.audiences,
        "barrier" => SHAPE.barriers,
        "muted" | "banned_from_group" | "required_member_missing" | "last_required_member" => {
            SHAPE.groups
        }
        _ => true,
    };
    for reason in Reason::ALL.iter().filter(|reason| is_to_be_said(reason.as_str())) {
        let count = verdicts.get(&("decision", reason.as_str())).copied();
        assert!(count >= Some(4), "{reason} in {count:?} decisions of {verdicts:#?}");
    }
    for action in ACTIONS {
        let count = verdicts.get(&(action, "allowed")).copied();
        assert!(count >= Some(4), "{action} allowed in {count:?} decisions of {verdicts:#?}");
    }
    for said in [("rules", "named"), ("obligation", "confirm"), ("obligation", "hide")] {
        assert!(verdicts[&said] >= 4, "{said:?} in {verdicts:#?}");
    }
}

/// What worlds say of time makes a difference between their moments.
#[test]
fn timed_worlds_are_worth_testing_with() {
    let mut runner = TestRunner::deterministic();
    let chance = &mut Chance(1);
    let mut differing = 0;
    for _ in 0..300 {
        let world = shaped(WorldShape::TIMED).new_tree(&mut runner).unwrap().current();
        let [one, other] = [(); 2].map(|()| world.at(world.moment(chance)));
        let subjects = Subjects::of(&world);
        let questions = (0..60).map(|_| subjects.question(chance));
        let differs = |question: Question| one.reason(&question) != other.reason(&question);
        differing += u32::from(questions.filter(|it| differs(it.clone())).count() > 0);
    }
    assert!(differing >= 100, "{differing} of 300 worlds");
}

/// Worlds of every shape decide by all that is said of two users, for whatever action.
#[test]
fn worlds_of_all_shapes_are_worth_testing_with() {
    let verdicts = tally(WorldShape::ALL);
    let between = ["not_in_audience", "barrier", "no_rule"];
    for action in REACHING.into_iter().chain(["view_profile", "mention", "send_file", "invite"]) {
        for reason in between.into_iter().chain(["allowed"]) {
            let count = verdicts.get(&(action, reason)).copied();
            assert!(count >= Some(4), "{action} {reason} in {count:?} decisions of {verdicts:#?}");
        }
    }
    for said in [
        ("obligation", "confirm"),
        ("obligation", "request"),
        ("view_profile", "blocked_by_resource"),
        ("view_profile", "blocked_by_subject"),
        ("mention", "permission_off"),
        ("invite", "denied_by_matrix"),
        ("glance", "allowed"),
        ("knock", "allowed"),
    ] {
        let count = verdicts.get(&said).copied();
        assert!(count >= Some(4), "{said:?} in {count:?} decisions of {verdicts:#?}");
    }
}
