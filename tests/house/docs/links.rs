//! Links of the repository's papers, which lead to files and headings that exist.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use crate::docs::pages::{PAGES, links};

/// Papers at the top of the repository that are no pages of the book.
const PAPERS: [&str; 4] = ["ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"];

/// The anchor that a heading gets from mdBook and GitHub alike.
fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().to_lowercase();
    kept.chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// The text of a page without its blocks.
fn prose(text: &str) -> String {
    text.split("\n```").step_by(2).collect()
}

fn anchors(path: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(path).unwrap();
    prose(&text).lines().filter(|line| line.starts_with('#')).map(anchor).collect()
}

#[test]
fn links_lead_somewhere() {
    let papers = PAPERS.map(|path| (path, fs::read_to_string(path).unwrap()));
    let papers = papers.iter().map(|(path, text)| (*path, text.as_str()));
    let pages = PAGES.iter().map(|page| (page.path.as_str(), page.text.as_str()));
    let mut seen = 0;
    for (path, text) in pages.chain(papers) {
        for link in links(&prose(text)).filter(|link| !link.contains("://")) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let folder = Path::new(path).parent().unwrap();
            let target: PathBuf = if file.is_empty() { path.into() } else { folder.join(file) };
            assert!(target.exists(), "{path}: {link} leads nowhere");
            assert!(
                heading.is_empty() || anchors(&target).contains(heading),
                "{path}: no heading {link}"
            );
            seen += 1;
        }
    }
    assert!(seen > 30, "only {seen} links were seen");
}

#[test]
fn every_alert_has_an_entry_in_the_runbook() {
    let alerts = fs::read_to_string("deploy/alerts.yaml").unwrap();
    let entries = alerts.lines().filter_map(|line| line.trim().strip_prefix("runbook: "));
    let entries: Vec<_> = entries.map(|entry| entry.trim_matches('"')).collect();
    assert_eq!(entries.len(), alerts.matches("- alert: ").count());
    for entry in entries {
        let (page, heading) = entry.split_once('#').unwrap();
        assert!(anchors(Path::new(page)).contains(heading), "no heading {entry}");
    }
}

#[test]
fn every_page_is_in_the_summary() {
    let mut folders = vec![PathBuf::from("docs")];
    let mut found = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "md") && !path.ends_with("SUMMARY.md")
            {
                found.insert(path.to_str().unwrap().to_owned());
            }
        }
    }
    let listed = PAGES.iter().skip(1).map(|page| page.path.clone()).collect();
    assert_eq!(found, listed);
}

#[test]
fn the_readme_is_read_in_a_minute() {
    let lines = PAGES[0].text.lines().count();
    assert!(lines <= 150, "README.md has {lines} lines");
}
