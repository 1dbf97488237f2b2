//! Runs the tests that policies bring along, as their authors write them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail by it")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use peerage::{
    compile,
    diagnostic::{Code, Diagnostics, Report},
    inspect::{PolicyListing, test},
    request::{Action, Reason},
    snapshot::View,
    source::{self, Notation, Source, Sources},
    syntax,
};

fn sources(folder: &Path) -> Sources {
    let loaded = source::load(&[folder]);
    assert!(loaded.errors.is_empty(), "{:?}", loaded.errors);
    loaded.sources
}

/// How many expectations of a test file a policy met, or all that is not as expected: mistakes are
/// told by their codes.
fn run(tests: &str, policy: &Sources) -> Result<usize, Vec<String>> {
    let files = policy
        .iter()
        .map(|(_, source)| Source::new(source.name.clone(), source.notation, source.bytes.clone()));
    let tests = Source::new("t.test.yaml", Notation::Tests, tests);
    let sources = Sources::new(files.chain([tests]).collect());
    let outcome = test::run(&sources.into(), None);
    let Some(results) = outcome.results else { return Err(codes(&outcome.report)) };
    let failures = results.tests().flat_map(|test| &test.failures);
    let failures: Vec<String> = failures.map(|failure| format!("{failure:?}")).collect();
    if failures.is_empty() { Ok(results.expectations()) } else { Err(failures) }
}

fn codes(report: &Report) -> Vec<String> {
    assert!(report.errors > 0);
    report.diagnostics.iter().map(|found| format!("{}: {}", found.code, found.message)).collect()
}

fn view(folder: &str) -> View {
    let outcome = compile::build(&source::load(&[folder]), None);
    assert!(outcome.report.diagnostics.is_empty(), "{:?}", outcome.report);
    outcome.view.unwrap()
}

/// All test files below a folder, in order.
fn test_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(test_files(&path));
        } else if path.to_str().is_some_and(|path| path.ends_with(".test.yaml")) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The policies, each with how many expectations its tests hold at least.
const POLICIES: [(&str, usize); 13] = [
    ("bank", 70),
    ("community", 190),
    ("company", 80),
    ("congress", 35),
    ("dating", 150),
    ("event", 180),
    ("external-staff", 80),
    ("friends", 85),
    ("game", 30),
    ("marketplace", 70),
    ("school", 70),
    ("stores", 120),
    ("stores-dsl", 0),
];

#[test]
fn policies_pass_their_own_tests() {
    let folders = fs::read_dir("policies").unwrap().map(|entry| entry.unwrap().file_name());
    let folders: BTreeSet<_> = folders.map(|name| name.into_string().unwrap()).collect();
    assert!(folders.iter().eq(POLICIES.map(|(name, _)| name)), "{folders:?}");
    for (name, least) in POLICIES {
        let folder = Path::new("policies").join(name);
        // It compiles, and nothing is to be said about it.
        view(folder.to_str().unwrap());
        let files = test_files(&folder);
        let outcome = test::run(&source::load_with_tests(&[&folder]), None);
        let Some(results) = outcome.results else {
            assert!(files.is_empty(), "{name}: {:?}", outcome.report);
            assert_eq!(outcome.report.diagnostics[0].code, Code::NoTests);
            continue;
        };
        assert_eq!(results.files.len(), files.len(), "{name}");
        for test in results.tests() {
            assert!(test.failures.is_empty(), "{name}: {test:#?}");
        }
        assert!(results.expectations() >= least, "{name}: {}", results.expectations());
    }
}

#[test]
fn policies_are_tested_for_every_action_and_reason() {
    let files = test_files("policies".as_ref());
    let texts: String = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let has = |key: &str, word: &str| {
        let said = format!("{key}: {word}");
        let end = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        texts.split(&said).skip(1).any(end)
    };
    for action in Action::ALL {
        assert!(has("action", action.as_str()), "{action}");
    }
    // Only a daemon can be stale.
    for reason in Reason::ALL.iter().filter(|reason| **reason != Reason::Stale) {
        assert!(has("reason", reason.as_str()), "{reason}");
    }
    assert!(!has("reason", "peers"));
}

