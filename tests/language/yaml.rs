//! The YAML notation: what it means, and what is said of mistakes in it.

#![allow(
    clippy::format_push_string,
    clippy::format_collect,
    reason = "tests may be slow where that reads well"
)]

use crate::support::listing;

use proptest::prelude::*;

fn check(name: &str, file: &str, text: &str) {
    let listed = listing::list(file, text.as_bytes());
    let shown = text.replace('\r', "␍").replace('\t', "→").replace('\u{feff}', "<BOM>");
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => true }, {
        insta::assert_snapshot!(name, format!("{}\n=====\n{listed}", shown.trim_end()));
    });
}

fn check_all(file: &str, cases: &[(&str, &str)]) {
    for (name, text) in cases {
        check(name, file, text);
    }
}

#[test]
fn sections() {
    check_all(
        "policy.yaml",
        &[
            ("empty", ""),
            ("only_comments", "# nothing\n\n---\n# still nothing\n"),
            ("tags", "tags: [Berlin, \"Mun\\u0069ch\", 'it''s', 1, 0x1F, 1.0, no]\n"),
            ("tags_in_lines", "tags:\n  - Berlin   # the capital\n  - Munich\n"),
            ("rules_empty", "rules: []\n"),
            ("rules_null", "rules:\n"),
            (
                "rules",
                "rules:\n\
                 \x20 - name: headquarters\n\
                 \x20   condition: hasTag(Stuttgart)\n\
                 \x20   outcome: [Berlin, Munich]\n\
                 \x20   description: Serves all.\n\
                 \x20 - rule_id: 728c1541-d6d1-4290-9a53-cdf01dd32d60\n\
                 \x20   condition: \"any(hasTag(Berlin), hasTag(Munich))\"\n\
                 \x20   outcome:\n\
                 \x20     - Stuttgart\n\
                 \x20   name: null\n\
                 \x20   description: ~\n",
            ),
            (
                "conditions_in_blocks",
                "rules:\n\
                 - condition: |\n\
                 \x20   any(\n\
                 \x20     hasTag(Berlin),\n\
                 \x20     hasTag(München))\n\
                 \x20 outcome: [a]\n\
                 - condition: >-\n\
                 \x20   all(hasTag(a),\n\
                 \x20   hasTag(b))\n\
                 \x20 outcome: [a]\n",
            ),
            (
                "users",
                "users:\n  \"2\": { tags: [Stuttgart] }\n  3: {tags: []}\n  alice:\n  bob: {}\n  0x1F: \n    tags:\n    - a\n    - b\n  true: {tags: null}\n  1.0: ~\n  null: {}\n",
            ),
            ("several_documents", "tags: [a]\n---\ntags: [b]\n...\n---\nusers: {a: {}}\n"),
            ("byte_order_mark", "\u{feff}tags: [a]\r\nusers:\r\n  a: {tags: [b]}\r\n"),
            (
                "aliases",
                "tags: &all [a, &one b]\nusers:\n  x: { tags: *all }\n  *one : &record { tags: [c] }\n  y: *record\n",
            ),
            ("core_tags", "tags: !!seq [!!str null, !!int 1, ! true]\n"),
        ],
    );
}

#[test]
fn json() {
    check_all(
        "policy.json",
        &[
            (
                "json",
                "{\n\t\"tags\":[\"Berlin\",\"Mun\\u0069ch\"],\n\t\"rules\": [\n\t\t{\"condition\": \"hasTag(Berlin)\", \"outcome\": [\"Munich\"]}\n\t],\n\t\"users\" : {\"\\uD83D\\uDE00\": {\"tags\":[\"a\\/b\"]}, \"5\":{}\n}}\n",
            ),
            ("json_duplicate_key", "{\"tags\": [\"a\"],\n \"tags\": [\"b\"]}"),
            ("json_lone_surrogate", "{\"tags\": [\"a\", \"\\uD83D\"]}"),
            ("json_unclosed", "{\"tags\": [\"a\", \"b\"\n"),
            ("json_not_an_object", "[{\"tags\": []}]"),
        ],
    );
}

