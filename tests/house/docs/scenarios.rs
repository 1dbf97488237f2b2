//! Pages about the policies of one scenario each, which show parts of the policies' files.

use std::{fs, path::Path};

use crate::docs::pages::{Block, blocks};

/// The pages, each with the folder of its policy.
const PAGES: [(&str, &str); 6] = [
    ("docs/policies/school.md", "policies/school"),
    ("docs/policies/bank.md", "policies/bank"),
    ("docs/policies/marketplace.md", "policies/marketplace"),
    ("docs/policies/company.md", "policies/company"),
    ("docs/policies/congress.md", "policies/congress"),
    ("docs/policies/game.md", "policies/game"),
];

pub(crate) fn is_scenario(page: &str) -> bool {
    PAGES.iter().any(|(path, _)| *path == page)
}

/// The texts of all files of a policy.
fn texts(folder: &str) -> Vec<String> {
    let files = fs::read_dir(Path::new(folder)).unwrap();
    files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect()
}

#[test]
fn parts_of_policies_are_those_of_the_files() {
    let blocks = blocks();
    for (page, folder) in PAGES {
        let texts = texts(folder);
        let of_kinds = |kinds: &[&str]| -> Vec<&Block> {
            blocks.iter().filter(|it| it.page == page && kinds.contains(&it.kind)).collect()
        };
        let parts = of_kinds(&["yaml", "peerage"]);
        assert!(parts.len() > 1, "{page} shows {} parts", parts.len());
        for part in parts {
            assert!(texts.iter().any(|text| text.contains(&part.text)), "{page}:\n{}", part.text);
        }
        // The tests of commands run these.
        let typed: String = of_kinds(&["console"]).iter().map(|it| it.text.as_str()).collect();
        for command in ["check", "reach --matrix"] {
            let is_typed = typed.lines().any(|line| {
                line.starts_with(&format!("$ peerage {command}")) && line.ends_with(folder)
            });
            assert!(is_typed, "{page} does not type {command}");
        }
    }
}
