//! Diagrams, invariants and lints, held against looking at every tag set and every pair.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a test may fail by it"
)]

mod lints;
mod pairs;
mod world;

use peerage::{
    prove::{Budget, BudgetExceededError, Diagram, Diagrams},
    request::{Action, Condition, Conversation, Properties, Request, Resource, User},
    snapshot::{TagId, View},
};
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};

use world::{TAGS, World, codes, condition, examined, holds, labels, subsets, text, world};

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig::with_cases(cases)
}

fn numbered(condition: &Condition<&'static str>) -> Condition<TagId> {
    condition.map(&mut |tag| {
        TagId(u32::try_from(TAGS.iter().position(|known| known == tag).unwrap()).unwrap())
    })
}

proptest! {
    #![proptest_config(config(300))]

    #[test]
    fn a_diagram_holds_where_its_condition_does(one in condition(), other in condition()) {
        let mut diagrams = Diagrams::default();
        let (first, second, both, either, not) = Budget::default()
            .run(&mut diagrams, |diagrams| {
                let first = diagrams.condition(&numbered(&one))?;
                let second = diagrams.condition(&numbered(&other))?;
                let both = diagrams.and(first, second)?;
                Ok((first, second, both, diagrams.or(first, second)?, diagrams.not(first)?))
            })
            .unwrap();
        let truth = |is: &dyn Fn(&[&str]) -> bool| subsets().iter().map(|it| is(it)).collect::<Vec<_>>();
        let one_truth = truth(&|tags| holds(&one, tags));
        let other_truth = truth(&|tags| holds(&other, tags));
        prop_assert_eq!(first == second, one_truth == other_truth, "equal if and only if alike");
        let cases = [
            (first, truth(&|tags| holds(&one, tags))),
            (both, truth(&|tags| holds(&one, tags) && holds(&other, tags))),
            (either, truth(&|tags| holds(&one, tags) || holds(&other, tags))),
            (not, truth(&|tags| !holds(&one, tags))),
        ];
        for (diagram, truth) in cases {
            prop_assert_eq!(diagram == Diagram::NEVER, truth.iter().all(|holds| !holds));
            prop_assert_eq!(diagram == Diagram::ALWAYS, truth.iter().all(|holds| *holds));
            let example = diagrams.example(diagram);
            prop_assert_eq!(example.is_some(), truth.contains(&true));
            let named = |tags: &[TagId]| {
                let mut names: Vec<&str> = tags.iter().map(|tag| TAGS[tag.index()]).collect();
                names.sort_unstable();
                names
            };
            let place = |tags: &[&str]| subsets().iter().position(|known| known == tags).unwrap();
            if let Some(example) = example {
                prop_assert!(truth[place(&named(&example))]);
            }
            // The tag sets told apart by paths: each meets it, and each that meets it has one's tags.
            let paths: Vec<Vec<&str>> =
                diagrams.paths(diagram, 100).unwrap().iter().map(|tags| named(tags)).collect();
            prop_assert!(paths.iter().all(|tags| truth[place(tags)]));
            for (tags, _) in subsets().iter().zip(&truth).filter(|(_, holds)| **holds) {
                prop_assert!(paths.iter().any(|path| path.iter().all(|tag| tags.contains(tag))));
            }
        }
    }

    #[test]
    fn an_invariant_of_the_population_is_broken_if_a_pair_breaks_it(
        world in world(),
        requested in vec(invariant(), 1..4),
    ) {
        let mut policy = world.policy();
        policy["invariants"] = requested.iter().map(|it| it.written("population")).collect();
        let view = world.view();
        let report = examined(&policy);
        let labels = labels(&policy, "broken-invariant");
        for it in &requested {
            let breaking = it.breaking(&world, |action, from, to| {
                let conversation = it.is_existing.then_some(Conversation::Existing);
                let request = Request { conversation, ..Request::new(from, action, to) };
                peerage::decide::decide(&view, &request).allow
            });
            let name = format!("`{}`", it.name("population"));
            let reported: Vec<_> = labels.iter().filter(|reported| reported.0.contains(&name)).collect();
            prop_assert_eq!(reported.len(), usize::from(!breaking.is_empty()), "{:?}", report);
            if let [(_, label)] = reported[..] {
                let count: usize = label.split(' ').next().unwrap().parse().unwrap();
                prop_assert_eq!(count, breaking.len(), "{}\n{:?}", label, policy);
                let ids: Vec<&str> = label.split('`').skip(1).step_by(2).collect();
                let of_each = breaking[0].len();
                let witnesses: Vec<Vec<&str>> = ids.chunks(of_each).map(<[_]>::to_vec).collect();
                prop_assert!(witnesses.iter().all(|it| breaking.contains(it)), "{}", label);
                let distinct: std::collections::BTreeSet<_> = witnesses.iter().collect();
                prop_assert_eq!(distinct.len(), witnesses.len(), "{}", label);
                let most = if of_each == 2 { 5 } else { 20 };
                prop_assert_eq!(witnesses.len(), count.min(most), "{}", label);
            }
        }
        let reported = report.iter().filter(|found| found.0 == "broken-invariant").count();
        prop_assert_eq!(reported, labels.len());
    }

    #[test]
    fn an_invariant_is_broken_if_any_two_tag_sets_break_it(
        world in world(),
        requested in vec(invariant(), 1..4),
    ) {
        // Nobody there breaks it.
        let mut policy = world.rules_alone();
        policy["invariants"] = requested.iter().map(|it| it.written("all")).collect();
        let report = examined(&policy);
        // Whatever relations may open between two users is there for `never`, and nothing else for the others.
        let between = |x: Value, y: Value| {
            let mut two = world.rules_alone();
            two["users"] = json!({ "x": x, "y": y });
            text::view(&two)
        };
        let lists = |other: &str| json!({ "contacts": [other], "favorites": [other], "paired": [other] });
        let (strangers, related) = (between(json!({}), json!({})), between(lists("y"), lists("x")));
        let is_broken = |it: &&Asked| {
            it.is_broken_by_tags(if it.demand == "never" { &related } else { &strangers })
        };
        let broken = requested.iter().filter(is_broken).count();
        let reported = report.iter().filter(|found| found.0 == "broken-invariant").count();
        prop_assert_eq!(reported, broken, "{:?}\n{:?}", report, policy);
    }
}

