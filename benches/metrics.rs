//! The cost of counting: a decision, and the time of a request besides reading the clock.

use std::{hint::black_box, time::Duration};

use criterion::{Criterion, criterion_group, criterion_main};
use peerage::{
    request::{Action, ActionName, Decision, Reason},
    serve::{RequestMetrics, RouteIndex},
};

fn count(criterion: &mut Criterion) {
    let metrics = RequestMetrics::new((0..30).map(|number| format!("/{number}")).collect());
    let decisions = [Decision::ALLOWED, Decision::denied(Reason::NoRule)];
    let mut group = criterion.benchmark_group("metrics");
    let mut number: u64 = 0;
    group.bench_function("decision", |bencher| {
        bencher.iter(|| {
            number += 1;
            let decision = if number & 1 == 0 { decisions[0] } else { decisions[1] };
            metrics.count_decision(
                black_box(&ActionName::BuiltIn(Action::StartChat)),
                black_box(decision),
            );
        });
    });
    group.bench_function("decision-and-time", |bencher| {
        bencher.iter(|| {
            number += 1;
            let decision = if number & 1 == 0 { decisions[0] } else { decisions[1] };
            metrics.count_decision(
                black_box(&ActionName::BuiltIn(Action::StartChat)),
                black_box(decision),
            );
            // From 3 µs to 4 ms, so that all buckets of decisions are met.
            let took = Duration::from_nanos(3_000 + (number * 7_919) % 4_000_000);
            metrics.record_time(black_box(RouteIndex(1)), black_box(took));
        });
    });
    group.finish();
}

criterion_group!(benches, count);
criterion_main!(benches);