#[test]
fn syntax_errors() {
    check_all(
        "policy.yaml",
        &[
            (
                "several_sections_broken",
                "tags: [Berlin, Munich\nrules:\n  - condition: \"hasTag(Berlin)\n    outcome: [Munich]\n  - condition: hasTag(Munich)\n    outcome: [Berlin\n  - condition: hasTag(Munich)\n    outcome: [Berlin]\nusers:\n  a: {tags: [Berlin}\n  b: {tags: [Berlin]}\n",
            ),
            (
                "quote_runs_on",
                "rules:\n  - name: \"a\n    condition: hasTag(a)\n    outcome: [a]\n  - name: \"b\"\n    condition: hasTag(b)\n    outcome: [a]\n",
            ),
            ("quote_at_the_end", "users:\n  a: {}\n  b: {tags: [\"x]}\n"),
            (
                "text_with_colon",
                "rules:\n  - name: a: b\n    condition: hasTag(a)\n    outcome: [a]\ntags: [x]\n",
            ),
            (
                "bad_indentation",
                "rules:\n  - name: a\n   condition: hasTag(a)\n  - condition: hasTag(b)\n    outcome: [c]\n",
            ),
            ("tab", "users:\n\ta: {}\ntags: [a]\n"),
            ("reserved_characters", "tags:\n  - @a\n  - `b\n  - c\n  - %d\n"),
            ("stray_bracket", "tags: ]\nusers:\n  a: {}\n"),
            ("bad_escape", "tags: [\"a\\qb\"]\nusers: {a: {}}\n"),
            ("no_colon", "tags\nusers:\n  a\n  b: {}\n"),
            ("closing_at_the_margin", "tags: [\n  a,\n]\nusers: {\n}\n"),
            ("unknown_alias", "tags: *all\nusers:\n  a: {tags: *al}\n"),
            ("alias_of_itself", "tags: &t [a, *t]\n"),
            ("alias_lost_to_an_error", "tags: &t [a}\nusers:\n  a: {tags: *t}\n"),
            ("error_after_an_alias", "users:\n  a: &r {tags: [x]}\n  b: *r\n  c: [x}\n  d: {}\n"),
            ("custom_tag", "tags: !include tags.yaml\nusers:\n  a: !user {tags: [!!binary a]}\n"),
            ("merge_key", "users:\n  a: &a {tags: [x]}\n  b: {<<: *a}\n"),
            ("complex_key", "users:\n  ? [a, b]\n  : {tags: [x]}\n  c: {}\n"),
        ],
    );
}

#[test]
fn wrong_shapes() {
    check_all(
        "policy.yaml",
        &[
            ("text_at_the_top", "hello\n"),
            ("list_at_the_top", "- tags: [a]\n- b\n"),
            ("text_then_syntax_error", "hello\nworld: x\n"),
            (
                "tags_wrong",
                "tags: Berlin, Munich\n---\ntags: {a: b}\n---\ntags: [a, [b], {c: d}, null, true, ]\n---\ntags: 3\n",
            ),
            ("rules_wrong", "rules:\n  a: b\n---\nrules: none\n---\nrules: [x, [y], null, {}]\n"),
            (
                "rule_fields_wrong",
                "rules:\n  - condition: [hasTag(a)]\n    outcome: a\n    name: {x: y}\n  - condition: hasTag(a)\n    outcome: [~]\n",
            ),
            (
                "rule_fields_missing",
                "rules:\n  - name: a\n  - condition: hasTag(a)\n  - outcome: [a]\n    condition:\n",
            ),
            (
                "users_wrong",
                "users: [a, b]\n---\nusers: alice\n---\nusers:\n  a: [x]\n  b: x\n  c: {tags: x}\n",
            ),
            (
                "unknown_names",
                "rule: []\nusers:\n  a: {tag: [x], tags: [y], zzz: 1}\nrules:\n  - conditon: hasTag(a)\n    condition: hasTag(a)\n    outcome: [x]\nmoderation: {managers: x}\n",
            ),
            (
                "duplicates",
                "tags: [a]\nusers:\n  a: {tags: [x], tags: [y]}\n  b: {}\n  \"a\": {tags: [z]}\ntags: [b]\n",
            ),
        ],
    );
}

