//! The runner of tests: policies with the statements of tests added, in parallel.

use std::{
    collections::{HashMap, HashSet},
    num::NonZero,
    panic::resume_unwind,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use super::{
    FileResult, TestOutcome, TestResult, TestResults,
    case_key::CaseKey,
    check::{ExpectationFailure, check},
    coverage::CoverageRecorder,
    expectation::CheckedExpectation,
};
use crate::{
    compile::{PolicyBase, StatementSpans},
    decide::trace,
    diagnostic::{Code, Diagnostic, Diagnostics, Report, Severity},
    request::{InvalidMomentError, Moment},
    snapshot::View,
    source::{LoadedSources, Notation, PositionCursor, Sources, Span},
    syntax::{
        ast::Text,
        parse_tests,
        tests::{Test, TestFile},
    },
};

/// Runs the tests among the loaded files against the policy of the other files, on all processors.
/// With a filter, only the tests with this text in their names.
///
/// The cost of a test besides its questions depends on what it gives. Nothing: no cost. If it asks
/// for decisions only: a compilation of the policy over the users whom it names. If it asks for
/// lists: a compilation over all users, who are read again if the test gives records of users;
/// tests that give the same share it. The same holds if it gives declared tags, limits or a preset.
pub fn run(loaded: &LoadedSources, filter: Option<&str>) -> TestOutcome {
    let sources = &loaded.sources;
    let mut problems = Diagnostics::default();
    let base = PolicyBase::build(loaded, &mut problems);
    let files = parse_tests(sources, &mut problems);
    check_names(&files, &mut problems);
    if !sources.iter().any(|(_, source)| source.notation == Notation::Tests) {
        problems.push(
            Diagnostic::global(Code::NoTests, "no test files in the paths")
                .hint("the extension of a test file is `.test.yaml`"),
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
    let mut reached = CoverageRecorder::default();
    if let Some(base) = &base {
        for one in run_all(base, &chosen) {
            one.problems.into_iter().for_each(|problem| problems.push(problem));
            reached.add(one.reached);
            ran.push((one.failures, one.took));
        }
    }
    let base = base.filter(|_| !problems.has_errors());
    let results = base.map(|base| TestResults {
        files: results(&chosen, ran, sources),
        coverage: reached.coverage(&base.view, &base.places, sources),
    });
    TestOutcome { report: Report::new(problems, sources), results }
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
                    .related(first, "first used here")
                    .hint("rename one of the two"),
            );
        }
    }
}

/// The outcome of one test.
#[derive(Default)]
struct TestRun {
    failures: Vec<(Span, ExpectationFailure)>,
    problems: Vec<Diagnostic>,
    reached: CoverageRecorder,
    took: Duration,
}

/// Runs tests in parallel; the outcomes are in the order of the tests.
fn run_all(base: &PolicyBase<'_>, tests: &[&Test<'_>]) -> Vec<TestRun> {
    let jobs = jobs(tests);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(job) = jobs.get(at) else { return done };
            let mut laid = GivenViews { base, view: None };
            done.extend(job.iter().map(|&(at, test)| {
                let begun = Instant::now();
                let ran = laid.run(test);
                (at, TestRun { took: begun.elapsed(), ..ran })
            }));
        }
    };
    let workers = thread::available_parallelism().map_or(1, NonZero::get).min(jobs.len());
    let mut done: Vec<(usize, TestRun)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let ended = workers.into_iter().map(thread::ScopedJoinHandle::join);
        ended.flat_map(|end| end.unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, ran)| ran).collect()
}

/// Tests that are run one after the other, with their indices among all.
type Job<'t, 's> = Vec<(usize, &'t Test<'s>)>;

/// Groups the tests that need a view of all users with the same statements given, at the same moment, into
/// one job; each other test is a job of its own.
fn jobs<'t, 's>(tests: &[&'t Test<'s>]) -> Vec<Job<'t, 's>> {
    let mut jobs: Vec<Job<'t, 's>> = Vec::new();
    let mut same: HashMap<(Option<String>, String), usize> = HashMap::new();
    for (at, &test) in tests.iter().enumerate() {
        let job = if test.at.is_none() && (test.given.is_empty() || !test.has_lists()) {
            jobs.len()
        } else {
            let at = test.at.as_ref().map(|at| at.value.to_string());
            *same.entry((at, test.given_text())).or_insert(jobs.len())
        };
        match jobs.get_mut(job) {
            Some(job) => job.push((at, test)),
            None => jobs.push(vec![(at, test)]),
        }
    }
    jobs
}

