//! The two text formats of metrics, and their choice by the `Accept` header.

use std::collections::HashSet;

use hyper::{HeaderMap, header::ACCEPT};

/// A text format of Prometheus.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum MetricsFormat {
    /// Version 0.0.4, which all scrapers read.
    Text,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
}

impl MetricsFormat {
    /// The format that `Accept` prefers: OpenMetrics only if it is named, with at least the quality of text.
    pub(super) fn accepted(headers: &HeaderMap) -> Self {
        let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let ranges: Vec<Range<'_>> =
            values.flat_map(|value| value.split(',')).map(Range::parse).collect();
        let named = ranges.iter().filter(|range| range.is_open_metrics());
        let open_metrics = named.map(|range| range.quality).max().unwrap_or(0);
        if open_metrics > 0 && open_metrics >= text_quality(&ranges) {
            Self::OpenMetrics
        } else {
            Self::Text
        }
    }

    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// Converts metrics from OpenMetrics to this format.
    pub(super) fn render(self, open_metrics: String) -> String {
        match self {
            Self::Text => to_text(&open_metrics),
            Self::OpenMetrics => open_metrics,
        }
    }
}

/// A media range of `Accept`.
#[derive(Clone, Copy, Debug)]
struct Range<'a> {
    essence: &'a str,
    version: Option<&'a str>,
    /// The quality in thousandths.
    quality: u32,
}

impl<'a> Range<'a> {
    fn parse(text: &'a str) -> Self {
        let mut parts = text.split(';').map(str::trim);
        let essence = parts.next().unwrap_or_default();
        let mut range = Self { essence, version: None, quality: 1000 };
        for part in parts {
            match part.split_once('=').map(|(name, value)| (name.trim(), value.trim())) {
                Some((name, value)) if name.eq_ignore_ascii_case("q") => {
                    range.quality = quality(value);
                }
                Some((name, value)) if name.eq_ignore_ascii_case("version") => {
                    range.version = Some(value.trim_matches('"'));
                }
                _ => {}
            }
        }
        range
    }

    fn is(&self, essence: &str) -> bool {
        self.essence.eq_ignore_ascii_case(essence)
    }

    fn is_open_metrics(&self) -> bool {
        self.is("application/openmetrics-text") && self.version.is_none_or(|it| it == "1.0.0")
    }
}

/// The quality of the text format, from the most specific range that includes it.
fn text_quality(ranges: &[Range<'_>]) -> u32 {
    let of = |essence| {
        let fits = |range: &&Range<'_>| range.version.is_none_or(|version| version == "0.0.4");
        let ranges = ranges.iter().filter(|range| range.is(essence)).filter(fits);
        ranges.map(|range| range.quality).max()
    };
    of("text/plain").or_else(|| of("text/*")).or_else(|| of("*/*")).unwrap_or(0)
}

/// A quality of 0 to 1 in thousandths; 0 if it is invalid.
fn quality(text: &str) -> u32 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_plain = fraction.len() <= 3 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    match (whole, format!("{fraction:0<3}").parse::<u32>()) {
        ("0", Ok(thousandths)) if is_plain => thousandths,
        ("1", Ok(0)) if is_plain => 1000,
        _ => 0,
    }
}

/// OpenMetrics as the text format 0.0.4, in which a counter's family has the name of its samples, and
/// units, exemplars and the end marker are left out.
fn to_text(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len());
    let counters: HashSet<&str> = open_metrics
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter"))
        .collect();
    for line in open_metrics.lines() {
        let Some(comment) = line.strip_prefix("# ") else {
            text.push_str(line.split_once(" # ").map_or(line, |(sample, _)| sample));
            text.push('\n');
            continue;
        };
        let mut words = comment.splitn(3, ' ');
        let (Some(keyword @ ("HELP" | "TYPE")), Some(name), Some(rest)) =
            (words.next(), words.next(), words.next())
        else {
            continue;
        };
        let total = if counters.contains(name) { "_total" } else { "" };
        let rest = match (keyword, rest) {
            ("TYPE", "unknown") => "untyped".to_owned(),
            ("TYPE", "info" | "stateset") => "gauge".to_owned(),
            ("HELP", help) => help.replace("\\\"", "\""),
            (_, rest) => rest.to_owned(),
        };
        text.extend(["# ", keyword, " ", name, total, " ", &rest, "\n"]);
    }
    text
}
