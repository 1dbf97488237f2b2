//! Windows of time: when they are open, and what a view says at each moment.

mod edges;
mod times;

use std::{fmt::Write as _, time::SystemTime};

use peerage::{
    compile::{self, FactsSource},
    decide::decide,
    diagnostic::{Code, Report, render_text},
    facts::{self, GroupRecord, Record, RecordKey, RuleRecord, SwitchSetting, UserRecord},
    inspect::PolicyListing,
    request::{Action, Moment, Request, Role},
    snapshot::View,
    source::{LoadedSources, Notation, Sources},
};

use crate::following::Store;

pub(crate) fn moment(text: &str) -> Moment {
    text.parse().unwrap()
}

pub(crate) fn loaded(policy: &str, at: &str) -> LoadedSources {
    let sources = Sources::single("policy.peerage", Notation::Dsl, policy);
    LoadedSources::from(sources.at(SystemTime::from(moment(at))))
}

fn text(report: &Report) -> String {
    render_text(report, false)
}

fn view(policy: &str, at: &str) -> View {
    let outcome = compile::build(&loaded(policy, at), None);
    outcome.view.unwrap_or_else(|| panic!("{}", text(&outcome.report)))
}

/// Open on workdays from 8 to 16 in Berlin, and from 22 to 6 everywhere.
const WINDOWS: &str = "
window work { days: [mon, tue, wed, thu, fri]; from: \"08:00\"; to: \"16:00\"; zone: \"Europe/Berlin\"; }
window night { from: \"22:00\"; to: \"06:00\"; zone: UTC; }
user a { tags: [a]; }
user b { tags: [b]; }
";

/// A Monday in winter: Berlin is an hour ahead.
const AT_WORK: &str = "2026-11-30T07:00:00Z";
const BEFORE_WORK: &str = "2026-11-30T06:59:59Z";
const AT_NIGHT: &str = "2026-11-30T23:00:00Z";

/// What `during(work)` decides, wherever it stands: a policy, the question, and whether it is allowed while the
/// window is open.
const PLACES: &[(&str, &str, bool)] = &[
    ("the condition of a rule", "rule: all(hasTag(a), during(work)) -> [b];", true),
    ("the outcome of a rule", "rule: hasTag(a) -> all(hasTag(b), during(work));", true),
    ("`between`", "rule: hasTag(a) -> [b] between during(work);", true),
    ("a negation", "rule: all(hasTag(a), not(during(work))) -> [b];", false),
    (
        "a rule set",
        "rule_set s { rule: hasTag(a) -> [b] between any(friend, during(work)); }",
        true,
    ),
    ("a switch", "permissions { start_chat: during(work); }", true),
    ("a user's switch", "user c { permissions { incoming: during(work); } }", true),
    ("a barrier", "barrier x: all(hasTag(a), during(work)) <-> hasTag(b);", false),
    ("`unless`", "barrier x: hasTag(a) <-> hasTag(b) { unless: during(work); }", true),
    ("an audience", "audience x: during(work);\naccepts start_chat { default: x; }", true),
    (
        "the modes of `accepts`",
        "accepts start_chat { during(work): nobody; default: everyone; }",
        false,
    ),
    ("the modes of `peers`", "peers { during(work): nobody; default: all; }", false),
    (
        "a declared action",
        "action wave: start_chat;\npermissions { start_chat: during(work); }",
        true,
    ),
];

#[test]
fn a_window_opens_and_closes_wherever_it_stands() {
    for (place, policy, allowed_in) in PLACES {
        let policy = format!("{WINDOWS}{policy}");
        let to = if policy.contains("user c") { "c" } else { "b" };
        let request = Request::new("a", Action::StartChat, to);
        for (at, is_open) in [(AT_WORK, true), (BEFORE_WORK, false), (AT_NIGHT, false)] {
            let allowed = decide(&view(&policy, at), &request).allow;
            assert_eq!(allowed, is_open == *allowed_in, "{place} at {at}");
        }
    }
}

#[test]
fn a_cell_of_a_matrix_opens_and_closes() {
    let policy = format!(
        "{WINDOWS}matrix m {{ add_member: allow; remove_member: all(allow, during(work)); update_metadata: allow; \
         add_admin: allow_if_super_admin; remove_admin: deny; update_permissions: deny; }}\n\
         user c {{}}\ngroup g {{ matrix: m; creator: c; members: [a, b]; }}\n"
    );
    for (at, is_open) in [(AT_WORK, true), (BEFORE_WORK, false)] {
        let mut request = Request::in_group("a", Action::RemoveMember, "g");
        request.member = Some("b".into());
        assert_eq!(decide(&view(&policy, at), &request).allow, is_open, "{at}");
    }
}

#[test]
fn the_text_the_digest_and_the_ids_are_those_of_the_policy_at_any_moment() {
    let policy = format!("{WINDOWS}rule: all(hasTag(a), during(work)) -> [b];\n");
    let [one, other] = [AT_WORK, BEFORE_WORK].map(|at| view(&policy, at));
    assert_eq!(one.revision, other.revision);
    let rules = |view: &View| {
        let rules = view.rules.as_ref().unwrap();
        let text = |tag: &_| view.tags.name(*tag).to_owned();
        rules
            .rules
            .iter()
            .map(|rule| (rule.id, rule.condition.map(&mut |tag| text(tag)).to_string()))
            .collect::<Vec<_>>()
    };
    assert_eq!(rules(&one), rules(&other));
    assert_eq!(rules(&one)[0].1, "all(hasTag(a), during(work))");
    let listed = PolicyListing::from_view(&one).to_string();
    assert!(listed.contains("all(hasTag(a), during(work)) -> [b]"), "{listed}");
    let window = "  work mon, tue, wed, thu, fri 08:00 to 16:00 Europe/Berlin\n    open until 2026-11-30T15:00:00Z";
    assert!(listed.contains(window), "{listed}");
    assert!(
        listed.contains("  night 22:00 to 06:00 UTC\n    closed until 2026-11-30T22:00:00Z"),
        "{listed}"
    );
    let later = policy.replace("16:00", "17:00");
    assert_ne!(one.revision, view(&later, AT_WORK).revision, "another window is another policy");
    let days = policy
        .replace("22:00", "22:00\"; days: [mon, tue, wed, thu, fri, sat, sun]; to: \"06:00")
        .replacen("; to: \"06:00\"; to: \"06:00\"", "; to: \"06:00\"", 1);
    assert_eq!(one.revision, view(&days, AT_WORK).revision, "all days are no days");
}

/// Everything that a window can stand in.
const RICH: &str = "
tags: [a, b, c];
window work { days: [mon, tue, wed, thu, fri]; from: \"08:00\"; to: \"16:00\"; zone: \"Europe/Berlin\"; }
window night { from: \"22:00\"; to: \"06:00\"; zone: UTC; except: [2026-12-01]; }
window lunch { from: \"12:00\"; to: \"13:00\"; zone: \"Europe/Berlin\"; }
rule: all(hasTag(a), during(work)) -> [b];
rule: hasTag(b) -> [a];
rule: hasTag(c) -> any(hasTag(a), during(lunch));
rule: not(during(work)) -> [c] between any(friend, during(night));
rule_set s { actions: [send_message]; rule: during(work) -> everyone; rule: hasTag(c) -> [a, b]; }
barrier x: all(hasTag(a), during(night)) <-> hasTag(c);
barrier y: hasTag(a) -> hasTag(b) { actions: [voice_call]; unless: during(lunch); }
audience close: any(friend, during(work));
accepts video_call { during(night): nobody; hasTag(a): close; default: everyone; }
peers { all(hasTag(b), during(lunch)): friends; default: all; }
permissions { friend_request: during(work); outgoing: not(all(hasTag(c), during(lunch))); }
moderation { managers: all(hasTag(a), during(work)); }
matrix m { add_member: during(work); remove_member: all(allow_if_admin, not(during(night))); update_metadata: during(lunch); add_admin: deny; remove_admin: deny; update_permissions: deny; }
user 1 { tags: [a]; friends: [2, 3]; }
user 2 { tags: [b]; permissions { incoming: during(work); } }
user 3 { tags: [c]; permissions { outgoing: not(during(night)); } accepts { video_call: close; } }
user 4 { tags: [a, c]; }
user 5 {}
group g { matrix: m; creator: 1; members: [2, 3, 4]; }
group k { creator: 1; members: [2, 3]; requires: all(hasTag(c), during(work)); }
";

const MOMENTS: [&str; 9] = [
    AT_WORK,
    BEFORE_WORK,
    "2026-11-30T11:30:00Z",
    "2026-11-30T14:00:00Z",
    AT_NIGHT,
    "2026-12-01T03:00:00Z",
    "2026-12-01T23:00:00Z",
    "2026-12-05T11:30:00Z",
    "2027-07-01T10:30:00Z",
];

/// Everything that a view says.
fn said(view: &View) -> String {
    let mut said = PolicyListing::from_view(view).to_string();
    for action in Action::ALL {
        for one in ["1", "2", "3", "4", "5", "6"] {
            for other in ["1", "2", "3", "4", "5"] {
                let request = Request::new(one, *action, other);
                let in_groups = ["g", "h", "k"].map(|group| {
                    let mut in_group = Request::in_group(one, *action, group);
                    in_group.member = Some(other.into());
                    in_group.field = Some("group_name");
                    decide(view, &in_group)
                });
                let decisions = (decide(view, &request), in_groups);
                writeln!(said, "{action} {one} {other} {decisions:?}").unwrap();
            }
        }
    }
    said
}

#[track_caller]
fn assert_alike(one: &View, other: &View, when: &str) {
    let [one, other] = [one, other].map(said);
    for (one, other) in one.lines().zip(other.lines()) {
        assert_eq!(one, other, "{when}");
    }
    assert_eq!(one.len(), other.len(), "{when}");
}

/// Records of all kinds whose conditions name windows.
fn records() -> Store {
    let mut store = Store::default();
    let user = |permission: &str| UserRecord {
        created: true,
        permissions: [("outgoing", permission)]
            .into_iter()
            .map(|(switch, text)| (switch.parse().unwrap(), SwitchSetting::When(text.to_owned())))
            .collect(),
        ..UserRecord::default()
    };
    store.put(
        RecordKey::User("6".to_owned()),
        Some(Record::User(Box::new(user("all(hasTag(a), during(work))")))),
    );
    store.put(
        RecordKey::User("7".to_owned()),
        Some(Record::User(Box::new(user("not(during(gone))")))),
    );
    let rule = |condition: &str| RuleRecord {
        condition: condition.to_owned(),
        outcome: vec!["a".to_owned()],
        description: None,
        name: None,
    };
    for (id, condition) in [(1, "during(night)"), (2, "any(hasTag(b), not(during(gone)))")] {
        store.put(RecordKey::Rule(uuid::Uuid::from_u128(id)), Some(Record::Rule(rule(condition))));
    }
    let group = GroupRecord {
        matrix: Some("m".to_owned()),
        permissions: [("remove_member".to_owned(), "during(lunch)".to_owned())].into(),
        members: ["1", "2", "3", "4"]
            .map(|id| (id.to_owned(), facts::Member::new(Role::Member)))
            .into(),
        ..GroupRecord::default()
    };
    store.put(RecordKey::Group("h".to_owned()), Some(Record::Group(Box::new(group))));
    store
}

#[test]
fn a_view_that_advances_is_the_view_that_is_compiled_at_the_moment() {
    for from in MOMENTS {
        for to in MOMENTS {
            let mut advanced = view(RICH, from);
            compile::advance(&mut advanced, moment(to));
            assert_eq!(advanced.at, moment(to));
            let compiled = view(RICH, to);
            assert_alike(&advanced, &compiled, &format!("from {from} to {to}"));
            assert_eq!(advanced.next_change(), compiled.next_change(), "from {from} to {to}");
        }
    }
}

#[test]
fn a_view_with_records_advances_and_is_rebuilt_alike() {
    let store = records();
    let built = |at: &str| {
        let outcome = compile::build_with_records(&loaded(RICH, at), &store).unwrap();
        let said = text(&outcome.report);
        (outcome.view.unwrap_or_else(|| panic!("{said}")), outcome.declarations.unwrap())
    };
    for from in MOMENTS {
        let (first, declarations) = built(from);
        for to in MOMENTS {
            let expected = built(to).0;
            let mut advanced = first.clone();
            compile::advance(&mut advanced, moment(to));
            assert_alike(&advanced, &expected, &format!("from {from} to {to}"));
            let files = loaded(RICH, to);
            let rebuilt = compile::rebuild(&files, &first, &declarations, &store).unwrap();
            let when = format!("rebuilt from {from} to {to}");
            assert_alike(&rebuilt.view.unwrap(), &expected, &when);
        }
    }
}

#[test]
fn records_that_name_a_window_which_is_gone_allow_nothing() {
    let mut store = records();
    let outcome = compile::build_with_records(&loaded(RICH, AT_WORK), &store).unwrap();
    let (mut view, declarations) = (outcome.view.unwrap(), outcome.declarations.unwrap());
    let allowed =
        |view: &View, from: &str, action| decide(view, &Request::new(from, action, "1")).allow;
    assert!(!allowed(&view, "7", Action::Post) || !allowed(&view, "7", Action::SendMessage));
    assert!(!allowed(&view, "5", Action::StartChat), "the rule of the API names no window");
    // What is written while the daemon runs is read alike.
    let record = store.get(&RecordKey::User("7".to_owned())).unwrap();
    let change = store.put(RecordKey::User("8".to_owned()), record);
    compile::apply_records(&mut view, &declarations, &[change]);
    compile::advance(&mut view, moment(AT_NIGHT));
    let outgoing = decide(&view, &Request::new("8", Action::StartChat, "1"));
    assert_eq!(outgoing.reason.as_str(), "outgoing_off");
}

#[test]
fn what_an_edge_does_not_concern_stays_shared() {
    let policy = format!(
        "{WINDOWS}rule_set one {{ rule: hasTag(a) -> [b]; }}\nrule_set two {{ rule: during(work) -> [b]; rule: hasTag(b) -> [a]; }}\n"
    );
    let mut advanced = view(&policy, BEFORE_WORK);
    let before = advanced.clone();
    let advance = compile::advance(&mut advanced, moment(AT_WORK));
    assert!(advance.has_changed && advance.concerned.is_all());
    assert!(std::sync::Arc::ptr_eq(&before.population, &advanced.population));
    let [one, two] = [0, 1]
        .map(|at| std::sync::Arc::ptr_eq(&before.rule_sets[at].book, &advanced.rule_sets[at].book));
    assert!(one && !two);
    assert!(!compile::advance(&mut advanced, moment(AT_WORK)).has_changed, "nothing is due");
}

/// Lints that must say the same whenever `check` runs.
#[test]
fn lints_do_not_depend_on_the_moment() {
    let policy = format!(
        "{WINDOWS}rule day: all(hasTag(a), during(work)) -> [b];\nrule at_night: all(hasTag(b), during(night)) -> [a];\n\
         rule never: all(during(work), not(during(work))) -> [b];\nrule wide: hasTag(a) -> [b];\n\
         barrier x: all(hasTag(a), during(night)) <-> hasTag(b) {{ actions: [voice_call]; }}\n\
         rule_set s {{ actions: [video_call]; rule: during(night) -> [a]; }}\n\
         audience open: all(during(work), contact);\naccepts add_member {{ default: open; }}\n\
         peers {{ during(work): open; default: all; }}\n"
    );
    let warnings = MOMENTS.map(|at| {
        let outcome = compile::build_with_lints(&loaded(&policy, at));
        let found = outcome.report.diagnostics.iter();
        found.map(|it| (it.code, it.message.clone())).collect::<Vec<_>>()
    });
    for other in &warnings {
        assert_eq!(&warnings[0], other);
    }
    let codes: Vec<Code> = warnings[0].iter().map(|(code, _)| *code).collect();
    assert!(codes.contains(&Code::DeadAlways), "{codes:?}");
    assert!(codes.contains(&Code::ImpliedRule), "{codes:?}");
    assert!(codes.contains(&Code::SelfOpened), "{codes:?}");
    for code in [Code::DeadNow, Code::BarrierSides, Code::ClosedSet, Code::UnusedWindow] {
        assert!(!codes.contains(&code), "{code}: {warnings:?}");
    }
}

#[test]
fn invariants_of_existing_users_hold_at_all_times() {
    const CASES: [(&str, &str, Option<&str>); 5] = [
        (
            "rule: all(hasTag(a), during(work)) -> [b];",
            "never start_chat: hasTag(a) -> hasTag(b) scope population;",
            Some("1 pair breaks it: `a` may start a chat with `b`, while `work` is open"),
        ),
        (
            "rule: all(hasTag(a), during(work)) -> [b];",
            "always start_chat: hasTag(a) -> hasTag(b) scope population;",
            Some("1 pair breaks it: `a` may not start a chat with `b`, while `work` is closed"),
        ),
        (
            "user c { tags: [b]; permissions { outgoing: not(during(night)); } }",
            "every: hasTag(b) reaches hasTag(a) by start_chat scope population;",
            Some(
                "who may start a chat with nobody who meets hasTag(a): `c`, while `night` is open",
            ),
        ),
        (
            "rule: all(hasTag(a), during(work), during(night)) -> [b];",
            "never start_chat: hasTag(a) -> hasTag(b) scope population;",
            Some("while `night` is open and `work` is open"),
        ),
        (
            "rule: all(hasTag(a), during(work), not(during(work))) -> [b];",
            "never start_chat: hasTag(a) -> hasTag(b) scope population;",
            None,
        ),
    ];
    for (policy, invariant, reported) in CASES {
        for at in [AT_WORK, BEFORE_WORK, AT_NIGHT] {
            let policy = format!("{WINDOWS}{policy}\n{invariant}\n");
            let report = compile::build(&loaded(&policy, at), None).report;
            let said = text(&report);
            match reported {
                Some(reported) => assert!(said.contains(reported), "{at}: {reported}\n{said}"),
                None => assert_eq!(report.errors, 0, "{said}"),
            }
        }
    }
}

#[test]
fn an_invariant_under_too_many_windows_is_not_decided() {
    let windows = (0..7).map(|number| {
        format!("window w{number} {{ from: \"0{number}:00\"; to: \"12:00\"; zone: UTC; }}\n")
    });
    let any: Vec<String> = (0..7).map(|number| format!("during(w{number})")).collect();
    let policy = format!(
        "{}{}rule: all(hasTag(a), any({})) -> [b];\nnever start_chat: hasTag(b) -> hasTag(a);\n",
        WINDOWS,
        windows.collect::<String>(),
        any.join(", ")
    );
    let report = compile::build(&loaded(&policy, AT_WORK), None).report;
    assert_eq!(report.diagnostics[0].code, Code::NotDecided, "{}", text(&report));
    assert!(text(&report).contains("in more ways than are tried"), "{}", text(&report));
}
