//! The files to deploy with, held to their schemas, to the command's options, and to what systemd says.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;

use crate::support::{
    daemon::{self, Daemon},
    json_schema,
};

const KUBERNETES: &str = "deploy/kubernetes.yaml";
const COMPOSE: &str = "deploy/compose.yaml";

/// The exposure that `systemd-analyze security` may find, in tenths.
const MOST_EXPOSED: u32 = 20;

fn peerage() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_peerage"));
    command.env_clear();
    command
}

fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{error}"))
}

fn documents() -> Vec<Value> {
    fs::read_to_string(KUBERNETES).unwrap().split("\n---\n").map(yaml).collect()
}

fn compose() -> Value {
    yaml(&fs::read_to_string(COMPOSE).unwrap())
}

fn named<'v>(list: &'v Value, name: &str) -> &'v Value {
    let list = list.as_array().into_iter().flatten();
    list.into_iter().find(|it| it["name"] == name).unwrap_or_else(|| panic!("no {name}"))
}

fn document<'v>(documents: &'v [Value], kind: &str, name: &str) -> &'v Value {
    let found = documents.iter().find(|it| it["kind"] == kind && it["metadata"]["name"] == name);
    found.unwrap_or_else(|| panic!("no {kind} {name}"))
}

/// Asserts that a command succeeded, and said nothing on standard error.
#[track_caller]
fn assert_clean(output: &Output) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{}: {said}", output.status);
}

/// Asserts that the options are all known, with values that they take.
#[track_caller]
fn assert_config(text: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    fs::write(&path, text).unwrap();
    assert_clean(&daemon::run(peerage().args(["serve", "--print-config", "--config"]).arg(&path)));
}

#[track_caller]
fn assert_policy(text: &str) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("policy.yaml"), text).unwrap();
    assert_clean(&daemon::run(peerage().arg("check").arg(folder.path())));
}

#[test]
fn the_sidecar_has_what_a_pod_needs() {
    let documents = documents();
    let pod = &document(&documents, "Deployment", "chat")["spec"]["template"]["spec"];
    let sidecar = named(&pod["initContainers"], "peerage");
    assert_eq!(sidecar["restartPolicy"], "Always", "not a native sidecar");
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
    assert_eq!(sidecar["securityContext"]["readOnlyRootFilesystem"], true);
    assert_eq!(sidecar["securityContext"]["allowPrivilegeEscalation"], false);
    assert_eq!(sidecar["securityContext"]["capabilities"]["drop"][0], "ALL");
    assert!(
        sidecar["resources"]["requests"].is_object() && sidecar["resources"]["limits"].is_object()
    );
    for mount in sidecar["volumeMounts"].as_array().unwrap() {
        named(&pod["volumes"], mount["name"].as_str().unwrap());
    }
    for volume in pod["volumes"].as_array().unwrap() {
        if let Some(name) = volume["configMap"]["name"].as_str() {
            document(&documents, "ConfigMap", name);
        }
    }
    // It ends by itself before it is killed.
    let grace = pod["terminationGracePeriodSeconds"].as_u64().unwrap();
    let config = yaml(configuration(&documents));
    let seconds = |key: &str| config[key].as_str().unwrap().trim_end_matches('s').parse::<u64>();
    assert!(seconds("shutdown-wait").unwrap() + seconds("drain").unwrap() < grace);
}

fn configuration(documents: &[Value]) -> &str {
    document(documents, "ConfigMap", "peerage-config")["data"]["config.yaml"].as_str().unwrap()
}

#[test]
fn the_sidecar_starts_and_answers_its_probes() {
    let documents = documents();
    assert_config(configuration(&documents));
    let policy = document(&documents, "ConfigMap", "chat-policies")["data"]["policy.yaml"].as_str();
    assert_policy(policy.unwrap());
    let pod = &document(&documents, "Deployment", "chat")["spec"]["template"]["spec"];
    let sidecar = named(&pod["initContainers"], "peerage");
    let args: Vec<&str> =
        sidecar["args"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap()).collect();
    assert_eq!(args, ["serve", "--config", "/etc/peerage/config/config.yaml"]);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("policy.yaml"), policy.unwrap()).unwrap();
    let daemon = Daemon::serve(folder.path());
    for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
        let request = &sidecar[probe]["httpGet"];
        named(&sidecar["ports"], request["port"].as_str().unwrap());
        assert_eq!(daemon.get(request["path"].as_str().unwrap()).status, 200, "{probe}");
    }
}

#[test]
fn compose_keeps_to_its_specification() {
    let schema = fs::read_to_string("tests/house/deploy/compose_spec.json").unwrap();
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let validator = json_schema::validator(&schema);
    let compose = compose();
    assert_eq!(json_schema::violations(&validator, &compose), Vec::<String>::new());
    // The schema would find a mistake.
    let mut wrong = compose;
    wrong["services"]["peerage-1"]["comand"] = "serve".into();
    assert!(!json_schema::violations(&validator, &wrong).is_empty());
}

