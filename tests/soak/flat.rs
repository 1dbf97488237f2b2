//! What is flat: the bounds within which memory, descriptors, threads and times may move.

use crate::{
    samples::{Run, Sample},
    support::daemon::Daemon,
};

/// The growth of memory from the first to the last third that is not yet a leak, in KiB, where that is more
/// than a tenth.
const GROWTH_KIB: f64 = 4096.0;

/// A median of the 99th percentiles below this is no slowdown, in microseconds: it is the noise of a machine that
/// others use.
const NOISE_US: f64 = 10_000.0;

/// The descriptors and threads that may be open beside those of an idle daemon, such as those of a connection to
/// etcd that was made again.
const SPARE: u64 = 4;

/// The samples after the daemon has warmed up.
fn warm(run: &Run) -> &[Sample] {
    &run.samples[run.samples.len() / 4..]
}

/// The medians of a figure over the first and the last third of the warm samples.
fn ends(run: &Run, figure: impl Fn(&Sample) -> Option<u64>) -> [f64; 2] {
    let samples = warm(run);
    let third = samples.len() / 3;
    [&samples[..third], &samples[samples.len() - third..]].map(|samples| {
        let mut values: Vec<u64> = samples.iter().filter_map(&figure).collect();
        values.sort_unstable();
        values[values.len() / 2] as f64
    })
}

fn memory(run: &Run) -> [f64; 2] {
    ends(run, |sample| Some(sample.resident))
}

fn p99(run: &Run) -> [f64; 2] {
    ends(run, |sample| sample.latency.map(|it| it.p99))
}

pub(crate) fn summary(run: &Run) -> String {
    let [memory, descriptors, threads, median, p99] = [
        memory(run).map(|kib| kib / 1024.0),
        ends(run, |sample| Some(sample.descriptors)),
        ends(run, |sample| Some(sample.threads)),
        ends(run, |sample| sample.latency.map(|it| it.median)),
        p99(run),
    ]
    .map(|[first, last]| format!("{first:.1} to {last:.1}"));
    format!(
        "{memory} MiB, {descriptors} descriptors, {threads} threads, median {median} µs, 99th percentile {p99} µs"
    )
}

/// What is not flat in a run.
pub(crate) fn faults(run: &Run) -> Vec<String> {
    let mut faults = Vec::new();
    let [first, last] = memory(run);
    if last - first > GROWTH_KIB.max(first / 10.0) {
        faults.push(format!("{}: memory grew from {first} to {last} KiB", run.name));
    }
    let [first, last] = p99(run);
    if last > NOISE_US && last > 2.0 * first {
        faults.push(format!("{}: the 99th percentile grew from {first} to {last} µs", run.name));
    }
    faults
}

/// The descriptors and threads of a daemon without load that were not there before it.
pub(crate) fn what_stays(name: &str, daemon: &Daemon, idle: &Sample) -> Option<String> {
    // Threads end and connections close some seconds after their last use.
    let is_idle = |now: &Sample| {
        now.descriptors <= idle.descriptors + SPARE && now.threads <= idle.threads + SPARE
    };
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    loop {
        let now = Sample::of_process(daemon.id());
        if is_idle(&now) {
            return None;
        }
        if std::time::Instant::now() > deadline {
            return Some(format!("{name}: before the load {idle:?}, after it {now:?}"));
        }
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
}
