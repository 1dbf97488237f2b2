//! Users in bulk: what NDJSON and CSV mean, and what is said of mistakes in them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by it")]

use crate::support::listing;

use peerage::{
    compile,
    diagnostic::{Diagnostics, render_text},
    request::Switch,
    source, syntax,
};
use proptest::prelude::*;
use serde_json::Value;

fn check(name: &str, file: &str, bytes: &[u8]) {
    let listed = listing::list(file, bytes);
    let shown = String::from_utf8_lossy(bytes).replace('\r', "␍").replace('\0', "␀");
    let shown = shown.replace('\u{feff}', "<BOM>").replace('\t', "→");
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => true }, {
        insta::assert_snapshot!(name, format!("{}\n=====\n{listed}", shown.trim_end()));
    });
}

#[test]
fn ndjson() {
    let cases: &[(&str, &[u8])] = &[
        ("ndjson_empty", b""),
        (
            "ndjson_users",
            b"\xEF\xBB\xBF{\"id\": \"1\", \"tags\": [\"a\", \"b\"]}\n\n  {\"tags\":[],\"id\":2}  \r\n{\"id\":\"c\"}\n\t\n{\"id\":\"\\u00e9\\ud83d\\ude00\",\"tags\":[\"x\\/y\"]}\n{\"id\":1.50,\"tags\":null}",
        ),
        (
            "ndjson_malformed",
            b"{\"id\": \"1\", \"tags\": [\"a\"}\n{\"id\": \"2\"\n{\"id\": \"3\"} x\n{\"id\": 'x'}\n{'id': 1}\nhello\n{\"id\": \"\xC3\xA9\", oops}\n{\"id\": \"ok\"}\n{\"id\":\"\\ud83d\"}\n{\"id\": 01}\n",
        ),
        (
            "ndjson_wrong",
            b"[1]\n\"a\"\n{}\n{\"tags\": [\"a\"]}\n{\"id\": null}\n{\"id\": [\"a\"]}\n{\"id\": \"a\", \"tags\": \"a b\"}\n{\"id\": \"b\", \"tags\": [1, \"x\", {\"y\": [\"]\"]}, null]}\n{\"id\": \"c\", \"tagz\": {\"a\": [1, {}]}, \"tags\": [\"q\"]}\n{\"id\": \"d\", \"id\": \"e\", \"tags\": [], \"zz\": 1, \"zz\": 2}\n",
        ),
        (
            "ndjson_in_full",
            b"{\"id\": \"alice\", \"tags\": [\"a\"], \"peers\": \"contacts\", \"permissions\": {\"outgoing\": false, \"video_call\": \"any(hasTag(a), hasTag(b))\", \"incoming\": true}, \"moderation\": \"silenced\", \"approval\": \"need_confirm\", \"contacts\": [\"bob\", 5], \"favorites\": [], \"paired\": [1.0], \"blocked\": [\"x y\"], \"friends\": [\"null\", \"\\u00e9\"]}\n{\"friends\":[\"a\"],\"peers\":2,\"id\":\"b\"}\n",
        ),
        (
            "ndjson_says_nothing",
            b"{\"id\":\"a\",\"peers\":null,\"permissions\":null,\"moderation\":null,\"approval\":null,\"contacts\":null,\"favorites\":null,\"paired\":null,\"blocked\":null,\"friends\":null}\n{\"id\":\"b\",\"permissions\":{}}\n{\"id\":\"c\",\"permissions\":{\"outgoing\":null}}\n",
        ),
        (
            "ndjson_in_full_wrong",
            b"{\"id\":\"a\",\"peers\":[\"all\"],\"permissions\":[\"outgoing\"],\"moderation\":1,\"approval\":{\"x\":[1,{}]},\"contacts\":\"b c\",\"favorites\":{\"x\":1},\"paired\":5,\"blocked\":[null,[\"x\"],{\"y\":1},true,\"ok\"],\"friends\":[null]}\n{\"id\":\"b\",\"peers\":true,\"permissions\":{\"outgoing\":1,\"incoming\":[\"x\"],\"sing\":{\"a\":\"}\"},\"start_chat\":true},\"friends\":[\"c\"]}\n",
        ),
        (
            "ndjson_conditions",
            "{\"id\":\"é\",\"permissions\":{\"outgoing\":\"hasTag(a\",\"incoming\":\"\",\"start_chat\":\"hasTag(\\\"a\\\")\",\"voice_call\":\"\\u006eot(hasTag(a)\",\"video_call\":\"\\ud83d\",\"\\udc00\":true,\"x\":\" hasTag( ü )\"}}\n".as_bytes(),
        ),
        (
            "ndjson_duplicates",
            b"{\"id\":\"a\",\"peers\":1,\"permissions\":{\"outgoing\":null,\"outgoing\":true,\"outgoing\":{\"x\":1}},\"permissions\":{},\"friends\":[\"x\"],\"friends\":[\"y\"],\"peers\":[],\"contact\":[],\"favourites\":[]}\n",
        ),
        (
            "ndjson_bytes",
            b"{\"id\": \"a\"}\n{\"id\": \"\xFF\"}\n{\"id\": \"b\"}\n{\"id\": \"\0\"}\n{\"id\": \"c\"}\n",
        ),
    ];
    for (name, bytes) in cases {
        check(name, "users.ndjson", bytes);
    }
}

