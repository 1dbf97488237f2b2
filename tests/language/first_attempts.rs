//! First attempts of new authors: each mistake is reported once, with the correct form.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by it")]

use peerage::{
    compile,
    diagnostic::{Code, Severity},
    source::{Notation, Sources},
};

/// A file, what is said to be wrong with it, and what of the help is looked at.
struct Case(&'static str, &'static str, &'static str, &'static str);

const EVERYONE: &str = "write `everyone` for all users";
const NOBODY: &str = "write `nobody` for no user";
const ALL_USERS: &str = "for an outcome, write `everyone` without brackets";
const DENY: &str = "rules only allow";

#[test]
fn conditions() {
    let reported = "expected a condition, found the word";
    check(&[
        Case("a.yaml", "rules: [{ condition: true, outcome: [A] }]", reported, EVERYONE),
        Case("a.yaml", "rules: [{ condition: Everyone, outcome: [A] }]", reported, EVERYONE),
        Case("a.yaml", "rules: [{ condition: false, outcome: [A] }]", reported, NOBODY),
        Case("a.yaml", "rules: [{ condition: none, outcome: [A] }]", reported, NOBODY),
        Case("a.yaml", "rules: [{ condition: '*', outcome: [A] }]", "found `*`", EVERYONE),
        Case(
            "a.yaml",
            "rules:\n  - condition: *\n    outcome: [A]",
            "can't begin with `*`",
            EVERYONE,
        ),
        Case(
            "a.yaml",
            "rules: [{ condition: all(), outcome: [A] }]",
            "all() has no arguments",
            EVERYONE,
        ),
        Case(
            "a.yaml",
            "rules: [{ condition: any(), outcome: [A] }]",
            "any() has no arguments",
            NOBODY,
        ),
        Case("a.yaml", "rules: [{ condition: staff, outcome: [A] }]", reported, "hasTag(staff)"),
        Case(
            "a.yaml",
            "rules: [{ condition: not hasTag(A), outcome: [A] }]",
            "expected `(`",
            "not(hasTag(A))",
        ),
        Case("a.peerage", "rule: true -> [A];", reported, EVERYONE),
        Case("a.peerage", "rule: all() -> [A];", "all() has no arguments", EVERYONE),
        Case("a.peerage", "rule: not hasTag(A) -> [A];", "expected `->`", "not(hasTag(A))"),
        Case(
            "a.peerage",
            "rule: hasTag(New York) -> [A];",
            "a tag has no blanks",
            "join the words",
        ),
        Case(
            "a.yaml",
            "matrices: { m: { add_member: all() } }",
            "all() has no arguments",
            "write `allow`",
        ),
    ]);
}

#[test]
fn tags_that_need_quotes() {
    let cases = [
        ("hasTag(a:b) -> [A]", "found `:`", "because of its `:`: `\"a:b\"`"),
        ("hasTag(a/b) -> [A]", "found `/`", "because of its `/`: `\"a/b\"`"),
        ("hasTag(/a) -> [A]", "found `/", "because of its `/`: `\"/a\"`"),
        ("hasTag(a:b/c.d) -> [A]", "found `:`", "`\"a:b/c.d\"`"),
        ("any(hasTag(x), hasTag(a:b)) -> [A]", "found `:`", "`\"a:b\"`"),
        ("hasTag(A) -> [B, a:b]", "found `:`", "because of its `:`: `\"a:b\"`"),
        ("hasTag(A) -> [a/b]", "found `/`", "because of its `/`: `\"a/b\"`"),
        ("hasTag('a:b') -> [A]", "straight double quotes", "write `\"a:b\"`"),
        ("hasTag('a/b') -> [A]", "straight double quotes", "write `\"a/b\"`"),
        ("hasTag(A) -> ['a:b']", "straight double quotes", "write `\"a:b\"`"),
    ];
    for (rule, reported, help) in cases {
        let text = format!("rule: {rule};").leak();
        check(&[Case("a.peerage", text, reported, help)]);
    }
    let yaml = "rules: [{ condition: 'hasTag(a:b)', outcome: ['a:b'] }]";
    check(&[
        Case("a.yaml", yaml, "found `:`", "because of its `:`: `\"a:b\"`"),
        Case("a.peerage", "user u { tags: [a:b]; }", "found `:`", "`\"a:b\"`"),
        Case("a.peerage", "tags: [a/b];", "found `/`", "`\"a/b\"`"),
        Case("a.peerage", "protected_tags: [a:*];", "found `:`", "`\"a:*\"`"),
    ]);
}

