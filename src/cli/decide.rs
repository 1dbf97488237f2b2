//! The command `decide`.

use std::fmt::Write as _;

use anyhow::{Result, bail};
use clap::Args;
use serde_json::json;

use super::{
    Exit, Output,
    output::{BAD, GOOD, QUIET, STRONG},
    paths::PolicyPaths,
    policy,
    request_args::RequestArgs,
};
use crate::{
    decide::{self, Explanation},
    request::{InvalidTagError, Properties, Reason, Request, Resource, Role, User, check_tag},
    snapshot::View,
    wire,
};

#[derive(Args, Debug)]
pub(super) struct DecideOptions {
    #[command(flatten)]
    parties: RequestArgs,
    /// Tags that replace those of the subject, separated by commas; "" for none
    #[arg(long, value_name = "TAGS", value_parser = tags)]
    subject_tags: Option<Tags>,
    /// Tags that replace those of the resource, a user, separated by commas; "" for none
    #[arg(long, value_name = "TAGS", value_parser = tags)]
    resource_tags: Option<Tags>,
    /// A role that replaces the subject's role in the group: member, admin or super_admin
    #[arg(long, value_name = "ROLE")]
    subject_role: Option<Role>,
    /// Show every gate's verdict
    #[arg(long)]
    explain: bool,
    #[command(flatten)]
    paths: PolicyPaths,
}

#[derive(Clone, Debug)]
struct Tags(Vec<String>);

fn tags(text: &str) -> Result<Tags, InvalidTagError> {
    let named = text.split(',').filter(|_| !text.is_empty());
    named.map(|tag| check_tag(tag).map(|()| tag.to_owned())).collect::<Result<_, _>>().map(Tags)
}

pub(super) fn run(question: &DecideOptions, output: &Output) -> Result<Exit> {
    if question.parties.is_built_in() {
        question.request(None)?;
    }
    // Exit code 1 means that the request is denied; without a policy nothing is decided.
    let scope = question.paths.scope()?;
    let Ok(view) = policy::load_view(&scope, output)? else { return Ok(Exit::Failure) };
    let request = question.request(Some(&view))?;
    let explanation = decide::explain(&view, &request);
    if output.is_json() {
        let mut answer = wire::explanation_json(&explanation);
        if let Some(answer) = answer.as_object_mut() {
            if !question.explain {
                answer.shift_remove("gates");
            }
            answer.insert("revision".to_owned(), json!(view.revision.to_string()));
        }
        output.json(&answer)?;
    } else {
        output.result(&render(&explanation, question.explain))?;
    }
    Ok(if explanation.decision.allow { Exit::Success } else { Exit::Unmet })
}

impl DecideOptions {
    /// The request under a policy, or without one.
    fn request(&self, view: Option<&View>) -> Result<Request<'_>> {
        let mut request = self.parties.parts(view)?.into_request()?;
        request.subject.properties = properties(self.subject_tags.as_ref(), self.subject_role);
        match (&mut request.resource, &self.resource_tags) {
            (Resource::User(User { properties: given, .. }), tags) => {
                *given = properties(tags.as_ref(), None);
            }
            (_, None) => {}
            (_, Some(_)) => bail!("--resource-tags needs a resource of type user"),
        }
        Ok(request)
    }
}

fn properties(tags: Option<&Tags>, role: Option<Role>) -> Option<Box<Properties<'_>>> {
    if tags.is_none() && role.is_none() {
        return None;
    }
    let tags = tags.map(|tags| tags.0.iter().map(String::as_str).collect());
    Some(Box::new(Properties { tags, role, ..Properties::default() }))
}

fn render(explanation: &Explanation, explain: bool) -> String {
    let Explanation { decision, rules, more_rules, concerned_user: about, .. } = explanation;
    let (style, word) = if decision.allow { (GOOD, "allow") } else { (BAD, "deny") };
    // Writing to a string can't fail.
    let mut text = format!("{style}{word}{style:#} {}", decision.reason);
    if let Some(user) = about {
        let _ = write!(text, " {QUIET}(`{user}`){QUIET:#}");
    }
    text.push('\n');
    for obligation in decision.obligations.iter() {
        let _ = writeln!(text, "  with the obligation {STRONG}{obligation}{STRONG:#}");
    }
    for rule in rules {
        let name = rule.name.as_deref().map_or_else(|| rule.id.to_string(), str::to_owned);
        let _ = write!(text, "  by rule {STRONG}{name}{STRONG:#}");
        if let Some(line) = rule.description.as_deref().and_then(|text| text.lines().next()) {
            let _ = write!(text, ": {QUIET}{line}{QUIET:#}");
        }
        text.push('\n');
    }
    if *more_rules > 0 {
        let _ = writeln!(text, "  and {more_rules} more");
    }
    if explain {
        write_gates(explanation, "  ", &mut text);
    }
    text
}

/// A line for each gate, in columns.
pub(super) fn write_gates(explanation: &Explanation, indent: &str, text: &mut String) {
    let findings = &explanation.findings;
    let verdict = |closed: Option<Reason>| closed.map_or("open", Reason::as_str);
    let widest = |lengths: &mut dyn Iterator<Item = usize>| lengths.max().unwrap_or_default();
    let gates = widest(&mut findings.iter().map(|finding| finding.gate.as_str().len()));
    let verdicts = widest(&mut findings.iter().map(|finding| verdict(finding.closed).len()));
    for finding in findings {
        let style = if finding.closed.is_none() { GOOD } else { BAD };
        // Writing to a string can't fail.
        let _ = writeln!(
            text,
            "{indent}{:<gates$}  {style}{:<verdicts$}{style:#}  {QUIET}{}{QUIET:#}",
            finding.gate.as_str(),
            verdict(finding.closed),
            finding.detail
        );
    }
}