#[test]
fn csv() {
    let cases: &[(&str, &[u8])] = &[
        ("csv_empty", b""),
        ("csv_header_only", b"id,tags\n"),
        (
            "csv_users",
            b"\xEF\xBB\xBFtags , id\r\na b,1\r\n,2\r\n\r\n\"c d\",\"x, y\"\r\n\"e \"\"f\"\" g\",\"say \"\"hi\"\"\"\r\n  a   b ,4",
        ),
        (
            "csv_wrong",
            b"id,tags\n1,a,b\n2\n3,a b\n\"4,a\n5,\"a\"b\n6,a\"b\n7,\"\"\n\"8\nx\",a\n9,\xFF\n10,\0\n11,z\n",
        ),
        ("csv_unknown_columns", b"id,tag,tags,id,name\n1,,a,2,b\n"),
        (
            "csv_in_full",
            "friends,id,tags,peers,moderation,approval,contacts,favorites,paired,blocked, permissions.outgoing ,\"permissions.video_call\"\nb  c\t5,alice,a b, contacts ,silenced,need_confirm,\"b \"\"x\"\"\",,d,\"e, f\", true,\"any(hasTag(a), hasTag(b))\"\n,bob,,2,,,,,,,false,\n,é,\"\",\" \", ,\"\", \t,\" \",,,,\" \"\n".as_bytes(),
        ),
        (
            "csv_conditions",
            b"id,tags,permissions.incoming,permissions.outgoing\na,,hasTag(a,not(hasTag(b))\nb,,\"hasTag(\"\"a\"\")\",\"hasTag(\"\"a\"\"\"\nc,,True,\" any(hasTag(a), b c)\"\n",
        ),
        (
            "csv_columns_wrong",
            b"id,tags,permissions.outgoin,permissions,outgoing,friend,peers,permissions.,peers,,Tags,permissions.incoming,permissions.incoming\na,b,1,2,3,4,5,6,7,8,9,true,false\n",
        ),
        ("csv_no_id", b"ids,tags\n1,a\n2,b,c\n"),
        ("csv_semicolons", b"id;tags\n1;a\n"),
        ("csv_no_header", b"1,a\n2,b\n"),
    ];
    for (name, bytes) in cases {
        check(name, "users.csv", bytes);
    }
}

#[test]
fn a_table_has_a_column_for_each_permission() {
    for switch in Switch::ALL {
        let table = format!("id,tags,permissions.{switch}\na,,true\n");
        let listed = listing::list("users.csv", table.as_bytes());
        assert!(
            listed.contains(&format!("permissions={{ \"{switch}\"@1:21=true@2:4+4")),
            "{listed}"
        );
        assert_eq!(listed.lines().count(), 1, "{listed}");
    }
}

/// The policy that tables of these tests are part of.
const DECLARED: &str = "
audience family: sharesTag(family-*);
action mention: send_message;
permissions { mention: hasTag(staff); }
";

fn built(name: &str, users: &str) -> compile::BuildOutput {
    let sources = [("policy.peerage", DECLARED), (name, users)].map(|(name, text)| {
        source::Source::new(name, source::Notation::from_file_name(name).unwrap(), text)
    });
    compile::build(&source::Sources::new(sources.into()).into(), None)
}