#[test]
fn the_stores_are_the_same_in_both_notations() {
    let (yaml, dsl) = (view("policies/stores"), view("policies/stores-dsl"));
    assert_eq!(yaml.revision, dsl.revision);
    assert_eq!(
        PolicyListing::from_view(&yaml).to_string(),
        PolicyListing::from_view(&dsl).to_string()
    );
    let json = |view| serde_json::to_string(&PolicyListing::from_view(view)).unwrap();
    assert_eq!(json(&yaml), json(&dsl));
    for file in test_files("policies/stores".as_ref()) {
        let tests = fs::read_to_string(&file).unwrap();
        let checked = run(&tests, &sources("policies/stores-dsl".as_ref())).unwrap();
        if file.ends_with("stores.test.yaml") {
            assert_eq!(checked, 2 * (36 + 6 + 6) + 4);
        }
    }
}

/// What a test file of this content comes to, for the stores.
fn outcome(text: &str) -> Result<usize, Vec<String>> {
    run(text, &sources("policies/stores-dsl".as_ref()))
}

fn test_of(expectation: &str) -> String {
    format!("tests: [{{ name: t, expect: [{expectation}] }}]")
}

#[test]
fn a_test_that_proves_nothing_fails() {
    for text in [
        "tests: []",
        "tests:",
        "tests: [{ name: t, expect: [] }]",
        "tests: [{ name: t }]",
        "tests: [{ expect: [{ subject: '3', action: start_chat, resource: '2', allow: true }] }]",
        "tests: [{ name: t, exepct: [], expect: [{ subject: '3', action: start_chat, resource: '2', \
         allow: true }] }]",
        "test: []",
        "",
        "tests: [{ name: t, given: { user: {} }, expect: [{ subject: '3', action: start_chat, \
         resource: '2', allow: true }] }]",
        "tests: [{ name: t, given: { users: { '3': { tag: [] } } }, expect: [{ subject: '3', \
         action: start_chat, resource: '2', allow: true }] }]",
    ] {
        assert_mistaken(text, text);
    }
    for expectation in [
        "{ subject: '3', action: start_chat, resource: '2' }",
        "{ subject: '3', action: start_chat, resource: '2', alow: true }",
        "{ subject: '3', action: start_chat, resource: '2', allow: true, reson: allowed }",
        "{ subject: '3', action: start_chat, resource: '2', allow: true, context: { chat: new } }",
        "{ subject: '3', action: start_chat, resource: '2', allow: yes please }",
        "{ subject: '3', resource: '2', allow: true }",
        "{ subject: '3', action: start_chats, resource: '2', allow: true }",
        "{ subject: '3', action: start_chat, allow: true }",
        "{ subject: '3', action: start_chat, reached_by: ['2'] }",
        "{ subject: '3', action: start_chat, reaches: ['2', '6'], allow: true }",
        "{ subject: '3', action: start_chat, resource: '2', reaches: ['2', '6'] }",
        "{ subject: '3', action: sign_in, reaches: [] }",
        "{ subject: '3', action: sign_in, resource: '2', allow: true }",
        "{ subject: '3', action: start_chat, resource: g, resource_type: group, allow: false }",
        "{ subject: '3', action: start_chat, resource: '2', resource_type: users, allow: false }",
        "{ subject: '3', action: add_member, resource: g, allow: false }",
        "{ subject: '3', action: start_chat, resource: '2', member: '2', allow: true }",
        "{ subject: '3', action: start_chat, resource: '2', field: f, allow: true }",
        "{ subject: '3', action: update_metadata, resource: g, allow: false }",
        "{ subject: '3', action: start_chat, resource: '2', obligations: [confrim] }",
        "{ subject: '3', action: leave, resource: g, context: { conversation: new }, allow: false }",
        "{ subject: '3', action: start_chat, resource: '2', subject_properties: { tag: [] }, \
         allow: true }",
        "{ subject: '3', action: start_chat, resource: '2', subject_properties: { role: admin }, \
         allow: true }",
        "{ subject: '3', action: start_chat, resource: '2', resource_properties: { matrix: dm }, \
         allow: true }",
        "{ subject: '3', action: start_chat, member_properties: {}, resource: '2', allow: true }",
        "{ subject_properties: { peers: all }, resource: '2', action: start_chat, \
         reached_by: ['3', '4', '5', '6'] }",
        "{ subject: '3', subject_properties: { peers: frends }, action: start_chat, \
         resource: '2', allow: true }",
        "{ subject: '3', action: read, resource: g, resource_type: group, \
         resource_properties: { matrix: dn }, reason: unknown_resource }",
    ] {
        assert_mistaken(&test_of(expectation), expectation);
    }
}

