//! The columns of the table that one command or one reload shows.

use std::fmt::Write as _;

use peerage::Engine;
use serde_json::{Value, json};

use super::{Cell, Makes, Policy, Question, Row, column, expect};
use crate::support::json_schema::{validator, violations};

fn codes(checked: &Value) -> Vec<&str> {
    let found = checked["diagnostics"].as_array().unwrap();
    found.iter().map(|it| it["code"].as_str().unwrap()).collect()
}

/// The policy with a mistake in it.
fn mistaken(row: &Row) -> String {
    let (part, instead, _) = row.mistake;
    let text = row.text(row.with);
    assert!(text.contains(part), "{}: {part} is not in\n{text}", row.name);
    text.replacen(part, instead, 1)
}

#[test]
fn decide() {
    column(|row| {
        let (policy, without) = (Policy::with(row), Policy::without(row));
        let allowed = policy.decide(&Question::of(row.allowed.0));
        let obligations = allowed.get("obligations").cloned().unwrap_or(json!([]));
        let is_so = allowed["decision"] == true && obligations == json!(row.allowed.1);
        expect(is_so, || format!("{}: {allowed:#}", row.allowed.0))?;
        let refused = policy.decide(&Question::of(row.refused.0));
        let is_so = refused["decision"] == false && refused["reason"] == row.refused.1;
        expect(is_so, || format!("{}: {refused:#}", row.refused.0))?;
        let made = without.decide(&row.made());
        let is_other = made["decision"] == (row.makes == Makes::Refused);
        expect(is_other, || format!("without it: {made:#}"))
    });
}

#[test]
fn check() {
    column(|row| {
        for policy in [Policy::with(row), Policy::without(row)] {
            let checked = policy.json(&["check", "policy.yaml"]);
            let found = codes(&checked);
            expect(found.is_empty(), || format!("{checked:#}"))?;
        }
        let checked = Policy::yaml(&mistaken(row)).json(&["check", "policy.yaml"]);
        let found = codes(&checked);
        let code = row.mistake.2;
        expect(checked["errors"] != 0 && found.contains(&code), || format!("{code}: {found:?}"))?;
        let Cell::Is((statement, code)) = row.lint else { return Ok(()) };
        let checked = Policy::yaml(&row.text(statement)).json(&["check", "policy.yaml"]);
        let found = codes(&checked);
        expect(checked["errors"] == 0 && found.contains(&code), || format!("{checked:#}"))
    });
}

#[test]
fn fmt() {
    column(|row| {
        let policy = Policy::with(row);
        let dsl = policy.print(&["fmt", "--to", "dsl", "policy.yaml"]);
        expect(dsl.contains(row.dsl), || format!("no {}\n{dsl}", row.dsl))?;
        policy.write("other.peerage", &dsl);
        let yaml = policy.print(&["fmt", "--to", "yaml", "other.peerage"]);
        policy.write("again.yaml", &yaml);
        let again = policy.print(&["fmt", "--to", "dsl", "again.yaml"]);
        expect(again == dsl, || format!("{dsl}\n{again}"))?;
        let digests = ["policy.yaml", "other.peerage", "again.yaml"].map(|it| policy.digest(it));
        expect(digests.iter().all(|it| *it == digests[0]), || format!("{digests:?}\n{dsl}\n{yaml}"))
    });
}

#[test]
fn compile() {
    column(|row| {
        let listed = Policy::with(row).print(&["compile", "policy.yaml"]);
        expect(listed.contains(row.compiled), || format!("no {}\n{listed}", row.compiled))?;
        let without = Policy::without(row).print(&["compile", "policy.yaml"]);
        expect(!without.contains(row.compiled), || format!("without it:\n{without}"))
    });
}

#[test]
fn schema() {
    let schema = Policy::yaml("").print(&["schema"]);
    let schema = validator(&serde_json::from_str(&schema).unwrap());
    column(|row| {
        let options = serde_saphyr::options! { strict_booleans: true };
        let read = |text: &str| -> Value {
            serde_saphyr::from_str_with_options(text, options.clone()).unwrap()
        };
        let found = violations(&schema, &read(&row.text(row.with)));
        expect(found.is_empty(), || format!("{found:#?}"))?;
        let finds = !violations(&schema, &read(&mistaken(row))).is_empty();
        expect(finds == row.schema_finds.reason().is_none(), || format!("finds it: {finds}"))
    });
}

