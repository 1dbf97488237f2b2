//! Lints against looking at every tag set, every user and every pair of rules.

use peerage::request::Condition;
use proptest::{collection::vec, prelude::*};
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

/// The messages that are reported under a code.
fn reported(report: &[(String, String)], code: &str) -> Vec<String> {
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
        prop_assert_eq!(begins(reported(&report, "dead-always")), dead);

        let implied = among(&|at, rule| !never(&rule.0) && (0..rules.len()).any(|other| {
            let wide = &rules[other];
            other != at && within(rule, wide) && !(other > at && within(wide, rule))
        }));
        prop_assert_eq!(begins(reported(&report, "implied-rule")), implied);

        let users = &world.users;
        if !users.is_empty() {
            let dead_now = among(&|_, rule| !never(&rule.0) && !users.iter().any(|(from, one)| {
                holds(&rule.0, &one.tags) && users.iter().any(|(to, other)| {
                    from != to && other.tags.iter().any(|tag| rule.1.contains(tag))
                })
            }));
            prop_assert_eq!(begins(reported(&report, "dead-now")), dead_now);
            let unconcerned = users.iter().filter(|(_, user)| !rules.iter().any(|rule| {
                holds(&rule.0, &user.tags) || user.tags.iter().any(|tag| rule.1.contains(tag))
            })).count();
            let expected = match (rules.len(), unconcerned) {
                (0, _) | (_, 0) => vec![],
                (_, 1) => vec!["no rule concerns 1 user".to_owned()],
                (_, count) => vec![format!("no rule concerns {count} users")],
            };
            prop_assert_eq!(reported(&report, "unconcerned"), expected);
        }
    }

    #[test]
    fn of_single_conditions(one in condition(), other in condition()) {
        let policy = json!({
            "moderation": { "managers": one.to_string() },
            "permissions": { "voice_call": other.to_string() },
            "users": { "1": { "permissions": { "video_call": one.to_string() } },
                       "2": { "permissions": { "video_call": one.to_string() } } },
        });
        let report = examined(&policy);
        let count = |code: &str| reported(&report, code).len();
        let each = |is: &dyn Fn(&Condition<&'static str>) -> bool| {
            2 * usize::from(is(&one)) + usize::from(is(&other))
        };
        prop_assert_eq!(count("never-holds"), each(&never));
        prop_assert_eq!(count("always-holds"), each(&always));
    }

    #[test]
    fn of_modes(modes in vec((condition(), mode()), 1..4), default in mode()) {
        let listed: Vec<Value> = modes
            .iter()
            .map(|(when, mode)| json!({ "when": when.to_string(), "mode": mode }))
            .collect();
        let policy = json!({ "peers": { "default": default, "modes": listed } });
        let found = |tags: &[&str], skipped: Option<usize>| {
            let mut modes = modes.iter().enumerate().filter(|(at, _)| Some(*at) != skipped);
            modes.find(|(_, (when, _))| holds(when, tags)).map(|(at, _)| at)
        };
        let word = |at: Option<usize>| at.map_or(default, |at| modes[at].1);
        let turn = |at: Option<usize>| subsets().iter().any(|tags| found(tags, None) == at);
        let mut expected = Vec::new();
        for at in (0..modes.len()).filter(|at| !never(&modes[*at].0)) {
            let is_idle = subsets()
                .iter()
                .all(|tags| word(found(tags, None)) == word(found(tags, Some(at))));
            if !turn(Some(at)) {
                expected.push("this mode never applies");
            } else if is_idle {
                expected.push("this mode makes no difference");
            }
        }
        if !turn(None) {
            expected.push("the default mode never applies");
        }
        expected.sort_unstable();
        let mut overridden = reported(&examined(&policy), "overridden");
        overridden.sort_unstable();
        prop_assert_eq!(overridden, expected, "{}", policy);
    }

    #[test]
    fn of_switches_after_outgoing(outgoing in condition(), own in condition()) {
        let policy = |switch: &str| json!({ "permissions": {
            "outgoing": outgoing.to_string(), switch: own.to_string(),
        } });
        let is_covered = subsets().iter().all(|tags| !holds(&outgoing, tags) || holds(&own, tags));
        for switch in ["start_chat", "send_message", "friend_request"] {
            let expected = if is_covered {
                vec![format!("`permissions.{switch}` makes no difference")]
            } else {
                vec![]
            };
            prop_assert_eq!(reported(&examined(&policy(switch)), "overridden"), expected);
        }
        // Calls in groups don't ask for it.
        prop_assert!(reported(&examined(&policy("video_call")), "overridden").is_empty());
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
        let is_reported = |value: &(String, Meaning)| {
            value.0 != "allow" && someone(&|role, tags| grants(&value.1, role, tags), 0)
        };
        let expected = usize::from(is_reported(&add)) + usize::from(is_reported(&update));
        prop_assert_eq!(reported(&report, "self-promotion").len(), expected, "{}", policy);
        let then = is_reported(&add) && subsets().iter().any(|tags| {
            grants(&add.1, 0, tags) && grants(&update.1, 1, tags)
        });
        let in_steps = reported(&report, "self-promotion").iter().any(|it| it.contains("and then"));
        prop_assert_eq!(in_steps, then);
    }
}

