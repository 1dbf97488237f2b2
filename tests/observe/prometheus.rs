//! The dashboard, the alerts and both formats of the metrics, held against a running daemon and a real
//! Prometheus.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    io::Write as _,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use regex::Regex;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{
    client::Client,
    daemon::{Daemon, NEVER, run, serve},
};

const POLICY: &str = "rules: []\nusers: { ann: { tags: [a] }, bob: { tags: [b] } }\n";

fn deployed(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name)).unwrap()
}

/// A daemon with everything that has metrics, after a decision of each kind.
struct Measured {
    daemon: Daemon,
    folder: TempDir,
}

impl Measured {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("policies")).unwrap();
        fs::write(path("policies/policy.yaml"), POLICY).unwrap();
        let mut command = serve();
        command.arg(path("policies")).args(["--listen", "127.0.0.1:0", "--dialect", "xmtp"]);
        for (flag, name) in [
            ("--store", "store.redb"),
            ("--state-dir", "state"),
            ("--audit-log", "audit.ndjson"),
            ("--decision-log", "decisions.ndjson"),
        ] {
            command.arg(flag).arg(path(name));
        }
        let daemon = Daemon::start(&mut command);
        daemon.get("/v1/decide?subject=ann&action=sign_in");
        daemon.get("/v1/decide?subject=ann&action=start_chat&resource=bob");
        Self { daemon, folder }
    }

    /// The metrics of a daemon like it that has a certificate.
    fn over_tls(&self) -> String {
        let path = |name: &str| self.folder.path().join(name);
        let mut openssl = Command::new("openssl");
        openssl.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"]);
        openssl.arg("-keyout").arg(path("tls.key")).arg("-out").arg(path("tls.pem"));
        assert!(run(&mut openssl).status.success());
        let mut command = serve();
        command.arg(self.policy()).arg("--uds").arg(path("plain.sock"));
        command.arg("--tls-cert").arg(path("tls.pem")).arg("--tls-key").arg(path("tls.key"));
        let _daemon = Daemon::start(&mut command);
        Client::unix(&path("plain.sock")).get("/metrics").text().to_owned()
    }

    fn policy(&self) -> PathBuf {
        self.folder.path().join("policies/policy.yaml")
    }
}

/// The samples of the metrics by name: the labels of each.
fn samples(text: &str) -> BTreeMap<String, Vec<BTreeMap<String, String>>> {
    let label = Regex::new(r#"(\w+)="([^"]*)""#).unwrap();
    let mut samples: BTreeMap<String, Vec<BTreeMap<String, String>>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap().to_owned();
        let labels = label.captures_iter(line).map(|it| (it[1].to_owned(), it[2].to_owned()));
        samples.entry(name).or_default().push(labels.collect());
    }
    samples
}