/// A policy with the statements that tests give.
struct GivenViews<'b, 's> {
    base: &'b PolicyBase<'s>,
    /// The view over all users, once a test needs it: it is the same for all tests of a job.
    view: Option<Result<(View, StatementSpans), Vec<Diagnostic>>>,
}

impl<'s> GivenViews<'_, 's> {
    fn run(&mut self, test: &Test<'s>) -> TestRun {
        let base = self.base;
        let at = match test.at.as_ref().map(moment).transpose() {
            Ok(at) => at,
            Err(problem) => return TestRun { problems: vec![problem], ..TestRun::default() },
        };
        if test.given.is_empty() && at.is_none() {
            return run_expectations(test, &base.view, &base.places);
        }
        if !test.has_lists()
            && at.is_none()
            && let Some((view, places)) = base.with_overlay_slice(&test.given, &test.named_ids())
        {
            let ran = run_expectations(test, &view, &places);
            // Errors are reported best where all users are known.
            if ran.problems.is_empty() {
                return ran;
            }
        }
        let laid = self.view.get_or_insert_with(|| {
            base.with_overlay(&test.given, at).map_err(|problems| {
                let (list, _) = problems.into_sorted();
                list.into_iter().filter(|it| it.severity == Severity::Error).collect()
            })
        });
        match laid {
            Ok((view, places)) => run_expectations(test, view, places),
            Err(problems) => {
                let given =
                    |it: &Diagnostic| it.clone().related(test.name.span, "with what is given here");
                TestRun { problems: problems.iter().map(given).collect(), ..TestRun::default() }
            }
        }
    }
}

/// The moment of a test.
fn moment(written: &Text<'_>) -> Result<Moment, Diagnostic> {
    written.value.parse().map_err(|error: InvalidMomentError| {
        Diagnostic::error(Code::InvalidTime, written.span, error.to_string())
            .hint("write it as 2026-12-31T23:59:59Z")
    })
}

fn run_expectations(test: &Test<'_>, view: &View, places: &StatementSpans) -> TestRun {
    let mut ran = TestRun::default();
    for written in &test.expect {
        let Some(expected) = CheckedExpectation::resolve(written, view, &mut ran.problems) else {
            continue;
        };
        let mut listed = Vec::new();
        let failure = check(&expected, view, &mut listed);
        ran.failures.extend(failure.map(|failure| (expected.span, failure)));
        if expected.question.open.is_none() {
            ran.reached.record(&trace(view, &expected.question.request), places);
        }
        let mut met = HashSet::new();
        for id in listed {
            let alike = CaseKey::of(&expected.question, view, &id);
            if alike.is_some_and(|alike| !met.insert(alike)) {
                continue;
            }
            ran.reached.record(&trace(view, &expected.question.with_listed(&id)), places);
        }
    }
    ran
}

/// The results by file.
fn results(
    tests: &[&Test<'_>],
    ran: Vec<(Vec<(Span, ExpectationFailure)>, Duration)>,
    sources: &Sources,
) -> Vec<FileResult> {
    let mut files: Vec<FileResult> = Vec::new();
    let mut current = None;
    for (test, (failures, took)) in tests.iter().zip(ran) {
        let id = test.name.span.source;
        let Some(source) = sources.get(id) else { continue };
        if current.as_ref().is_none_or(|(last, _)| *last != id) {
            current = Some((id, PositionCursor::new(&source.bytes)));
            files.push(FileResult { name: source.name.clone(), tests: Vec::new() });
        }
        let (Some((_, cursor)), Some(file)) = (&mut current, files.last_mut()) else { continue };
        let place = cursor.position(test.name.span.start());
        let mut at = cursor.clone();
        let failures = failures.into_iter().map(|(span, failure)| {
            let place = at.position(span.start());
            ExpectationFailure { line: place.line, column: place.column, ..failure }
        });
        file.tests.push(TestResult {
            name: test.name.value.clone().into_owned(),
            line: place.line,
            column: place.column,
            expectations: test.expect.len(),
            failures: failures.collect(),
            took,
        });
    }
    files
}
