//! The daemons and what they need: a policy, a node of etcd, and the files that they write.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
};

use tempfile::TempDir;

use crate::support::{
    cluster::Cluster,
    daemon::{Daemon, serve},
    files::{save, write},
};

/// The users of the policy's file, all of whom may start chats with each other.
pub(crate) const USERS: usize = 2000;

/// The users that are written as facts, by each of the writers.
pub(crate) const GUESTS: usize = 100;

/// The certificates that are served in turn.
const CERTIFICATES: usize = 4;

/// Two daemons that serve one policy: the facts of one are in a file, those of the other in etcd.
pub(crate) struct Place {
    folder: TempDir,
    pub(crate) etcd: Mutex<Cluster>,
    daemons: [Subject; 2],
}

/// A daemon by its name in the results.
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    pub(crate) daemon: Daemon,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let mut users = String::new();
        for user in 0..USERS {
            writeln!(users, r#"{{"id":"user-{user}","tags":["member"]}}"#).unwrap();
        }
        write(folder.path().join("policy/users.ndjson"), &users);
        write(folder.path().join("policy/rules.peerage"), &rules(0));
        make_certificates(folder.path());
        install_certificate(folder.path(), 0);
        let etcd = Cluster::start(1);
        let stores = [folder.path().join("facts.redb").display().to_string(), etcd.store("soak")];
        let [file, shared] = stores;
        let daemons = [("file", file), ("etcd", shared)].map(|(name, store)| {
            let daemon = start(folder.path(), name, &store);
            Subject { name, daemon }
        });
        Self { folder, etcd: Mutex::new(etcd), daemons }
    }

    pub(crate) fn subjects(&self) -> &[Subject; 2] {
        &self.daemons
    }

    pub(crate) fn daemons(&self) -> [&Daemon; 2] {
        self.daemons.each_ref().map(|subject| &subject.daemon)
    }

    /// The socket of a daemon's administrators.
    pub(crate) fn admin_socket(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}-admin.sock"))
    }

    /// The socket for decisions.
    pub(crate) fn socket(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.sock"))
    }

    /// The certificate of the authority that signs those of the daemons.
    pub(crate) fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Replaces the certificate of both daemons by the next one.
    pub(crate) fn change_certificate(&self, version: usize) {
        install_certificate(self.folder.path(), version % CERTIFICATES);
    }

    /// The logs that each daemon writes.
    pub(crate) fn logs(&self) -> Vec<PathBuf> {
        let names = self.daemons.iter().map(|subject| subject.name);
        let logs = |name| ["decisions", "audit"].map(|log| self.log(name, log));
        names.flat_map(logs).collect()
    }

    fn log(&self, name: &str, log: &str) -> PathBuf {
        log_path(self.folder.path(), name, log)
    }

    pub(crate) fn save_rules(&self, text: &str) {
        save(self.folder.path().join("policy/rules.peerage"), text);
    }
}

fn log_path(folder: &Path, name: &str, log: &str) -> PathBuf {
    folder.join(format!("{name}-{log}.ndjson"))
}

fn start(folder: &Path, name: &str, store: &str) -> Daemon {
    let path = |rest: &str| folder.join(format!("{name}{rest}"));
    let mut command = serve();
    command.arg(folder.join("policy")).args(["--listen", "127.0.0.1:0", "--store", store]);
    command.args(["--max-stale", "10m", "--max-in-flight", "256"]);
    for (option, path) in [
        ("--uds", path(".sock")),
        ("--admin-uds", path("-admin.sock")),
        ("--tls-cert", folder.join("tls.pem")),
        ("--tls-key", folder.join("tls.key")),
        ("--state-dir", path("-state")),
        ("--decision-log", log_path(folder, name, "decisions")),
        ("--audit-log", log_path(folder, name, "audit")),
    ] {
        command.arg(option).arg(path);
    }
    // Huge pages come and go by the system's choice, minutes later, and would hide what the daemon holds.
    Daemon::start(command.env("RUST_LOG", "error").env("MIMALLOC_ALLOW_THP", "0"))
}

/// An authority, and certificates of `localhost` that it signs.
fn make_certificates(folder: &Path) {
    let run = |args: String| {
        let output = Command::new("openssl").args(args.split(' ')).current_dir(folder).output();
        let output = output.unwrap();
        assert!(output.status.success(), "openssl {args}: {output:?}");
    };
    let key = |name: &str| {
        format!("-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {name}.key")
    };
    run(format!("req -x509 {} -out ca.pem -days 2 -subj /CN=authority", key("ca")));
    for number in 0..CERTIFICATES {
        let name = format!("leaf{number}");
        run(format!(
            "req -x509 {} -out {name}.pem -days 2 -subj /CN=localhost -CA ca.pem -CAkey ca.key \
             -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE",
            key(&name)
        ));
    }
}

/// As renewers do: the two files are replaced one after the other.
fn install_certificate(folder: &Path, number: usize) {
    for kind in ["pem", "key"] {
        let new = folder.join(format!("new.{kind}"));
        fs::copy(folder.join(format!("leaf{number}.{kind}")), &new).unwrap();
        fs::rename(new, folder.join(format!("tls.{kind}"))).unwrap();
    }
}

/// Twenty rules, one of which is another one each time. What a client expects of them stays.
pub(crate) fn rules(version: usize) -> String {
    let mut text = String::from("rule all: hasTag(member) -> [member];\n");
    for rule in 0..20 {
        let tag = if rule == 0 { version } else { rule };
        writeln!(text, "rule r{rule}: hasTag(tag-{tag}) -> [member];").unwrap();
    }
    text
}
