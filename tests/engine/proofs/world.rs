//! Small worlds: few tags, few users, a bit of everything between them.

use std::collections::BTreeMap;

use peerage::{request::Condition, snapshot::View};
use proptest::{collection::vec, option, prelude::*, sample::subsequence};
use serde_json::{Value, json};

pub(crate) const TAGS: [&str; 4] = ["a", "b", "c", "d"];
const IDS: [&str; 6] = ["1", "2", "3", "4", "5", "6"];

#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) tags: Vec<&'static str>,
    more: Value,
}

#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) rules: Option<Vec<(Condition<&'static str>, Vec<&'static str>)>>,
    settings: Value,
    pub(crate) users: BTreeMap<&'static str, Person>,
    conversations: Vec<(&'static str, &'static str)>,
}

/// All sets of tags, each in order.
pub(crate) fn subsets() -> Vec<Vec<&'static str>> {
    (0..1_usize << TAGS.len())
        .map(|bits| (0..TAGS.len()).filter(|at| bits >> at & 1 == 1).map(|at| TAGS[at]).collect())
        .collect()
}

pub(crate) fn holds(condition: &Condition<&'static str>, tags: &[&str]) -> bool {
    match condition {
        Condition::Everyone => true,
        Condition::Nobody => false,
        Condition::HasTag(tag) => tags.contains(tag),
        Condition::During(during) => during.is_open,
        Condition::Not(inner) => !holds(inner, tags),
        Condition::All(parts) => parts.iter().all(|part| holds(part, tags)),
        Condition::Any(parts) => parts.iter().any(|part| holds(part, tags)),
    }
}

pub(crate) fn condition() -> impl Strategy<Value = Condition<&'static str>> {
    let word = prop_oneof![Just(Condition::Everyone), Just(Condition::Nobody)];
    let tag = prop::sample::select(&TAGS[..]).prop_map(Condition::HasTag);
    let leaf = prop_oneof![9 => tag, 1 => word];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| Condition::Not(Box::new(inner))),
            vec(inner.clone(), 1..4).prop_map(Condition::All),
            vec(inner, 1..4).prop_map(Condition::Any),
        ]
    })
    // A word by itself says what it is, and no lint says it again.
    .prop_map(|condition| match condition {
        Condition::Everyone => Condition::Not(Box::new(Condition::Nobody)),
        Condition::Nobody => Condition::Not(Box::new(Condition::Everyone)),
        condition => condition,
    })
}

fn person() -> impl Strategy<Value = Person> {
    let ids = || option::weighted(0.3, subsequence(&IDS[..], 0..4));
    let word = |words: &'static [&'static str]| option::weighted(0.2, prop::sample::select(words));
    (
        subsequence(&TAGS[..], 0..=3),
        (ids(), ids(), ids(), ids()),
        word(&["all", "paired", "contacts", "favorites"]),
        word(&["banned", "silenced"]),
        word(&["deny_any", "need_confirm"]),
        option::weighted(
            0.3,
            (
                prop::sample::select(&["outgoing", "incoming", "start_chat", "video_call"][..]),
                prop_oneof![
                    any::<bool>().prop_map(Value::from),
                    condition().prop_map(|it| it.to_string().into()),
                ],
            ),
        ),
    )
        .prop_map(
            |(tags, (contacts, blocked, friends, paired), peers, moderation, approval, switch)| {
                let mut more = json!({ "tags": tags });
                let mut put = |key: &str, value: Option<Value>| {
                    if let Some(value) = value {
                        more[key] = value;
                    }
                };
                put("contacts", contacts.map(|it| json!(it)));
                put("blocked", blocked.map(|it| json!(it)));
                put("friends", friends.map(|it| json!(it)));
                put("paired", paired.map(|it| json!(it)));
                put("peers", peers.map(|it| json!(it)));
                put("moderation", moderation.map(|it| json!(it)));
                put("approval", approval.map(|it| json!(it)));
                put("permissions", switch.map(|(name, on)| json!({ name: on })));
                Person { tags, more }
            },
        )
}

