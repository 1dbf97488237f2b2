//! The configuration of `serve`: its layers, its mistakes, and what is printed of it.

use std::{collections::BTreeSet, fs, process::Command};

use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::support::json_schema::{validator, violations};

/// A folder with a config file, and the variables of a process.
struct Config {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

impl Config {
    fn new(file: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("c.yaml"), file).unwrap();
        Self { folder, variables: Vec::new() }
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The exit code, standard output and standard error of `serve` with the config file.
    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_peerage"));
        command.args(["serve", "--config", "c.yaml"]).args(arguments);
        command.current_dir(self.folder.path()).env_clear();
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        let output = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    /// The settings, of which no one is mistaken.
    #[track_caller]
    fn settings(&self, arguments: &[&str]) -> Map<String, Value> {
        let (code, output, errors) =
            self.run(&[&["--print-config", "--format", "json"], arguments].concat());
        assert_eq!((code, &*errors), (0, ""));
        serde_json::from_str(&output).unwrap()
    }
}

fn setting(value: impl Into<Value>, source: &str) -> Value {
    json!({ "value": value.into(), "source": source })
}

#[test]
fn flags_win_over_variables_and_those_over_the_file() {
    let config = Config::new(
        "listen: ':1'\nuds: [a.sock, b.sock]\ndrain: 5\nmax-changed: 0.1\nsighup-forces: true\n\
         hold: off\npolicy: p\ninsecure-listen: true\n",
    );
    let config = config.with("PEERAGE_LISTEN", "localhost:2, :3").with("PEERAGE_DRAIN", "7s");
    let settings = config.settings(&["--drain", "1m", "--sighup-forces=false", "q", "r"]);
    for (key, value, source) in [
        ("listen", json!(["localhost:2", ":3"]), "environment"),
        ("uds", json!(["a.sock", "b.sock"]), "file"),
        ("drain", json!("1m"), "flag"),
        ("max-changed", json!("0.1"), "file"),
        ("sighup-forces", json!(false), "flag"),
        ("hold", json!("off"), "file"),
        ("insecure-listen", json!(true), "file"),
        ("policy", json!(["q", "r"]), "flag"),
        ("body-limit", json!(1_048_576), "default"),
        ("state-dir", Value::Null, "default"),
        ("ignore", json!([]), "default"),
    ] {
        assert_eq!(settings[key], setting(value, source), "{key}");
    }
    let config =
        Config::new("").with("PEERAGE_POLICY", "p,q").with("PEERAGE_SIGHUP_FORCES", "true");
    let settings = config.settings(&["--color", "never"]);
    assert_eq!(settings["policy"], setting(json!(["p", "q"]), "environment"));
    assert_eq!(settings["sighup-forces"], setting(true, "environment"));
    assert_eq!(settings["color"], setting("never", "flag"));
    assert_eq!(settings["listen"], setting(json!(["127.0.0.1:7411"]), "default"));
}

#[test]
fn the_file_can_be_named_by_a_variable() {
    let config = Config::new("").with("PEERAGE_CONFIG", "other.yaml");
    fs::write(config.folder.path().join("other.yaml"), "drain: 3s\n").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_peerage"));
    command.args(["serve", "--print-config"]).current_dir(config.folder.path());
    let output = command.env("PEERAGE_CONFIG", "other.yaml").output().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().contains("drain: 3s # file\n"));
    // The flag wins.
    assert_eq!(config.settings(&[])["drain"], setting("10s", "default"));
    let missing = Command::new(env!("CARGO_BIN_EXE_peerage"))
        .args(["serve", "--config", "/nowhere/c.yaml", "."])
        .output()
        .unwrap();
    assert_eq!(missing.status.code(), Some(2));
    let errors = String::from_utf8(missing.stderr).unwrap();
    assert!(errors.contains("can't read the config file `/nowhere/c.yaml`"), "{errors}");
}

