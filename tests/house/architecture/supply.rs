//! Licences and sources of all dependencies, held to `deny.toml`.

use std::{collections::BTreeSet, fs, process::Command};

use serde_json::Value;

/// The texts of a list in `deny.toml`.
fn listed(name: &str) -> BTreeSet<String> {
    let file = fs::read_to_string("deny.toml").unwrap();
    let list = file.split(&format!("\n{name} = [")).nth(1).unwrap();
    let list = list.split(']').next().unwrap();
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Whether an expression of SPDX can be met by these licences. `/` is an old way to write `OR`.
fn is_met(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let (met, rest) = either(&words, allowed);
    assert!(rest.is_empty(), "{expression}");
    met
}

fn either<'w>(words: &'w [&'w str], allowed: &BTreeSet<String>) -> (bool, &'w [&'w str]) {
    let (mut met, mut rest) = both(words, allowed);
    while let Some(after) = rest.strip_prefix(&["OR"]) {
        let (other, left) = both(after, allowed);
        (met, rest) = (met | other, left);
    }
    (met, rest)
}

fn both<'w>(words: &'w [&'w str], allowed: &BTreeSet<String>) -> (bool, &'w [&'w str]) {
    let (mut met, mut rest) = single(words, allowed);
    while let Some(after) = rest.strip_prefix(&["AND"]) {
        let (other, left) = single(after, allowed);
        (met, rest) = (met & other, left);
    }
    (met, rest)
}

fn single<'w>(words: &'w [&'w str], allowed: &BTreeSet<String>) -> (bool, &'w [&'w str]) {
    if let Some(after) = words.strip_prefix(&["("]) {
        let (met, rest) = either(after, allowed);
        return (met, rest.strip_prefix(&[")"]).unwrap());
    }
    // An exception, after `WITH`, allows more than the licence itself does.
    match words {
        [licence, "WITH", _, rest @ ..] | [licence, rest @ ..] => {
            (allowed.contains(*licence), rest)
        }
        [] => panic!("an expression that ends too early"),
    }
}

#[test]
fn dependencies_have_allowed_licences_and_sources() {
    let (licences, sources) = (listed("allow"), listed("allow-registry"));
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let metadata = Command::new(cargo)
        .args(["metadata", "--format-version=1", "--locked", "--all-features"])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .output()
        .unwrap();
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    for package in packages {
        let name = &package["name"];
        let licence = package["license"].as_str().unwrap_or_else(|| panic!("{name}: no licence"));
        assert!(is_met(licence, &licences), "{name}: {licence}");
        let Some(source) = package["source"].as_str() else { continue };
        let registry = source.strip_prefix("registry+");
        assert!(registry.is_some_and(|it| sources.contains(it)), "{name}: {source}");
    }
    assert!(packages.len() > 100);
}

#[test]
fn expressions_of_licences_are_understood() {
    let allowed = ["MIT".to_owned(), "ISC".to_owned()].into();
    for met in ["MIT", "GPL-3.0 OR MIT", "MIT/GPL-3.0", "(GPL-3.0 OR ISC) AND MIT", "MIT WITH X"] {
        assert!(is_met(met, &allowed), "{met}");
    }
    for unmet in ["GPL-3.0", "MIT AND GPL-3.0", "(MIT OR ISC) AND GPL-3.0", "GPL-3.0 WITH X"] {
        assert!(!is_met(unmet, &allowed), "{unmet}");
    }
}

#[test]
fn the_workflow_runs_what_must_pass() {
    let workflow = fs::read_to_string(".github/workflows/ci.yml").unwrap();
    assert!(workflow.contains("- run: .ci/run\n"));
    assert!(workflow.contains("command: check advisories bans licenses sources\n"));
}
