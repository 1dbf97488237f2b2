use std::{fmt::Write as _, path::PathBuf};

use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::{
    Exit, Output,
    output::{BAD, GOOD, QUIET, STRONG},
    policy,
};
use crate::{
    decide::{self, Explanation},
    request::{Action, InvalidTag, Properties, Request, Resource, User, check_tag},
    serve,
};

#[derive(Args, Debug)]
pub(super) struct Question {
    /// Who wants to do it: the id of a user
    #[arg(long, short, value_name = "ID")]
    subject: String,
    /// What the subject wants to do
    #[arg(long, short, default_value_t = Action::StartChat)]
    action: Action,
    /// To whom: the id of a user
    #[arg(long, short, value_name = "ID")]
    resource: String,
    /// Tags that stand in for the subject's own, separated by commas; "" for none
    #[arg(long, value_name = "TAGS", value_parser = tags)]
    subject_tags: Option<Tags>,
    /// Tags that stand in for the resource's own, separated by commas; "" for none
    #[arg(long, value_name = "TAGS", value_parser = tags)]
    resource_tags: Option<Tags>,
    /// Show what every gate said
    #[arg(long)]
    explain: bool,
    /// Policy files, or folders of them
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

#[derive(Clone, Debug)]
struct Tags(Vec<String>);

fn tags(text: &str) -> Result<Tags, InvalidTag> {
    let named = text.split(',').filter(|_| !text.is_empty());
    named.map(|tag| check_tag(tag).map(|()| tag.to_owned())).collect::<Result<_, _>>().map(Tags)
}

pub(super) fn run(question: &Question, output: &Output) -> Result<Exit> {
    // Exit code 1 says that the decision is to deny; without a policy there is none.
    let Ok(view) = policy::view(&question.paths, output)? else { return Ok(Exit::Failed) };
    let request = Request {
        subject: party(&question.subject, question.subject_tags.as_ref()),
        action: question.action,
        resource: Resource::User(party(&question.resource, question.resource_tags.as_ref())),
        member: None,
        field: None,
        conversation: None,
    };
    let explanation = decide::explain(&view, &request);
    if output.is_json() {
        let mut answer = serve::explained(&explanation);
        if let (false, Some(answer)) = (question.explain, answer.as_object_mut()) {
            answer.remove("gates");
        }
        if let Some(answer) = answer.as_object_mut() {
            answer.insert("revision".to_owned(), json!(view.revision.to_string()));
        }
        output.json(&answer)?;
    } else {
        output.result(&human(&explanation, question.explain))?;
    }
    Ok(if explanation.decision.allow { Exit::Fine } else { Exit::Short })
}

fn party<'q>(id: &'q str, tags: Option<&'q Tags>) -> User<'q> {
    let properties = tags.map(|tags| {
        let tags = Some(tags.0.iter().map(String::as_str).collect());
        Box::new(Properties { tags, ..Properties::default() })
    });
    User { id, properties }
}

fn human(explanation: &Explanation, explain: bool) -> String {
    let decision = explanation.decision;
    let (style, word) = if decision.allow { (GOOD, "allow") } else { (BAD, "deny") };
    let mut text = format!("{style}{word}{style:#} {}\n", decision.reason);
    // Writing to a string can't fail.
    for rule in &explanation.rules {
        let name = rule.name.as_deref().map_or_else(|| rule.id.to_string(), str::to_owned);
        let _ = write!(text, "  by rule {STRONG}{name}{STRONG:#}");
        if let Some(line) = rule.description.as_deref().and_then(|text| text.lines().next()) {
            let _ = write!(text, ": {QUIET}{line}{QUIET:#}");
        }
        text.push('\n');
    }
    if explain {
        for finding in &explanation.findings {
            let (style, word) = match finding.closed {
                None => (GOOD, "open"),
                Some(reason) => (BAD, reason.as_str()),
            };
            let _ = writeln!(
                text,
                "  {:<6} {style}{word}{style:#} {QUIET}{}{QUIET:#}",
                finding.gate.as_str(),
                finding.detail
            );
        }
    }
    text
}
