//! Generates the parser of policies from `grammar/`, and tells the code which build it is.

use std::{env, error::Error, process::Command};

fn main() -> Result<(), Box<dyn Error>> {
    lalrpop::Configuration::new().emit_rerun_directives(true).process_dir("grammar")?;
    println!("cargo::rustc-env=BUILD_COMMIT={}", commit());
    println!("cargo::rustc-env=BUILD_FEATURES={}", features());
    let list = Some(features()).filter(|list| !list.is_empty());
    println!("cargo::rustc-env=BUILD_FEATURE_LIST={}", list.as_deref().unwrap_or("none"));
    println!("cargo::rustc-env=BUILD_DATE={}", date());
    Ok(())
}

/// The commit that is built: `PEERAGE_COMMIT` where a packager sets it, else that of the repository, else
/// `unknown`; so also in development, where each commit would build everything again.
fn commit() -> String {
    println!("cargo::rerun-if-env-changed=PEERAGE_COMMIT");
    if let Ok(commit) = env::var("PEERAGE_COMMIT") {
        return commit;
    }
    if env::var("PROFILE").is_ok_and(|profile| profile != "release") {
        return "unknown".to_owned();
    }
    for name in ["HEAD", "logs/HEAD"] {
        if let Some(path) = git(&["rev-parse", "--git-path", name]) {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    git(&["rev-parse", "--short=12", "HEAD"]).unwrap_or_else(|| "unknown".to_owned())
}

/// The date of the build as far as it can be repeated: `SOURCE_DATE_EPOCH` where a packager sets it, else the
/// date of the commit in a release, else `unknown`.
fn date() -> String {
    println!("cargo::rerun-if-env-changed=SOURCE_DATE_EPOCH");
    let epoch = env::var("SOURCE_DATE_EPOCH").ok().and_then(|text| text.trim().parse().ok());
    if let Some(seconds) = epoch {
        return civil_date(seconds);
    }
    if env::var("PROFILE").is_ok_and(|profile| profile != "release") {
        return "unknown".to_owned();
    }
    let seconds = git(&["show", "--no-patch", "--format=%ct", "HEAD"]);
    let seconds = seconds.and_then(|text| text.parse().ok());
    seconds.map_or_else(|| "unknown".to_owned(), civil_date)
}

/// The day of a Unix time in UTC, as 2026-01-31, by Hinnant's algorithm.
fn civil_date(seconds: u64) -> String {
    let days = seconds / 86_400 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// The output of git; `None` if it fails, as outside of a repository of this package.
fn git(arguments: &[&str]) -> Option<String> {
    // A package that was unpacked within another repository has no commit of its own.
    if !std::path::Path::new(".git").exists() {
        return None;
    }
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let text = text.trim();
    (output.status.success() && !text.is_empty()).then(|| text.to_owned())
}

/// The features that are on, in alphabetical order.
fn features() -> String {
    let mut features: Vec<String> = env::vars()
        .filter_map(|(name, _)| Some(name.strip_prefix("CARGO_FEATURE_")?.to_lowercase()))
        .filter(|name| name != "default")
        .collect();
    features.sort_unstable();
    features.join(",")
}