fn settings() -> impl Strategy<Value = Value> {
    let when = || option::weighted(0.3, condition());
    let blocks = vec(prop::sample::select(&["off", "one_way", "two_way"][..]), 2);
    let limit = option::weighted(0.3, Just(3));
    let others = (blocks, limit, option::weighted(0.1, Just("deny_any")));
    (when(), when(), when(), when(), option::weighted(0.2, Just("contacts")), others).prop_map(
        |(managers, incoming, chat, minor, default, (blocks, limit, approval))| {
            let mut settings = json!({ "permissions": {}, "moderation": {}, "peers": {} });
            settings["blocks"] = json!({ "start_chat": blocks[0], "video_call": blocks[1] });
            if let Some(limit) = limit {
                settings["limits"] = json!({ "friends": limit });
            }
            if let Some(approval) = approval {
                settings["friendship"] = json!({ "default_approval": approval });
            }
            if let Some(managers) = managers {
                settings["moderation"]["managers"] = json!(managers.to_string());
            }
            if let Some(incoming) = incoming {
                settings["permissions"]["incoming"] = json!(incoming.to_string());
            }
            if let Some(chat) = chat {
                settings["permissions"]["start_chat"] = json!(chat.to_string());
            }
            if let Some(minor) = minor {
                let word = if default.is_some() { "all" } else { "favorites" };
                settings["peers"]["modes"] = json!([{ "when": minor.to_string(), "mode": word }]);
            }
            if let Some(default) = default {
                settings["peers"]["default"] = json!(default);
            }
            settings
        },
    )
}

pub(crate) fn world() -> impl Strategy<Value = World> {
    let rule = (condition(), subsequence(&TAGS[..], 1..=2));
    (
        option::weighted(0.9, vec(rule, 0..5)),
        settings(),
        vec(person(), 0..=IDS.len()),
        vec((0..IDS.len(), 0..IDS.len()), 0..3),
    )
        .prop_map(|(rules, settings, people, conversations)| {
            let count = people.len();
            let mut users: BTreeMap<_, _> = IDS.into_iter().zip(people).collect();
            for (at, person) in &mut users {
                // Lists name others that there are.
                for list in ["contacts", "blocked", "friends", "paired"] {
                    if let Some(ids) = person.more[list].as_array() {
                        let known = |id: &&Value| {
                            let id = id.as_str().unwrap();
                            id != *at && IDS[..count].contains(&id)
                        };
                        person.more[list] = ids.iter().filter(known).cloned().collect();
                    } else if let Some(fields) = person.more.as_object_mut() {
                        fields.remove(list);
                    }
                }
            }
            let mut talks: Vec<_> = conversations
                .into_iter()
                .filter(|(one, other)| one < other && *other < count)
                .map(|(one, other)| (IDS[one], IDS[other]))
                .collect();
            talks.sort_unstable();
            talks.dedup();
            World { rules, settings, users, conversations: talks }
        })
}

impl World {
    /// The policy without anyone.
    pub(crate) fn rules_alone(&self) -> Value {
        let mut policy = self.settings.clone();
        if let Some(rules) = &self.rules {
            policy["rules"] = rules
                .iter()
                .enumerate()
                .map(|(at, (condition, outcome))| {
                    json!({ "name": format!("rule {at}"), "condition": condition.to_string(), "outcome": outcome })
                })
                .collect();
        }
        policy
    }

    pub(crate) fn policy(&self) -> Value {
        let mut policy = self.rules_alone();
        policy["users"] =
            self.users.iter().map(|(id, person)| ((*id).to_owned(), person.more.clone())).collect();
        policy["conversations"] = json!(self.conversations);
        policy
    }

    pub(crate) fn view(&self) -> View {
        text::view(&self.policy())
    }
}

pub(crate) mod text {
    use peerage::{
        compile::{self, BuildOutput},
        snapshot::View,
        source::{LoadedSources, Notation, Sources},
    };
    use serde_json::Value;

    pub(crate) fn loaded(policy: &Value) -> LoadedSources {
        let sources = Sources::single("policy.json", Notation::Json, policy.to_string());
        LoadedSources { sources, errors: Vec::new() }
    }

    pub(crate) fn view(policy: &Value) -> View {
        let BuildOutput { view, report, .. } = compile::build(&loaded(policy), None);
        view.unwrap_or_else(|| panic!("{:?}\n{policy}", report.diagnostics))
    }
}

/// Code and message of each diagnostic of a policy.
pub(crate) fn examined(policy: &Value) -> Vec<(String, String)> {
    let report = peerage::compile::build_with_lints(&text::loaded(policy)).report;
    let reported = report.diagnostics.iter();
    reported.map(|found| (found.code.as_str().to_owned(), found.message.clone())).collect()
}

/// Message and label of each diagnostic of a policy under a code.
pub(crate) fn labels(policy: &Value, code: &str) -> Vec<(String, String)> {
    let report = peerage::compile::build_with_lints(&text::loaded(policy)).report.to_json();
    let reported = report["diagnostics"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    reported
        .filter(|found| found["code"] == code)
        .map(|found| (text(&found["message"]), text(&found["label"])))
        .collect()
}

pub(crate) fn codes(policy: &Value) -> Vec<String> {
    examined(policy).into_iter().map(|(code, _)| code).collect()
}
