//! Writers of policy files, and what a daemon makes of their work.

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    support::client::Client,
    support::daemon::{Daemon, run, serve},
    support::files::save,
};

const USERS: &str = "users: { '2': {}, '3': {} }\n";
const SHUT: &str = "peers: { default: contacts }\n";

/// Nobody may start a chat, and a policy that says less would let 3 start one with 2.
struct Shut {
    folder: TempDir,
    daemon: Daemon,
}

impl Shut {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("p.yaml"), USERS.to_owned() + SHUT).unwrap();
        // So slow that what is noticed was reported by an event.
        let poll = ["--poll", "3600000"];
        let mut command = serve();
        command.arg(folder.path()).args(["--listen", "127.0.0.1:0"]).args(poll);
        let daemon = Daemon::start(&mut command);
        assert!(!daemon.answers());
        Self { folder, daemon }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn last(&self) -> Value {
        self.daemon.get("/v1/status").json()["last_reload"].clone()
    }

    /// Asks all the time until the shell has done its work in the folder and that is served, and holds
    /// that the answer stays no.
    fn never_opens(&self, script: &str) {
        let mut shell = Command::new("sh")
            .current_dir(self.folder.path())
            .args(["-c", script])
            .spawn()
            .unwrap();
        while shell.try_wait().unwrap().is_none() {
            assert!(!self.daemon.answers(), "{script}: {}", self.last());
            thread::sleep(Duration::from_millis(1));
        }
        assert!(shell.wait().unwrap().success());
    }

    /// Saves a file that lets one more user in, and waits until it is served.
    fn is_served_after(&self, user: &str) {
        save(self.file("last.yaml"), &format!("users: {{ '{user}': {{}} }}\n"));
        self.daemon.wait_for(user, |daemon| {
            assert!(!daemon.answers(), "{}", self.last());
            let path = format!("/v1/decide?subject={user}&action=sign_in");
            (daemon.get(&path).json()["decision"] == true).then_some(())
        });
    }
}

#[test]
fn a_file_is_not_read_while_it_is_written() {
    let shut = Shut::new();
    let parts = |pause: &str| {
        format!(
            "printf \"users: {{'2': {{}}, '3': {{}}}}\\n\"; sleep {pause}; printf 'peers: {{default: contacts}}\\n'"
        )
    };
    shut.never_opens(&format!("( {} ) > p.yaml", parts("0.8")));
    shut.is_served_after("4");
    // Through a file of another name, which gets its name while it is written.
    shut.never_opens(&format!("( {} ) > t.tmp & sleep 0.3; mv t.tmp p.yaml; wait", parts("0.8")));
    shut.is_served_after("5");
    // A caller who asks for a reload meanwhile waits as well.
    shut.never_opens(&format!(
        "( {} ) > p.yaml & sleep 0.2; kill -HUP {}; sleep 0.2; kill -HUP {}; wait",
        parts("0.8"),
        shut.daemon.id(),
        shut.daemon.id()
    ));
    shut.is_served_after("6");
}

