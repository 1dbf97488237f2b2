//! A chat server's loop with a policy in it: who may write to whom, asked line by line.
//!
//! ```sh
//! cargo run --example embed -- policies/stores
//! ```
//!
//! Lines of standard input are `SUBJECT RESOURCE`, or `SUBJECT` alone for the list of everyone whom
//! they may reach. Saving the policy's files changes the answers at once.

use std::{
    error::Error,
    io::{self, BufRead, Write},
};

use peerage::{Action, Engine, LatestReload, Request};

fn main() -> Result<(), Box<dyn Error>> {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    if paths.is_empty() {
        return Err("which policy? give its files or folders".into());
    }
    let engine = Engine::follow(&paths, report)?;
    let mut out = io::stdout();
    for line in io::stdin().lock().lines() {
        let line = line?;
        match *line.split_whitespace().collect::<Vec<_>>() {
            [subject] => reach(&engine, subject, &mut out)?,
            [subject, resource] => decide(&engine, subject, resource, &mut out)?,
            _ => writeln!(out, "SUBJECT [RESOURCE]")?,
        }
    }
    Ok(())
}

fn decide(engine: &Engine, subject: &str, resource: &str, out: &mut impl Write) -> io::Result<()> {
    let request = Request::new(subject, Action::StartChat, resource);
    let decision = engine.decide(&request);
    writeln!(out, "{} {}", if decision.allow { "allow" } else { "deny" }, decision.reason)?;
    for finding in engine.explain(&request).findings {
        writeln!(out, "  {}: {}", finding.gate, finding.detail)?;
    }
    Ok(())
}

fn reach(engine: &Engine, subject: &str, out: &mut impl Write) -> io::Result<()> {
    // Both lists are of one version, whatever is saved in between.
    let snapshot = engine.snapshot();
    let to = snapshot.reach(&Request::new(subject, Action::StartChat, ""));
    let from = snapshot.reached_by(&Request::new("", Action::StartChat, subject));
    writeln!(out, "may reach {}: {}", to.total(), to.ids().collect::<Vec<_>>().join(" "))?;
    writeln!(out, "reached by {}: {}", from.total(), from.ids().collect::<Vec<_>>().join(" "))
}

/// Runs on the engine's thread after each reload.
#[allow(clippy::print_stderr, reason = "the log of an example")]
fn report(reload: &LatestReload) {
    eprintln!("policy {}", reload.outcome.as_str());
    for diagnostic in &reload.report.diagnostics {
        eprintln!("  {}: {}", diagnostic.code, diagnostic.message);
    }
}
