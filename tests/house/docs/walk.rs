//! Walks through a repository, command by command as a reader would type them.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::{docs::examples::commands, docs::pages::blocks};

/// Pages whose commands are typed one after the other into one shell.
pub(crate) const PAGES: [&str; 2] = ["README.md", TUTORIAL];

const TUTORIAL: &str = "docs/tutorial.md";

/// Where the reader is.
struct Shell {
    home: TempDir,
    here: PathBuf,
}

impl Shell {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        symlink(env!("CARGO_MANIFEST_DIR"), home.path().join("peerage")).unwrap();
        Self { here: home.path().to_owned(), home }
    }

    /// What a command prints.
    fn run(&mut self, command: &str) -> String {
        let installed = Path::new(env!("CARGO_BIN_EXE_peerage")).parent().unwrap();
        let path = format!("{}:{}", installed.display(), std::env::var("PATH").unwrap());
        let then = self.home.path().join("then");
        let mut shell = Command::new("sh");
        let output = shell
            .args(["-c", &format!("{command}\npwd > '{}'", then.display())])
            .current_dir(&self.here)
            .env("HOME", self.home.path())
            .env("PATH", path)
            .envs([("GIT_AUTHOR_NAME", "a"), ("GIT_AUTHOR_EMAIL", "a@b")])
            .envs([("GIT_COMMITTER_NAME", "a"), ("GIT_COMMITTER_EMAIL", "a@b")])
            .output()
            .unwrap();
        assert!(output.stderr.is_empty(), "{command}: {output:?}");
        self.here = fs::read_to_string(then).unwrap().trim().into();
        String::from_utf8(output.stdout).unwrap()
    }
}

#[test]
fn the_tutorial_leads_where_it_says() {
    let mut shell = Shell::new();
    let (mut typed, mut written) = (0, 0);
    for block in blocks().iter().filter(|block| block.page == TUTORIAL) {
        if block.kind == "yaml" {
            let names = block.text.lines().filter_map(|line| line.strip_prefix("# policies/"));
            for name in names {
                fs::write(shell.here.join("policies").join(name), &block.text).unwrap();
                written += 1;
            }
            continue;
        }
        for (command, expected) in commands(block) {
            assert_eq!(shell.run(&command), expected, "{command}");
            typed += 1;
        }
    }
    assert_eq!((typed, written), (16, 1));
}

/// The README's daemon is asked elsewhere; what it shows of a change is typed into a clone.
#[test]
fn the_readme_shows_what_a_change_means() {
    let mut shell = Shell::new();
    shell.run("mkdir clone && cp -r peerage/policies clone && cd clone");
    shell.run("git init -q && git add . && git commit -q -m policies");
    let mut typed = 0;
    let shown = blocks().into_iter().filter(|block| block.page == "README.md");
    for block in shown.filter(|block| block.text.contains("$ peerage diff")) {
        for (command, expected) in commands(&block) {
            assert_eq!(shell.run(&command), expected, "{command}");
            typed += 1;
        }
    }
    assert_eq!(typed, 2);
}