/// What users accept, and their switches of declared actions, mean the same in all notations.
#[test]
fn tables_and_lines_have_audiences_and_switches_of_declared_actions() {
    let users = [
        (
            "users.peerage",
            "user a { tags: [staff]; permissions { mention: false; } accepts { start_chat: family; mention: nobody; } }
             user b { tags: []; permissions { mention: any(hasTag(staff), hasTag(b)); outgoing: false; } }
             user c { tags: []; accepts { view_profile: contacts; } }",
        ),
        (
            "users.csv",
            "id,tags,permissions.mention,permissions.outgoing,accepts.start_chat,accepts.mention,accepts.view_profile
             a,staff,false,,family,nobody,
             b,,\"any(hasTag(staff), hasTag(b))\",false,,,
             c,,,,,,contacts",
        ),
        (
            "users.ndjson",
            r#"{"id":"a","tags":["staff"],"permissions":{"mention":false},"accepts":{"start_chat":"family","mention":"nobody"}}
             {"id":"b","tags":[],"permissions":{"mention":"any(hasTag(staff), hasTag(b))","outgoing":false}}
             {"id":"c","tags":[],"accepts":{"view_profile":"contacts"}}"#,
        ),
    ];
    let revisions = users.map(|(name, users)| {
        let outcome = built(name, &users.replace("\n             ", "\n"));
        let shown = render_text(&outcome.report, false);
        outcome.view.unwrap_or_else(|| panic!("{name}: {shown}")).revision
    });
    assert_eq!(revisions[0], revisions[1]);
    assert_eq!(revisions[0], revisions[2]);
}

#[test]
fn a_column_of_an_action_that_there_is_not_is_reported_once() {
    let table = "id,tags,permissions.menton,accepts.start_caht,accepts.block,accepts.mention\n\
                 a,,true,nobody,nobody,famly\n\
                 b,,false,nobody,nobody,family\n\
                 c,,hasTag(b),nobody,nobody,\n";
    let shown = render_text(&built("users.csv", table).report, false);
    for (message, hint) in [
        ("`permissions` has no field `menton`", "did you mean `mention`?"),
        ("unknown action `start_caht`", "did you mean `start_chat`?"),
        ("`block` reaches no other user", "expected one of"),
        ("no audience `famly`", "did you mean `family`?"),
    ] {
        assert_eq!(shown.matches(message).count(), 1, "{message}\n{shown}");
        assert!(shown.contains(hint), "{hint}\n{shown}");
    }
    assert!(shown.ends_with("4 errors\n"), "{shown}");
    // A name that no action can have, and columns without their prefix.
    let shown =
        render_text(&built("users.csv", "id,tags,accepts.,accepts.a b,start_chat\n").report, false);
    assert!(shown.contains("did you mean `permissions.start_chat`?"), "{shown}");
    assert!(
        shown.contains("no columns \"accepts.\", \"accepts.a b\"") || shown.contains("no column"),
        "{shown}"
    );
}

#[test]
fn a_deep_line_is_one_problem() {
    let deep = format!("{}\n{{\"id\": \"a\"}}\n", "[".repeat(1_000_000));
    let listed = listing::list("users.ndjson", deep.as_bytes());
    assert!(listed.starts_with("user \"a\"") && listed.lines().count() == 2, "{listed}");
    let closed =
        format!("{{\"id\":\"b\",\"x\":{}{}}}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    let listed = listing::list("users.ndjson", closed.as_bytes());
    assert!(listed.contains("unknown-field") && listed.lines().count() == 2, "{listed}");
}

#[test]
fn of_very_many_problems_the_first_are_kept() {
    let listed = listing::list("users.ndjson", "{\n".repeat(1_000_000).as_bytes());
    assert!(listed.contains("and 990000 more"), "{}", listed.lines().count());
}

/// What `serde_json` makes of a line, or `None`.
fn expected(line: &str) -> Option<(String, Vec<String>)> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Record {
        id: String,
        tags: Option<Vec<String>>,
    }
    let record: Record = serde_json::from_str(line).ok()?;
    Some((record.id, record.tags.unwrap_or_default()))
}

