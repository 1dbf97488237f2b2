//! Policies, commands and requests of the pages, run one by one.

use std::{fs, path::Path, process::Command};

use peerage::{
    inspect,
    source::{self, Notation},
};
use tempfile::TempDir;

use crate::{
    docs::compiled,
    docs::pages::{Block, PAGES, blocks},
    docs::scenarios::is_scenario,
    docs::typed::is_typed,
    docs::walk,
    support::daemon::{Daemon, serve},
};

/// Where the daemon that the pages show listens.
pub(crate) const ADDRESS: &str = "127.0.0.1:7411";

/// The page whose policy is not meant to be right.
const MISTAKES: &str = "docs/policies/diagnostics.md";

/// The commands of a block, each with what is shown below it. A backslash at the end of a line
/// continues it, and so does a quote that is open.
pub(crate) fn commands(block: &Block) -> Vec<(String, String)> {
    let mut shown: Vec<(String, String)> = Vec::new();
    for line in block.text.replace(" \\\n ", "").lines() {
        match (line.strip_prefix("$ "), shown.last_mut()) {
            (Some(command), _) => shown.push((command.to_owned(), String::new())),
            (None, Some((command, _))) if command.matches('\'').count() % 2 == 1 => {
                *command += line;
            }
            (None, Some((_, output))) => output.extend([line, "\n"]),
            (None, None) => panic!("output of no command: {line}"),
        }
    }
    shown
}

/// The arguments of a command line as a shell reads them: single quotes hold one together.
pub(crate) fn arguments(line: &str) -> Vec<String> {
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

/// Policies compile, and one in the DSL says the same as the one in YAML before it.
#[test]
fn policies_are_as_shown() {
    let (mut yaml, mut pairs) = (None, 0);
    let is_whole = |block: &&Block| block.page != MISTAKES && !is_scenario(block.page);
    for block in blocks().iter().filter(is_whole) {
        match block.kind {
            "yaml" if block.text.starts_with("tests:") => {
                let folder = tempfile::tempdir().unwrap();
                std::fs::write(folder.path().join("t.test.yaml"), &block.text).unwrap();
                let stores = Path::new("policies/stores");
                let loaded = source::load_with_tests(&[folder.path(), stores]);
                let outcome = inspect::test::run(&loaded, None);
                let results = outcome.results.unwrap();
                assert!(results.tests().all(|test| test.failures.is_empty()), "{results:?}");
            }
            "yaml" => yaml = Some(compiled(Notation::Yaml, &block.text).revision),
            "peerage" => {
                let dsl = compiled(Notation::Dsl, &block.text).revision;
                assert_eq!(Some(dsl), yaml.take(), "{}", block.text);
                pairs += 1;
            }
            "ndjson" | "csv" => {
                let notation = Notation::from_file_name(&format!("users.{}", block.kind)).unwrap();
                assert_eq!(compiled(notation, &block.text).population.directory.len(), 2);
            }
            // Doc-tests run those in Rust.
            "console" | "frames" | "text" | "toml" | "rust" => {}
            kind => panic!("a block of an unknown kind: {kind:?}"),
        }
    }
    assert_eq!(pairs, 6);
}

/// Runs each command, where the policy of the page stands or else in the repository.
#[test]
fn commands_print_what_is_shown() {
    let folder = TempDir::new().unwrap();
    let mut typed = 0;
    let is_here = |page| !is_typed(page) && !walk::PAGES.contains(&page);
    for block in blocks().into_iter().filter(|block| is_here(block.page)) {
        let here = if block.page == MISTAKES { folder.path() } else { Path::new(".") };
        match block.kind {
            "yaml" if block.page == MISTAKES => {
                fs::write(here.join("policy.yaml"), &block.text).unwrap();
            }
            "console" => {}
            _ => continue,
        }
        if block.kind != "console" {
            continue;
        }
        for (command, expected) in commands(&block) {
            let words = arguments(&command);
            if words[0] != "peerage" || words[1] == "serve" {
                continue;
            }
            let mut peerage = Command::new(env!("CARGO_BIN_EXE_peerage"));
            let printed = peerage.args(&words[1..]).current_dir(here).output().unwrap();
            assert_eq!(String::from_utf8(printed.stdout).unwrap(), expected, "{command}");
            typed += 1;
        }
    }
    assert_eq!(typed, 30);
}

/// Sends each request to the real daemon that last reported to serve.
#[test]
fn the_daemon_answers_as_shown() {
    let (mut daemon, mut requested) = (None, 0);
    let is_here = |block: &&Block| block.kind == "console" && !is_typed(block.page);
    for block in blocks().iter().filter(is_here) {
        for (command, expected) in commands(block) {
            let words = arguments(&command);
            if words.contains(&"serve".to_owned()) {
                assert_eq!(expected, format!("listening on http://{ADDRESS}\n"), "{command}");
                let after = words.iter().position(|word| word == "serve").unwrap() + 1;
                let mut command = serve();
                command.args(&words[after..]).args(["--listen", "127.0.0.1:0"]);
                daemon = Some(Daemon::start(&mut command));
            } else if words[0] == "curl" {
                let printed = ask(daemon.as_ref().unwrap(), &words[1..]);
                assert_eq!(printed, expected.trim_end(), "{command}");
                requested += 1;
            }
        }
    }
    let pages = PAGES.iter().filter(|page| !is_typed(&page.path));
    let shown: usize = pages.map(|page| page.text.matches("\n$ curl ").count()).sum();
    assert_eq!(requested, shown);
}

fn status(answer: &crate::support::client::Answer) -> String {
    format!("{} {}", answer.status, answer.header("peerage-reason").unwrap())
}

/// What `curl` would print.
fn ask(daemon: &Daemon, arguments: &[String]) -> String {
    let mut client = daemon.connect();
    let path =
        |url: &str| url.strip_prefix("http://").unwrap().strip_prefix(ADDRESS).unwrap().to_owned();
    let body = |answer: crate::support::client::Answer| {
        String::from_utf8(answer.body).unwrap().replace(&daemon.address().to_string(), ADDRESS)
    };
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [url] => body(client.get(&path(url))),
        [url, "-H", "Content-Type: application/json", "-d", data] => {
            body(client.post(&path(url), data.as_bytes()))
        }
        ["-s", "-o", "/dev/null", "-w", "%{http_code} %header{peerage-reason}", url] => {
            status(&client.get(&path(url)))
        }
        [
            "-s",
            "-o",
            "/dev/null",
            "-w",
            "%{http_code} %header{peerage-reason}",
            "-X",
            method,
            url,
            headers @ ..,
        ] => {
            let headers: Vec<_> = headers
                .chunks(2)
                .map(|chunk| match chunk {
                    ["-H", header] => format!("{header}\r\n"),
                    other => panic!("curl takes no {other:?} here"),
                })
                .collect();
            status(&client.ask(method, &path(url), &headers.concat(), b""))
        }
        other => panic!("curl takes no {other:?} here"),
    }
}