/// All that are done to users.
const ACTIONS: [Action; 15] = [
    Action::Read,
    Action::ViewProfile,
    Action::Post,
    Action::Comment,
    Action::React,
    Action::StartChat,
    Action::SendMessage,
    Action::VoiceCall,
    Action::VideoCall,
    Action::FriendRequest,
    Action::Block,
    Action::Unblock,
    Action::Ban,
    Action::Silence,
    Action::Reactivate,
];

/// An invariant, as it is to be checked by looking at all.
#[derive(Clone, Debug)]
struct Asked {
    demand: &'static str,
    action: Action,
    from: Condition<&'static str>,
    to: Condition<&'static str>,
    /// Whether the conversation is taken to exist.
    is_existing: bool,
}

fn invariant() -> impl Strategy<Value = Asked> {
    let demand = prop::sample::select(vec!["never", "always", "every"]);
    (demand, prop::sample::select(&ACTIONS[..]), condition(), condition(), any::<bool>()).prop_map(
        |(demand, action, from, to, is_existing)| Asked { demand, action, from, to, is_existing },
    )
}

impl Asked {
    /// Names keep two that say the same apart.
    fn name(&self, scope: &str) -> String {
        format!("{self:p} {scope}")
    }

    fn written(&self, scope: &str) -> Value {
        let (from, to) = (self.from.to_string(), self.to.to_string());
        let action = self.action.as_str();
        let name = self.name(scope);
        let mut written = match self.demand {
            "every" => {
                json!({ "name": name, "every": from, "reaches": to, "by": action, "scope": scope })
            }
            demand => {
                json!({ "name": name, demand: action, "from": from, "to": to, "scope": scope })
            }
        };
        if self.is_existing {
            written["conversation"] = json!("existing");
        }
        written
    }

    fn judge(&self, pairs: &[(bool, Vec<bool>)]) -> bool {
        let mut pairs = pairs.iter().filter(|(is_from, _)| *is_from);
        match self.demand {
            "never" => pairs.any(|(_, allowed)| allowed.contains(&true)),
            "always" => pairs.any(|(_, allowed)| allowed.contains(&false)),
            _ => pairs.any(|(_, allowed)| !allowed.contains(&true)),
        }
    }

    /// The pairs that break it; for `every`, the users.
    fn breaking<'w>(
        &self,
        world: &'w World,
        may: impl Fn(Action, &str, &str) -> bool,
    ) -> Vec<Vec<&'w str>> {
        let mut breaking = Vec::new();
        for (from, _) in world.users.iter().filter(|(_, user)| holds(&self.from, &user.tags)) {
            let others = world.users.iter();
            let others = others.filter(|(to, other)| *to != from && holds(&self.to, &other.tags));
            let others: Vec<&str> = others.map(|(to, _)| *to).collect();
            let allowed = |to: &&&str| may(self.action, from, to);
            match self.demand {
                "never" => {
                    breaking.extend(others.iter().filter(allowed).map(|to| vec![*from, *to]));
                }
                "always" => breaking
                    .extend(others.iter().filter(|to| !allowed(to)).map(|to| vec![*from, *to])),
                _ if !others.iter().any(|to| allowed(&to)) => breaking.push(vec![*from]),
                _ => {}
            }
        }
        breaking
    }

    fn is_broken_by_tags(&self, view: &View) -> bool {
        let party = |id, tags: &[&'static str]| User {
            properties: Some(Box::new(Properties {
                tags: Some(tags.to_vec()),
                ..Properties::default()
            })),
            ..User::from(id)
        };
        let rows: Vec<_> = subsets()
            .iter()
            .map(|from| {
                let others = subsets().into_iter().filter(|tags| holds(&self.to, tags));
                let allowed = others.map(|to| {
                    let request = Request {
                        subject: party("x", from),
                        conversation: Some(if self.is_existing {
                            Conversation::Existing
                        } else {
                            Conversation::New
                        }),
                        ..Request::with_resource("x", self.action, Resource::User(party("y", &to)))
                    };
                    peerage::decide::decide(view, &request).allow
                });
                (holds(&self.from, from), allowed.collect())
            })
            .collect();
        self.judge(&rows)
    }
}