/// What is printed can be read again, each line has its source, and no password is shown.
#[test]
fn the_printed_config_is_a_config_file() {
    let text = "hold: off\nlisten: [':1', 'localhost:2']\nstate-dir: 'a # b'\nvenueless-world: ['5', 'on']\n\
                max-changed: 10%\nstore: etcd://me:secret@host:1/a\n";
    let first = Config::new(text);
    let (code, printed, errors) = first.run(&["--print-config", "--uds", "x,y", "."]);
    assert_eq!((code, &*errors), (0, ""));
    assert!(!printed.contains("secret") && printed.contains("etcd://...@host:1/a"), "{printed}");
    for line in printed.lines() {
        let source = line.rsplit_once(" # ").unwrap().1;
        assert!(["flag", "environment", "file", "default"].contains(&source), "{line}");
    }
    let values = |config: &Config, arguments: &[&str]| -> Vec<(String, Value)> {
        let settings = config.settings(arguments);
        settings.into_iter().map(|(key, mut setting)| (key, setting["value"].take())).collect()
    };
    let mut expected = values(&first, &["--uds", "x,y", "."]);
    expected.retain(|(key, _)| key != "format");
    let mut again = values(&Config::new(&printed), &[]);
    again.retain(|(key, _)| key != "format");
    assert_eq!(again, expected);
    // Another reader of YAML finds the same.
    let read: Map<String, Value> = serde_saphyr::from_str(&printed).unwrap();
    assert_eq!((&read["hold"], &read["venueless-world"]), (&json!("off"), &json!(["5", "on"])));
}

#[test]
fn mistakes_in_the_file_have_their_place() {
    let config = Config::new(
        "lsten: 1\ndrain: 5 sec\nhold: onn\nuds: { a: 1 }\nstore: [a, b]\ninsecure-listen: yes\n\
         state-dir:\nstart: last-good\nstart: fresh\nlisten: ['localhost:1', 'here']\n\
         body-limit: -1\n",
    );
    let (code, output, errors) = config.run(&["."]);
    assert_eq!((code, &*output), (2, ""));
    insta::assert_snapshot!("config_mistakes", errors);
    let (code, output, _) = config.run(&[".", "--format", "json"]);
    let report: Value = serde_json::from_str(&output).unwrap();
    assert_eq!(code, 2);
    assert_eq!(report["diagnostics"][0]["code"], "unknown-field", "{report}");
    // A file does not name another.
    let (code, _, errors) = Config::new("config: c.yaml\n").run(&["."]);
    assert!(code == 2 && errors.contains("the config has no field `config`"), "{errors}");
    // What follows is a syntax error.
    let (code, _, errors) = Config::new("drain: [1\n").run(&["."]);
    assert!(code == 2 && errors.contains("error[unbalanced]") | errors.contains("error[syntax]"));
    assert!(errors.contains("c.yaml:"), "{errors}");
}

#[test]
fn mistakes_in_the_environment_name_the_variable() {
    let config = Config::new("").with("PEERAGE_DRAIN", "x").with("PEERAGE_STORE", "");
    let config = config.with("PEERAGE_HOLD", "of").with("PEERAGE_LISTEN", ":1,,here");
    let config = config.with("PEERAGE_SIGHUP_FORCES", "1");
    let (code, _, errors) = config.run(&["."]);
    assert_eq!(code, 2);
    insta::assert_snapshot!("config_variables", errors);
}

/// Options that others need are named as they were given, not as flags that nobody typed.
#[test]
fn what_is_missing_is_named_where_it_is_needed() {
    let (code, _, errors) = Config::new("drain: 1\nstart: last-good\n").run(&["."]);
    assert_eq!(code, 2);
    assert!(errors.contains("`start` requires `state-dir`\n --> c.yaml:2:1"), "{errors}");
    let variable = Config::new("").with("PEERAGE_STORE_MUST_EXIST", "true");
    let (_, _, errors) = variable.run(&["."]);
    assert!(errors.contains("`PEERAGE_STORE_MUST_EXIST` requires `store`"), "{errors}");
    let (code, _, errors) = Config::new("drain: 1\n").run(&[]);
    assert!(code == 2 && errors.contains("missing option `policy`"), "{errors}");
    // A switch that is off needs nothing.
    assert_eq!(Config::new("store-must-exist: false\n").run(&["/nowhere"]).0, 2);
    let (_, _, errors) = Config::new("store-must-exist: false\n").run(&["/nowhere"]);
    assert!(!errors.contains("requires"), "{errors}");
    // Without other layers, clap says it.
    let (code, _, errors) = Config::new("").run(&["--start", "fresh", "."]);
    assert!(code == 2 && errors.contains("--state-dir <DIR>"), "{errors}");
}