#[test]
fn outcomes() {
    check(&[
        Case("a.yaml", "rules: [{ condition: hasTag(A), outcome: ['*'] }]", "not `*`", ALL_USERS),
        Case(
            "a.yaml",
            "rules: [{ condition: hasTag(A), outcome: '*' }]",
            "a list of tags or a condition",
            "write `outcome: everyone` for all users",
        ),
        Case(
            "a.yaml",
            "rules: [{ condition: hasTag(A), outcome: all }]",
            "a list of tags or a condition",
            "write `outcome: everyone` for all users",
        ),
        Case(
            "a.yaml",
            "rules:\n  - condition: hasTag(A)\n    outcome: *",
            "can't begin with `*`",
            ALL_USERS,
        ),
        Case(
            "a.yaml",
            "rules: [{ condition: hasTag(A), outcome: none }]",
            "a list of tags or a condition",
            "write `outcome: nobody` for no user",
        ),
        Case(
            "a.yaml",
            "rules: [{ condition: hasTag(A), outcome: Stuttgart }]",
            "a list of tags or a condition",
            "put a list in square brackets: `[Stuttgart]`",
        ),
        Case(
            "a.yaml",
            "rules: [{ condition: hasTag(A), outcome: friend }]",
            "a list of tags or a condition",
            "what is between two users goes to `between`",
        ),
        Case("a.peerage", "rule: hasTag(A) -> all;", "found `all`", "write `-> everyone`"),
        Case("a.peerage", "rule: hasTag(A) -> Berlin;", "found `Berlin`", "brackets: `[Berlin]`"),
        Case("a.peerage", "rule: hasTag(A) -> B, C;", "found `,`", "square brackets: `[A, B]`"),
        Case(
            "a.json",
            r#"{"rules": [{"condition": "hasTag(A)", "outcome": ["*"]}]}"#,
            "not `*`",
            ALL_USERS,
        ),
        Case("a.peerage", "rule: hasTag(A) -> ['*'];", "found `'*'`", ALL_USERS),
        Case("a.peerage", "rule: hasTag(A) -> [\"*\"];", "not `*`", ALL_USERS),
        Case("a.peerage", "rule: hasTag(A) -> [*];", "found `*`", ALL_USERS),
        Case("a.peerage", "rule: hasTag(A) -> *;", "found `*`", ALL_USERS),
        Case("a.peerage", "rule: hasTag(A) -> [New York];", "missing `,`", "a tag has no blanks"),
    ]);
}

#[test]
fn denials() {
    check(&[
        Case(
            "a.yaml",
            "deny: [{ condition: hasTag(A), outcome: [A] }]",
            "unknown section `deny`",
            DENY,
        ),
        Case(
            "a.yaml",
            "barriers: [{ between: [hasTag(A), hasTag(B)] }]",
            "the barrier has no `name`",
            "add `name: ...`",
        ),
        Case("a.yaml", "rules: [{ condition: hasTag(A), deny: [A] }]", "no field `deny`", DENY),
        Case("a.yaml", "rules: [{ deny: hasTag(A), outcome: [A] }]", "no field `deny`", DENY),
        Case("a.yaml", "rules: [{ deny: hasTag(A) }]", "no field `deny`", DENY),
        Case(
            "a.yaml",
            "rules: [{ condition: hasTag(A), outcome: [A], effect: deny }]",
            "`effect`",
            DENY,
        ),
        Case("a.peerage", "deny: hasTag(A) -> [A];", "unknown section `deny`", DENY),
        Case("a.peerage", "barrier \"x\": hasTag(A) -> [A];", "found `[`", "two conditions"),
        Case("a.peerage", "barriers \"x\": hasTag(A) -> [A];", "section `barriers`", "`barrier`"),
        Case(
            "a.yaml",
            "allow: [{ condition: hasTag(A), outcome: [A] }]",
            "section `allow`",
            "`rules`",
        ),
    ]);
}

