//! Pages whose commands are typed into a shell as they are shown, beside a daemon of their own: other
//! systems' APIs, facts and stores.

use std::{
    os::unix::fs::symlink,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use regex::Regex;

use crate::{
    docs::examples::{ADDRESS, arguments, commands},
    docs::pages::blocks,
    support::daemon::{Daemon, serve},
};

/// The pages that are typed, in their order.
const PAGES: [&str; 13] = [
    "docs/operation/runbook.md",
    "docs/operation/stores.md",
    "docs/operation/observing.md",
    "docs/operation/audit.md",
    "docs/api/following.md",
    "docs/api/facts.md",
    "docs/dialects/index.md",
    "docs/dialects/flip.md",
    "docs/dialects/mesibo.md",
    "docs/dialects/venueless.md",
    "docs/dialects/xmtp.md",
    "docs/dialects/tencent.md",
    "docs/dialects/matrix.md",
];

pub(crate) fn is_typed(page: &str) -> bool {
    PAGES.contains(&page)
}

/// A shell in a folder, with the command installed, and the daemon that was started last.
struct Shell {
    folder: tempfile::TempDir,
    daemon: Option<Daemon>,
    /// Lines that set variables.
    assigned: String,
}

impl Shell {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        symlink(
            Path::new(env!("CARGO_MANIFEST_DIR")).join("policies"),
            folder.path().join("policies"),
        )
        .unwrap();
        Self { folder, daemon: None, assigned: String::new() }
    }

    fn start(&mut self, arguments: &[String]) {
        // Two daemons may not have one store open.
        self.daemon = None;
        let mut command = serve();
        command.args(arguments).args(["--listen", "127.0.0.1:0"]).current_dir(&self.folder);
        self.daemon = Some(Daemon::start(&mut command));
        self.assigned.clear();
    }

    fn run(&self, command: &str) -> String {
        let installed = Path::new(env!("CARGO_BIN_EXE_peerage")).parent().unwrap();
        let path = format!("{}:{}", installed.display(), std::env::var("PATH").unwrap());
        let here = self.daemon.as_ref().map(|daemon| daemon.address().to_string());
        let script = format!("{}{command}", self.assigned);
        let script = script.replace(ADDRESS, here.as_deref().unwrap_or(ADDRESS));
        let mut shell = Command::new("sh");
        shell.args(["-c", &script]).current_dir(&self.folder).env("PATH", path);
        String::from_utf8(shell.output().unwrap().stdout).unwrap()
    }
}

#[test]
fn pages_answer_as_shown() {
    let mut shell = Shell::new();
    let (mut served, mut typed) = (Vec::new(), 0);
    for block in blocks().iter().filter(|it| is_typed(it.page) && it.kind == "console") {
        for (command, expected) in commands(block) {
            if command.starts_with("peerage serve ") {
                assert_eq!(expected, format!("listening on http://{ADDRESS}\n"), "{command}");
                shell.start(&arguments(&command)[2..]);
                served.push(block.page);
            } else if command.split('=').next().is_some_and(|name| !name.contains(' ')) {
                shell.assigned.extend([&*command, "\n"]);
            } else {
                let expected = masked(expected.trim_end());
                let mut printed = masked(shell.run(&command).trim_end());
                // Logs are written behind the answers.
                let patience = Instant::now() + Duration::from_secs(10);
                while command.starts_with("tail ")
                    && printed != expected
                    && Instant::now() < patience
                {
                    thread::sleep(Duration::from_millis(20));
                    printed = masked(shell.run(&command).trim_end());
                }
                assert_eq!(printed, expected, "{}: {command}", block.page);
                typed += 1;
            }
        }
    }
    // A drill starts its daemon again.
    served.dedup();
    assert_eq!(
        served,
        PAGES.iter().copied().filter(|it| !it.ends_with("index.md")).collect::<Vec<_>>()
    );
    assert!(typed > 25, "only {typed} commands were typed");
}

/// Without the ids, times and sizes that are other ones each time.
fn masked(text: &str) -> String {
    let uuid = Regex::new("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").unwrap();
    let time = Regex::new(r#""\d{4}-\d\d-\d\dT[0-9:.]+Z"|\b1[0-9]{12}\b"#).unwrap();
    let entry = Regex::new(r#""[0-9a-f]{28}""#).unwrap();
    let took = Regex::new(r#""took_us":\d+"#).unwrap();
    let text = &took.replace_all(text, "TOOK");
    let text = &entry.replace_all(text, "ENTRY");
    time.replace_all(&uuid.replace_all(text, "ID"), "TIME").into_owned()
}
