//! The table of statements between two users by surfaces: what reads a policy knows each of them.
//!
//! A row is a statement in a small world, a column is a surface. A cell is what the statement does there, or the
//! reason why it does nothing there, which is checked as well.

mod columns;
mod daemons;
mod estimate;
mod rows;

use std::{
    collections::BTreeSet,
    fs,
    process::{Command, Output, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

/// What a statement does at a surface, or why it does nothing there.
enum Cell<T> {
    Is(T),
    Not(&'static str),
}

/// The one of the two questions of a row whose answer the statement makes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Makes {
    Allowed,
    Refused,
}

/// A statement, and what it does at each surface.
struct Row {
    name: &'static str,
    /// The rest of the policy, in YAML.
    world: &'static str,
    /// The statement in YAML, in the sections that have it.
    with: &'static str,
    /// The same sections without the statement.
    without: &'static str,
    /// How the DSL writes it.
    dsl: &'static str,
    /// How `compile` lists it.
    compiled: &'static str,
    /// A part of the policy, and what in its place is a mistake with a code.
    mistake: (&'static str, &'static str, &'static str),
    /// Whether the schema finds that mistake.
    schema_finds: Cell<()>,
    /// A statement in place of this one, and the lint that warns about it.
    lint: Cell<(&'static str, &'static str)>,
    /// A question that is allowed, and its obligations.
    allowed: (&'static str, &'static [&'static str]),
    /// A question that is refused, and the reason.
    refused: (&'static str, &'static str),
    makes: Makes,
    /// What `explain` says of it.
    explained: &'static str,
    /// The name in the coverage.
    covered: Cell<&'static str>,
    /// The pairs that the action gains and loses without the statement, and the cause.
    diff: Cell<(u64, u64, &'static str)>,
    /// An invariant that holds with it alone.
    invariant: Cell<&'static str>,
    /// The section that the guard of reloads misses without it.
    held: Cell<&'static str>,
    /// The lists of the question whose answer it makes: whom its subject reaches, and who reaches its resource.
    reaches: &'static [&'static str],
    reached_by: &'static [&'static str],
    /// Whether the table of kinds of users shows it.
    matrix: Cell<()>,
}

/// A question: `SUBJECT ACTION RESOURCE`, and parts such as `type=group` and `conversation=new`.
struct Question<'q> {
    subject: &'q str,
    action: &'q str,
    resource: &'q str,
    parts: Vec<(&'q str, &'q str)>,
}

impl<'q> Question<'q> {
    fn of(text: &'q str) -> Self {
        let mut words = text.split(' ');
        let mut word = || words.next().unwrap();
        let (subject, action, resource) = (word(), word(), word());
        let parts = words.map(|part| part.split_once('=').unwrap()).collect();
        Self { subject, action, resource, parts }
    }

    fn part(&self, name: &str) -> Option<&'q str> {
        self.parts.iter().find(|(known, _)| *known == name).map(|&(_, value)| value)
    }

    fn kind(&self) -> &'q str {
        self.part("type").unwrap_or("user")
    }

    /// The options of the command line for the action and the parts.
    fn options(&self) -> Vec<String> {
        let mut options = vec!["-a".to_owned(), self.action.to_owned()];
        for (name, value) in &self.parts {
            let name = if *name == "type" { "resource-type" } else { name };
            options.extend([format!("--{name}"), (*value).to_owned()]);
        }
        options
    }
}

impl Row {
    /// The question whose answer the statement makes.
    fn made(&self) -> Question<'static> {
        Question::of(match self.makes {
            Makes::Allowed => self.allowed.0,
            Makes::Refused => self.refused.0,
        })
    }

    fn text(&self, statement: &str) -> String {
        format!("{}\n{}\n", self.world.trim_matches('\n'), statement.trim_matches('\n'))
    }
}

/// A policy on disk.
struct Policy {
    folder: TempDir,
}

impl Policy {
    fn yaml(text: &str) -> Self {
        let policy = Self { folder: TempDir::new().unwrap() };
        policy.write("policy.yaml", text);
        policy
    }

    fn with(row: &Row) -> Self {
        Self::yaml(&row.text(row.with))
    }

    fn without(row: &Row) -> Self {
        Self::yaml(&row.text(row.without))
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).unwrap();
    }

    /// Runs a command in the folder of the policy.
    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_peerage"));
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").output().unwrap()
    }

    /// What a command prints.
    fn print(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code().is_some_and(|code| code < 2), "{arguments:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let text = self.print(&[arguments, &["--format", "json"]].concat());
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{arguments:?}: {text}"))
    }

    fn decide(&self, question: &Question<'_>) -> Value {
        let options = question.options();
        let mut arguments = vec!["decide", "--explain", "-s", question.subject];
        arguments.extend(["-r", question.resource]);
        arguments.extend(options.iter().map(String::as_str));
        arguments.push("policy.yaml");
        self.json(&arguments)
    }

    fn digest(&self, file: &str) -> String {
        self.json(&["compile", file])["digest"].as_str().unwrap().to_owned()
    }
}

/// What is wrong with a cell, if anything is.
type Checked = Result<(), String>;

fn expect(holds: bool, otherwise: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(otherwise()) }
}

/// Checks a column: the cell of each row.
#[track_caller]
fn column(check: impl Fn(&Row) -> Checked) {
    let all = rows::all();
    assert!(all.len() > 25, "{}", all.len());
    let wrong = all.iter().filter_map(|row| {
        let found = check(row).err()?;
        Some(format!("{}: {found}", row.name))
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// A reason is none if it says nothing.
#[test]
fn rows_are_different_and_their_reasons_are_told() {
    let all = rows::all();
    let names: BTreeSet<_> = all.iter().map(|row| row.name).collect();
    assert_eq!(names.len(), all.len());
    column(|row| {
        let reasons = [
            row.schema_finds.reason(),
            row.lint.reason(),
            row.covered.reason(),
            row.diff.reason(),
            row.invariant.reason(),
            row.held.reason(),
            row.matrix.reason(),
        ];
        let is_told = |reason: &&str| reason.split(' ').count() > 3;
        let texts = [row.dsl, row.compiled, row.explained];
        expect(reasons.iter().flatten().all(is_told), || format!("{reasons:?}"))?;
        expect(texts.iter().all(|text| !text.is_empty()), || format!("{texts:?}"))
    });
}

impl<T> Cell<T> {
    fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Is(_) => None,
            Self::Not(reason) => Some(reason),
        }
    }
}