/// Mistakes in a test are reported as such, not as a failure.
#[track_caller]
fn assert_mistaken(text: &str, what: &str) {
    let reported = outcome(text).unwrap_err();
    let is_code =
        |line: &String| Code::ALL.iter().any(|code| line.starts_with(&format!("{code}: ")));
    assert!(reported.iter().all(is_code), "{what}: {reported:?}");
}

#[test]
fn a_wrong_expectation_fails() {
    for (expectation, holds) in [
        ("{ subject: '3', action: start_chat, resource: '2', allow: true }", true),
        ("{ subject: 3, action: start_chat, resource: 2, reason: allowed }", true),
        ("{ subject: '3', action: start_chat, resource: '2', allow: false }", false),
        ("{ subject: '3', action: start_chat, resource: '2', reason: no_rule }", false),
        ("{ subject: '3', action: start_chat, resource: '4', allow: false, reason: self }", false),
        ("{ subject: '3', action: start_chat, reaches: ['6', '2'] }", true),
        ("{ subject: '3', action: start_chat, reaches: ['2'] }", false),
        ("{ subject: '3', action: start_chat, reaches: ['2', '6', '4'] }", false),
        ("{ resource: '3', action: start_chat, reached_by: ['2', '5', '6'] }", true),
        ("{ resource: '3', action: start_chat, reached_by: [] }", false),
        (
            "{ subject: '3', action: start_chat, resource: '2', allow: true, \
          context: { conversation: new } }",
            true,
        ),
        ("{ subject: '3', action: start_chat, resource: '2', obligations: [] }", true),
        ("{ subject: '3', action: friend_request, resource: '2', obligations: [confirm] }", false),
        // Who is not known is meant only where that is what is expected.
        ("{ subject: '33', action: start_chat, resource: '2', allow: false }", false),
        ("{ subject: '33', action: start_chat, resource: '2', reason: unknown_subject }", true),
        ("{ subject: '33', action: start_chat, reaches: [] }", false),
        ("{ resource: '33', action: start_chat, reached_by: [] }", false),
        ("{ subject: '3', action: leave, resource: g, allow: false }", false),
        ("{ subject: '3', action: leave, resource: g, reason: unknown_resource }", true),
        ("{ subject: '3', action: leave, reaches: [] }", true),
        ("{ subject: '3', action: sign_in, allow: true }", true),
        ("{ subject: '3', action: post, allow: true }", true),
        ("{ subject: '3', action: post, resource_type: wall, resource: w, allow: true }", true),
        ("{ action: sign_in, reached_by: ['1', '2', '3', '4', '5', '6'] }", true),
        (
            "{ subject: '3', subject_properties: { tags: [Munich] }, action: start_chat, \
             resource: '4', allow: true }",
            true,
        ),
        (
            "{ subject: '3', action: start_chat, resource: '2', \
             resource_properties: { permissions: { incoming: false } }, reason: incoming_off }",
            true,
        ),
    ] {
        let outcome = outcome(&test_of(expectation));
        assert_eq!(outcome.is_ok(), holds, "{expectation}: {outcome:?}");
    }
}

#[test]
fn what_is_given_lies_over_the_policy() {
    let with = |given: &str, reaches: &str| {
        let text = format!(
            "tests: [{{ name: t, given: {given}, \
             expect: [{{ subject: '3', action: start_chat, reaches: [{reaches}] }}] }}]"
        );
        let done = outcome(&text);
        assert!(done.is_ok(), "{given}: {done:?}");
    };
    with("{}", "'2', '6'");
    with("{ users: { '3': {} } }", "'2', '6'");
    with("{ users: { '3': { tags: [] } } }", "");
    with("{ users: { '9': { tags: [Stuttgart] } } }", "'2', '6', '9'");
    let rule = "condition: hasTag(Berlin), outcome: [Berlin]";
    with(&format!("{{ rules: [{{ name: added, {rule} }}] }}"), "'2', '5', '6'");
    with(&format!("{{ rules: [{{ name: stores to headquarters, {rule} }}] }}"), "'5', '6'");
    with(
        &format!("{{ rules: [{{ rule_id: 728c1541-d6d1-4290-9a53-cdf01dd32d60, {rule} }}] }}"),
        "'5', '6'",
    );
}

