//! The formats of policies, of their tests, of the decisions that are replayed, and of the config file.

use std::{path::Path, sync::LazyLock};

use peerage::{
    Action, Request, compile, decide,
    diagnostic::{Diagnostics, Report, render_github, render_sarif, render_text},
    inspect::replay,
    snapshot::View,
    source::{Notation, Source, Sources, Span},
    syntax::{self, dsl, format, print},
};

const FORMS: [(print::Form, Notation); 3] = [
    (print::Form::Dsl, Notation::Dsl),
    (print::Form::Yaml, Notation::Yaml),
    (print::Form::Json, Notation::Json),
];

/// The number of users of a policy whose decisions and lists are compared.
const COMPARED: usize = 4;

pub fn dsl(input: &[u8]) {
    policy(Notation::Dsl, input);
}

pub fn yaml(input: &[u8]) {
    policy(Notation::Yaml, input);
}

pub fn json(input: &[u8]) {
    policy(Notation::Json, input);
}

pub fn ndjson(input: &[u8]) {
    compiled(Notation::Ndjson, input);
}

pub fn csv(input: &[u8]) {
    compiled(Notation::Csv, input);
}

/// A policy in a notation: its canonical forms mean the same, and formatting them again changes nothing.
fn policy(notation: Notation, input: &[u8]) {
    let view = compiled(notation, input);
    let source = Source::new("input", notation, input);
    for (form, written) in FORMS {
        let Ok(text) = format::format(&source, form) else { continue };
        let again = format::format(&Source::new("input", written, text.clone()), form);
        assert_eq!(again.as_deref().ok(), Some(&*text), "formatted twice");
        let Some(view) = &view else { continue };
        let built = compile::build(&Sources::single("input", written, text.clone()).into(), None);
        let revision = built.view.map(|view| view.revision.policy);
        assert_eq!(revision, Some(view.revision.policy), "as {written:?}:\n{text}");
    }
}

/// Compiles a policy with lints, renders what is found, and compares decisions with lists.
fn compiled(notation: Notation, input: &[u8]) -> Option<View> {
    let built = compile::build_with_lints(&Sources::single("input", notation, input).into());
    render(&built.report);
    assert!(built.view.is_some() || !built.report.is_empty(), "refused without a word");
    if let Some(view) = &built.view {
        compare_lists(view);
    }
    built.view
}

fn render(report: &Report) {
    for colour in [false, true] {
        render_text(report, colour);
    }
    render_github(report, Path::new("."));
    render_sarif(report, Path::new("."));
    report.to_json();
}

/// Compares the decisions between some users with the lists of whom they reach.
fn compare_lists(view: &View) {
    for action in [Action::StartChat, Action::SendMessage, Action::FriendRequest] {
        let mut ids = Vec::new();
        decide::ListCursor::all_users(view).take(view, COMPARED, |id| ids.push(id));
        for &subject in &ids {
            let reach = decide::reach(view, &Request::new(subject, action, subject));
            let reached: Vec<&str> = reach.ids().collect();
            for &other in &ids {
                let request = Request::new(subject, action, other);
                let allows = decide::decide(view, &request).allow;
                let explained = decide::explain(view, &request);
                assert_eq!(allows, explained.decision.allow, "{subject} {action} {other}");
                let is_listed = reached.contains(&other);
                assert!(subject == other || allows == is_listed, "{subject} {action} {other}");
            }
        }
    }
}

/// A condition by itself: it is printed as it is read.
pub fn condition(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    let mut problems = Diagnostics::default();
    let sources = Sources::single("input", Notation::Dsl, text);
    let Some((id, _)) = sources.iter().next() else { return };
    let place = |range: std::ops::Range<usize>| Span::new(id, range.start, range.end);
    let parsed = dsl::parse_expr(text, &place, &mut problems);
    let printed = parsed.filter(|_| !problems.has_errors()).map(|expr| print::condition(&expr));
    render(&Report::new(problems, &sources));
    if let Some(printed) = printed {
        let mut problems = Diagnostics::default();
        let again = dsl::parse_expr(&printed, &place, &mut problems);
        assert!(!problems.has_errors(), "{printed}");
        assert_eq!(again.map(|expr| print::condition(&expr)), Some(printed));
    }
    // As one stands in a policy.
    let quoted = serde_json::Value::from(text);
    let policy =
        format!("rules: [{{ condition: {quoted}, outcome: [a] }}]\nusers: {{ u: {{}} }}\n");
    compiled(Notation::Yaml, policy.as_bytes());
}

/// Tests of a policy, in a file of their own.
pub fn tests(input: &[u8]) {
    let sources = Sources::single("input.test.yaml", Notation::Tests, input);
    let mut problems = Diagnostics::default();
    syntax::parse_tests(&sources, &mut problems);
    render(&Report::new(problems, &sources));
}

static STORES: LazyLock<View> = LazyLock::new(|| {
    let text = include_str!("../../policies/stores-dsl/stores.peerage");
    let built = compile::build(&Sources::single("stores", Notation::Dsl, text).into(), None);
    built.view.unwrap_or_else(|| panic!("the stores' policy does not compile"))
});

/// A log of decisions, replayed.
pub fn decision_log(input: &[u8]) {
    if let Ok(replayed) = replay::replay(&STORES, input, 3) {
        replayed.to_json();
    }
}

/// A config file.
pub fn config(input: &[u8]) {
    render(&peerage::cli::check_config(input.to_vec()));
}
