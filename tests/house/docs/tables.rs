//! Tables of the pages, each of which names all that there is.

use std::{collections::BTreeSet, fs, process::Command};

use peerage::{
    diagnostic::Code,
    request::{Action, BlockMode, GateName, GroupPermission, Reason, Switch},
    source::Notation,
};

use crate::{
    docs::compiled,
    docs::pages::{is_named, lines, table, words},
    support::daemon::Daemon,
};

#[test]
fn every_code_is_in_the_table() {
    let row = |code: &Code| format!("| `{code}` | {} |", code.meaning().trim_end_matches('.'));
    let expected: Vec<String> = Code::ALL.iter().map(row).collect();
    let lines = lines().skip_while(|line| *line != "| code | what is wrong |").skip(2);
    let shown: Vec<&str> = lines.take_while(|line| line.starts_with('|')).collect();
    assert_eq!(shown, expected, "the table should be:\n{}", expected.join("\n"));
}

#[test]
fn every_gate_and_reason_is_in_the_table() {
    let rows = table("| gate | closed if |");
    let gates: Vec<&str> = rows.iter().map(|row| row[0]).filter(|gate| !gate.is_empty()).collect();
    let all: Vec<&str> = GateName::ALL.iter().map(|gate| gate.as_str()).collect();
    assert_eq!(gates, all);
    let mut shown: BTreeSet<&str> = rows.iter().flat_map(|row| words(row[2])).collect();
    shown.extend([Reason::Allowed.as_str(), Reason::Stale.as_str()]);
    let all: BTreeSet<&str> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
    assert_eq!(shown, all);
}

#[test]
fn presets_set_what_the_table_says() {
    let head = "| preset |";
    let names = lines().find(|line| line.starts_with(head)).unwrap();
    let names: Vec<&str> = names.split('|').skip(2).map(str::trim).collect();
    let mut presets = 0;
    for row in table(head) {
        for preset in words(row[0]) {
            presets += 1;
            let settings = compiled(Notation::Dsl, &format!("preset: {preset};")).settings;
            for (cell, names) in row.iter().zip(&names_of(&names)).skip(1) {
                for name in names {
                    let mode = settings.blocks.mode(name.parse().unwrap());
                    assert_eq!(words(cell), [mode.as_str()], "{preset} {name}");
                }
            }
            let limits = settings.limits;
            for (limit, what) in [
                (limits.friends, "friends"),
                (limits.blocked, "blocked"),
                (limits.friend_lists, "friend lists"),
                (limits.group_members, "group members"),
            ] {
                let said = limit.map(|limit| format!("{limit} {what}"));
                assert!(said.is_none_or(|said| row.last().unwrap().contains(&said)), "{preset}");
            }
        }
    }
    assert_eq!(presets, 5);
    let defaults = compiled(Notation::Dsl, "// nothing").settings.blocks;
    let venueless = compiled(Notation::Dsl, "preset: venueless;").settings.blocks;
    assert_eq!(defaults, venueless);
    assert!(BlockMode::ALL.iter().all(|mode| is_named(&format!("`{mode}`"))));
    assert!(Switch::ALL.iter().all(|switch| is_named(&format!("`{switch}`"))));
}

/// For each column of the presets' table the actions that its head names; none for the first.
fn names_of(head: &[&'static str]) -> Vec<Vec<&'static str>> {
    std::iter::once(Vec::new()).chain(head.iter().map(|cell| words(cell))).collect()
}

#[test]
fn built_in_matrices_are_as_shown() {
    let view = compiled(Notation::Dsl, "// nothing");
    let mut seen = BTreeSet::new();
    for row in table("| permission |") {
        for name in words(row[0]) {
            seen.insert(name);
            let (permission, field) = match name.parse::<GroupPermission>() {
                Ok(permission) => (permission, None),
                Err(_) => (GroupPermission::UpdateMetadata, Some(name)),
            };
            let names = ["all_members", "admins_only", "creator_only", "dm"];
            for (cell, matrix) in row[1..].iter().zip(names) {
                let matrix = view.matrix(view.matrix_number(matrix).unwrap()).unwrap();
                let fields = matrix.metadata.as_ref().unwrap();
                let value = match field {
                    Some("_*") => fields.hidden_grant(),
                    _ => matrix.grant_condition(permission, field).clone(),
                };
                let value = value.map(&mut |_| "");
                assert_eq!(words(cell), [value.to_string()], "{name} of {}", matrix.name);
            }
        }
    }
    for matrix in view.matrices.iter() {
        for (field, _) in &matrix.metadata.as_ref().unwrap().named {
            assert!(seen.contains(field.as_str()), "{field}");
        }
    }
    for permission in GroupPermission::ALL {
        let is_by_field = *permission == GroupPermission::UpdateMetadata;
        assert!(is_by_field || seen.contains(permission.as_str()), "{permission}");
    }
}

#[test]
fn every_example_policy_is_named() {
    let shown: BTreeSet<&str> = table("| folder |").iter().flat_map(|row| words(row[0])).collect();
    let folders = fs::read_dir("policies").unwrap();
    let folders: BTreeSet<String> =
        folders.map(|entry| entry.unwrap().path().to_str().unwrap().to_owned()).collect();
    assert!(shown.iter().eq(folders.iter()), "{shown:?} {folders:?}");
}

#[test]
fn every_command_and_flag_is_named() {
    let help = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_peerage")).args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let whole = help(&["--help"]);
    let commands = whole.lines().skip_while(|line| *line != "Commands:").skip(1);
    let commands = commands.take_while(|line| !line.is_empty());
    let commands: Vec<&str> =
        commands.map(|line| line.split_whitespace().next().unwrap()).collect();
    assert!(commands.len() > 5);
    for command in commands.into_iter().filter(|command| *command != "help") {
        assert!(is_named(&format!("| `peerage {command} ")), "{command}");
        let help = help(&[command, "--help"]);
        for flag in help.split_whitespace().filter(|word| word.starts_with("--")) {
            let flag = flag
                .split('[')
                .next()
                .unwrap()
                .trim_end_matches(|c: char| !c.is_ascii_alphabetic());
            let is_plain = matches!(flag, "--help" | "--subject" | "--action" | "--resource");
            assert!(is_plain || is_named(flag), "{command} {flag}");
        }
    }
}

#[test]
fn every_figure_of_the_status_is_named() {
    let status = Daemon::serve("policies/stores").get("/v1/status").json();
    for (section, head) in [("counts", "| `counts` |"), ("memory", "| `memory` |")] {
        let mut shown: Vec<&str> = table(head).iter().flat_map(|row| words(row[0])).collect();
        shown.retain(|name| *name != "relations.KIND");
        shown.sort_unstable();
        let reported = status[section].as_object().unwrap().keys();
        let mut reported: Vec<&str> =
            reported.map(String::as_str).filter(|name| *name != "relations").collect();
        reported.sort_unstable();
        assert_eq!(shown, reported);
    }
    for kind in status["counts"]["relations"].as_object().unwrap().keys() {
        assert!(is_named(&format!("`{kind}`")), "{kind}");
    }
    assert!(Action::ALL.iter().all(|action| is_named(&format!("`{action}`"))));
}