#[test]
fn settings() {
    check_all(
        "policy.yaml",
        &[
            (
                "settings",
                "preset: flip\nunknown_users: 'deny'\nmoderation: { managers: hasTag(moderator) }\npermissions:\n  video_call: \"any(hasTag(a), hasTag(b))\"\n  create_group: true\nblocks: {send_message: one_way, start_chat: off}\nfriendship:\n  default_approval: allow_any\nlimits: { friends: 3000, blocked: \"1000\" }\n",
            ),
            (
                "settings_that_say_nothing",
                "preset:\nunknown_users: ~\nmoderation:\npermissions: null\nblocks: {}\nfriendship: {default_approval: }\nlimits: {friends: null}\npeers:\nmatrices:\nusers:\ngroups:\nconversations:\n---\npeers: {default: , modes: }\nmatrices: {}\ngroups: {}\nconversations: []\n---\npeers: {}\nmatrices: {a: , b: {add_member: , update_metadata: {}}, c: {update_metadata: {name: }}}\ngroups: {g: , h: {}, i: {matrix: , creator: ~, super_admins: , admins: null, members: []}}\n",
            ),
            (
                "settings_any_key",
                "permissions: {sing: false, 1: hasTag(a), '': true}\nlimits: {*: 3}\n",
            ),
            (
                "settings_values",
                "limits: {friends: -1, blocked: 1.5, friend_lists: 1e3}\npermissions: {outgoing: True, incoming: \"\", video_call: hasTag(, voice_call: 'hasTag(a'}\nblocks: {start_chat: two way}\n",
            ),
            (
                "settings_wrong",
                "preset: [flip]\nunknown_users: {deny: true}\nmoderation: hasTag(a)\npermissions: [outgoing]\nblocks: one_way\nfriendship: x\nlimits: 3\n---\nmoderation: {managers: [a]}\npermissions: {outgoing: {when: x}, incoming: true}\nblocks: {start_chat: [off]}\nfriendship: {default_approval: {}}\nlimits: {friends: [3]}\n",
            ),
            (
                "settings_duplicates",
                "preset: flip\npreset: xmtp\npermissions: {outgoing: , outgoing: false, outgoing: true}\npermissions: {}\nlimits:\n  friends: 1\n  \"friends\": 2\n",
            ),
            (
                "settings_aliases",
                "permissions: &p {outgoing: &c hasTag(a), incoming: *c}\nblocks: *p\nmoderation:\n  managers: *c\npreset: &f flip\npeers: {default: *f}\n",
            ),
            (
                "settings_syntax",
                "permissions:\n  outgoing: [\n  incoming: true\n  video_call: \"x\n  voice_call: false\nblocks: {start_chat: off\nlimits:\n  friends: 3\n  @x: 3\n  blocked: 4\npreset: flip\n",
            ),
            (
                "unknown_sections",
                "permission: {}\nblock: {}\nmatrix: {}\ngroup: {}\nconversation: []\npreset_: x\n",
            ),
        ],
    );
}

#[test]
fn a_word_means_the_same_in_quotes() {
    for word in ["true", "not", "rule", "rule_id", "tags", "--", "a-", "9", "-1", "1e3", "_"] {
        for written in [word.to_owned(), format!("\"{word}\"")] {
            let listed = listing::list("a.yaml", format!("limits: {{x: {written}}}").as_bytes());
            assert!(listed.contains(&format!("={word}@1:1")), "{listed}");
            assert_eq!(listed.lines().count(), 1, "{listed}");
        }
    }
}