fn mode() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&["all", "paired", "contacts", "favorites"][..])
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
        reported(&found, "unused-tag"),
        ["the tag `ghost` is declared but not used"],
        "{found:?}"
    );
    assert_eq!(reported(&found, "unused-matrix"), ["no group uses the matrix `idle`"]);
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
    assert_eq!(reported(&found, "overridden"), ["`permissions.video_call` has no effect today"]);
    assert_eq!(reported(&examined(&policy(json!({}))), "overridden"), [""; 0]);
}

#[test]
fn outcomes_that_no_user_has() {
    let policy = json!({
        "rules": [{ "name": "r", "condition": "hasTag(a)", "outcome": ["a", "ghost"] }],
        "users": { "1": { "tags": ["a"] }, "2": { "tags": ["a"] } },
    });
    assert_eq!(codes(&policy), ["unreached-tag"]);
}

#[test]
fn settings_that_something_else_settles() {
    let reported = |policy: Value| reported(&examined(&policy), "overridden");
    let each = |record: Value| json!({ "1": record, "2": record });
    let users = each(json!({ "peers": "contacts", "approval": "deny_any" }));
    let policy = json!({
        "peers": { "default": "paired" },
        "friendship": { "default_approval": "need_confirm" },
        "users": users,
    });
    let expected =
        ["`peers` has no effect today", "`friendship.default_approval` has no effect today"];
    let mut found = reported(policy.clone());
    found.sort_unstable_by_key(String::len);
    assert_eq!(found, expected);
    let mut one_is_free = policy;
    one_is_free["users"]["3"] = json!({});
    assert_eq!(reported(one_is_free), [""; 0]);

    // A record may let someone past `outgoing`, so that the other switch has something to refuse.
    let policy = |outgoing: bool| {
        json!({
            "permissions": { "outgoing": false, "start_chat": "hasTag(a)" },
            "users": { "1": { "permissions": { "outgoing": outgoing } }, "2": {} },
        })
    };
    assert_eq!(reported(policy(false)), ["`permissions.start_chat` makes no difference"]);
    assert_eq!(reported(policy(true)), [""; 0]);

    let policy = json!({
        "preset": "tencent",
        "limits": { "friends": 3000, "blocked": 10, "group_members": 5 },
        "blocks": { "start_chat": "one_way", "send_message": "one_way", "add_member": "off" },
    });
    let expected =
        ["`limits.friends` makes no difference", "`blocks.start_chat` makes no difference"];
    let mut found = reported(policy.clone());
    found.sort_unstable_by_key(String::len);
    assert_eq!(found, expected);
    let mut without = policy;
    without["preset"] = json!("venueless");
    assert_eq!(reported(without), [""; 0]);
}

