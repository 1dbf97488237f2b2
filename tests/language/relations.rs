//! Rule sets, barriers, audiences, `accepts` and declared actions: what is read of them in YAML, JSON and
//! bulk records, and what is reported.

use crate::support::listing;

fn check(name: &str, file: &str, text: &str) {
    let listed = listing::list(file, text.as_bytes());
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => true }, {
        insta::assert_snapshot!(name, format!("{}\n=====\n{listed}", text.trim_end()));
    });
}

fn check_all(file: &str, cases: &[(&str, &str)]) {
    cases.iter().for_each(|(name, text)| check(name, file, text));
}

#[test]
fn sections() {
    check_all(
        "policy.yaml",
        &[
            (
                "rule_sets",
                "rule_sets:\n  someone of staff:\n    asked: always\n    actions: [send_message, voice_call]\n    \
                 rules:\n      - { condition: hasTag(staff), outcome: everyone }\n      \
                 - { condition: everyone, outcome: hasTag(staff), name: x }\n      \
                 - { condition: hasTag(pupil), outcome: not(hasTag(pupil)), between: sharesTag(class-*) }\n      \
                 - { condition: hasTag(pupil), between: 'any(mutual(friend), conversation)' }\n    \
                 description: Why.\n  empty: { rules: [] }\n  nothing:\n",
            ),
            (
                "barriers",
                "barriers:\n  - name: research and trading\n    between: [hasTag(research), 'any(hasTag(a), hasTag(b))']\n  \
                 - name: minors\n    from: hasTag(adult)\n    to: hasTag(minor)\n    \
                 actions: [start_chat, friend_request]\n    unless: any(inverse(contact), sharesTag(family-*))\n    \
                 groups: false\n    description: Why.\n",
            ),
            (
                "audiences_and_accepts",
                "audiences:\n  close: any(friend, favorite, sharesTag(family-*))\n  far: not(close)\naccepts:\n  \
                 start_chat: { default: everyone, modes: [{ when: hasTag(minor), audience: close, locked: true }, \
                 { when: everyone, audience: far, locked: false }], otherwise: request, asked: new }\n  \
                 mention:\n",
            ),
            (
                "declared_actions",
                "actions:\n  mention: { like: send_message }\n  7: { like: video_call }\n",
            ),
            (
                "accepts_of_users",
                "users:\n  a: { accepts: { start_chat: contacts, 7: close } }\n  b: { accepts: }\n  \
                 c: { accepts: { start_chat: } }\n",
            ),
        ],
    );
}

#[test]
fn sections_with_mistakes() {
    check_all(
        "policy.yaml",
        &[
            (
                "outcomes_wrong",
                "rules:\n  - { condition: hasTag(A), outcome: Stuttgart }\n  \
                 - { condition: hasTag(A), outcome: friend }\n  - { condition: hasTag(A), outcome: any }\n  \
                 - { condition: hasTag(A), outcome: true }\n  - { condition: hasTag(A), outcome: 7 }\n  \
                 - { condition: hasTag(A), outcome: }\n  - { condition: hasTag(A), outcome: { tags: [A] } }\n  \
                 - { condition: hasTag(A), outcome: hasTag(B }\n  - { condition: hasTag(A), between: [friend] }\n  \
                 - { condition: hasTag(A), outcome: [B], between: any(friend }\n  - { between: friend }\n",
            ),
            (
                "rule_sets_wrong",
                "rule_sets:\n  a: []\n  b: { asked: [new], actions: send_message, rules: { condition: x } }\n  \
                 c: { rule: [] }\n  d: { actions: [[a], true, x], rules: [{ condition: hasTag(A) }, \
                 { condition: hasTag(A), outcome: [B] }] }\n  d: {}\n",
            ),
            ("rule_sets_no_mapping", "rule_sets: [{ name: a }]\n"),
            (
                "rule_sets_syntax_error",
                "rule_sets:\n  a:\n    rules:\n      - { condition: hasTag(A), outcome: [B] }\n      - { condition: ]\n  \
                 b: { asked: new }\n",
            ),
            (
                "barriers_wrong",
                "barriers:\n  - { between: [hasTag(A), hasTag(B)] }\n  - { name: a }\n  \
                 - { name: b, from: hasTag(A) }\n  - { name: c, to: hasTag(A) }\n  \
                 - { name: d, between: [hasTag(A), hasTag(B)], from: hasTag(A) }\n  \
                 - { name: e, between: hasTag(A) }\n  - { name: f, between: [hasTag(A)] }\n  \
                 - { name: g, between: [hasTag(A), hasTag(B), hasTag(C)] }\n  - { name: h, between: [[hasTag(A)], x] }\n  \
                 - { name: i, between: [any(hasTag(A), hasTag(B)), hasTag(C)] }\n  - hasTag(A)\n  \
                 - { name: j, between: [hasTag(A), hasTag(B)], except: friend, groups: [x], unless: [friend] }\n",
            ),
            ("barriers_no_list", "barriers: { a: { between: [hasTag(A), hasTag(B)] } }\n"),
            (
                "audiences_wrong",
                "audiences:\n  a: [friend]\n  b:\n  c: any(friend\n  d: friend\n  d: contact\naccepts:\n  \
                 start_chat: contacts\n  b: { default: [contacts], asked: , otherwise: {}, modes: close }\n  \
                 c: { modes: [close, { when: hasTag(A) }, { audience: close }, \
                 { when: hasTag(A), audience: close, locked: 1, lock: true }, \
                 { when: hasTag(A), audience: close, locked: 'true' }] }\n  d: { mode: [] }\n  d: {}\n",
            ),
            (
                "declared_actions_wrong",
                "actions:\n  a: send_message\n  b: {}\n  c:\n  d: { like: [a] }\n  e: { as: send_message }\n  \
                 f: { like: a }\n  f: { like: b }\n",
            ),
            (
                "accepts_of_users_wrong",
                "users:\n  a: { accepts: contacts }\n  b: { accepts: { start_chat: [contacts], start_chat: a } }\n",
            ),
        ],
    );
}

#[test]
fn bulk_records() {
    check_all(
        "users.ndjson",
        &[(
            "accepts_of_records",
            "{\"id\": \"a\", \"accepts\": {\"start_chat\": \"contacts\", \"add_member\": null}}\n\
             {\"id\": \"b\", \"accepts\": {}}\n{\"id\": \"c\", \"accepts\": null}\n\
             {\"id\": \"d\", \"accepts\": \"contacts\"}\n{\"id\": \"e\", \"accepts\": {\"start_chat\": [\"contacts\"]}}\n\
             {\"id\": \"f\", \"accepts\": {\"start_chat\": \"a\", \"start_chat\": \"b\"}}\n\
             {\"id\": \"g\", \"accepts\": {\"start_chat\": true}}\n",
        )],
    );
    check("accepts_of_tables", "users.csv", "id,tags,accepts\na,,contacts\n");
}

#[test]
fn json() {
    let text = r#"{"rule_sets": {"a": {"asked": "new", "rules": [{"condition": "everyone", "outcome": "hasTag(A)"}]}},
"barriers": [{"name": "b", "between": ["hasTag(A)", "any(hasTag(B), hasTag(C))"], "groups": false}],
"audiences": {"c": "any(friend, contact)"},
"accepts": {"start_chat": {"modes": [{"when": "hasTag(A)", "audience": "c", "locked": true}]}},
"actions": {"mention": {"like": "send_message"}}}
"#;
    check("json", "policy.json", text);
}
