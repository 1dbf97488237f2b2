//! Facts that change while the daemon runs: written, read, kept, reloaded, exported and imported.

mod commands;
mod consistency;
mod declared;
mod ends;
mod history;
mod reads;
mod refusals;
mod reloads;
mod restrictions;
mod sockets;
mod terms;
mod transfer;

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::{
    support::client::{Answer, Client},
    support::daemon::{Daemon, serve},
};

pub(crate) const TOKEN: &str = "0123456789abcdef-token";

/// Three users who may reach each other, two groups, and room for more.
pub(crate) const POLICY: &str = "\
tags: [a, b, boss]
rules: [{ name: all, condition: 'any(hasTag(a), hasTag(b))', outcome: [a, b] }]
moderation: { managers: hasTag(boss) }
limits: { friends: 3, blocked: 3, friend_lists: 2, group_members: 4 }
matrices: { team: { add_member: allow_if_admin, remove_member: allow_if_admin } }
users:
  ann: { tags: [a] }
  bob: { tags: [b] }
  cyd: { tags: [a, boss], peers: all, permissions: { video_call: false }, blocked: [bob] }
groups:
  club: { matrix: team, creator: ann, members: [bob] }
conversations:
  - [ann, bob]
";

/// A daemon with a store, and the files of both.
pub(crate) struct Kept {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) daemon: Daemon,
    more: Vec<String>,
}

impl Kept {
    pub(crate) fn start() -> Self {
        Self::with(POLICY, &[])
    }

    pub(crate) fn with(policy: &str, more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("policy.yaml"), policy).unwrap();
        fs::write(folder.path().join("token"), TOKEN.to_owned() + "\n").unwrap();
        let more: Vec<String> = more.iter().map(|&it| it.to_owned()).collect();
        let daemon = Self::daemon(folder.path(), &more);
        Self { folder, daemon, more }
    }

    fn daemon(folder: &Path, more: &[String]) -> Daemon {
        let mut command = serve();
        command.arg(folder.join("policy.yaml")).args(["--listen", "127.0.0.1:0"]);
        command.args(["--poll", "60000"]).arg("--store").arg(folder.join("facts.redb"));
        command.arg("--admin-token-file").arg(folder.join("token")).args(more);
        Daemon::start(&mut command)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The same files, served again after a `kill -9`.
    pub(crate) fn restarted(self) -> Self {
        let Self { folder, daemon, more } = self;
        daemon.kill();
        let daemon = Self::daemon(folder.path(), &more);
        Self { folder, daemon, more }
    }

    /// Sends a body as an administrator.
    #[track_caller]
    pub(crate) fn post(&self, body: &Value, headers: &str) -> Answer {
        let headers = format!("{}Content-Type: application/json\r\n{headers}", authorization());
        self.daemon.connect().ask("POST", "/v1/facts", &headers, body.to_string().as_bytes())
    }

    #[track_caller]
    pub(crate) fn send(&self, commands: &Value) -> Answer {
        self.post(&json!({ "commands": commands }), "")
    }

    /// Carries a batch out; its revision.
    #[track_caller]
    pub(crate) fn done(&self, commands: &Value) -> u64 {
        let answer = self.send(commands);
        assert_eq!(answer.status, 200, "{commands} {}", answer.text());
        answer.json()["revision"].as_u64().unwrap()
    }

    #[track_caller]
    pub(crate) fn read(&self, path: &str) -> Answer {
        read(&mut self.daemon.connect(), path)
    }

    #[track_caller]
    pub(crate) fn reported(&self, path: &str) -> Value {
        let answer = self.read(path);
        assert_eq!(answer.status, 200, "{path} {}", answer.text());
        answer.json()
    }

    /// The reason of a decision: `subject action resource`, and for groups `subject action group member`.
    #[track_caller]
    pub(crate) fn reason(&self, question: &str) -> String {
        let answer = self.daemon.get(&path_of(question));
        assert_eq!(answer.status, 200, "{question} {}", answer.text());
        answer.json()["reason"].as_str().unwrap().to_owned()
    }

    /// Whom a user may reach with an action.
    #[track_caller]
    pub(crate) fn reach(&self, subject: &str, action: &str) -> Vec<String> {
        let path = format!("/v1/reach?subject={subject}&action={action}");
        serde_json::from_value(self.daemon.get(&path).json()["users"].clone()).unwrap()
    }

    /// Puts another policy in place, and reloads it.
    #[track_caller]
    pub(crate) fn reload(&self, policy: &str) -> Answer {
        crate::support::files::save(self.path("policy.yaml"), policy);
        self.daemon.connect().ask("POST", "/v1/reload", &authorization(), b"")
    }

    #[track_caller]
    pub(crate) fn store(&self) -> Value {
        self.daemon.get("/v1/status").json()["store"].clone()
    }
}

pub(crate) fn authorization() -> String {
    format!("Authorization: Bearer {TOKEN}\r\n")
}

#[track_caller]
fn read<S: std::io::Read + std::io::Write>(client: &mut Client<S>, path: &str) -> Answer {
    client.ask("GET", path, &authorization(), b"")
}

pub(crate) fn path_of(question: &str) -> String {
    let words: Vec<&str> = question.split(' ').collect();
    let path = format!("/v1/decide?subject={}&action={}", words[0], words[1]);
    match words[2..] {
        [] => path,
        [resource] => format!("{path}&resource={resource}"),
        [group, "field", field] => {
            format!("{path}&resource={group}&resource_type=group&field={field}")
        }
        [group, member] => {
            let member = if member == "-" { String::new() } else { format!("&member={member}") };
            format!("{path}&resource={group}&resource_type=group{member}")
        }
        _ => panic!("{question}"),
    }
}