#[test]
fn words_say_so_themselves() {
    for word in ["everyone", "nobody"] {
        let policy = json!({
            "moderation": { "managers": word },
            "permissions": { "voice_call": word },
            "rules": [{ "condition": word, "outcome": ["a"] }],
            "peers": { "modes": [{ "when": word, "mode": "all" }] },
            "invariants": [{ "never": "ban", "from": "nobody", "to": word }],
            "users": { "1": { "tags": ["a"], "permissions": { "video_call": word } } },
        });
        let report = examined(&policy);
        for code in ["always-holds", "never-holds", "dead-always"] {
            assert_eq!(reported(&report, code), Vec::<String>::new(), "{word}");
        }
    }
}

const TEAM: &str = "actions: { announce: { like: post }, mention: { like: send_message } }
users: { a: { tags: [x] }, b: { tags: [] } }
groups: { g: { matrix: team, creator: a, members: [b] } }
matrices:
  team:
    add_member: allow
    remove_member: deny
    update_metadata: allow
    add_admin: deny
    remove_admin: deny
    update_permissions: deny
";

/// The lints of a policy in YAML.
fn lints(policy: &str) -> Vec<String> {
    let policy: Value = serde_saphyr::from_str(policy).unwrap();
    codes(&policy)
}

#[test]
fn peers_modes_that_users_widen_alone() {
    let users = "users: { a: { tags: [x], contacts: [b] }, b: { tags: [] } }";
    for (audience, found) in [
        ("contact", &["self-opened"] as &[&str]),
        ("any(pair, sharesTag(x))", &["self-opened"]),
        // What the other adds is seen where the audience is defined.
        ("inverse(contact)", &["self-opened"]),
        ("any(contact, inverse(contact))", &["self-opened"; 2]),
        ("mutual(contact)", &[]),
        ("friend", &[]),
        ("sharesTag(x)", &[]),
    ] {
        for peers in
            ["{ default: own }", "{ default: all, modes: [{ when: hasTag(x), mode: own }] }"]
        {
            let policy = format!("audiences: {{ own: '{audience}' }}\npeers: {peers}\n{users}\n");
            assert_eq!(lints(&policy), found, "{policy}");
        }
    }
    // In `accepts`, the list of the one who is reached is theirs.
    let policy = format!(
        "audiences: {{ own: contact }}\naccepts: {{ start_chat: {{ default: own }} }}\n{users}\n"
    );
    assert_eq!(lints(&policy), [""; 0]);
    let policy = policy.replace("own: contact", "own: inverse(pair)");
    assert_eq!(lints(&policy), ["self-opened"]);
}

/// The tags that the cells and switches of declared actions name are of use.
#[test]
fn tags_of_declared_actions_are_used() {
    let declared = format!("tags: [x, cell, own, ghost]\n{TEAM}    mention: hasTag(cell)\n")
        .replace("b: { tags: [] }", "b: { tags: [], permissions: { announce: hasTag(own) } }");
    let unused = |policy: &str| lints(policy).iter().filter(|it| *it == "unused-tag").count();
    assert_eq!(unused(&declared), 1);
    assert_eq!(unused(&declared.replace(", ghost", "")), 0);
}

#[test]
fn outcomes_that_no_user_can_meet() {
    let policy = "rules: [{ condition: hasTag(x), outcome: 'all(hasTag(x), not(hasTag(x)))' }]\n";
    assert_eq!(lints(policy), ["dead-always"]);
    let policy = "rules: [{ condition: hasTag(x), outcome: 'any(hasTag(x), not(hasTag(x)))' }]\n";
    assert_eq!(lints(policy), ["always-holds"]);
    assert_eq!(lints("rules: [{ condition: hasTag(x), outcome: everyone }]\n"), [""; 0]);
}
