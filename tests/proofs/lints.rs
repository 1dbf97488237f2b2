//! Lints against looking at every tag set, every user and every pair of rules.

use peerage::request::Condition;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    config,
    world::{codes, condition, examined, holds, subsets, world},
};

type Rule = (Condition<&'static str>, Vec<&'static str>);

fn always(condition: &Condition<&'static str>) -> bool {
    subsets().iter().all(|tags| holds(condition, tags))
}

fn never(condition: &Condition<&'static str>) -> bool {
    subsets().iter().all(|tags| !holds(condition, tags))
}

fn within(one: &Rule, other: &Rule) -> bool {
    one.1.iter().all(|tag| other.1.contains(tag))
        && subsets().iter().all(|tags| !holds(&one.0, tags) || holds(&other.0, tags))
}

/// The messages that are told under a code.
fn told(report: &[(String, String)], code: &str) -> Vec<String> {
    report.iter().filter(|found| found.0 == code).map(|found| found.1.clone()).collect()
}

proptest! {
    #![proptest_config(config(200))]

    #[test]
    fn of_rules(world in world()) {
        let report = examined(&world.policy());
        prop_assert!(report.iter().all(|(code, _)| code != "not-decided"));
        let rules = world.rules.clone().unwrap_or_default();
        let name = |at: usize| format!("the rule `rule {at}`");
        let among = |is: &dyn Fn(usize, &Rule) -> bool| -> Vec<String> {
            (0..rules.len()).filter(|&at| is(at, &rules[at])).map(name).collect()
        };
        let begins = |messages: Vec<String>| -> Vec<String> {
            let ends = |text: &str| text.match_indices('`').nth(1).map_or(0, |(at, _)| at + 1);
            messages.iter().map(|text| text[..ends(text)].to_owned()).collect()
        };

        let dead = among(&|_, rule| never(&rule.0));
        prop_assert_eq!(begins(told(&report, "dead-always")), dead);

        let implied = among(&|at, rule| !never(&rule.0) && (0..rules.len()).any(|other| {
            let wide = &rules[other];
            other != at && within(rule, wide) && !(other > at && within(wide, rule))
        }));
        prop_assert_eq!(begins(told(&report, "implied-rule")), implied);

        let users = &world.users;
        if !users.is_empty() {
            let dead_now = among(&|_, rule| !never(&rule.0) && !users.iter().any(|(from, one)| {
                holds(&rule.0, &one.tags) && users.iter().any(|(to, other)| {
                    from != to && other.tags.iter().any(|tag| rule.1.contains(tag))
                })
            }));
            prop_assert_eq!(begins(told(&report, "dead-now")), dead_now);
            let unconcerned = users.iter().filter(|(_, user)| !rules.iter().any(|rule| {
                holds(&rule.0, &user.tags) || user.tags.iter().any(|tag| rule.1.contains(tag))
            })).count();
            let expected = match (rules.len(), unconcerned) {
                (0, _) | (_, 0) => vec![],
                (_, 1) => vec!["no rule concerns 1 user".to_owned()],
                (_, count) => vec![format!("no rule concerns {count} users")],
            };
            prop_assert_eq!(told(&report, "unconcerned"), expected);
        }
    }

    #[test]
    fn of_single_conditions(one in condition(), other in condition()) {
        let policy = json!({
            "moderation": { "managers": one.to_string() },
            "peers": { "modes": [
                { "when": one.to_string(), "mode": "contacts" },
                { "when": other.to_string(), "mode": "favorites" },
            ] },
        });
        let report = examined(&policy);
        let count = |code: &str| told(&report, code).len();
        let each = |is: &dyn Fn(&Condition<&'static str>) -> bool| {
            2 * usize::from(is(&one)) + usize::from(is(&other))
        };
        let shadowed = !never(&other) && !always(&other)
            && subsets().iter().all(|tags| !holds(&other, tags) || holds(&one, tags));
        prop_assert_eq!(count("never-holds"), each(&never) + usize::from(shadowed));
        prop_assert_eq!(count("always-holds"), each(&always));
    }

    #[test]
    fn of_matrices(add in value(), update in value()) {
        let policy = json!({ "matrices": { "m": {
            "add_member": "allow", "remove_member": "deny", "update_metadata": "deny",
            "remove_admin": "deny", "add_admin": add.0, "update_permissions": update.0,
        } } });
        let report = examined(&policy);
        // Roles in order: member, admin, super admin.
        let someone = |value: &dyn Fn(usize, &[&str]) -> bool, role| {
            subsets().iter().any(|tags| value(role, tags))
        };
        let is_told = |value: &(String, Meaning)| {
            value.0 != "allow" && someone(&|role, tags| grants(&value.1, role, tags), 0)
        };
        let expected = usize::from(is_told(&add)) + usize::from(is_told(&update));
        prop_assert_eq!(told(&report, "self-promotion").len(), expected, "{}", policy);
        let then = is_told(&add) && subsets().iter().any(|tags| {
            grants(&add.1, 0, tags) && grants(&update.1, 1, tags)
        });
        let in_steps = told(&report, "self-promotion").iter().any(|it| it.contains("and then"));
        prop_assert_eq!(in_steps, then);
    }
}

