//! Each stage of the pipeline by itself, over small, medium and large worlds.
//!
//! `cargo bench --bench stages` runs them all; `cargo bench --bench stages -- decide/small` some.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench may stop at what it did not expect"
)]

mod world;

use std::{hint::black_box, time::Duration};

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use peerage::{
    decide::{decide, reach, reached_by},
    diagnostic::Diagnostics,
    policy,
    request::{Action, Request},
    source::{Notation, Source, Sources},
    syntax,
};
use world::{LARGE, MEDIUM, SMALL, Size};

const SIZES: [Size; 3] = [SMALL, MEDIUM, LARGE];

fn parse(c: &mut Criterion) {
    let work = |sources: &Sources| {
        black_box(syntax::parse(sources, &mut Diagnostics::default()));
    };
    over_texts(c, "parse_dsl", Notation::Dsl, |size| world::dsl_rules(size, 11), work);
    over_texts(c, "parse_yaml", Notation::Yaml, |size| world::yaml_rules(size, 11), work);
    over_texts(c, "parse_yaml_users", Notation::Yaml, world::yaml_users, work);
}

fn load_bulk(c: &mut Criterion) {
    let work = |sources: &Sources| {
        let mut problems = Diagnostics::default();
        let ast = syntax::parse(sources, &mut problems);
        black_box(policy::resolve(
            ast,
            sources,
            sources.time().into(),
            None,
            policy::Sites::Drop,
            &mut problems,
        ));
    };
    over_texts(c, "load_ndjson", Notation::Ndjson, world::ndjson, work);
    over_texts(c, "load_csv", Notation::Csv, world::csv, work);
}

fn over_texts(
    c: &mut Criterion,
    name: &str,
    notation: Notation,
    text: impl Fn(Size) -> String,
    work: impl Fn(&Sources),
) {
    let mut group = c.benchmark_group(name);
    for size in SIZES {
        let text = text(size);
        group.throughput(Throughput::Bytes(text.len() as u64));
        let sources = Sources::new(vec![Source::new("bench", notation, text)]);
        group.bench_function(BenchmarkId::from_parameter(size.name), |b| b.iter(|| work(&sources)));
    }
}

fn compile(c: &mut Criterion) {
    let mut group = c.benchmark_group("compile");
    for size in SIZES {
        let sources = world::sources(size);
        let resolve = || {
            let mut problems = Diagnostics::default();
            let ast = syntax::parse(&sources.sources, &mut problems);
            policy::resolve(
                ast,
                &sources.sources,
                sources.sources.time().into(),
                None,
                policy::Sites::Drop,
                &mut problems,
            )
        };
        group.bench_function(BenchmarkId::from_parameter(size.name), |b| {
            b.iter_batched(
                resolve,
                |policy| peerage::compile::compile(&policy, None),
                BatchSize::PerIteration,
            );
        });
    }
}

fn decide_and_reach(c: &mut Criterion) {
    for size in SIZES {
        let view = world::view(&world::sources(size), None);
        let pairs = world::pairs(size, 100_000);
        let mut next = pairs.iter().cycle();
        c.benchmark_group("decide").bench_function(size.name, |b| {
            b.iter(|| {
                let (subject, resource) = next.next().unwrap();
                decide(&view, &Request::new(subject, Action::StartChat, resource))
            });
        });
        let directory = &view.population.directory;
        c.benchmark_group("decide_only_look_ups").bench_function(size.name, |b| {
            b.iter(|| {
                let (subject, resource) = next.next().unwrap();
                (directory.number(subject), directory.number(resource))
            });
        });
        c.benchmark_group("reach").bench_function(size.name, |b| {
            b.iter(|| {
                let (subject, _) = next.next().unwrap();
                reach(&view, &Request::new(subject, Action::StartChat, "")).total()
            });
        });
        c.benchmark_group("reached_by").bench_function(size.name, |b| {
            b.iter(|| {
                let (resource, _) = next.next().unwrap();
                reached_by(&view, &Request::new("", Action::StartChat, resource)).total()
            });
        });
    }
}

fn reload(c: &mut Criterion) {
    let mut group = c.benchmark_group("reload_one_rule");
    for size in SIZES {
        let before = world::view(&world::sources(size), None);
        let rule = "rule new: hasTag(tag-1) -> [tag-2];";
        let changed =
            world::with(&world::sources(size), Source::new("new.peerage", Notation::Dsl, rule));
        group.bench_function(BenchmarkId::from_parameter(size.name), |b| {
            b.iter_batched(
                || world::fresh(&changed),
                |files| world::view(&files, Some(&before)),
                BatchSize::PerIteration,
            );
        });
    }
}

fn configuration() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
}

criterion_group! {
    name = stages;
    config = configuration();
    targets = parse, load_bulk, compile, decide_and_reach, reload
}
criterion_main!(stages);