#[test]
fn peers() {
    check_all(
        "policy.yaml",
        &[
            (
                "peers",
                "peers:\n  default: all\n  modes:\n    - when: hasTag(minor)\n      mode: contacts\n    - { mode: 3, when: \"not(hasTag(a))\" }\n",
            ),
            ("peers_default_number", "peers: {default: 0}\n"),
            (
                "peers_wrong",
                "peers: all\n---\npeers: [all]\n---\npeers: {default: [all], modes: {hasTag(a): all}}\n---\npeers: {modes: [x, [y], null, {}, {when: [a], mode: {}}, {when: hasTag(a)}, {mode: all}, {when: , mode: ~}]}\n",
            ),
            (
                "peers_unknown",
                "peers: {defaults: all, mode: []}\n---\npeers: {modes: [{whem: x, when: hasTag(a), mode: all, mode: paired}], modes: [], zzz: 1}\n",
            ),
            (
                "peers_syntax",
                "peers:\n  modes:\n    - {when: hasTag(a), mode: all}\n    - {when: hasTag(b), mode: [}\n    - {when: hasTag(c), mode: all}\n  default: all\n",
            ),
        ],
    );
}

#[test]
fn matrices() {
    check_all(
        "policy.yaml",
        &[
            (
                "matrices",
                "matrices:\n  team:\n    add_member: allow_if_admin\n    remove_member: \"any(allow_if_admin, hasTag(a))\"\n    update_metadata: { group_name: allow, \"*\": allow_if_admin, _x: deny }\n  7: {update_metadata: allow, odd: {a: b}}\n",
            ),
            (
                "matrices_wrong",
                "matrices: [team]\n---\nmatrices: team\n---\nmatrices: {a: allow, b: [add_member], c: {add_member: [allow], remove_member: deny, update_metadata: {name: [allow], x: {y: z}, z: allow}}}\n",
            ),
            (
                "matrices_duplicates",
                "matrices:\n  a: {add_member: deny, add_member: allow}\n  b: {update_metadata: {x: deny, \"*\": deny, x: allow, \"*\": allow}}\n  a: {}\n",
            ),
            (
                "matrices_star_without_quotes",
                "matrices:\n  a:\n    update_metadata:\n      name: allow\n      *: deny\n    add_member: deny\n  b: {update_metadata: {*: allow}}\n  c: {update_metadata: { * : allow}}\n  d: {add_member: allow}\n",
            ),
            (
                "matrices_syntax",
                "matrices:\n  a:\n    add_member: deny\n    remove_member: [\n  b:\n    add_member: any(deny\n    remove_member: all(deny, allow)\n  c: {add_member: allow}\n",
            ),
        ],
    );
}

#[test]
fn users_in_full() {
    check_all(
        "policy.yaml",
        &[
            (
                "users_in_full",
                "users:\n  alice: { tags: [Berlin], peers: contacts, permissions: { outgoing: false, video_call: hasTag(b) }, moderation: silenced,\n           approval: need_confirm, contacts: [bob, 5], favorites: [], paired: [true, 1.0], blocked: ['x y'], friends: [\"null\"] }\n  bob:\n    peers: 2\n    friends:\n      - alice\n      - 0x1F\n",
            ),
            (
                "users_say_nothing",
                "users:\n  a: {peers: , permissions: , moderation: ~, approval: null, contacts: , favorites: , paired: , blocked: , friends: }\n  b: {permissions: {}, tags: }\n  c: {permissions: {outgoing: }}\n",
            ),
            (
                "users_in_full_wrong",
                "users:\n  a: {peers: [all], permissions: [outgoing], moderation: {x: y}, approval: [z]}\n  b: {contacts: bob, favorites: {x: y}, paired: 5, blocked: [~, [x], {y: z}, ok], friends: [null]}\n  c: {permissions: {outgoing: [x], incoming: true}, friends: [d]}\n",
            ),
            (
                "users_in_full_unknown",
                "users:\n  a: {contact: [b], favourites: [c], friend: [d], zzz: 1, block: [e], moderated: x}\n  b: {permissions: {outgoing: true, outgoing: false}, friends: [c], friends: [d]}\n",
            ),
            (
                "users_in_full_syntax",
                "users:\n  a:\n    contacts: [x, y]\n    permissions: {outgoing: true, incoming: hasTag(a}\n    friends: [z]\n  b: {contacts: [x}\n  c: {friends: [z]}\n",
            ),
            (
                "users_in_full_aliases",
                "users:\n  a: {contacts: &l [x, y], favorites: *l}\n  b: &r {friends: *l, permissions: &p {outgoing: hasTag(a)}}\n  c: *r\n  d: {permissions: *p}\n",
            ),
        ],
    );
    check_all(
        "policy.json",
        &[(
            "json_users_in_full",
            "{\"users\": {\"a\": {\"peers\": 2, \"permissions\": {\"outgoing\": false, \"incoming\": \"hasTag(a)\", \"start_chat\": null}, \"contacts\": [\"b\", 5, true, null]}},\n \"conversations\": [[\"a\", \"b\"]], \"unknown_users\": \"deny\",\n \"matrices\": {\"m\": {\"update_metadata\": {\"*\": \"deny\"}}}, \"limits\": {\"friends\": 3000}}",
        )],
    );
}

