//! Random tests of random worlds: what a plain oracle says is met, and nothing else is.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail by it"
)]

use std::collections::BTreeMap;

use peerage::{
    diagnostic::render_text,
    inspect::test::{TestOutcome, TestResults, run},
    source::{LoadedSources, Notation, Source, Sources},
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::oracle::{Asked, BUILT_IN, Question, Resource, Toggle, User, World, takes_member};
use crate::worlds::{Chance, build, questions::Subjects, text, world};

/// What is expected, and whether it is so.
type Expectation = (Value, bool);

const REASONS: [&str; 6] =
    ["banned", "no_rule", "self", "not_member", "needs_admin", "outgoing_off"];

fn properties(requested: &Asked, may_have_role: bool) -> Option<Value> {
    let mut all = Map::new();
    let given = &requested.given;
    let mut put = |name: &str, value: Option<Value>| {
        all.extend(value.map(|value| (name.to_owned(), value)));
    };
    put("tags", given.tags.as_ref().map(|tags| json!(tags)));
    put("peers", given.peers.map(Value::from));
    let switches: BTreeMap<&str, bool> = given.permissions.iter().copied().collect();
    put("permissions", (!switches.is_empty()).then(|| json!(switches)));
    put("moderation", given.moderation.map(Value::from));
    put("role", given.role.filter(|_| may_have_role).map(Value::from));
    (!all.is_empty()).then_some(Value::Object(all))
}

/// A question as test files have it, without its answer; `None` if they can't ask it.
fn written(world: &World, question: &mut Question) -> Option<Map<String, Value>> {
    let is_in_group = matches!(question.resource, Resource::Group { .. });
    let takes_field = question.action == "update_metadata";
    question.field = question.field.take().filter(|_| takes_field);
    question.member = question.member.take().filter(|_| takes_member(question.action));
    if !matches!(question.resource, Resource::User(_)) {
        question.conversation = None;
    }
    if !question.fits() || takes_field != question.field.is_some() {
        return None;
    }
    let mut all = Map::new();
    let mut user = |name: &str, requested: &Asked, may_have_role: bool| {
        all.insert(name.to_owned(), json!(requested.id));
        let given = properties(requested, may_have_role);
        all.extend(given.map(|given| (format!("{name}_properties"), given)));
        !requested.id.is_empty()
    };
    let mut is_whole = user("subject", &question.subject, is_in_group);
    if let Some(member) = &question.member {
        is_whole &= user("member", member, false);
    }
    match &question.resource {
        Resource::None => {}
        Resource::User(other) => is_whole &= user("resource", other, false),
        Resource::Group { id, matrix } => {
            all.extend([
                ("resource".to_owned(), json!(id)),
                ("resource_type".to_owned(), json!("group")),
            ]);
            let own = |name: &String| {
                world.matrices.contains_key(name) || BUILT_IN.contains(&name.as_str())
            };
            is_whole &= matrix.as_ref().is_none_or(own) && !id.is_empty();
            all.extend(
                matrix
                    .as_ref()
                    .map(|it| ("resource_properties".to_owned(), json!({ "matrix": it }))),
            );
        }
    }
    all.insert("action".into(), json!(question.action));
    all.extend(question.field.as_ref().map(|it| ("field".to_owned(), json!(it))));
    let context = question.conversation.map(|it| json!({ "conversation": it }));
    all.extend(context.map(|it| ("context".to_owned(), it)));
    is_whole.then_some(all)
}

fn is_known(world: &World, question: &Question) -> bool {
    let user = |requested: &Asked| world.users.contains_key(&requested.id);
    let resource = match &question.resource {
        Resource::None => true,
        Resource::User(other) => user(other),
        Resource::Group { id, .. } => world.groups.contains_key(id),
    };
    user(&question.subject) && resource && question.member.iter().all(user)
}

fn expectation(world: &World, subjects: &Subjects<'_>, chance: &mut Chance) -> Option<Expectation> {
    let mut question = subjects.question(chance);
    let mut all = written(world, &mut question)?;
    let is_met = chance.percent(70);
    if !is_known(world, &question) || chance.percent(60) {
        let reason = world.reason(&question);
        let allow = reason == "allowed";
        if is_known(world, &question) && chance.percent(40) {
            all.insert("allow".into(), json!(allow == is_met));
        } else if is_met {
            all.insert("reason".into(), json!(reason));
            all.extend(chance.percent(50).then(|| ("allow".to_owned(), json!(allow))));
        } else {
            let other =
                if allow || chance.percent(70) { *chance.pick(&REASONS) } else { "allowed" };
            all.insert("reason".into(), json!(if other == reason { "silenced" } else { other }));
        }
        return Some((json!(all), is_met));
    }
    // A list: of subjects, of groups, of members or of others.
    let is_about_someone =
        matches!(question.resource, Resource::User(_)) || question.member.is_some();
    let is_by_subject = !is_about_someone && !matches!(question.resource, Resource::Group { .. });
    let (name, mut list, all_there_are): (_, Vec<&str>, Vec<&str>) =
        if is_by_subject || chance.percent(40) {
            question.subject.given = crate::oracle::Given::default();
            all.retain(|name, _| !name.starts_with("subject"));
            let users = world.users.keys().map(String::as_str).collect();
            ("reached_by", world.reached_by(&question), users)
        } else if is_about_someone {
            match (&mut question.resource, &mut question.member) {
                (Resource::User(other), _) | (_, Some(other)) => {
                    other.given = crate::oracle::Given::default();
                }
                _ => {}
            }
            let open = if question.member.is_some() { "member" } else { "resource" };
            all.retain(|name, _| name != open && name != &format!("{open}_properties"));
            let users = world.users.keys().map(String::as_str).collect();
            ("reaches", world.reach(&question), users)
        } else {
            let Resource::Group { matrix, .. } = &mut question.resource else { return None };
            *matrix = None;
            all.retain(|name, _| name != "resource" && name != "resource_properties");
            let groups = world.groups.keys().map(String::as_str).collect();
            ("reaches", world.groups_open(&question), groups)
        };
    if !is_met {
        // One is missing, or one is too many.
        let absent: Vec<&str> = all_there_are.into_iter().filter(|id| !list.contains(id)).collect();
        if list.is_empty() || (!absent.is_empty() && chance.percent(50)) {
            list.push(absent.first()?);
        } else {
            list.remove(chance.place(list.len()));
        }
    }
    chance.shuffle(&mut list);
    all.insert(name.into(), json!(list));
    Some((json!(all), is_met))
}

/// A record that gives some of a user's fields, which replace those that there are.
fn record(
    user: &mut User,
    said: &User,
    known: impl Fn(&String) -> bool,
    chance: &mut Chance,
) -> Map<String, Value> {
    let mut record = Map::new();
    if chance.percent(40) {
        user.tags = Some(said.tags.clone().unwrap_or_default());
        record.insert("tags".into(), json!(user.tags));
    }
    let words = [
        ("peers", &mut user.peers, said.peers),
        ("moderation", &mut user.moderation, said.moderation),
        ("approval", &mut user.approval, said.approval),
    ];
    for (name, own, said) in words {
        if let Some(word) = said.filter(|_| chance.percent(40)) {
            *own = Some(word);
            record.insert(name.into(), json!(word));
        }
    }
    if !said.permissions.is_empty() && chance.percent(40) {
        user.permissions.clone_from(&said.permissions);
        let toggles = said.permissions.iter().map(|(name, toggle)| {
            let toggle = match toggle {
                Toggle::Always(on) => json!(on),
                Toggle::When(when) => json!(text::condition(when, chance)),
            };
            ((*name).to_owned(), toggle)
        });
        record.insert("permissions".into(), Value::Object(toggles.collect()));
    }
    let lists = [
        ("contacts", &mut user.contacts, &said.contacts),
        ("favorites", &mut user.favorites, &said.favorites),
        ("paired", &mut user.paired, &said.paired),
        ("blocked", &mut user.blocked, &said.blocked),
        ("friends", &mut user.friends, &said.friends),
    ];
    for (name, own, said) in lists {
        if chance.percent(40) {
            *own = said.iter().filter(|id| known(id)).cloned().collect();
            own.sort();
            own.dedup();
            record.insert(name.into(), json!(own));
        }
    }
    record
}

/// What a test lays over a world, and the world with it.
fn laid_over(world: &World, other: &World, chance: &mut Chance) -> (Map<String, Value>, World) {
    let (mut given, mut laid) = (Map::new(), world.clone());
    let mut users = Map::new();
    for (id, said) in other.users.iter().take(3) {
        let ids: Vec<&String> = world.users.keys().chain([id]).collect();
        let id = if chance.percent(50) { id } else { *chance.pick(&ids) };
        if users.contains_key(id) {
            continue;
        }
        let known = |it: &String| it != id && world.users.contains_key(it);
        let user = laid.users.entry(id.clone()).or_default();
        users.insert(id.clone(), json!(record(user, said, known, chance)));
    }
    given.insert("users".into(), json!(users));
    if let (Some((id, group)), true) = (laid.groups.iter_mut().next(), chance.percent(40)) {
        group.admins = laid.users.keys().take(2).cloned().collect();
        given.insert("groups".into(), json!({ id: { "admins": group.admins } }));
    }
    if chance.percent(30) {
        laid.settings.permissions.insert("outgoing", Toggle::Always(false));
        given.insert("permissions".into(), json!({ "outgoing": false }));
    }
    if chance.percent(20) {
        laid.settings.limits.insert("friends", 8);
        given.insert("limits".into(), json!({ "friends": 8 }));
    }
    if build(&text::plain(&laid), None).report.errors > 0 {
        return (Map::new(), world.clone());
    }
    (given, laid)
}

fn results(sources: &Sources, tests: &Value) -> TestResults {
    let files = sources.iter().map(|(_, source)| source.clone());
    let tests = Source::new("t.test.yaml", Notation::Tests, tests.to_string());
    let TestOutcome { report, results } =
        run(&LoadedSources::from(Sources::new(files.chain([tests]).collect())), None);
    results.unwrap_or_else(|| panic!("{}", render_text(&report, false)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn exactly_what_is_not_so_fails(mut world in world(), other in world(), seed: u64) {
        world.declared = None;
        let chance = &mut Chance(seed);
        let (mut tests, mut expected) = (Vec::new(), Vec::new());
        let mut givens = vec![(Map::new(), world.clone())];
        givens.extend((0..2).map(|_| laid_over(&world, &other, chance)));
        for number in 0..8 {
            // Some give the same.
            let (given, laid) = chance.pick(&givens);
            let subjects = Subjects::of(laid);
            let all: Vec<Expectation> =
                (0..4).filter_map(|_| expectation(laid, &subjects, chance)).collect();
            if all.is_empty() {
                continue;
            }
            let expect: Vec<&Value> = all.iter().map(|(it, _)| it).collect();
            tests.push(json!({ "name": format!("test {number}"), "given": given, "expect": expect }));
            expected.push(all.iter().map(|(_, is_met)| *is_met).collect::<Vec<_>>());
        }
        prop_assume!(!tests.is_empty());
        let file = json!({ "tests": tests });
        let sources = [text::plain, text::bulk][chance.place(2)](&world);
        let found = results(&sources, &file);
        for ((test, expected), written) in found.tests().zip(&expected).zip(&tests) {
            prop_assert_eq!(test.expectations, expected.len());
            let failed = expected.iter().filter(|is_met| !**is_met).count();
            let reported: Vec<_> = test.failures.iter().map(|it| (&it.question, &it.expected, &it.actual)).collect();
            prop_assert_eq!(test.failures.len(), failed, "{:?}\n{}", reported, written);
            for failure in &test.failures {
                prop_assert!(!failure.explanations.is_empty());
                let is_list = failure.missing.len() + failure.extra.len();
                prop_assert!(is_list == 0 || is_list == 1);
            }
        }
        prop_assert_eq!(found.tests().count(), tests.len());
        // The same again, whichever thread runs a test.
        let again = results(&sources, &file);
        let reported = |it: &TestResults| format!("{:?}", (it.tests().map(|it| &it.failures).map(|it| format!("{it:?}")).collect::<Vec<_>>(), &it.coverage));
        prop_assert_eq!(reported(&found), reported(&again));
    }
}