#[test]
fn switches() {
    let reported = "expected `true`, `false` or a condition, found the word";
    check(&[
        Case(
            "a.yaml",
            "permissions: { create_group: 'no' }",
            reported,
            "write `false` for nobody; `hasTag(no)`",
        ),
        Case("a.yaml", "permissions: { create_group: none }", reported, "write `false`"),
        Case(
            "a.yaml",
            "permissions: { create_group: 'yes' }",
            reported,
            "write `true` for everyone",
        ),
        Case(
            "a.yaml",
            "users: { a: { permissions: { outgoing: off } } }",
            reported,
            "write `false`",
        ),
        Case("a.peerage", "permissions { create_group: no; }", reported, "write `false`"),
        Case("a.yaml", "permissions: { create_group: staff }", reported, "hasTag(staff)"),
    ]);
}

#[test]
fn layout() {
    check(&[
        Case(
            "a.yaml",
            "rules:\n- name: x\ncondition: hasTag(A)\noutcome: [A]\n\nusers: {}\n",
            "the rule's field `condition` is not indented",
            "indent it",
        ),
        Case(
            "a.yaml",
            "rules:\n  - name: x\n    condition: hasTag(A)\noutcome: [A]\n",
            "the rule's field `outcome` is not indented",
            "indent it",
        ),
        Case(
            "a.yaml",
            "rules:\n  - condition: hasTag(A)\n    outcome: [A]\ndescription: y\n",
            "`description` is a field of a rule, not a section",
            "indent it",
        ),
        Case(
            "a.yaml",
            "rules:\n  - name: x\n  condition: hasTag(A)\n  outcome: [A]\n",
            "expected another `- ` item",
            "like the text after its `- `",
        ),
        Case("a.peerage", "rule my rule: hasTag(A) -> [A];", "expected", "`rule \"my rule\"`"),
        Case(
            "a.peerage",
            "rule staff to all: hasTag(A) -> [A];",
            "expected",
            "`rule \"staff to all\"`",
        ),
        Case("a.peerage", "user bob smith { tags: [A]; }", "expected", "`user \"bob smith\"`"),
        Case("a.peerage", "group the team { matrix: open; }", "expected", "`group \"the team\"`"),
    ]);
}

#[test]
fn other_notations() {
    let statements =
        "tags: [A, B];\n\nrule \"x\": any(hasTag(A), hasTag(B)) -> [A];\n\nuser a { tags: [A]; }\n";
    let sections = "rules:\n  - name: x\n    condition: hasTag(A)\n    outcome: [A]\n";
    check(&[
        Case(
            "a.yaml",
            statements,
            "the file is written in the DSL, not in YAML",
            "ends in `.peerage`",
        ),
        Case(
            "a.yaml",
            "// staff\nuser a {\n  tags: [A];\n}\n",
            "the file is written in the DSL",
            "--from dsl --to yaml",
        ),
        Case("a.json", statements, "the file is not JSON", "`.peerage` if it is the DSL"),
        Case(
            "a.peerage",
            sections,
            "the file is written in YAML, not in the DSL",
            "ends in `.yaml`",
        ),
        Case(
            "a.peerage",
            "# who\ntags: [A]\nusers:\n  a:\n    tags: [A]\n",
            "the file is written in YAML",
            "--to dsl",
        ),
        Case(
            "a.peerage",
            "{\"tags\": [\"A\"]}",
            "the file is written in JSON, not in the DSL",
            "ends in `.json`",
        ),
        Case("a.json", sections, "the file is not JSON", "`.yaml` if it is YAML"),
        Case("a.json", "# who\ntags: [A]\n", "the file is not JSON", "`.yaml` if it is YAML"),
    ]);
}

#[test]
fn comments() {
    check(&[
        Case("a.peerage", "/* a\n \"b */\nrule: hasTag(A) -> [A];", "`/*` does not begin", "`//`"),
        Case("a.peerage", "rule: hasTag(A) /* b */ -> [A];", "`/*` does not begin", "`//`"),
        Case("a.peerage", "user a {\n  /* b */\n  tags: [A];\n}", "`/*` does not begin", "`//`"),
        Case("a.peerage", "rule: hasTag(A) -> [A]; /* b", "`/*` does not begin", "`//`"),
        Case("a.peerage", "# a\nrule: hasTag(A) -> [A];", "found `#`", "`//`"),
        Case("a.yaml", "/* a */\nrules: []\n", "not a comment in YAML", "with `#`"),
        Case("a.yaml", "/* a\n b */\nrules: []\nusers: {}\n", "not a comment in YAML", "with `#`"),
        Case("a.yaml", "// a\nrules: []\n", "not a comment in YAML", "with `#`"),
        Case("a.yaml", "// a: b\nrules: []\n", "not a comment in YAML", "with `#`"),
        Case("a.yaml", "// a\n", "not a comment in YAML", "with `#`"),
    ]);
}