/// The parts of an expectation.
fn expectation(question: &Question<'_>, allow: bool) -> String {
    let Question { subject, action, resource, parts } = question;
    let mut text = format!("{{ subject: {subject}, action: {action}, resource: {resource}, ");
    for (name, value) in parts {
        let _ = match *name {
            "type" => write!(text, "resource_type: {value}, "),
            "conversation" => write!(text, "context: {{ conversation: {value} }}, "),
            name => write!(text, "{name}: {value}, "),
        };
    }
    text + &format!("allow: {allow} }}")
}

#[test]
fn test_and_its_coverage() {
    column(|row| {
        let policy = Policy::with(row);
        let made = row.made();
        let reached = |expected: &str| {
            let tests = format!("tests: [{{ name: t, expect: [{expected}] }}]");
            policy.write("t.test.yaml", &tests);
            let tested = policy.json(&["test", "policy.yaml", "t.test.yaml"]);
            assert_eq!(tested["failed"], 0, "{}: {tests} {tested:#}", row.name);
            let all = tested["coverage"]["all"].as_array().unwrap().clone();
            let Cell::Is(name) = row.covered else { return (Value::Null, all) };
            let found = all.iter().find(|it| it["name"] == name && it["kind"] != "gate");
            (found.map_or(Value::Null, |it| it["reached"].clone()), all)
        };
        let asked = expectation(&made, row.makes == Makes::Allowed);
        let nothing = format!("{{ subject: {}, action: sign_in, allow: true }}", made.subject);
        for (expected, is_reached) in [(asked, true), (nothing, false)] {
            let (found, all) = reached(&expected);
            let wanted = match row.covered {
                Cell::Is(_) => json!(is_reached),
                Cell::Not(_) => Value::Null,
            };
            let names: Vec<String> =
                all.iter().map(|it| format!("{} {}", it["name"], it["reached"])).collect();
            expect(found == wanted, || format!("{expected}: {found}, {names:#?}"))?;
        }
        Ok(())
    });
}

#[test]
fn diff() {
    column(|row| {
        let policy = Policy::with(row);
        policy.write("without.yaml", &row.text(row.without));
        let diff = policy.json(&["diff", "policy.yaml", "without.yaml"]);
        let action = &diff["actions"][row.made().action];
        match row.diff {
            Cell::Is((gained, lost, because)) => {
                let found = (&action["gained"], &action["lost"], &action["estimate"]);
                expect(found == (&json!(gained), &json!(lost), &json!(false)), || {
                    format!("{found:?}, {action:#}")
                })?;
                let causes = action["because"].as_array().unwrap();
                expect(causes.contains(&json!(because)), || format!("{because}: {causes:?}"))
            }
            Cell::Not(_) => {
                let is_same = diff["gained"] == 0 && diff["lost"] == 0;
                expect(is_same, || format!("{} {}", diff["gained"], diff["lost"]))
            }
        }
    });
}

#[test]
fn explain() {
    column(|row| {
        let details = |policy: &Policy| {
            let explained = policy.decide(&row.made());
            let gates = explained["gates"].as_array().unwrap().clone();
            gates
                .iter()
                .map(|it| it["detail"].as_str().unwrap().to_owned() + "\n")
                .collect::<String>()
        };
        let with = details(&Policy::with(row));
        expect(with.contains(row.explained), || format!("no {}\n{with}", row.explained))?;
        let without = details(&Policy::without(row));
        expect(!without.contains(row.explained), || format!("without it:\n{without}"))
    });
}

#[test]
fn invariants() {
    column(|row| {
        let Cell::Is(invariant) = row.invariant else { return Ok(()) };
        for (statement, holds) in [(row.with, true), (row.without, false)] {
            let text = format!("{}invariants: [{invariant}]\n", row.text(statement));
            let checked = Policy::yaml(&text).json(&["check", "policy.yaml"]);
            let is_broken = codes(&checked).contains(&"broken-invariant");
            let is_so = is_broken != holds && (checked["errors"] == 0) == holds;
            expect(is_so, || format!("holds: {holds}\n{checked:#}"))?;
        }
        Ok(())
    });
}

#[test]
fn guarded_reload() {
    column(|row| {
        let policy = Policy::with(row);
        let engine = Engine::open([policy.folder.path()]).unwrap();
        policy.write("policy.yaml", &row.text(row.without));
        let reload = engine.reload();
        let reasons: Vec<Value> = match &reload.held {
            Some(held) => held.to_json()["reasons"].as_array().unwrap().clone(),
            None => Vec::new(),
        };
        let sections: Vec<&str> = reasons.iter().filter_map(|it| it["section"].as_str()).collect();
        let expected: &[&str] = match &row.held {
            Cell::Is(section) => &[section],
            Cell::Not(_) => &[],
        };
        expect(sections == expected, || format!("{reasons:?}, {:?}", reload.outcome))
    });
}