fn read(file: &str, bytes: &[u8]) -> (Vec<(String, Vec<String>)>, bool) {
    let notation = source::Notation::from_file_name(file).unwrap();
    let sources = source::Sources::single(file, notation, bytes);
    let mut problems = Diagnostics::default();
    let mut users = Vec::new();
    for bulk in syntax::parse(&sources, &mut problems).bulk {
        bulk.users(&mut problems, &mut |user, _| {
            let tags = user.tags.map(|tags| tags.value).unwrap_or_default();
            let tags = tags.into_iter().map(|tag| tag.value.into_owned()).collect();
            users.push((user.id.value.into_owned(), tags));
        });
    }
    (users, problems.has_errors())
}

/// All that a user's record says, without places.
fn plain(user: &syntax::ast::User<'_>) -> String {
    let list = |list: &Option<syntax::ast::List<'_>>| {
        list.as_ref()
            .map(|list| list.value.iter().map(|text| text.value.to_string()).collect::<Vec<_>>())
    };
    let more = user.more.as_deref().cloned().unwrap_or_default();
    let mut permissions: Vec<_> = more
        .permissions
        .iter()
        .map(|setting| (setting.key.value.to_string(), syntax::print::condition(&setting.value)))
        .collect();
    permissions.sort();
    let words = [&more.peers, &more.moderation, &more.approval];
    let lists =
        [&user.tags, &more.contacts, &more.favorites, &more.paired, &more.blocked, &more.friends];
    format!(
        "{} {permissions:?} {:?} {:?}",
        user.id.value,
        words.map(|word| word.as_ref().map(|word| word.value.to_string())),
        lists.map(list),
    )
}

fn users_of(file: &str, bytes: &[u8]) -> (Vec<String>, bool) {
    let notation = source::Notation::from_file_name(file).unwrap();
    let sources = source::Sources::single(file, notation, bytes);
    let mut problems = Diagnostics::default();
    let mut users = Vec::new();
    let ast = syntax::parse(&sources, &mut problems);
    for item in &ast.items {
        if let syntax::ast::Item::User(user) = item {
            users.push(plain(user));
        }
    }
    for bulk in ast.bulk {
        bulk.users(&mut problems, &mut |user, _| users.push(plain(&user)));
    }
    (users, problems.has_errors())
}

const WORDS: [&str; 3] = ["peers", "moderation", "approval"];
const LISTS: [&str; 6] = ["tags", "contacts", "favorites", "paired", "blocked", "friends"];