#[test]
fn groups_and_conversations() {
    check_all(
        "policy.yaml",
        &[
            (
                "groups",
                "groups:\n  g1: { matrix: team, creator: alice, super_admins: [alice], admins: [bob, 2], members: [carol] }\n  2:\n    creator: 3\n    members:\n      - 4\n  g3: {super_admins: []}\n  g4: {muted: [a, 2], banned: [], requires: 'not(hasTag(a))'}\n",
            ),
            (
                "groups_wrong",
                "groups: [g1]\n---\ngroups: g1\n---\ngroups: {a: b, c: [d], e: {matrix: [x], creator: [y], super_admins: z, admins: {a: b}, members: [null, f]}, g: {muted: h, banned: {a: b}, requires: [i]}}\n",
            ),
            (
                "groups_unknown",
                "groups:\n  g: {superadmins: [a], admin: [b], member: [c], owner: d, matrixes: x, creator: a, creator: b}\n  h: {}\n  \"g\": {members: [x]}\n  h:\n",
            ),
            (
                "groups_syntax",
                "groups:\n  a: {members: [b, c}\n  d: {members: [e]}\n  f:\n    members: [g]\n    admins: [\n  h: {}\n",
            ),
            (
                "conversations",
                "conversations:\n  - [alice, bob]\n  - - 1\n    - true\n  - [a, a]\n",
            ),
            (
                "conversations_wrong",
                "conversations: {a: b}\n---\nconversations: a\n---\nconversations: [a, [], [b], [c, d, e], [f, null], [[g], h], {i: j}, null, [k, l]]\n",
            ),
            (
                "conversations_syntax",
                "conversations:\n  - [a, b]\n  - [c, d\n  - [e, f]\n  - [g, h}\n  - [i, j]\n",
            ),
            ("conversations_aliases", "conversations:\n  - &c [a, &b b]\n  - [*b, c]\n  - *c\n"),
        ],
    );
}

#[test]
fn keys_are_reported_to_repeat_however_many_there_are() {
    let keys: String = (0..1000).map(|n| format!("  k{n}: deny\n")).collect();
    let again = "  k999: allow\n";
    let records = format!("{}  k999: {{}}\n", keys.replace("deny", "{}"));
    for (text, what, code) in [
        (format!("permissions:\n{keys}{again}"), "setting", "duplicate-key"),
        (format!("matrices:\n m:\n{keys}{again}"), "permission", "duplicate-key"),
        (format!("matrices:\n{records}"), "matrix", "duplicate-matrix"),
        (format!("groups:\n{records}"), "group", "duplicate-group"),
        (format!("users:\n{records}"), "user", "duplicate-user"),
    ] {
        let listed = listing::list("a.yaml", text.as_bytes());
        let found = format!("duplicate {what} `k999` | ");
        assert_eq!(listed.matches(&found).count(), 1, "{listed}");
        assert_eq!(listed.matches(code).count(), 1, "{listed}");
    }
}

