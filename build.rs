//! Generates the parser of policies from `grammar/`, and tells the code which build it is.

use std::{env, error::Error, process::Command};

fn main() -> Result<(), Box<dyn Error>> {
    lalrpop::Configuration::new().emit_rerun_directives(true).process_dir("grammar")?;
    println!("cargo::rustc-env=PEERAGE_COMMIT={}", commit());
    println!("cargo::rustc-env=PEERAGE_FEATURES={}", features());
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
