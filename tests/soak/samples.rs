//! The samples of each daemon, taken once a second.

use std::{fmt::Write as _, fs, time::Duration};

use crate::{load::Traffic, place::Place};

/// What a process holds.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Sample {
    /// The time since the start of the load.
    pub(crate) at: Duration,
    /// Resident memory, in KiB.
    pub(crate) resident: u64,
    pub(crate) descriptors: u64,
    pub(crate) threads: u64,
    /// The times of the decisions within the second, in microseconds; `None` if there were none.
    pub(crate) latency: Option<Latency>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Latency {
    pub(crate) median: u64,
    pub(crate) p99: u64,
}

impl Sample {
    /// What a process holds now.
    pub(crate) fn of_process(id: u32) -> Self {
        let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let field = |name: &str| -> u64 {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim().trim_end_matches(" kB").parse().unwrap()
        };
        let descriptors = fs::read_dir(format!("/proc/{id}/fd")).unwrap().count() as u64;
        Self {
            resident: field("VmRSS:"),
            threads: field("Threads:"),
            descriptors,
            ..Self::default()
        }
    }
}

/// All samples of one daemon.
pub(crate) struct Run {
    pub(crate) name: &'static str,
    pub(crate) samples: Vec<Sample>,
}

pub(crate) struct Sampler<'p> {
    place: &'p Place,
    traffic: &'p Traffic,
    runs: Vec<Run>,
}

impl<'p> Sampler<'p> {
    pub(crate) fn new(place: &'p Place, traffic: &'p Traffic) -> Self {
        let run = |name| Run { name, samples: Vec::new() };
        let runs = place.subjects().iter().map(|subject| run(subject.name)).collect();
        Self { place, traffic, runs }
    }

    pub(crate) fn sample(&mut self, at: Duration) {
        for (number, daemon) in self.place.daemons().iter().enumerate() {
            let latency = latency(self.traffic.take_times(number));
            let sample = Sample { at, latency, ..Sample::of_process(daemon.id()) };
            self.runs[number].samples.push(sample);
        }
    }

    pub(crate) fn finish(self) -> Vec<Run> {
        self.runs
    }
}

fn latency(mut times: Vec<u64>) -> Option<Latency> {
    times.sort_unstable();
    let last = times.len().checked_sub(1)?;
    Some(Latency { median: times[last / 2], p99: times[last * 99 / 100] })
}

/// The samples as a table.
pub(crate) fn csv(runs: &[Run]) -> String {
    let mut text = "daemon,seconds,resident_kib,descriptors,threads,median_us,p99_us\n".to_owned();
    for run in runs {
        for sample in &run.samples {
            let seconds = sample.at.as_secs();
            let Sample { resident, descriptors, threads, .. } = sample;
            write!(text, "{},{seconds},{resident},{descriptors},{threads}", run.name).unwrap();
            match sample.latency {
                Some(Latency { median, p99 }) => writeln!(text, ",{median},{p99}").unwrap(),
                None => text.push_str(",,\n"),
            }
        }
    }
    text
}