#[test]
fn any_section_can_be_given() {
    let policy = "preset: tencent\n\
                  permissions: { video_call: false, voice_call: false }\n\
                  peers: { default: paired, modes: [{ when: hasTag(open), mode: all }] }\n\
                  matrices: { team: { add_member: deny, remove_member: allow, \
                  update_metadata: deny, add_admin: deny, remove_admin: deny, \
                  update_permissions: deny } }\n\
                  users:\n  \
                  a: { tags: [open], paired: [b], permissions: { send_message: false } }\n  \
                  b: { paired: [a], blocked: [c] }\n  c: {}\n\
                  groups: { g: { matrix: team, creator: a, members: [b] } }";
    let policy = Sources::single("policy.yaml", Notation::Yaml, policy);
    let with = |given: &str, expectation: &str| {
        let text = format!("tests: [{{ name: t, given: {given}, expect: [{expectation}] }}]");
        let done = run(&text, &policy);
        assert!(done.is_ok(), "{given}: {done:?}");
    };
    let calls = "{ subject: a, action: voice_call, resource: b, allow: true }, \
                 { subject: a, action: video_call, resource: b, reason: permission_off }";
    with("{ permissions: { voice_call: true } }", calls);
    with(
        "{ peers: { default: all } }",
        "{ subject: a, action: start_chat, resource: b, allow: true }, \
         { subject: a, action: start_chat, resource: c, allow: true }",
    );
    // The policy's default stays.
    with(
        "{ peers: { modes: [{ when: hasTag(shut), mode: favorites }] } }",
        "{ subject: a, action: start_chat, resource: b, allow: true }, \
         { subject: a, action: start_chat, resource: c, reason: peers_subject }",
    );
    with(
        "{ preset: mesibo, users: { b: { paired: [a, c] }, c: { paired: [b] } } }",
        "{ subject: b, action: send_message, resource: c, reason: blocked_by_subject }",
    );
    with(
        "{ blocks: { send_message: two_way }, users: { b: { peers: all }, c: { peers: all } } }",
        "{ subject: b, action: send_message, resource: c, reason: blocked_by_subject }, \
         { subject: b, action: start_chat, resource: c, allow: true }",
    );
    // A record keeps what is not given.
    with(
        "{ users: { a: { moderation: none } } }",
        "{ subject: a, action: send_message, resource: b, reason: permission_off }, \
         { subject: a, action: start_chat, resource: b, allow: true }",
    );
    with(
        "{ users: { a: { permissions: { outgoing: false } } } }",
        "{ subject: a, action: start_chat, resource: b, reason: outgoing_off }",
    );
    with(
        "{ groups: { g: { members: [c] } } }",
        "{ subject: c, action: remove_member, resource: g, member: c, allow: true }, \
         { subject: a, action: add_member, resource: g, member: b, reason: denied_by_matrix }, \
         { subject: b, action: read, resource: g, resource_type: group, reason: not_member }",
    );
    with(
        "{ matrices: { team: { add_member: allow } } }",
        "{ subject: a, action: add_member, resource: g, member: b, allow: true }, \
         { subject: a, action: add_admin, resource: g, member: b, reason: denied_by_matrix }",
    );
    with(
        "{ rules: [], conversations: [[a, b]], users: { a: { permissions: { incoming: true } } } }",
        "{ subject: a, action: send_message, resource: b, allow: true }, \
         { subject: a, action: start_chat, resource: b, reason: no_rule }",
    );
    with(
        "{ unknown_users: allow_defaults, moderation: { managers: hasTag(open) } }",
        "{ subject: z, action: sign_in, allow: true }, { subject: a, action: ban, resource: z, \
         allow: true }",
    );
    with(
        "{ friendship: { default_approval: deny_any }, limits: { group_members: 2 } }",
        "{ subject: a, action: friend_request, resource: b, reason: requests_refused }",
    );
    let wrong = "tests: [{ name: t, given: { limits: { group_members: 1 } }, \
                 expect: [{ subject: a, action: sign_in, allow: true }] }]";
    assert!(run(wrong, &policy).unwrap_err()[0].contains("the limit is 1"));
}