/// Some fields of a record, as JSON; lists are never empty, as no table can hold an empty one.
fn record() -> impl Strategy<Value = serde_json::Map<String, Value>> {
    let word = prop::option::of(r#"[a-z0-9"\\é]{1,4}"#.prop_map(Value::from));
    // A comma in a cell of tags is reported as a mistake.
    let list = |text: &'static str| {
        prop::option::of(prop::collection::vec(text, 1..9).prop_map(Value::from))
    };
    let tags = list(r#"[a-z"\\é]{1,4}"#);
    let list = list(r#"[a-z,"\\é]{1,4}"#);
    let switch = prop::option::of(prop_oneof![
        any::<bool>().prop_map(Value::from),
        Just("any(hasTag(a), not(hasTag(b)))".into()),
        Just("hasTag(\"a\")".into()),
    ]);
    let words = prop::collection::vec(word, WORDS.len());
    let lists =
        (tags, prop::collection::vec(list, LISTS.len() - 1)).prop_map(|(tags, mut lists)| {
            lists.insert(0, tags);
            lists
        });
    let switches = prop::collection::vec(switch, Switch::COUNT);
    (words, lists, switches).prop_map(|(words, lists, switches)| {
        let fields = WORDS.iter().zip(words).chain(LISTS.iter().zip(lists));
        let mut record: serde_json::Map<_, _> = fields
            .filter_map(|(name, value)| value.map(|value| ((*name).to_owned(), value)))
            .collect();
        let permissions: serde_json::Map<_, _> = Switch::ALL
            .iter()
            .zip(switches)
            .filter_map(|(switch, value)| value.map(|value| (switch.as_str().to_owned(), value)))
            .collect();
        if !permissions.is_empty() {
            record.insert("permissions".to_owned(), permissions.into());
        }
        record
    })
}

/// A cell of a table that says what the value does.
fn cell(value: Option<&Value>) -> String {
    match value {
        None => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(list)) => {
            list.iter().map(|text| text.as_str().unwrap()).collect::<Vec<_>>().join(" ")
        }
        Some(other) => other.to_string(),
    }
}

proptest! {
    #[test]
    fn all_notations_read_the_same_users(records in prop::collection::vec(record(), 1..5)) {
        let mut lines = String::new();
        let mut users = serde_json::Map::new();
        let mut table = csv::Writer::from_writer(Vec::new());
        let header = ["id"].iter().chain(&WORDS).chain(&LISTS).map(|&name| name.to_owned());
        let switches = Switch::ALL.iter().map(|switch| format!("permissions.{}", switch.as_str()));
        table.write_record(header.chain(switches)).unwrap();
        for (n, record) in records.iter().enumerate() {
            let mut line = record.clone();
            line.insert("id".to_owned(), format!("u{n}").into());
            lines.push_str(&Value::from(line).to_string());
            lines.push('\n');
            users.insert(format!("u{n}"), record.clone().into());
            let fields = WORDS.iter().chain(&LISTS).map(|name| cell(record.get(*name)));
            let switches = Switch::ALL.iter().map(|switch| {
                cell(record.get("permissions").and_then(|given| given.get(switch.as_str())))
            });
            table.write_record([format!("u{n}")].into_iter().chain(fields).chain(switches)).unwrap();
        }
        let listed = users_of("users.ndjson", lines.as_bytes());
        prop_assert!(!listed.1 && listed.0.len() == records.len(), "{:?}", listed);
        prop_assert_eq!(&users_of("users.csv", &table.into_inner().unwrap()), &listed);
        let policy = serde_json::json!({ "users": users }).to_string();
        prop_assert_eq!(&users_of("users.json", policy.as_bytes()), &listed);
    }
}

proptest! {
    #[test]
    fn ndjson_agrees_with_serde(
        line in r#" ?\{ ?"(id|tags|i\\u0064)" ?: ?("[a-c\\"/é\[\]]{0,4}"|\["a", ?"b\\"\]?"\]|null) ?(, ?"(id|tags)" ?: ?("x"|\[("a"(,"b")?)?\]))? ?\} ?"#,
    ) {
        let (users, failed) = read("users.ndjson", line.as_bytes());
        match expected(&line) {
            Some(user) => prop_assert_eq!((users, failed), (vec![user], false)),
            None => prop_assert!(failed, "{}", line),
        }
    }

    #[test]
    fn csv_agrees_with_a_writer(
        records in prop::collection::vec(("[a-z ,\";é']{1,8}", prop::collection::vec("[A-Z\"]{1,4}", 0..4)), 0..6),
    ) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["id", "tags"]).unwrap();
        for (id, tags) in &records {
            writer.write_record([id, &tags.join(" ")]).unwrap();
        }
        let bytes = writer.into_inner().unwrap();
        prop_assert_eq!(read("users.csv", &bytes), (records, false));
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        listing::list("users.ndjson", &bytes);
        listing::list("users.csv", &bytes);
    }

    #[test]
    fn any_line_is_read_without_a_panic(line in "[{}\\[\\]:,\"\\\\a-c01 idtags\nué]{0,60}") {
        listing::list("users.ndjson", line.as_bytes());
        listing::list("users.csv", format!("id,tags\n{line}").as_bytes());
    }

    #[test]
    fn a_damaged_record_is_read_without_a_panic(
        edits in prop::collection::vec((0..RECORD.len(), 0..12_usize, "[\\[\\]{}:,\"\\\\ ]{0,3}"), 1..4),
    ) {
        let mut text = RECORD.to_owned();
        for (at, len, insert) in edits {
            let at = at.min(text.len());
            text.replace_range(at..(at + len).min(text.len()), &insert);
        }
        listing::list("users.ndjson", text.as_bytes());
        listing::list("users.csv", format!("id,tags,permissions.outgoing,peers\n{text}").as_bytes());
    }
}

const RECORD: &str = r#"{"id": "a", "peers": 2, "permissions": {"outgoing": "any(hasTag(\"a\"), not(b))", "x": true}, "friends": ["a", 1.5, null], "approval": "x"}"#;
