//! Properties that hold for every policy.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail by it")]

use std::{collections::BTreeSet, sync::Arc};

use peerage::{
    decide::{decide, explain, reach},
    inspect::{PolicyListing, ReachTable},
    request::{Action, Conversation, Properties, Request, Resource, ResourceKind, User},
    snapshot::View,
    source::{Notation, Source, Sources},
};
use proptest::prelude::*;

use crate::oracle::World;
use crate::worlds::{GROUPS, IDS, any_rule, build, text, view, world};

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig::with_cases(cases)
}

/// All that a view shows of itself, for people and for programs.
fn shown(view: &View) -> (String, String) {
    let listing = PolicyListing::from_view(view);
    assert!(listing.tags.is_sorted_by(|one, next| one.name < next.name), "each tag once");
    (listing.to_string(), serde_json::to_string(&listing).unwrap())
}

fn reached<'v>(view: &'v View, subject: &str) -> Vec<&'v str> {
    reach(view, &Request::new(subject, Action::StartChat, "")).ids().collect()
}

/// Fails unless both views are of one policy and answer alike, whatever the action.
fn assert_alike(one: &View, other: &View) {
    assert_eq!(one.revision, other.revision);
    assert_eq!(shown(one), shown(other));
    let mut actions = Action::ALL.iter().cycle();
    let mut in_turn = GROUPS.iter().cycle();
    for subject in IDS {
        assert_eq!(reached(one, subject), reached(other, subject));
        for resource in IDS {
            let request = Request::new(subject, Action::StartChat, resource);
            assert_eq!(explain(one, &request), explain(other, &request));

            let action = *actions.next().unwrap();
            let tags = Some(vec!["A", "unheard-of"]);
            let properties = Some(Box::new(Properties { tags, ..Properties::default() }));
            let user = User { id: resource, properties };
            let (resource, member) = match action.takes() {
                [ResourceKind::User, ..] => (Resource::User(user), None),
                [ResourceKind::Group, ..] => {
                    (Resource::Group((*in_turn.next().unwrap()).into()), Some(user))
                }
                _ => (Resource::None, None),
            };
            let field = Some("group_name");
            let request = Request { action, resource, member, field, ..request };
            assert_eq!(explain(one, &request), explain(other, &request));
        }
    }
}

/// One world with parts of another, as an author might edit it.
fn edited(before: &World, other: &World, edit: u64) -> World {
    let part = |turn: u32| edit >> turn & 1 == 1;
    let mut after = before.clone();
    if part(0) {
        after.users.clone_from(&other.users);
    } else if part(1) {
        let some = other.users.iter().map(|(id, user)| (id.clone(), user.clone())).take(2);
        after.users.extend(some);
    }
    if part(2) {
        after.declared.clone_from(&other.declared);
    }
    match (&mut after.rules, &other.rules) {
        (Some(rules), Some(others)) if part(3) => {
            if !rules.is_empty() {
                let at = usize::try_from(edit >> 8).unwrap_or_default() % rules.len();
                rules.remove(at);
            }
            rules.extend(others.iter().take(2).cloned());
        }
        (rules, others) if part(4) => rules.clone_from(others),
        _ => {}
    }
    if part(5) {
        after.settings.clone_from(&other.settings);
    }
    if part(6) {
        after.matrices.clone_from(&other.matrices);
        after.groups.clone_from(&other.groups);
    }
    if part(7) {
        after.conversations.clone_from(&other.conversations);
    }
    after.sound()
}

proptest! {
    #![proptest_config(config(120))]

    #[test]
    fn a_rule_never_takes_access_away(world in world(), rule in any_rule()) {
        let mut world = world;
        let rules = world.rules.get_or_insert_default();
        let count = rules.len();
        rules.push(rule);
        let more = world.sound();
        let mut less = more.clone();
        less.rules.get_or_insert_default().truncate(count);
        let (less, more) = (view(&text::plain(&less), None), view(&text::plain(&more), None));
        for subject in IDS {
            let after = reached(&more, subject);
            let lost = reached(&less, subject).into_iter().find(|id| !after.contains(id));
            prop_assert_eq!(lost, None);
        }
    }

    /// Nor do the notation, white space, or how the policy is split into files.
    #[test]
    fn order_and_repetition_do_not_matter(world in world(), seed in any::<u64>()) {
        let one = view(&text::plain(&world), None);
        let other = view(&text::scattered(&world, seed), None);
        assert_alike(&one, &other);
    }

    #[test]
    fn what_was_compiled_before_changes_nothing(
        worlds in (world(), world(), world()), edits in any::<(u64, u64)>(), seed in any::<u64>()
    ) {
        let (first, second, third) = worlds;
        let second = edited(&first, &second, edits.0);
        let third = edited(&second, &third, edits.1);
        let mut previous = None;
        for world in [&first, &second, &third, &first] {
            let sources = text::plain(world);
            let scratch = view(&sources, None);
            let incremental = view(&sources, previous.as_ref());
            assert_alike(&scratch, &incremental);
            previous = Some(incremental);
        }
        let elsewhere = text::scattered(&third, seed);
        let moved = view(&elsewhere, previous.as_ref());
        assert_alike(&view(&elsewhere, None), &moved);
        assert_alike(&moved, &view(&elsewhere, Some(&moved)));
    }

    #[test]
    fn the_same_files_compile_alike(world in world(), seed in any::<u64>()) {
        let sources = text::scattered(&world, seed);
        assert_alike(&view(&sources, None), &view(&sources, None));
    }
}

fn policy(rules: &str) -> Sources {
    Sources::new(vec![
        Source::new("rules.peerage", Notation::Dsl, rules),
        Source::new("users.peerage", Notation::Dsl, "user 1 { tags: [A]; } user 2 { tags: [B]; }"),
    ])
}

