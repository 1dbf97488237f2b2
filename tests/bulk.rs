//! Users in bulk: what NDJSON and CSV mean, and what is said of mistakes in them.

#![allow(clippy::unwrap_used, reason = "a test may fail by it")]

mod listing;

use proptest::prelude::*;

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
        ("csv_no_id", b"ids,tags\n1,a\n2,b,c\n"),
        ("csv_semicolons", b"id;tags\n1;a\n"),
        ("csv_no_header", b"1,a\n2,b\n"),
    ];
    for (name, bytes) in cases {
        check(name, "users.csv", bytes);
    }
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
    use peerage::{diagnostic::Diagnostics, source, syntax};
    let notation = source::Notation::of(file).unwrap();
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
        records in prop::collection::vec(("[a-z ,\";é']{1,8}", prop::collection::vec("[A-Z,\"]{1,4}", 0..4)), 0..6),
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
}