/// A condition whose diagram is as large as there are ways to meet its first half: tags first come in
/// the order that is the worst.
fn hard() -> String {
    let list = |of: &dyn Fn(usize) -> String| (0..40).map(of).collect::<Vec<_>>().join(", ");
    let firsts = list(&|at| format!("hasTag(a{at})"));
    let pairs = list(&|at| format!("all(hasTag(a{at}), hasTag(b{at}))"));
    format!("all(any({firsts}), any({pairs}))")
}

#[test]
fn what_is_too_hard_is_not_decided() {
    let policy = json!({
        "rules": [{ "name": "hard", "condition": hard(), "outcome": ["T"] }],
        "invariants": [
            { "never": "start_chat", "from": format!("not({})", hard()), "to": "hasTag(T)" },
        ],
    });
    // The invariant, and the lints of its condition and of the rule's.
    assert_eq!(codes(&policy), ["not-decided"; 3]);
    let policy = json!({ "rules": [{ "name": "hard", "condition": hard(), "outcome": ["T"] }] });
    assert_eq!(codes(&policy), ["not-decided"]);
    let silenced = json!({ "rules": policy["rules"], "lints": { "allow": ["not-decided"] } });
    assert_eq!(codes(&silenced), [""; 0]);
}

#[test]
fn work_is_bounded_for_each_question_and_for_all() {
    let mut effort = Budget { per_question: 100, total: 150 };
    let mut diagrams = Diagrams::default();
    let wide = Condition::Any((0..60).map(|tag| Condition::HasTag(TagId(tag))).collect());
    let ask = |effort: &mut Budget, diagrams: &mut Diagrams| {
        effort.run(diagrams, |diagrams| diagrams.condition(&wide))
    };
    assert_eq!(
        ask(&mut effort, &mut diagrams),
        Err(BudgetExceededError),
        "more than for one question"
    );
    assert_eq!(effort.total, 50);
    assert_eq!(ask(&mut effort, &mut Diagrams::default()), Err(BudgetExceededError));
    assert_eq!(effort.total, 0);
    let simple = Condition::HasTag(TagId(0));
    let last = effort.run(&mut Diagrams::default(), |diagrams| diagrams.condition(&simple));
    assert_eq!(last, Err(BudgetExceededError), "nothing is left");
}

/// The first mode whose condition a user meets is theirs, in proofs too.
#[test]
fn a_user_of_any_tags_communicates_by_the_first_mode_that_applies() {
    let tag_sets: [&[&str]; 4] = [&[], &["a"], &["b"], &["a", "b"]];
    let exactly = |tags: &[&str]| {
        let side = |tag| {
            if tags.contains(&tag) {
                format!("hasTag({tag})")
            } else {
                format!("not(hasTag({tag}))")
            }
        };
        format!("all({}, {})", side("a"), side("b"))
    };
    let modes = ["all", "nobody"];
    let mut lists: Vec<Vec<(&str, &str)>> = vec![Vec::new()];
    for one in modes {
        lists.push(vec![("a", one)]);
        lists.extend(modes.iter().map(|other| vec![("a", one), ("b", *other)]));
        lists.extend(
            modes
                .iter()
                .flat_map(|other| modes.map(|third| vec![("a", one), ("b", *other), ("a", third)])),
        );
    }
    for list in &lists {
        for default in modes {
            let written: Vec<Value> = list
                .iter()
                .map(|(tag, mode)| json!({ "when": format!("hasTag({tag})"), "mode": mode }))
                .collect();
            let invariants: Vec<Value> = tag_sets
                .iter()
                .enumerate()
                .map(|(at, tags)| {
                    let same = exactly(tags);
                    json!({ "name": format!("set {at}"), "never": "start_chat", "from": same, "to": same })
                })
                .collect();
            let policy = json!({
                "peers": { "default": default, "modes": written },
                "invariants": invariants,
            });
            let labels = labels(&policy, "broken-invariant");
            for (at, tags) in tag_sets.iter().enumerate() {
                let mode =
                    list.iter().find(|(tag, _)| tags.contains(tag)).map_or(default, |it| it.1);
                let name = format!("`set {at}`");
                let is_broken = labels.iter().any(|reported| reported.0.contains(&name));
                assert_eq!(is_broken, mode == "all", "{tags:?} under {list:?}, else {default}");
            }
        }
    }
}