#[test]
fn compose_runs_three_daemons_on_three_members() {
    let compose = compose();
    let services = compose["services"].as_object().unwrap();
    let of = |prefix: &str| services.iter().filter(|(name, _)| name.starts_with(prefix)).count();
    assert_eq!((of("peerage-"), of("etcd-"), services.len()), (3, 3, 6));
    for (name, service) in services {
        assert_eq!(service["read_only"], true, "{name}");
        for volume in service["volumes"].as_array().unwrap() {
            let source = volume.as_str().unwrap().split(':').next().unwrap();
            let is_declared = compose["volumes"].get(source).is_some();
            let is_folder = source.starts_with("..") && Path::new("deploy").join(source).is_dir();
            assert!(is_declared || is_folder, "{name}: {source}");
        }
        if name.starts_with("peerage-") {
            let mut command = peerage();
            command.args(
                service["command"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap()),
            );
            for (variable, value) in service["environment"].as_object().unwrap() {
                command.env(variable, value.as_str().unwrap());
            }
            let shown = daemon::run(command.arg("--print-config"));
            assert_clean(&shown);
            let shown = String::from_utf8(shown.stdout).unwrap();
            let members = "etcd-1:2379,etcd-2:2379,etcd-3:2379";
            assert!(shown.contains(members), "{shown}");
            let set = service["environment"].as_object().unwrap().len();
            assert_eq!(shown.matches("# environment").count(), set, "{shown}");
        }
    }
}

#[test]
fn the_image_starts_as_a_user_and_knows_its_health() {
    let text = fs::read_to_string("Dockerfile").unwrap().replace("\\\n", " ");
    let line = |word: &str| {
        let lines = text.lines().filter_map(|line| line.strip_prefix(word)).collect::<Vec<_>>();
        assert_eq!(lines.len(), 1, "{word}");
        lines[0].trim().to_owned()
    };
    assert_eq!(line("FROM "), "scratch");
    assert_eq!(line("USER "), "65532:65532");
    assert_eq!(line("STOPSIGNAL "), "SIGTERM");
    let mut command = peerage();
    for setting in line("ENV ").split_whitespace() {
        let (variable, value) = setting.split_once('=').unwrap();
        command.env(variable, value);
    }
    assert_clean(&daemon::run(command.args(["serve", "--print-config"])));
    // The same in the image and in compose; the command knows it.
    let check = line("HEALTHCHECK ");
    let check: Value = serde_json::from_str(check.split_once("CMD ").unwrap().1).unwrap();
    let compose = compose();
    let composed = compose["services"]["peerage-1"]["healthcheck"]["test"].as_array().unwrap();
    assert_eq!(composed[0], "CMD");
    assert_eq!(check.as_array().unwrap()[..], composed[1..]);
    assert_eq!(check[0], "/peerage");
    assert_clean(&daemon::run(peerage().arg(check[1].as_str().unwrap()).arg("--help")));
}

#[test]
fn the_package_has_a_configuration_that_starts() {
    assert_config(&fs::read_to_string("packaging/config.yaml").unwrap());
    assert_policy(&fs::read_to_string("packaging/policy.yaml").unwrap());
}

/// The units with a command that is there, in a folder of their own.
fn units() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let installed = "/usr/bin/peerage";
    for unit in ["peerage.service", "peerage.socket"] {
        let text = fs::read_to_string(Path::new("packaging").join(unit)).unwrap();
        let text = text.replace(installed, env!("CARGO_BIN_EXE_peerage"));
        fs::write(folder.path().join(unit), text).unwrap();
    }
    folder
}

fn analyze(arguments: &[&str], folder: &Path, units: &[&str]) -> String {
    let mut command = Command::new("systemd-analyze");
    command.args(arguments).args(units.iter().map(|unit| folder.join(unit)));
    let found = daemon::run(&mut command);
    let said = [found.stdout, found.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    assert!(found.status.success(), "{said}");
    said
}

#[test]
fn systemd_finds_no_fault_in_the_units() {
    let folder = units();
    let said = analyze(&["verify"], folder.path(), &["peerage.service", "peerage.socket"]);
    let said: BTreeSet<&str> = said.lines().filter(|line| line.contains("peerage")).collect();
    assert!(said.is_empty(), "{said:?}");
}

#[test]
fn the_service_is_little_exposed() {
    let folder = units();
    let said =
        analyze(&["security", "--offline=true", "--no-pager"], folder.path(), &["peerage.service"]);
    let level = said.split("Overall exposure level for peerage.service: ").nth(1).unwrap();
    let level = level.split_whitespace().next().unwrap();
    let (whole, tenths) = level.split_once('.').unwrap();
    let level = whole.parse::<u32>().unwrap() * 10 + tenths.parse::<u32>().unwrap();
    assert!(level < MOST_EXPOSED, "{said}");
}
