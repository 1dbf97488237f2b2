use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::{Exit, Output, output::QUIET, policy};
use crate::{
    decide,
    request::{Action, Request},
};

#[derive(Args, Debug)]
pub(super) struct Question {
    /// List whom this user may reach
    #[arg(long, short, value_name = "ID", required_unless_present = "resource")]
    subject: Option<String>,
    /// What is to be done
    #[arg(long, short, default_value_t = Action::StartChat)]
    action: Action,
    /// List who may reach this user
    #[arg(long, short, value_name = "ID", conflicts_with = "subject")]
    resource: Option<String>,
    /// List at most so many
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// List those who come after this id
    #[arg(long, value_name = "ID")]
    after: Option<String>,
    /// Policy files, or folders of them
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

pub(super) fn run(question: &Question, output: &Output) -> Result<Exit> {
    let view = match policy::view(&question.paths, output)? {
        Ok(view) => view,
        Err(exit) => return Ok(exit),
    };
    let list = match (&question.subject, &question.resource) {
        (Some(subject), _) => decide::reach(&view, &Request::new(subject, question.action, "")),
        (None, resource) => {
            let resource = resource.as_deref().unwrap_or_default();
            decide::reached_by(&view, &Request::new("", question.action, resource))
        }
    };
    let limit = question.limit.map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(usize::MAX));
    let page = list.page(question.after.as_deref(), limit);
    if output.is_json() {
        output.json(&json!({
            "users": page.ids,
            "total": page.total,
            "next": page.next.unwrap_or_default(),
        }))?;
        return Ok(Exit::Fine);
    }
    let mut text = page.ids.join("\n");
    if !text.is_empty() {
        text.push('\n');
    }
    output.result(&text)?;
    let id = question.subject.as_ref().or(question.resource.as_ref());
    if let Some(id) = id.filter(|id| view.population.directory.number(id).is_none()) {
        output.aside(&format!("{QUIET}`{id}` is no known user{QUIET:#}\n"));
    }
    let shown = page.ids.len();
    output.aside(&format!("{QUIET}{shown} of {}{QUIET:#}\n", page.total));
    Ok(Exit::Fine)
}
