//! The log of reloads, which reports mistakes of the files once.

use std::fs;

use serde_json::Value;

use crate::{
    support::daemon::{Daemon, serve},
    support::files::{save, write},
};

const GOOD: &str = "rules: []\nusers: { '2': { tags: [B] }, '3': { tags: [A] } }\n";
const BAD: &str = "rules: [{ condition: hasTag(, outcome: [B] }]\n";

fn wait_for(daemon: &Daemon, outcome: &str) {
    daemon.wait_for(outcome, |daemon| {
        (daemon.get("/v1/status").json()["last_reload"]["outcome"] == outcome).then_some(())
    });
}

/// Waits for that many more refusals than there were.
fn wait_for_refusals(daemon: &Daemon, more: u64) {
    let refused = |daemon: &Daemon| -> u64 {
        daemon.get("/v1/status").json()["reloads"]["refused"].as_u64().unwrap()
    };
    let before = refused(daemon);
    daemon.wait_for("refusals", |daemon| (refused(daemon) >= before + more).then_some(()));
}

#[test]
fn a_refused_reload_is_printed_as_check_does() {
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.yaml");
    write(&policy, GOOD);
    let daemon = Daemon::serve(&policy);
    save(&policy, BAD);
    wait_for(&daemon, "refused");
    daemon.signal("TERM");
    let errors = daemon.ended().errors;
    let check = crate::support::daemon::run(
        std::process::Command::new(env!("CARGO_BIN_EXE_peerage")).arg("check").arg(&policy),
    );
    let check = String::from_utf8(check.stdout).unwrap();
    assert!(check.contains("policy.yaml:1:"), "{check}");
    assert!(errors.contains(check.trim_end()), "{errors}\n{check}");
}

#[test]
fn in_json_a_diagnostic_has_fields() {
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.yaml");
    // What is warned about at the start is as well.
    write(&policy, &(GOOD.to_owned() + "matrices: { team: { add_member: allow } }\n"));
    let mut command = serve();
    command.arg(&policy).args(["--listen", "127.0.0.1:0", "--format", "json"]);
    let (stdout, daemon) = (std::process::Stdio::piped(), &mut command);
    let mut daemon = daemon.stdout(stdout).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(daemon.stdout.take().unwrap()));
    let place: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    assert!(place["listening"].as_str().unwrap().starts_with("http://"));
    save(&policy, BAD);
    let errors = std::io::BufRead::lines(std::io::BufReader::new(daemon.stderr.take().unwrap()));
    let mut found = errors.map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
    let mut reported = || found.find(|line| line["fields"]["code"].is_string()).unwrap();
    assert_eq!(reported()["fields"]["severity"], "warning");
    let reported = reported();
    let fields = &reported["fields"];
    assert_eq!(fields["severity"], "error", "{reported}");
    assert_eq!(fields["line"], 1, "{reported}");
    assert!(fields["file"].as_str().unwrap().ends_with("policy.yaml"), "{reported}");
    assert!(fields["column"].is_number() && fields["message"].is_string(), "{reported}");
    daemon.kill().unwrap();
    daemon.wait().unwrap();
}

#[test]
fn what_stays_wrong_is_logged_once() {
    let folder = tempfile::tempdir().unwrap();
    let policies = folder.path().join("policies");
    write(policies.join("policy.yaml"), GOOD);
    let mut command = serve();
    let daemon =
        Daemon::start(command.arg(&policies).args(["--listen", "127.0.0.1:0", "--poll", "20"]));
    fs::rename(&policies, folder.path().join("elsewhere")).unwrap();
    wait_for_refusals(&daemon, 5);
    fs::rename(folder.path().join("elsewhere"), &policies).unwrap();
    wait_for(&daemon, "unchanged");
    // Held, and written again with the same content.
    for text in ["", "# still\n", "# and again\n"] {
        save(policies.join("policy.yaml"), &GOOD.replace("rules: []\n", text));
        let held = |daemon: &Daemon| daemon.get("/v1/status").json()["last_reload"].clone();
        daemon.wait_for("held", |daemon| (held(daemon)["outcome"] == "held").then_some(()));
    }
    daemon.signal("HUP");
    daemon.wait_for("a log", |daemon| {
        (daemon.get("/v1/status").json()["reloads"]["held"].as_u64() >= Some(2)).then_some(())
    });
    daemon.signal("TERM");
    let errors = daemon.ended().errors;
    let count = |text: &str| errors.matches(text).count();
    assert_eq!(count("no such file or folder"), 1, "{errors}");
    assert_eq!(count("the policy has errors"), 1, "{errors}");
    // Once by itself, and once for the caller.
    assert_eq!(count("the policy is held"), 2, "{errors}");
}