/// The policies that are the same in the end: one with something laid over it, and one written so.
const LAID_OVER: [(&str, &str, &str); 9] = [
    ("users: { a: { tags: [A] } }", "{ users: { b: {} } }", "users: { a: { tags: [A] }, b: {} }"),
    (
        "users: { a: { tags: [A], peers: contacts, moderation: banned } }",
        "{ users: { a: { tags: [], peers: paired } } }",
        "users: { a: { peers: paired, moderation: banned } }",
    ),
    (
        "users: { '007': { tags: [A] } }",
        "{ users: { 007: { tags: [B] } } }",
        "users: { '007': { tags: [B] } }",
    ),
    (
        "rules: [{ name: r, condition: hasTag(A), outcome: [A] }]",
        "{ rules: [{ name: r, condition: hasTag(B), outcome: [A] }, { condition: hasTag(A), outcome: [B] }] }",
        "rules: [{ name: r, condition: hasTag(B), outcome: [A] }, { condition: hasTag(A), outcome: [B] }]",
    ),
    (
        "permissions: { outgoing: false, incoming: hasTag(A) }\npreset: flip",
        "{ permissions: { outgoing: hasTag(B) }, preset: mesibo, limits: { friends: 3 } }",
        "permissions: { outgoing: hasTag(B), incoming: hasTag(A) }\npreset: mesibo\nlimits: { friends: 3 }",
    ),
    (
        "peers: { default: paired, modes: [{ when: hasTag(A), mode: all }] }",
        "{ peers: { modes: [{ when: hasTag(B), mode: contacts }] } }",
        "peers: { default: paired, modes: [{ when: hasTag(B), mode: contacts }] }",
    ),
    (
        "matrices: { m: { add_member: allow, update_metadata: { f: allow, '*': deny } } }",
        "{ matrices: { m: { update_metadata: { f: deny } } } }",
        "matrices: { m: { add_member: allow, update_metadata: { f: deny } } }",
    ),
    (
        "users: { a: {}, b: {} }\ngroups: { g: { creator: a, members: [b] } }",
        "{ groups: { g: { members: [] }, h: { creator: b } } }",
        "users: { a: {}, b: {} }\ngroups: { g: { creator: a }, h: { creator: b } }",
    ),
    (
        "users: { a: {}, b: {} }",
        "{ conversations: [[a, b]], tags: [] }",
        "users: { a: {}, b: {} }\nconversations: [[b, a]]",
    ),
];

/// Whether both come to the same policy, with these files beside them.
#[track_caller]
fn assert_same(policy: &str, given: &str, written: &str, beside: &[Source]) {
    let files = |text: &str, more: Vec<Source>| -> source::LoadedSources {
        let policy = Source::new("policy.yaml", Notation::Yaml, text);
        Sources::new(beside.iter().cloned().chain([policy]).chain(more).collect()).into()
    };
    let tests = format!("tests: [{{ name: t, given: {given}, expect: [{{ action: read }}] }}]");
    let loaded = files(policy, vec![Source::new("t.test.yaml", Notation::Tests, tests)]);
    let mut problems = Diagnostics::default();
    let base = compile::PolicyBase::build(&loaded, &mut problems).unwrap();
    let tests = syntax::parse_tests(&loaded.sources, &mut problems);
    assert!(!problems.has_errors(), "{policy} {given}: {problems:?}");
    let (laid, _) = base.with_overlay(&tests[0].tests[0].given, None).unwrap();
    let plain = compile::build(&files(written, Vec::new()), None).view.unwrap();
    let shown = |view: &View| PolicyListing::from_view(view).to_string();
    assert_eq!(shown(&laid), shown(&plain), "{policy} with {given}");
    assert_eq!(laid.revision, plain.revision, "{policy} with {given}");
    let untouched =
        !given.contains("users") && !given.contains("conv") && !given.contains("friends");
    let is_shared = laid.population.has_same_identity(&base.view.population);
    assert_eq!(is_shared, untouched, "{policy} with {given}");
}

#[test]
fn laying_over_comes_to_the_policy_that_says_so() {
    let bulk = Source::new("more.csv", Notation::Csv, "id,tags,contacts\nx,A,y\ny,A B,\n");
    for (policy, given, written) in LAID_OVER {
        assert_same(policy, given, written, &[]);
        assert_same(policy, given, written, std::slice::from_ref(&bulk));
    }
    // One of those in bulk.
    let given = "{ users: { x: { tags: [B] } } }";
    let plain = Source::new("more.csv", Notation::Csv, "id,tags,contacts\nx,B,y\ny,A B,\n");
    let view = |laid: &Source, given: &str| {
        let tests = format!("tests: [{{ name: t, given: {given}, expect: [{{ action: read }}] }}]");
        let tests = Source::new("t.test.yaml", Notation::Tests, tests);
        let loaded = source::LoadedSources::from(Sources::new(vec![laid.clone(), tests]));
        let mut problems = Diagnostics::default();
        let base = compile::PolicyBase::build(&loaded, &mut problems).unwrap();
        let tests = syntax::parse_tests(&loaded.sources, &mut problems);
        base.with_overlay(&tests[0].tests[0].given, None).unwrap().0
    };
    assert_eq!(view(&bulk, given).revision, view(&plain, "{}").revision);
}