#[derive(Clone, Debug)]
enum Meaning {
    /// The least role that has it.
    From(usize),
    Tag(&'static str),
    Not(Box<Meaning>),
    All(Vec<Meaning>),
    Any(Vec<Meaning>),
}

fn grants(value: &Meaning, role: usize, tags: &[&str]) -> bool {
    match value {
        Meaning::From(least) => role >= *least,
        Meaning::Tag(tag) => tags.contains(tag),
        Meaning::Not(inner) => !grants(inner, role, tags),
        Meaning::All(parts) => parts.iter().all(|part| grants(part, role, tags)),
        Meaning::Any(parts) => parts.iter().any(|part| grants(part, role, tags)),
    }
}

fn value() -> impl Strategy<Value = (String, Meaning)> {
    let words = vec![
        ("allow", Meaning::From(0)),
        ("allow_if_admin", Meaning::From(1)),
        ("allow_if_super_admin", Meaning::From(2)),
        ("deny", Meaning::From(3)),
        ("hasTag(a)", Meaning::Tag("a")),
        ("hasTag(b)", Meaning::Tag("b")),
    ];
    let word = prop::sample::select(words).prop_map(|(text, meaning)| (text.to_owned(), meaning));
    let join = |name: &'static str, parts: Vec<(String, Meaning)>| {
        let (texts, meanings): (Vec<String>, Vec<Meaning>) = parts.into_iter().unzip();
        (format!("{name}({})", texts.join(", ")), meanings)
    };
    word.prop_recursive(3, 6, 3, move |inner| {
        let not = |(text, inner): (String, Meaning)| {
            (format!("not({text})"), Meaning::Not(Box::new(inner)))
        };
        let all = move |parts| {
            let (text, parts) = join("all", parts);
            (text, Meaning::All(parts))
        };
        let any = move |parts| {
            let (text, parts) = join("any", parts);
            (text, Meaning::Any(parts))
        };
        let parts = prop::collection::vec(inner.clone(), 1..3);
        prop_oneof![inner.prop_map(not), parts.clone().prop_map(all), parts.prop_map(any),]
    })
}

#[test]
fn tags_and_matrices_of_no_use() {
    let users =
        json!({ "1": { "tags": ["Berlin"], "permissions": { "outgoing": "hasTag(own)" } } });
    let matrix = json!({
        "add_member": "hasTag(matrix)", "remove_member": "deny", "update_metadata": "deny",
        "add_admin": "deny", "remove_admin": "deny", "update_permissions": "deny",
    });
    let policy = |more: Value| {
        let mut policy = json!({
            "tags": ["Berlin", "own", "matrix", "invariant", "switch", "ghost"],
            "permissions": { "video_call": "hasTag(switch)" },
            "invariants": [{ "never": "start_chat", "from": "hasTag(invariant)", "to": "hasTag(ghost)" }],
            "matrices": { "used": matrix, "idle": matrix },
            "groups": { "g": { "matrix": "used", "creator": "1" } },
        });
        policy.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        policy
    };
    let none = json!({ "scope": "population", "never": "start_chat", "from": "hasTag(invariant)", "to": "hasTag(invariant)" });
    let found = examined(&policy(json!({ "users": users, "invariants": [none] })));
    assert_eq!(
        told(&found, "unused-tag"),
        ["the tag `ghost` is declared and not used"],
        "{found:?}"
    );
    assert_eq!(told(&found, "unused-matrix"), ["no group has the matrix `idle`"]);
}

#[test]
fn switches_that_all_records_override() {
    let policy = |second: Value| {
        json!({
            "permissions": { "video_call": false, "voice_call": "hasTag(a)" },
            "users": {
                "1": { "permissions": { "video_call": true, "voice_call": "hasTag(b)" } },
                "2": second,
            },
        })
    };
    let both = json!({ "permissions": { "video_call": "hasTag(a)" } });
    let found = examined(&policy(both));
    assert_eq!(told(&found, "overridden"), ["`permissions.video_call` has no effect today"]);
    assert_eq!(told(&examined(&policy(json!({}))), "overridden"), [""; 0]);
}

#[test]
fn outcomes_that_no_user_has() {
    let policy = json!({
        "rules": [{ "name": "r", "condition": "hasTag(a)", "outcome": ["a", "ghost"] }],
        "users": { "1": { "tags": ["a"] }, "2": { "tags": ["a"] } },
    });
    assert_eq!(codes(&policy), ["unreached-tag"]);
}
