//! What the README shows is what there is: its examples compile, its commands print what stands
//! below them, and its table of codes is complete.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail by it"
)]

#[path = "support/client.rs"]
mod client;
#[path = "support/daemon.rs"]
mod daemon;

use std::{fs, process::Command};

use peerage::{
    compile,
    diagnostic::{Code, render},
    snapshot::View,
    source::{Notation, Sources},
};
use tempfile::TempDir;

use self::daemon::Daemon;

const README: &str = include_str!("../README.md");

/// The one header that the README's curl lines send.
const HEADER: &str = "Content-Type: application/json";

/// A block between fences, and the word on its first one.
struct Block {
    kind: &'static str,
    text: String,
}

/// The blocks of a chapter, without those of its sections.
fn blocks(chapter: &str) -> Vec<Block> {
    let mut lines = README.lines().skip_while(|line| *line != chapter).skip(1);
    let mut blocks = Vec::new();
    while let Some(line) = lines.next() {
        if line.starts_with('#') {
            break;
        }
        if let Some(kind) = line.strip_prefix("```") {
            let text = lines.by_ref().take_while(|line| *line != "```");
            blocks.push(Block { kind, text: text.flat_map(|line| [line, "\n"]).collect() });
        }
    }
    assert!(!blocks.is_empty(), "the README has no examples in {chapter:?}");
    blocks
}

/// The commands of a block, each with what is shown below it.
fn commands(block: &Block) -> Vec<(&str, String)> {
    let mut shown: Vec<(&str, String)> = Vec::new();
    for line in block.text.lines() {
        match (line.strip_prefix("$ "), shown.last_mut()) {
            (Some(command), _) => shown.push((command, String::new())),
            (None, Some((_, output))) => output.extend([line, "\n"]),
            (None, None) => panic!("output of no command: {line}"),
        }
    }
    shown
}

fn compiled(notation: Notation, text: &str) -> View {
    let outcome = compile::build(&Sources::single("README.md", notation, text).into(), None);
    outcome.view.unwrap_or_else(|| panic!("{}", render(&outcome.report, false)))
}

#[test]
fn both_notations_say_the_same() {
    let blocks = blocks("## Policies");
    let [yaml, dsl, bulk @ ..] = blocks.as_slice() else { panic!("no examples") };
    assert_eq!(yaml.kind, "yaml");
    let [yaml, dsl] = [(Notation::Yaml, yaml), (Notation::Dsl, dsl)]
        .map(|(notation, block)| compiled(notation, &block.text));
    assert_eq!(yaml.revision, dsl.revision);
    assert!(!yaml.population.directory.is_empty());

    let [ndjson, csv] = bulk else { panic!("no bulk users") };
    for (notation, block, users) in [(Notation::Ndjson, ndjson, 1), (Notation::Csv, csv, 2)] {
        assert_eq!(compiled(notation, &block.text).population.directory.len(), users);
    }
}

#[test]
fn mistakes_are_told_as_shown() {
    let blocks = blocks("## Mistakes");
    let [policy, console, ..] = blocks.as_slice() else { panic!("no examples") };
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("policy.yaml"), &policy.text).unwrap();
    for (command, expected) in commands(console) {
        let mut words = command.split(' ');
        assert_eq!(words.next(), Some("peerage"));
        let peerage = env!("CARGO_BIN_EXE_peerage");
        let printed = Command::new(peerage).args(words).current_dir(&folder).output().unwrap();
        assert_eq!(String::from_utf8(printed.stdout).unwrap(), expected, "{command}");
    }
}

#[test]
fn every_code_is_in_the_table() {
    let row = |code: &Code| format!("| `{code}` | {} |", code.meaning().trim_end_matches('.'));
    let table: Vec<String> = Code::ALL.iter().map(row).collect();
    let lines = README.lines().skip_while(|line| *line != "| code | what is wrong |").skip(2);
    let shown: Vec<&str> = lines.take_while(|line| line.starts_with('|')).collect();
    assert_eq!(shown, table, "the table should be:\n{}", table.join("\n"));
}

/// The arguments of a command line as a shell reads them: single quotes hold one together.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            c => words.last_mut().unwrap().push(c),
        }
    }
    words
}

#[test]
fn the_daemon_answers_as_shown() {
    let daemon = Daemon::serve("policies/stores");
    let mut asked = 0;
    let blocks = blocks("## First success").into_iter().chain(blocks("### AuthZEN"));
    for block in blocks.filter(|block| block.kind == "console") {
        for (command, expected) in commands(&block) {
            let words = words(command);
            let Some(("curl", [url, options @ ..])) =
                words.split_first().map(|(first, rest)| (first.as_str(), rest))
            else {
                continue;
            };
            let path = url.strip_prefix("http://127.0.0.1:7411").unwrap();
            let mut client = daemon.connect();
            let answer = match options {
                [] => client.get(path),
                [_, kind, data, body] if [kind.as_str(), data] == [HEADER, "-d"] => {
                    client.post(path, body.as_bytes())
                }
                _ => panic!("{command}"),
            };
            assert_eq!(answer.status, 200, "{command}");
            let body = String::from_utf8(answer.body).unwrap();
            assert_eq!(body.trim_end(), expected.trim_end(), "{command}");
            asked += 1;
        }
    }
    assert_eq!(asked, README.matches("\n$ curl ").count());
}
