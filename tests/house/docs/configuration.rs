//! The page on configuration: its file, and what is printed for it.

use std::{fs, process::Command};

/// The blocks of a kind on the page.
fn blocks<'t>(page: &'t str, kind: &str) -> Vec<&'t str> {
    let fence = format!("\n```{kind}\n");
    page.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

#[test]
fn the_config_is_printed_as_shown() {
    let page = fs::read_to_string("docs/operation/configuration.md").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let print = |file: &str, text: &str| {
        fs::write(folder.path().join(file), text).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_peerage"));
        command.args(["serve", "--print-config", "--config", file]).env("PEERAGE_DRAIN", "5s");
        command.current_dir(folder.path()).output().unwrap()
    };
    let (files, shown) = (blocks(&page, "yaml"), blocks(&page, "text"));
    let printed = String::from_utf8(print("peerage.yaml", files[0]).stdout).unwrap();
    assert_eq!(shown[0].lines().count(), 5);
    for line in shown[0].lines() {
        assert!(printed.lines().any(|printed| printed == line), "{line}\n{printed}");
    }
    let mistaken = files[0].replace("policy: [policies/stores]\nlisten:", "lsten:");
    let output = print("peerage.yaml", &mistaken);
    assert_eq!(output.status.code(), Some(2));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.starts_with(shown[1].trim_end()), "{errors}");
}
