//! The first requests of each system's own API, typed into a shell as they are shown.

use std::{path::Path, process::Command};

use regex::Regex;

use crate::{
    docs::examples::{ADDRESS, arguments, commands},
    docs::pages::{blocks, is_of_system},
    support::daemon::{Daemon, serve},
};

#[test]
fn each_system_answers_as_shown() {
    let folder = tempfile::tempdir().unwrap();
    let (mut daemon, mut chapters, mut typed) = (None, Vec::new(), 0);
    let mut assigned = String::new();
    for block in blocks().iter().filter(|it| is_of_system(it.page) && it.kind == "console") {
        for (command, expected) in commands(block) {
            if command.starts_with("peerage serve ") {
                assert_eq!(expected, format!("listening on http://{ADDRESS}\n"), "{command}");
                daemon = Some(started(&arguments(&command)[2..], folder.path()));
                chapters.push(block.page);
                assigned.clear();
            } else if command.split('=').next().is_some_and(|name| !name.contains(' ')) {
                assigned.extend([&*command, "\n"]);
            } else {
                let here = daemon.as_ref().map(|daemon: &Daemon| daemon.address().to_string());
                let script = format!("{assigned}{command}");
                let script = script.replace(ADDRESS, here.as_deref().unwrap_or(ADDRESS));
                let shell = Command::new("sh").args(["-c", &script]).current_dir(&folder).output();
                let printed = String::from_utf8(shell.unwrap().stdout).unwrap();
                assert_eq!(masked(printed.trim_end()), masked(expected.trim_end()), "{command}");
                typed += 1;
            }
        }
    }
    let names = ["flip", "mesibo", "venueless", "xmtp", "tencent"];
    assert_eq!(chapters, names.map(|name| format!("docs/dialects/{name}.md")));
    assert!(typed > 15, "only {typed} commands were typed");
}

fn started(arguments: &[String], folder: &Path) -> Daemon {
    Daemon::start(serve().args(arguments).args(["--listen", "127.0.0.1:0"]).current_dir(folder))
}

/// Without the ids that are other ones each time.
fn masked(text: &str) -> String {
    let uuid = Regex::new("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").unwrap();
    uuid.replace_all(text, "ID").into_owned()
}