#[test]
fn a_policy_may_be_64_levels_deep_but_not_a_thousand() {
    let nested =
        |levels: usize| format!("x: {}{}\ntags: [a]\n", "[".repeat(levels), "]".repeat(levels));
    assert!(!listing::list("a.yaml", nested(120).as_bytes()).contains("too-deep"));
    let listed = listing::list("a.yaml", nested(1000).as_bytes());
    assert_eq!(listed.matches("too-deep 1:").count(), 1, "{listed}");
    assert!(listed.contains("deeper than 128 levels") && listed.contains("tags"), "{listed}");
    for open in ["[", "{a: ", "- ", "? ", "\"", "&a [", "!!seq ["] {
        let listed = listing::list("a.yaml", open.repeat(1_000_000).as_bytes());
        assert!(listed.lines().count() < 5, "{open}: {listed}");
    }
}

#[test]
fn aliases_are_limited() {
    let mut bomb = "tags: &a0 [lol, lol]\n".to_owned();
    for level in 1..40 {
        bomb +=
            &format!("x{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 10].join(", "));
    }
    let listed = listing::list("a.yaml", bomb.as_bytes());
    assert_eq!(listed.matches("too-many-aliases").count(), 1, "{listed}");
    assert!(listed.contains("more than 1000000 values"), "{listed}");
    let mut chain = "x0: &a0 [a]\n".to_owned();
    for level in 1..1000 {
        chain += &format!("x{level}: &a{level} [*a{}]\n", level - 1);
    }
    assert!(listing::list("a.yaml", chain.as_bytes()).contains("too-deep"));
    let many: String = (0..2000).map(|n| format!("  u{n}: *r\n")).collect();
    let listed =
        listing::list("a.yaml", format!("users:\n  u: &r {{tags: [a]}}\n{many}").as_bytes());
    assert_eq!(listed.lines().count(), 2001);
}

#[test]
fn the_number_of_syntax_errors_is_limited() {
    let listed = listing::list("a.yaml", format!("tags:\n{}", "- @a\n".repeat(100_000)).as_bytes());
    assert!((90..=100).contains(&listed.lines().count()), "{listed}");
    let unclosed = format!("users:\n{}", "  a: \"\n  b: '\n".repeat(20_000));
    listing::list("a.yaml", unclosed.as_bytes());
}

const SEED: &str = "tags: &t [Berlin, \"Munich\"]\nrules:\n  - name: 'a'\n    condition: hasTag(Berlin)\n    outcome: *t\n  - {condition: \"any(hasTag(a))\", outcome: [b]}\nusers:\n  \"2\": { tags: [Stuttgart] }\n  3:\n    tags:\n      - x\n---\nusers: {a: {}}\npreset: flip\npermissions: {video_call: \"any(hasTag(a), hasTag(b))\", outgoing: true}\npeers:\n  default: all\n  modes:\n    - {when: hasTag(a), mode: 3}\nmatrices:\n  team: {add_member: allow, update_metadata: {\"*\": deny, x: allow}}\ngroups:\n  g: {creator: a, members: [b, 3]}\nconversations:\n  - [a, b]\n";

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(text in "[\\[\\]{}:,\\-#&*!|>'\"%@`?<~ \t\r\na-c0é\u{feff}]{0,80}") {
        listing::list("a.yaml", text.as_bytes());
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        listing::list("a.json", &bytes);
    }

    #[test]
    fn a_damaged_policy_is_read_without_a_panic(
        edits in prop::collection::vec((0..SEED.len(), 0..12_usize, "[\\[\\]{}:,\\-\"'\n *&]{0,3}"), 1..4),
    ) {
        let mut text = SEED.to_owned();
        for (at, len, insert) in edits {
            let at = at.min(text.len());
            text.replace_range(at..(at + len).min(text.len()), &insert);
        }
        listing::list("a.yaml", text.as_bytes());
    }
}
