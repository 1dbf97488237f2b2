//! The metrics of the process, by the names that Prometheus' clients share: `process_cpu_seconds_total` and others.

use std::{fs, sync::atomic::AtomicU64};

use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};
use rustix::process::{Resource, getrlimit};

/// The figures of the process that the system reports in `/proc`.
#[derive(Clone, Copy, PartialEq, Debug)]
struct ProcessFigures {
    cpu_seconds: f64,
    virtual_bytes: u64,
    resident_bytes: u64,
    start_seconds: f64,
}

/// Registers the figures that the system reports: none where there is no `/proc`.
pub(super) fn register(registry: &mut Registry) {
    let mut gauge = |name: &str, help: &str, value: f64| {
        let gauge = Gauge::<f64, AtomicU64>::default();
        gauge.set(value);
        registry.register(name, help, gauge);
    };
    let figures = read_figures();
    if let Some(ProcessFigures { virtual_bytes, resident_bytes, start_seconds, .. }) = figures {
        gauge("process_resident_memory_bytes", "Resident memory", float(resident_bytes));
        gauge("process_virtual_memory_bytes", "Virtual memory", float(virtual_bytes));
        let help = "Start of the process, in seconds since the Unix epoch";
        gauge("process_start_time_seconds", help, start_seconds);
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        // The folder itself is open meanwhile.
        let open = open.count().saturating_sub(1);
        gauge("process_open_fds", "Open file descriptors", float(open as u64));
    }
    if let Some(limit) = getrlimit(Resource::Nofile).current {
        gauge("process_max_fds", "Limit of open file descriptors", float(limit));
    }
    if let Some(figures) = figures {
        let cpu = Counter::<f64, AtomicU64>::default();
        cpu.inc_by(figures.cpu_seconds);
        registry.register("process_cpu_seconds", "User and system CPU time", cpu);
    }
}

fn read_figures() -> Option<ProcessFigures> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the command, in parentheses, may hold spaces.
    let (_, fields) = stat.rsplit_once(") ")?;
    // Numbered as in proc(5), where the state is the third.
    let field = |number: usize| fields.split(' ').nth(number - 3)?.trim().parse::<u64>().ok();
    let system = fs::read_to_string("/proc/stat").ok()?;
    let boot = system.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    let ticks = float(rustix::param::clock_ticks_per_second());
    let page = rustix::param::page_size() as u64;
    Some(ProcessFigures {
        cpu_seconds: float(field(14)? + field(15)?) / ticks,
        start_seconds: float(boot) + float(field(22)?) / ticks,
        virtual_bytes: field(23)?,
        resident_bytes: field(24)? * page,
    })
}

#[expect(clippy::cast_precision_loss, reason = "metrics are floating-point numbers")]
fn float(value: u64) -> f64 {
    value as f64
}