#[test]
fn a_table_that_grows_is_read_when_it_is_whole() {
    let shut = Shut::new();
    fs::write(shut.file("p.yaml"), "peers: { default: all }\n").unwrap();
    let table = "id,tags,blocked\n2,,3\n3,,2\n";
    save(shut.file("users.csv"), table);
    // Where both are served, the block refuses.
    shut.daemon.wait_for("the table", |daemon| {
        let answer = daemon.get("/v1/decide?subject=3&action=start_chat&resource=2").json();
        (answer["reason"].as_str().is_some_and(|reason| reason.starts_with("blocked")))
            .then_some(())
    });
    let metric = || {
        let text = shut.daemon.get("/metrics").text().to_owned();
        let line = text.lines().find(|line| line.contains("reloads") && line.contains("swapped"));
        line.and_then(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
    };
    // What reads the same again is reported after all that was served before is counted.
    let hangup = format!("kill -HUP {}", shut.daemon.id());
    assert!(Command::new("sh").args(["-c", &hangup]).status().unwrap().success());
    shut.daemon.wait_for("the reload", |_| (shut.last()["outcome"] == "unchanged").then_some(()));
    let before = metric();
    let script = "( printf 'id,tags,blocked\\n'; for user in 7 8 9 2; do echo \"$user,,\"; sleep 0.2; done; printf '3,,2\\n' ) > users.csv";
    shut.never_opens(script);
    shut.daemon.wait_for("the whole table", |daemon| {
        assert!(!daemon.answers());
        (daemon.get("/v1/decide?subject=9&action=sign_in").json()["decision"] == true).then_some(())
    });
    // It is counted after it is served.
    let swaps = || metric().zip(before).map(|(after, before)| after - before);
    shut.daemon.wait_for("the count", |_| swaps().filter(|&swaps| swaps > 0.0));
    assert_eq!(swaps(), Some(1.0));
}

#[test]
fn what_is_emptied_or_unreadable_is_not_served() {
    let shut = Shut::new();
    File::create(shut.file("p.yaml")).unwrap();
    shut.daemon.wait_for("a refusal", |_| (shut.last()["outcome"] == "refused").then_some(()));
    assert_eq!(
        shut.last()["diagnostics"]["diagnostics"][0]["code"],
        "empty-file",
        "{}",
        shut.last()
    );
    assert!(!shut.daemon.answers());
    // Half written, as on a disk that is full, and as it should be in the end.
    fs::write(shut.file("p.yaml"), "users: { '2': {}, '3': {} }\npeers: { def").unwrap();
    shut.daemon.wait_for("mistakes", |_| {
        (shut.last()["diagnostics"]["diagnostics"][0]["code"] == "unbalanced").then_some(())
    });
    assert!(!shut.daemon.answers());
    fs::write(shut.file("p.yaml"), USERS.to_owned() + SHUT).unwrap();
    shut.is_served_after("4");
    let set_mode = |mode: &str| {
        let done = Command::new("chmod").arg(mode).arg(shut.file("p.yaml")).status();
        assert!(done.unwrap().success());
    };
    set_mode("000");
    // Those who may read everything are not refused.
    if File::open(shut.file("p.yaml")).is_err() {
        shut.daemon.wait_for("a refusal", |_| {
            (shut.last()["diagnostics"]["diagnostics"][0]["code"] == "unreadable").then_some(())
        });
        assert!(!shut.daemon.answers());
    }
    set_mode("644");
    shut.is_served_after("5");
}

/// A folder of many files is replaced in place by several programs, and never read half.
#[test]
fn folders_that_are_replaced_in_place() {
    let shut = Shut::new();
    let other = tempfile::tempdir().unwrap();
    for (name, text) in [("a.yaml", USERS), ("z.yaml", SHUT), ("p.yaml", "lints: {}\n")] {
        fs::write(other.path().join(name), text).unwrap();
    }
    for number in 0..200 {
        let text = format!("users: {{ 'u{number}': {{}} }}\n");
        fs::write(other.path().join(format!("m{number}.yaml")), text).unwrap();
    }
    let other = other.path().display();
    shut.never_opens(&format!("cp -r {other}/. ."));
    shut.is_served_after("4");
    let rsync = format!("if command -v rsync; then rsync -a --inplace {other}/ .; fi > rsync.log");
    shut.never_opens(&format!("touch {other}/*; {rsync}"));
    shut.is_served_after("5");
}

/// Branches that state the same in other files are checked out, over and over.
#[test]
fn branches_that_are_checked_out() {
    let shut = Shut::new();
    shut.never_opens(
        "exec > .git.log 2>&1; set -e
        git init -q -b a .; git config user.email a@example.org; git config user.name A
        git add p.yaml; git commit -qm a; git checkout -q -b b
        mv p.yaml q.yaml; for i in 1 2 3 4 5 6 7 8 9; do echo \"users: { 'u$i': {} }\" > u$i.yaml; done
        git add -A; git commit -qm b",
    );
    shut.is_served_after("4");
    shut.never_opens(
        "exec > .git.log 2>&1
        for i in 1 2 3 4 5; do git checkout -q a; sleep 0.2; git checkout -q b; sleep 0.2; done",
    );
    shut.is_served_after("5");
}

#[test]
fn a_log_in_the_folder_is_no_change() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("p.yaml"), USERS.to_owned() + SHUT).unwrap();
    let mut command = serve();
    command.current_dir(folder.path()).args([".", "--listen", "127.0.0.1:0", "--poll", "20"]);
    let daemon = Daemon::start(&mut command);
    let mut log = File::create(folder.path().join("serve.log")).unwrap();
    for line in 0..50 {
        writeln!(log, "{line}").unwrap();
        thread::sleep(Duration::from_millis(5));
    }
    // What is touched and says the same is reported to nobody either.
    let touched = File::options().append(true).open(folder.path().join("p.yaml")).unwrap();
    touched.set_modified(std::time::SystemTime::now()).unwrap();
    drop(touched);
    save(folder.path().join("last.yaml"), "users: { '4': {} }\n");
    daemon.wait_for("the last file", |daemon| {
        let answer = daemon.get("/v1/decide?subject=4&action=sign_in").json();
        (answer["decision"] == true).then_some(())
    });
    daemon.signal("TERM");
    let ended = daemon.ended();
    let reloads = ended.errors.matches("policy").count();
    assert_eq!(reloads, ended.errors.matches("serving the new policy").count(), "{}", ended.errors);
    assert_eq!(reloads, 1, "{}", ended.errors);
}

#[test]
fn what_can_be_read_once_is_no_policy_of_a_daemon() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe.yaml");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for path in [Path::new("-"), Path::new("/dev/stdin"), &pipe] {
        let output = run(serve().arg(path).args(["--listen", "127.0.0.1:0"]));
        assert_eq!(output.status.code(), Some(2));
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(errors.contains("can be read only once"), "{errors}");
    }
}

/// Clients are answered while a reload waits for a writer.
#[test]
fn nobody_waits_for_a_writer() {
    let shut = Shut::new();
    let mut open = File::create(shut.file("p.yaml")).unwrap();
    open.write_all(USERS.as_bytes()).unwrap();
    let mut client: Client<_> = shut.daemon.connect();
    for _ in 0..200 {
        assert_eq!(client.get("/healthz").status, 200);
        assert!(!shut.daemon.answers());
    }
    open.write_all(SHUT.as_bytes()).unwrap();
    drop(open);
    shut.is_served_after("4");
}