#[test]
fn tags() {
    check(&[
        Case("a.yaml", "tags: [München]", "a tag holds A to Z, a to z, 0 to 9", ""),
        Case("a.peerage", "tags: [München];", "not `ü`", ""),
        Case("a.yaml", "tags: [New York]", "not ` `", "write `New_York`"),
        Case("a.yaml", "users: { a: { tags: ['A, B'] } }", "not `,`", "`[A, B]`"),
    ]);
}

#[test]
fn tables() {
    check(&[
        Case("a.csv", "id;tags\na;A\n", "separated by semicolons, not by commas", "`id,tags`"),
        Case("a.csv", "id\ttags\na\tA\n", "separated by tabs, not by commas", "`id,tags`"),
        Case("a.csv", "Nr;Name\n1;A\n", "separated by semicolons", "begin with the line `id,tags`"),
        Case("a.csv", "ID,Tags,Peers\na,A,\n", "must be in lower case", "`id,tags,peers`"),
        Case(
            "a.csv",
            "id,name,office,email,tags\na,b,c,d,A\n",
            "no columns `name`, `office`, `email`",
            "leave them out",
        ),
        Case("a.csv", "id,name,tags\na,b,A\n", "no column `name`", "leave them out"),
        Case(
            "a.csv",
            "user_id,tags\na,A\n",
            "no column `id`",
            "rename the one with the users' ids to `id`",
        ),
        Case("a.csv", "id,taggs\na,A\n", "no column `taggs`", "did you mean `tags`?"),
        Case(
            "a.csv",
            "id,tags\na,\"A,B\"\nb,\"B, C\"\n",
            "must be separated by blanks",
            "write `A B`",
        ),
        Case("a.csv", "id,tags\na,A;B\nb,B|C\n", "must be separated by blanks", "write `A B`"),
        Case("a.csv", "id,tags\na,A,B\n", "3 fields, but the header has 2", "in quotes"),
        Case("a.csv", "a,A\n", "no header", "begin with the line `id,tags`"),
    ]);
}

#[test]
fn other_encodings() {
    let units = |text: &str, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    };
    let texts = [
        ("a.yaml", "tags: [A]\nusers: { a: { tags: [A] } }\n"),
        ("a.json", "{\"tags\": [\"A\"]}\n"),
        ("a.peerage", "tags: [A];\nuser a { tags: [A]; }\n"),
        ("a.csv", "id,tags\na,A\nb,A\n"),
        ("a.ndjson", "{\"id\": \"a\"}\n{\"id\": \"b\"}\n"),
    ];
    for (name, text) in texts {
        let marked = format!("\u{feff}{text}");
        for (bytes, encoding) in [
            (units(&marked, u16::to_le_bytes), "UTF-16 "),
            (units(&marked, u16::to_be_bytes), "UTF-16 "),
            (units(text, u16::to_le_bytes), "UTF-16LE "),
            (units(text, u16::to_be_bytes), "UTF-16BE "),
        ] {
            let reported = reported(name, &bytes);
            let hint = format!("iconv -f {encoding}-t UTF-8");
            let [(code, message, help)] = reported.as_slice() else {
                panic!("{name}: {reported:?}")
            };
            assert_eq!(
                (*code, message.as_str()),
                (Code::InvalidUtf8, "the file is UTF-16, not UTF-8")
            );
            assert!(help.contains(&hint), "{name}: {help}");
        }
    }
}

fn check(cases: &[Case]) {
    for Case(name, text, message, hint) in cases {
        let reported = reported(name, text.as_bytes());
        let [(_, found, help)] = reported.as_slice() else {
            panic!("{name}: {text}\n{reported:#?}")
        };
        assert!(found.contains(message), "{name}: {text}\n{found}");
        assert!(help.contains(hint), "{name}: {text}\n{found}\n{help}");
    }
}

/// The errors of a file: codes, messages and hints.
fn reported(name: &str, bytes: &[u8]) -> Vec<(Code, String, String)> {
    let notation = Notation::from_file_name(name).unwrap();
    let sources = Sources::single(name, notation, bytes);
    let report = compile::build(&sources.into(), None).report;
    let errors = report.diagnostics.into_iter().filter(|found| found.severity == Severity::Error);
    errors.map(|found| (found.code, found.message, found.hint.unwrap_or_default())).collect()
}
