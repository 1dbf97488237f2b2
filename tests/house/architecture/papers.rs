//! `ARCHITECTURE.md` and `CONTRIBUTING.md`, held to the sources of which they speak.

use std::{collections::BTreeSet, fs, path::Path};

use super::{
    rooms::{OUTERMOST, ROOMS},
    scan::{Token, tokens},
    sources,
};

const ARCHITECTURE: &str = "ARCHITECTURE.md";
const PAPERS: [&str; 2] = [ARCHITECTURE, "CONTRIBUTING.md"];

/// The texts in backquotes of a paper, outside blocks, each with its paper.
fn quoted() -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    for paper in PAPERS {
        let text = fs::read_to_string(paper).unwrap();
        let prose: String = text.split("\n```").step_by(2).collect();
        let words = prose.split('`').skip(1).step_by(2);
        found.extend(words.map(|word| (paper, word.to_owned())));
    }
    found
}

#[test]
fn paths_exist() {
    let roots =
        ["src/", "tests/", "benches/", "docs/", "grammar/", "policies/", ".ci/", ".github/"];
    let is_path = |word: &str| {
        let is_whole = !word.contains(' ') && !word.contains("NAME");
        is_whole && roots.iter().any(|root| word.starts_with(root))
    };
    let paths: Vec<_> = quoted().into_iter().filter(|(_, word)| is_path(word)).collect();
    for (paper, path) in &paths {
        assert!(Path::new(path).exists(), "{paper}: there is no {path}");
    }
    assert!(paths.len() > 50, "only {} paths were seen", paths.len());
}

#[test]
fn names_exist() {
    let mut known = BTreeSet::new();
    for file in sources() {
        let words = tokens(&file.text).into_iter();
        known.extend(words.filter_map(|token| match token {
            Token::Word(word) => Some(word),
            _ => None,
        }));
    }
    let is_name = |word: &str| {
        let is_type = word.starts_with(|c: char| c.is_ascii_uppercase())
            && word.contains(|c: char| c.is_ascii_lowercase());
        is_type
            && !word.ends_with(':')
            && word.chars().all(|c| c.is_ascii_alphanumeric() || c == ':')
    };
    let mut seen = 0;
    for (paper, word) in quoted().into_iter().filter(|(_, word)| is_name(word)) {
        for part in word.split("::").filter(|part| !part.is_empty()) {
            assert!(known.contains(part), "{paper}: `{word}` is not in the sources");
            seen += 1;
        }
    }
    assert!(seen > 20, "only {seen} names were seen");
}

#[test]
fn the_table_of_rooms_is_the_one_that_is_kept() {
    let text = fs::read_to_string(ARCHITECTURE).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `src/"));
    let rows = rows.filter_map(|row| row.split_once("/` | "));
    let shown: Vec<(&str, BTreeSet<&str>)> = rows
        .map(|(room, rest)| {
            let known = rest.split('|').nth(1).unwrap().trim();
            (room, known.split(", ").filter(|it| *it != "no other").collect())
        })
        .collect();
    let mut kept: Vec<(&str, BTreeSet<&str>)> = ROOMS
        .iter()
        .map(|(room, known)| {
            (*room, known.iter().map(|path| path.split("::").next().unwrap()).collect())
        })
        .collect();
    kept.push((OUTERMOST, BTreeSet::from(["all; no room knows it"])));
    assert_eq!(shown, kept);
}