#[test]
fn users_who_did_not_change_are_shared() {
    let before = view(&policy("rule: hasTag(A) -> [A];"), None);
    let after = view(&policy("rule: hasTag(A) -> [B];"), Some(&before));
    assert!(Arc::ptr_eq(&before.population, &after.population));
}

/// A tag that was allowed when the users were read may be undeclared by now.
#[test]
fn users_are_read_again_when_declarations_change() {
    let users = "user 1 { tags: [A]; }";
    let before = view(&Sources::single("p.peerage", Notation::Dsl, users), None);
    let stricter = format!("tags: [B]; {users}");
    let after = build(&Sources::single("p.peerage", Notation::Dsl, stricter), Some(&before));
    assert!(after.view.is_none());
    assert_eq!(after.report.errors, 1);
}

/// The diagnostics of a policy do not depend on the policy compiled before it.
#[test]
fn what_is_reported_does_not_depend_on_what_was_compiled_before() {
    let policies = [
        // A warning about a record.
        "user alice { contacts: [bob, bob]; } user bob { }",
        // Mistakes outside the records, which name users.
        "user alice { } user bob { } group g { members: [alcie]; }",
        // Limits that the same records keep in one policy and break in the other.
        "limits { friends: 1; } user alice { friends: [bob]; } user bob { }",
        "limits { friends: 0; } user alice { friends: [bob]; } user bob { }",
        "preset: tencent; user alice { friends: [bob]; } user bob { blocked: [alice]; }",
        "user alice { friends: [bob]; } user bob { blocked: [alice]; }",
        "limits { group_members: 1; } user alice { } user bob { } group g { members: [alice, bob]; }",
        "user alice { } user bob { } group g { members: [alice]; }",
    ];
    let source = |text: &str| Sources::single("p.peerage", Notation::Dsl, text);
    for policy in policies {
        let alone = build(&source(policy), None);
        for before in policies {
            let before = build(&source(before), None).view;
            let after = build(&source(policy), before.as_ref());
            assert_eq!(after.report.to_json(), alone.report.to_json(), "{policy}");
            assert_eq!(after.view.is_some(), alone.view.is_some(), "{policy}");
        }
    }
}

#[test]
fn derived_rule_ids_are_stable() {
    let written = [
        ("rule headquarters: hasTag(S) -> [S];", "057886fa-e595-5b71-8e09-d7109f8015d2"),
        // The id is the name's, whatever the rule says.
        ("rule headquarters: not(hasTag(X)) -> [Y];", "057886fa-e595-5b71-8e09-d7109f8015d2"),
        (
            "rule: any(hasTag(Berlin),hasTag(Munich)) -> [Stuttgart];",
            "e82ee41e-7bd4-515c-807a-6d3f5e2c16de",
        ),
        (
            "/// Text is no content.\nrule: not(hasTag(a)) -> [c, b, c];",
            "633776ac-1e24-5514-bb56-ee4be176c6f5",
        ),
        ("rule: not( hasTag( a ) ) -> [b, c];", "633776ac-1e24-5514-bb56-ee4be176c6f5"),
        (
            "rule given rule_id 728C1541-D6D1-4290-9A53-CDF01DD32D60: hasTag(A) -> [A];",
            "728c1541-d6d1-4290-9a53-cdf01dd32d60",
        ),
    ];
    for (rule, id) in written {
        let view = view(&Sources::single("p.peerage", Notation::Dsl, rule), None);
        let ids: Vec<_> =
            view.rules.unwrap().rules.iter().map(|rule| rule.id.to_string()).collect();
        assert_eq!(ids, [id], "{rule}");
    }
}

/// The kinds' counts are those of asking about each pair.
fn assert_counted(world: &World, view: &View, most: usize) {
    let on_users = Action::ALL.iter().filter(|it| it.takes().contains(&ResourceKind::User));
    let settled = [None, Some(Conversation::New), Some(Conversation::Existing)];
    for (&action, conversation) in on_users.zip(settled.into_iter().cycle()) {
        let kinds = ReachTable::count(view, action, conversation, most);
        assert_eq!(kinds.total, view.population.directory.tag_set_count());
        assert_eq!(kinds.classes.len(), kinds.total.min(most));
        assert!(kinds.classes.is_sorted_by_key(|kind| std::cmp::Reverse(kind.users.len())));
        let ids =
            |at: usize| kinds.classes[at].users.iter().map(|&it| view.population.directory.id(it));
        for from in 0..kinds.classes.len() {
            for subject in ids(from) {
                let tags = world.users[subject].tags.iter().flatten();
                let tags: BTreeSet<&str> = tags.map(String::as_str).collect();
                assert!(tags.iter().eq(&kinds.classes[from].tags));
            }
            for to in 0..kinds.classes.len() {
                let pairs = ids(from).flat_map(|one| ids(to).map(move |other| (one, other)));
                let pairs: Vec<_> = pairs.filter(|(one, other)| one != other).collect();
                let may = |&&(one, other): &&(&str, &str)| {
                    let request = Request { conversation, ..Request::new(one, action, other) };
                    decide(view, &request).allow
                };
                assert_eq!(kinds.pairs(from, to), pairs.len() as u64);
                let allowed = pairs.iter().filter(may).count() as u64;
                assert_eq!(
                    kinds.allowed(from, to),
                    allowed,
                    "{action} {conversation:?} {from} {to}"
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn kinds_are_counted_as_if_each_pair_were_asked_about(world in world(), most in 1..12_usize) {
        assert_counted(&world, &view(&text::plain(&world), None), most);
    }
}

#[test]
fn kinds_of_many_users() {
    let world = World::large(150, 3, 3, 5);
    assert_counted(&world, &view(&text::bulk(&world), None), 20);
}