#[test]
fn replay() {
    column(|row| {
        let policy = Policy::with(row);
        let made = row.made();
        let decided = policy.decide(&made);
        let mut line = json!({
            "subject": made.subject,
            "action": made.action,
            "resource": { "type": made.kind(), "id": made.resource },
            "decision": decided["decision"],
            "reason": decided["reason"],
        });
        if let Some(conversation) = made.part("conversation") {
            line["context"] = json!({ "conversation": conversation });
        }
        if let Some(member) = made.part("member") {
            line["member"] = json!(member);
        }
        policy.write("log.ndjson", &line.to_string());
        policy.write("without.yaml", &row.text(row.without));
        for (file, changed) in [("policy.yaml", 0), ("without.yaml", 1)] {
            let replayed = policy.json(&["replay", "log.ndjson", "--policy", file]);
            let counts = (&replayed["changed"], &replayed["malformed"], &replayed["decisions"]);
            let expected = (&json!(changed), &json!(0), &json!(1));
            expect(counts == expected, || format!("{file}: {replayed:#}"))?;
        }
        Ok(())
    });
}

/// The ids on the two lists of a question: whom its subject reaches, and who reaches its resource.
fn lists(policy: &Policy, question: &Question<'_>) -> [Vec<String>; 2] {
    let options = question.options();
    let kind = question.kind();
    [("-s", question.subject), ("-r", question.resource)].map(|(side, id)| {
        let mut arguments = vec!["reach", side, id];
        arguments.extend(options.iter().map(String::as_str));
        if side == "-s" && question.part("member").is_some() {
            // The members whom the subject may add to the group.
            arguments = vec!["reach", side, id, "-r", question.resource, "-a", question.action];
        }
        arguments.push("policy.yaml");
        let found = policy.json(&arguments);
        let lists_groups = side == "-s" && kind == "group" && question.part("member").is_none();
        let name = if lists_groups { "groups" } else { "users" };
        let ids = found[name].as_array().unwrap_or_else(|| panic!("{found}"));
        ids.iter().map(|it| it.as_str().unwrap().to_owned()).collect()
    })
}

#[test]
fn both_lists() {
    column(|row| {
        let made = row.made();
        let found = lists(&Policy::with(row), &made);
        let is_so = found[0] == row.reaches && found[1] == row.reached_by;
        expect(is_so, || format!("{found:?}"))?;
        let without = lists(&Policy::without(row), &made);
        let resource = made.part("member").unwrap_or(made.resource);
        let on = [
            without[0].iter().any(|it| it == resource),
            without[1].iter().any(|it| it == made.subject),
        ];
        let is_other = row.makes == Makes::Refused;
        expect(on == [is_other; 2], || format!("without it: {without:?}"))
    });
}

#[test]
fn matrix() {
    column(|row| {
        let made = row.made();
        let mut options = vec!["reach", "--matrix", "-a", made.action];
        options.extend(made.part("conversation").iter().flat_map(|it| ["--conversation", it]));
        options.push("policy.yaml");
        if made.part("member").is_some() {
            let refused = Policy::with(row).run(&options);
            return expect(row.matrix.reason().is_some(), || format!("{refused:?}"));
        }
        let allowed = |policy: &Policy| -> u64 {
            let table = policy.json(&options);
            let rows = table["rows"].as_array().unwrap().clone();
            let cells = rows.iter().flat_map(|row| row.as_array().unwrap());
            cells.map(|cell| cell["allowed"].as_u64().unwrap()).sum()
        };
        let counted = [Policy::with(row), Policy::without(row)].map(|it| allowed(&it));
        let [with, without] = counted;
        let is_shown = match row.makes {
            Makes::Allowed => with > without,
            Makes::Refused => with < without,
        };
        expect(is_shown == row.matrix.reason().is_none(), || format!("{counted:?}"))
    });
}

#[test]
fn digest() {
    column(|row| {
        let digests = [Policy::with(row), Policy::without(row)].map(|it| it.digest("policy.yaml"));
        expect(digests[0] != digests[1], || format!("{digests:?}"))
    });
}
