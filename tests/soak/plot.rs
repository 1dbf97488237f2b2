//! The plot of a run, as SVG.

use std::{fmt::Write as _, time::Duration};

use crate::{
    changes::Event,
    samples::{Latency, Run, Sample},
};

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 150.0;
const LEFT: f64 = 70.0;
const GAP: f64 = 40.0;
const COLORS: [&str; 4] = ["#1f77b4", "#ff7f0e", "#2ca02c", "#d62728"];

type Figure = fn(&Sample) -> Option<f64>;

/// One panel: its title, and what is drawn for each daemon.
struct Panel {
    title: &'static str,
    figures: &'static [(&'static str, Figure)],
}

const PANELS: [Panel; 4] = [
    Panel {
        title: "resident memory, MiB",
        figures: &[("", |sample| Some(sample.resident as f64 / 1024.0))],
    },
    Panel { title: "open descriptors", figures: &[("", |sample| Some(sample.descriptors as f64))] },
    Panel { title: "threads", figures: &[("", |sample| Some(sample.threads as f64))] },
    Panel {
        title: "time of a decision, ms, logarithmic",
        figures: &[
            (" median", |sample| sample.latency.map(|Latency { median, .. }| milliseconds(median))),
            (" p99", |sample| sample.latency.map(|Latency { p99, .. }| milliseconds(p99))),
        ],
    },
];

fn milliseconds(microseconds: u64) -> f64 {
    microseconds as f64 / 1000.0
}

/// The plot: a panel for each figure, with a line for each change that was made.
pub(crate) fn draw(runs: &[Run], events: &[Event], span: Duration) -> String {
    let height = PANELS.len() as f64 * (HEIGHT + GAP) + GAP;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {height}\" font-family=\"sans-serif\" \
         font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
        LEFT + WIDTH + 20.0
    );
    for (at, panel) in PANELS.iter().enumerate() {
        let top = GAP + at as f64 * (HEIGHT + GAP);
        panel.draw(&mut svg, top, runs, events, span.as_secs_f64());
    }
    svg.push_str("</svg>\n");
    svg
}

impl Panel {
    fn draw(&self, svg: &mut String, top: f64, runs: &[Run], events: &[Event], span: f64) {
        let is_log = self.figures.len() > 1;
        let scaled = |value: f64| if is_log { value.max(0.01).log10() } else { value };
        let values = || {
            let samples = runs.iter().flat_map(|run| &run.samples);
            samples.flat_map(|it| self.figures.iter().filter_map(|(_, figure)| figure(it)))
        };
        let most = values().fold(0.0, f64::max) * 1.1 + 0.01;
        let (low, high) = if is_log { (-2.0, scaled(most)) } else { (0.0, most) };
        let x = |seconds: f64| LEFT + seconds / span * WIDTH;
        let y = |value: f64| top + HEIGHT * (1.0 - (scaled(value) - low) / (high - low));
        for Event { at, kind } in events.iter().filter(|event| event.kind.is_drawn()) {
            let at = x(at.as_secs_f64());
            let (color, bottom) = (kind.color(), top + HEIGHT);
            writeln!(svg, r#"<path d="M{at:.1} {top}V{bottom}" stroke="{color}"/>"#).unwrap();
        }
        writeln!(
            svg,
            r##"<rect x="{LEFT}" y="{top}" width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#888"/>"##
        )
        .unwrap();
        let title = top - 6.0;
        write!(svg, r#"<text x="{LEFT}" y="{title}">{}"#, self.title).unwrap();
        let names = runs.iter().flat_map(|run| self.figures.iter().map(move |(of, _)| (run, of)));
        for ((run, of), color) in names.zip(COLORS) {
            write!(svg, r#"<tspan dx="14" fill="{color}">{}{of}</tspan>"#, run.name).unwrap();
        }
        svg.push_str("</text>\n");
        for step in 0..=2 {
            let part = f64::from(step) / 2.0;
            let value = if is_log { 10f64.powf(low + part * (high - low)) } else { part * most };
            let (at, minutes) = (top + HEIGHT * (1.0 - part) + 4.0, span * part / 60.0);
            let left = LEFT - 6.0;
            writeln!(svg, r#"<text x="{left}" y="{at}" text-anchor="end">{value:.2}</text>"#)
                .unwrap();
            let (at, bottom) = (x(span * part), top + HEIGHT + 13.0);
            writeln!(
                svg,
                r#"<text x="{at}" y="{bottom}" text-anchor="middle">{minutes:.0} min</text>"#
            )
            .unwrap();
        }
        let lines = runs.iter().flat_map(|run| self.figures.iter().map(move |it| (run, it.1)));
        for ((run, figure), color) in lines.zip(COLORS) {
            write!(svg, r#"<polyline fill="none" stroke="{color}" points=""#).unwrap();
            for sample in &run.samples {
                if let Some(value) = figure(sample) {
                    let at = x(sample.at.as_secs_f64().min(span));
                    write!(svg, "{at:.1},{:.1} ", y(value)).unwrap();
                }
            }
            svg.push_str("\"/>\n");
        }
    }
}