/// All expressions of the dashboard, with its variables filled in, and the labels that their legends show.
fn dashboard() -> Vec<(String, String)> {
    let dashboard: Value = serde_json::from_str(&deployed("grafana.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    let annotations = dashboard["annotations"]["list"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let shown = targets.map(|it| (text(&it["expr"]), text(&it["legendFormat"])));
    let noted = annotations.iter().map(|it| (text(&it["expr"]), text(&it["titleFormat"])));
    let fill = |(expression, legend): (String, String)| {
        let mut expression = expression;
        for (variable, value) in [
            ("$__rate_interval", "1m"),
            ("$__range", "1h"),
            ("$job", "peerage"),
            ("$instance", ".*"),
            ("$route", ".*"),
        ] {
            expression = expression.replace(variable, value);
        }
        assert!(!expression.is_empty() && !expression.contains('$'), "{expression}");
        (expression, legend)
    };
    shown.chain(noted).map(fill).collect()
}

/// The expressions of the alerts, and the labels that their texts show.
fn alerts() -> Vec<(String, String)> {
    let rules: Value = serde_saphyr::from_str(&deployed("alerts.yaml")).unwrap();
    let rules = rules["groups"][0]["rules"].as_array().unwrap();
    let text = |rule: &Value| {
        let summary = rule["annotations"]["summary"].as_str().unwrap().replace("$labels.", "");
        assert!(rule["annotations"]["description"].as_str().is_some_and(|it| it.len() > 20));
        (rule["expr"].as_str().unwrap().to_owned(), summary)
    };
    rules.iter().map(text).collect()
}

/// The labels that Prometheus adds itself, and that of buckets.
const OTHER_LABELS: [&str; 3] = ["instance", "job", "le"];

#[test]
fn every_name_and_label_is_a_metrics() {
    let measured = Measured::start();
    measured.daemon.get("/metrics");
    let metrics = measured.daemon.get("/metrics");
    let mut samples = samples(metrics.text());
    for (name, labels) in self::samples(&measured.over_tls()) {
        samples.entry(name).or_insert(labels);
    }
    let name = Regex::new(r"\b((?:peerage|process)_\w+)(?:\{([^}]*)\})?").unwrap();
    let matcher = Regex::new(r#"(\w+)(=~|=)"([^"]*)""#).unwrap();
    let grouping = Regex::new(r"\b(?:by|on) \(([^)]*)\)").unwrap();
    let legend = Regex::new(r"\{\{ ?(\w+) ?\}\}").unwrap();
    let mut named = BTreeSet::new();
    for (expression, shown) in dashboard().into_iter().chain(alerts()) {
        let mut known: BTreeSet<&str> = OTHER_LABELS.into();
        for found in name.captures_iter(&expression) {
            let metric = &found[1];
            let Some(samples) = samples.get(metric) else { panic!("no {metric}: {expression}") };
            named.insert(metric.to_owned());
            known.extend(samples.iter().flat_map(BTreeMap::keys).map(String::as_str));
            let matchers = found.get(2).map_or("", |it| it.as_str());
            for found in matcher.captures_iter(matchers) {
                let (label, value) = (&found[1], &found[3]);
                if OTHER_LABELS.contains(&label) {
                    continue;
                }
                let pattern = Regex::new(&format!("^(?:{value})$")).unwrap();
                let is_met = samples.iter().any(|labels| {
                    labels.get(label).is_some_and(|it| {
                        if &found[2] == "=" { it == value } else { pattern.is_match(it) }
                    })
                });
                assert!(is_met, "{metric} has no {label}={value}: {expression}");
            }
        }
        let groups = grouping.captures_iter(&expression).map(|it| it[1].to_owned());
        let shown = legend.captures_iter(&shown).map(|it| it[1].to_owned());
        for labels in groups.chain(shown) {
            for label in labels.split(", ") {
                assert!(known.contains(label), "no label {label}: {expression}");
            }
        }
    }
    assert!(named.len() > 20, "{named:?}");
}

/// Runs a tool that belongs to Prometheus.
#[track_caller]
fn promtool(arguments: &[&str], input: &str) -> String {
    let mut tool = Command::new("promtool");
    tool.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut tool = tool.spawn().unwrap_or_else(|error| missing("promtool", &error));
    tool.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = tool.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {text}");
    text.into_owned()
}

fn missing<T>(program: &str, error: &std::io::Error) -> T {
    panic!("can't run {program}: {error}; tests/run installs it")
}

#[test]
fn promtool_finds_no_fault() {
    let alerts = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/alerts.yaml");
    let checked = promtool(&["check", "rules", alerts.to_str().unwrap()], "");
    assert!(checked.contains("SUCCESS"), "{checked}");
    let measured = Measured::start();
    measured.daemon.get("/metrics");
    let metrics = measured.daemon.get("/metrics");
    assert_eq!(promtool(&["check", "metrics"], metrics.text()), "");
}

/// A Prometheus on the loopback that runs until this is dropped.
struct Prometheus {
    child: Child,
    address: SocketAddr,
    folder: TempDir,
}

impl Prometheus {
    /// Scrapes a daemon, and evaluates the alerts at once: none waits before it fires.
    fn start(daemon: SocketAddr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let waits = Regex::new("(?m)^ *for: .*\n").unwrap();
        let alerts = deployed("alerts.yaml");
        fs::write(folder.path().join("alerts.yaml"), waits.replace_all(&alerts, "").as_ref())
            .unwrap();
        let config = format!(
            "global: {{ scrape_interval: 250ms, scrape_timeout: 250ms, evaluation_interval: 250ms }}\n\
             rule_files: [alerts.yaml]\n\
             scrape_configs:\n\
             - {{ job_name: peerage, static_configs: [{{ targets: ['{daemon}'] }}] }}\n"
        );
        fs::write(folder.path().join("prometheus.yaml"), config).unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let mut command = Command::new("prometheus");
        command
            .arg(format!("--config.file={}", folder.path().join("prometheus.yaml").display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(folder.path().join("log")).unwrap());
        let child = command.spawn().unwrap_or_else(|error| missing("prometheus", &error));
        Self { child, address, folder }
    }

    /// The answer of its API; `None` while it starts.
    fn get(&self, path: &str) -> Option<Value> {
        let stream = TcpStream::connect(self.address).ok()?;
        drop(stream);
        let mut client = Client::tcp(self.address);
        let answer = client.try_ask("GET", path, "", b"").ok()?;
        let json: Value = serde_json::from_slice(&answer.body).ok()?;
        if answer.status == 200 { Some(json["data"].clone()) } else { None }
    }

    /// The result of a query.
    fn query(&self, expression: &str) -> Option<Vec<Value>> {
        let mut encoded = String::new();
        for byte in expression.bytes() {
            let _ = write!(encoded, "%{byte:02x}");
        }
        self.get(&format!("/api/v1/query?query={encoded}"))?["result"].as_array().cloned()
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn prometheus_scrapes_and_fires_an_alert() {
    let measured = Measured::start();
    let daemon = &measured.daemon;
    let prometheus = Prometheus::start(daemon.address());
    // It asks for OpenMetrics, whose reader is strict: only what it took whole is up.
    let up = daemon.wait_for("the first scrape", |_| {
        let up = prometheus.query("up{job=\"peerage\"}")?;
        up.first().map(|it| it["value"][1].clone())
    });
    let targets = prometheus.get("/api/v1/targets").unwrap();
    let (error, log) = (&targets["activeTargets"][0]["lastError"], prometheus.log());
    assert_eq!((&up, error), (&"1".into(), &"".into()), "{log}");
    let build = prometheus.query("peerage_build_info").unwrap();
    assert_eq!(build[0]["metric"]["version"], env!("CARGO_PKG_VERSION"));
    let histogram =
        prometheus.query("peerage_request_seconds_bucket{le=\"+Inf\",route=\"/v1/decide\"}");
    assert_eq!(histogram.unwrap()[0]["value"][1], "2");
    for (expression, _) in dashboard().into_iter().chain(alerts()) {
        assert!(prometheus.query(&expression).is_some(), "{expression}");
    }
    let firing = |prometheus: &Prometheus| -> Option<Vec<Value>> {
        let alerts = prometheus.get("/api/v1/alerts")?["alerts"].as_array()?.clone();
        Some(alerts.into_iter().filter(|alert| alert["state"] == "firing").collect())
    };
    assert_eq!(firing(&prometheus), Some(Vec::new()));
    fs::write(measured.policy(), "rules: [{").unwrap();
    let alert =
        daemon.wait_for(format!("an alert within {NEVER:?}"), |_| firing(&prometheus)?.pop());
    assert_eq!(alert["labels"]["alertname"], "PeeragePolicyNotCurrent", "{alert}");
    assert_eq!(alert["labels"]["instance"], daemon.address().to_string(), "{alert}");
    // And it ends with its cause.
    fs::write(measured.policy(), POLICY).unwrap();
    daemon
        .wait_for("the end of the alert", |_| firing(&prometheus).filter(Vec::is_empty).map(drop));
}