#[test]
fn unknown_variables_are_warnings_and_those_of_kubernetes_are_none() {
    let kubernetes = [
        "PEERAGE_SERVICE_HOST",
        "PEERAGE_SERVICE_PORT",
        "PEERAGE_SERVICE_PORT_HTTP",
        "PEERAGE_PORT",
        "PEERAGE_PORT_7411_TCP",
        "PEERAGE_PORT_7411_TCP_PROTO",
        "PEERAGE_PORT_7411_TCP_PORT",
        "PEERAGE_PORT_7411_TCP_ADDR",
        "PEERAGE_ADMIN_SERVICE_HOST",
        "PEERAGE_ADMIN_SERVICE_PORT_METRICS",
        "PEERAGE_ADMIN_PORT_80_UDP_ADDR",
    ];
    let config = Config::new("");
    let config =
        kubernetes.iter().fold(config, |config, name| config.with(name, "tcp://10.0.0.1:1"));
    config.settings(&[]);
    let config =
        config.with("PEERAGE_LISTN", ":1").with("PEERAGE_PORT_X_TCP", "1").with("PEERAGE_", "");
    let (code, _, errors) = config.run(&["--print-config"]);
    assert_eq!(code, 0);
    let warnings: Vec<&str> = errors.lines().collect();
    assert_eq!(
        warnings,
        [
            "warning: unknown variable `PEERAGE_` in the environment",
            "warning: unknown variable `PEERAGE_LISTN` in the environment; did you mean `PEERAGE_LISTEN`?",
            "warning: unknown variable `PEERAGE_PORT_X_TCP` in the environment",
        ]
    );
}

/// No option has a name that Kubernetes makes for a Service, and none holds a secret itself.
#[test]
fn names_of_options_are_safe() {
    let settings = Config::new("").settings(&[]);
    assert!(settings.len() > 30);
    for key in settings.keys() {
        let words: BTreeSet<&str> = key.split('-').collect();
        assert!(!words.contains("port") && !key.contains("service-host"), "{key}");
        let last = key.rsplit('-').next().unwrap();
        // This one is the path of a file.
        assert!(
            key == "tls-key" || !["token", "tokens", "secret", "key", "password"].contains(&last),
            "{key}"
        );
    }
}

#[test]
fn the_schema_takes_good_files_and_no_bad_ones() {
    let output =
        Command::new(env!("CARGO_BIN_EXE_peerage")).args(["schema", "--of", "config"]).output();
    let schema: Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
    let validator = validator(&schema);
    let found = |text: &str| violations(&validator, &serde_saphyr::from_str(text).unwrap());
    // Every option is there, and its default is taken.
    let settings = Config::new("").settings(&[]);
    let known = schema["properties"].as_object().unwrap();
    assert!(settings.keys().eq(known.keys()));
    let (_, printed, _) = Config::new("").run(&["--print-config"]);
    for text in [
        printed.as_str(),
        "listen: ':1'\nuds: [a, b]\ndrain: 5\nshutdown-wait: 10m\nmax-changed: 10%\n",
        "max-changed: 0.1\nhold: 'off'\ninsecure-listen: true\npolicy: p\nallow-status: 200\n",
        "venueless-guests: 'off'\nvenueless-new-guests: 5\ndialect: [flip, matrix]\nstart: last-good\n",
        "allow-map: uri=/rooms/{resource} subject=header:X-User action=const:read\n",
        "# nothing\n",
    ] {
        assert_eq!(found(text), [""; 0], "{text}");
        assert_eq!(Config::new(text).run(&["--print-config"]).0, 0, "{text}");
    }
    for text in [
        "lsten: ':1'\n",
        "drain: 5 sec\n",
        "drain: [1]\n",
        "hold: maybe\n",
        "insecure-listen: 1\n",
        "max-changed: 5\n",
        "max-changed: -0.1\n",
        "body-limit: many\n",
        "venueless-new-guests: 0\n",
        "dialect: [flop]\n",
        "uds: { a: 1 }\n",
        "state-dir:\n",
        "[]\n",
    ] {
        assert_ne!(found(text), [""; 0], "{text}");
        assert_eq!(Config::new(text).run(&["--print-config"]).0, 2, "{text}");
    }
}
