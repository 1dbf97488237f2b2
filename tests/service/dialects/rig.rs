//! A daemon with a store that speaks other systems' APIs.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    support::client::{Answer, Client},
    support::daemon::{Daemon, serve},
};

/// The admin token: as the documents have it that print one.
pub(crate) const TOKEN: &str = "ptlk9hdel1gqxf3p0s15f5f5gtusldej18tl794suzit";

pub(crate) struct Rig {
    pub(crate) folder: TempDir,
    pub(crate) daemon: Daemon,
}

impl Rig {
    /// Serves a policy with a store and all dialects.
    #[track_caller]
    pub(crate) fn start(policy: &str) -> Self {
        Self::with(policy, &["--dialect", "all"])
    }

    /// The same with these arguments; `{}` in them stands for the folder, where other files may be
    /// put first by `prepare`.
    #[track_caller]
    pub(crate) fn prepared(policy: &str, more: &[&str], prepare: impl FnOnce(&TempDir)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        prepare(&folder);
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("policy")).unwrap();
        fs::write(path("policy/policy.yaml"), policy).unwrap();
        fs::write(path("token"), TOKEN).unwrap();
        let mut command = serve();
        command.arg(path("policy")).args(["--listen", "127.0.0.1:0"]);
        command.arg("--store").arg(path("facts")).arg("--admin-token-file").arg(path("token"));
        let place = folder.path().to_str().unwrap();
        command.args(more.iter().map(|arg| arg.replace("{}", place)));
        let daemon = Daemon::start(&mut command);
        Self { folder, daemon }
    }

    #[track_caller]
    pub(crate) fn with(policy: &str, more: &[&str]) -> Self {
        Self::prepared(policy, more, |_| {})
    }

    /// Whether the subject may do it to the resource, and why.
    #[track_caller]
    pub(crate) fn decide(&self, subject: &str, action: &str, resource: &str) -> (bool, String) {
        let query = format!("subject={subject}&action={action}&resource={resource}");
        let answer = self.daemon.get(&format!("/v1/decide?{query}"));
        assert_eq!(answer.status, 200, "{}", answer.text());
        let reported = answer.json();
        (reported["decision"].as_bool().unwrap(), reported["reason"].as_str().unwrap().to_owned())
    }

    /// Whether a member may do it in a group; `query` is the rest of the question, as `&member=bob`.
    #[track_caller]
    pub(crate) fn in_group(
        &self,
        subject: &str,
        action: &str,
        group: &str,
        query: &str,
    ) -> (bool, String) {
        self.decide(subject, action, &format!("{group}&resource_type=group{query}"))
    }

    /// Carries commands out over the native API.
    #[track_caller]
    pub(crate) fn write(&self, commands: &Value) {
        let body = json!({ "commands": commands }).to_string();
        let answer = self.ask("POST", "/v1/facts", &bearer(), body.as_bytes());
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// Asks over a connection of its own; the headers are lines that end in `\r\n` each.
    #[track_caller]
    pub(crate) fn ask(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Answer {
        Client::tcp(self.daemon.address()).ask(method, path, headers, body)
    }
}

/// The headers of an administrator's JSON.
pub(crate) fn bearer() -> String {
    format!("Authorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n")
}
