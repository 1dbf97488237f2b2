use std::{
    collections::HashMap,
    num::NonZero,
    panic::resume_unwind,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use super::{
    FileResult, Outcome, Results, TestResult,
    answer::{Failure, check},
    coverage::Reached,
    expected::Expected,
};
use crate::{
    compile::{Base, Places},
    decide::trace,
    diagnostic::{Code, Diagnostic, Diagnostics, Report, Severity},
    snapshot::View,
    source::{Cursor, Loaded, Notation, Sources, Span},
    syntax::tests::{self, Test, TestFile},
};

/// Runs the tests among what was loaded against the policy that the other files make up, as many at
/// a time as there are processors. With a filter, only those in whose name it stands.
///
/// Costs a policy's compilation for each test that gives something; the population is shared unless
/// that is of users.
pub fn run(loaded: &Loaded, filter: Option<&str>) -> Outcome {
    let sources = &loaded.sources;
    let mut problems = Diagnostics::default();
    let base = Base::build(loaded, &mut problems);
    let files = tests::parse(sources, &mut problems);
    check_names(&files, &mut problems);
    if !sources.iter().any(|(_, source)| source.notation == Notation::Tests) {
        problems.push(
            Diagnostic::global(Code::NoTests, "no test files in the paths")
                .hint("files of tests end in `.test.yaml`"),
        );
    }
    let is_meant = |test: &&Test<'_>| filter.is_none_or(|part| test.name.value.contains(part));
    let chosen: Vec<&Test<'_>> =
        files.iter().flat_map(|file| &file.tests).filter(is_meant).collect();
    if let (Some(part), true, false) = (filter, chosen.is_empty(), problems.has_errors()) {
        let message = format!("no test has `{}` in its name", part.escape_debug());
        problems.push(Diagnostic::global(Code::NoTests, message));
    }
    let mut ran = Vec::new();
    let mut reached = Reached::default();
    if let Some(base) = &base {
        for one in all(base, &chosen) {
            one.problems.into_iter().for_each(|problem| problems.push(problem));
            reached.add(one.reached);
            ran.push(one.failures);
        }
    }
    let base = base.filter(|_| !problems.has_errors());
    let results = base.map(|base| Results {
        files: results(&chosen, ran, sources),
        coverage: reached.of(&base.view, &base.places, sources),
    });
    Outcome { report: Report::new(problems, sources), results }
}

fn check_names(files: &[TestFile<'_>], problems: &mut Diagnostics) {
    for file in files {
        let mut names: HashMap<&str, Span> = HashMap::new();
        for test in &file.tests {
            let Some(&first) = names.get(&*test.name.value) else {
                names.insert(&test.name.value, test.name.span);
                continue;
            };
            let message = format!("two tests have the name `{}`", test.name.value.escape_debug());
            problems.push(
                Diagnostic::error(Code::DuplicateTest, test.name.span, message)
                    .also(first, "first used here")
                    .hint("rename one of the two"),
            );
        }
    }
}

/// What became of one test.
#[derive(Default)]
struct Ran {
    failures: Vec<(Span, Failure)>,
    problems: Vec<Diagnostic>,
    reached: Reached,
}

/// Runs tests in parallel; what became of them comes in their order.
fn all(base: &Base<'_>, tests: &[&Test<'_>]) -> Vec<Ran> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(test) = tests.get(at) else { return done };
            done.push((at, one(base, test)));
        }
    };
    let workers = thread::available_parallelism().map_or(1, NonZero::get).min(tests.len());
    let mut done: Vec<(usize, Ran)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let ended = workers.into_iter().map(thread::ScopedJoinHandle::join);
        ended.flat_map(|end| end.unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, ran)| ran).collect()
}

fn one(base: &Base<'_>, test: &Test<'_>) -> Ran {
    let laid;
    let (view, places) = if test.given.is_empty() {
        (&base.view, &base.places)
    } else {
        match base.with(&test.given) {
            Ok(over) => {
                laid = over;
                (&laid.0, &laid.1)
            }
            Err(problems) => {
                let (list, _) = problems.into_sorted();
                let errors = list.into_iter().filter(|it| it.severity == Severity::Error);
                let given = |it: Diagnostic| it.also(test.name.span, "with what is given here");
                return Ran { problems: errors.map(given).collect(), ..Ran::default() };
            }
        }
    };
    judged(test, view, places)
}

fn judged(test: &Test<'_>, view: &View, places: &Places) -> Ran {
    let mut ran = Ran::default();
    for written in &test.expect {
        let Some(expected) = Expected::of(written, view, &mut ran.problems) else { continue };
        let mut listed = Vec::new();
        let failure = check(&expected, view, &mut listed);
        ran.failures.extend(failure.map(|failure| (expected.span, failure)));
        if expected.question.open.is_none() {
            ran.reached.note(&trace(view, &expected.question.request), places);
        }
        for id in listed {
            ran.reached.note(&trace(view, &expected.question.about(&id)), places);
        }
    }
    ran
}

/// What became of the tests, file by file.
fn results(
    tests: &[&Test<'_>],
    ran: Vec<Vec<(Span, Failure)>>,
    sources: &Sources,
) -> Vec<FileResult> {
    let mut files: Vec<FileResult> = Vec::new();
    let mut current = None;
    for (test, failures) in tests.iter().zip(ran) {
        let id = test.name.span.source;
        let Some(source) = sources.get(id) else { continue };
        if current.as_ref().is_none_or(|(last, _)| *last != id) {
            current = Some((id, Cursor::new(&source.bytes)));
            files.push(FileResult { name: source.name.clone(), tests: Vec::new() });
        }
        let (Some((_, cursor)), Some(file)) = (&mut current, files.last_mut()) else { continue };
        let place = cursor.position(test.name.span.start());
        let mut at = cursor.clone();
        let failures = failures.into_iter().map(|(span, failure)| {
            let place = at.position(span.start());
            Failure { line: place.line, column: place.column, ..failure }
        });
        file.tests.push(TestResult {
            name: test.name.value.clone().into_owned(),
            line: place.line,
            column: place.column,
            expectations: test.expect.len(),
            failures: failures.collect(),
        });
    }
    files
}
