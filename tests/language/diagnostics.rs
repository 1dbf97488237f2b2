//! The diagnostics of whole policies: every folder below `diagnostics/` is a policy with mistakes;
//! `snapshots/` holds its report. `INSTA_UPDATE=always cargo test --test language diagnostics`
//! writes the latter again.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail by it")]

use std::{fs, panic, path::Path};

use peerage::{
    compile,
    diagnostic::{Report, render_text},
    source,
};

/// All that peerage says of a policy, from its files on.
fn problems_of(folder: &str) -> Report {
    compile::build_with_lints(&source::load(&[folder])).report
}

#[test]
fn each_case_reads_as_its_snapshot() {
    let mut failed: Vec<_> = fs::read_dir("tests/language/diagnostics")
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    failed.sort();
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    // What goes well is dropped from the list, so that one difference does not hide the next.
    settings.bind(|| failed.retain(|case| panic::catch_unwind(|| check(case)).is_err()));
    assert!(failed.is_empty(), "these cases read differently: {failed:?}");
}

fn check(case: &str) {
    let folder = Path::new("tests/language/diagnostics").join(case);
    let report = problems_of(folder.to_str().unwrap());
    insta::assert_snapshot!(format!("diagnostics-{case}"), render_text(&report, false));

    let json = report.to_json();
    let listed = json["diagnostics"].as_array().unwrap();
    assert_eq!(listed.len(), report.diagnostics.len());
    let errors = listed.iter().filter(|found| found["severity"] == "error").count();
    assert_eq!(json["errors"], errors);
    assert_eq!(json["warnings"], listed.len() - errors);
    for found in listed {
        assert_eq!(found["file"].is_null(), found["line"].is_null());
        assert!(!found["file"].as_str().is_some_and(|file| file.starts_with('/')));
    }
}
