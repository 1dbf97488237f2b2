//! The command `reach`.

use anyhow::Result;
use clap::Args;

use super::{
    Exit, Output, output::QUIET, paths::PolicyPaths, policy, reach_table, request_args::RequestArgs,
};
use crate::{
    decide,
    request::{Request, Resource, Wildcard},
    snapshot::View,
    wire::ListBody,
};

#[derive(Args, Debug)]
pub(super) struct ReachOptions {
    #[command(flatten)]
    parties: RequestArgs,
    #[command(flatten)]
    matrix: reach_table::ReachTableOptions,
    /// The maximal number of listed users, groups or kinds of users
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// List only ids after this one
    #[arg(long, value_name = "ID")]
    after: Option<String>,
    #[command(flatten)]
    paths: PolicyPaths,
}

pub(super) fn run(question: &ReachOptions, output: &Output) -> Result<Exit> {
    let limit = question.limit.map(|n| usize::try_from(n).unwrap_or(usize::MAX));
    if question.matrix.matrix {
        return matrix(question, limit, output);
    }
    if question.parties.is_built_in() {
        question.parties.parts(None)?.into_list_request()?;
    }
    let view = match policy::load_view(&question.paths.scope()?, output)? {
        Ok(view) => view,
        Err(exit) => return Ok(exit),
    };
    let (request, open) = question.parties.parts(Some(&view))?.into_list_request()?;
    let limit = limit.unwrap_or(usize::MAX);
    let after = question.after.as_deref();
    let page = match open {
        Wildcard::Subject => decide::reached_by(&view, &request).page(after, limit),
        Wildcard::Resource | Wildcard::Member => decide::reach(&view, &request).page(after, limit),
        Wildcard::Group => decide::reachable_groups(&view, &request).page(after, limit),
    };
    let listed = ListBody { open, page };
    if output.is_json() {
        output.json(&listed)?;
        return Ok(Exit::Success);
    }
    let page = &listed.page;
    let mut text = page.ids.join("\n");
    if !text.is_empty() {
        text.push('\n');
    }
    output.result(&text)?;
    for unknown in unknown_entities(&view, &request, open) {
        output.note(&format!("{QUIET}{unknown}{QUIET:#}\n"));
    }
    let shown = page.ids.len();
    output.note(&format!("{QUIET}{shown} of {}{QUIET:#}\n", page.total));
    Ok(Exit::Success)
}

fn matrix(question: &ReachOptions, limit: Option<usize>, output: &Output) -> Result<Exit> {
    if question.parties.is_built_in() {
        reach_table::check(question.parties.parts(None)?.action.action)?;
    }
    let view = match policy::load_view(&question.paths.scope()?, output)? {
        Ok(view) => view,
        Err(exit) => return Ok(exit),
    };
    let parts = question.parties.parts(Some(&view))?;
    reach_table::check(parts.action.action)?;
    let situation = (parts.action, parts.conversation);
    reach_table::run(&question.matrix, &view, situation, limit, output)?;
    Ok(Exit::Success)
}

/// The unknown users and groups of a request, a line each: they explain an empty list that no gate
/// caused.
fn unknown_entities(view: &View, request: &Request<'_>, open: Wildcard) -> Vec<String> {
    let subject = Some(&request.subject).filter(|_| open != Wildcard::Subject);
    let (user, group) = match &request.resource {
        Resource::User(user) if open != Wildcard::Resource => (Some(user), None),
        Resource::Group(group) if open != Wildcard::Group => (None, Some(group.id)),
        _ => (None, None),
    };
    let users = subject.into_iter().chain(user).chain(&request.member).map(|user| user.id);
    let users = users
        .filter(|id| view.population.directory.number(id).is_none())
        .map(|id| format!("`{id}` is not a known user"));
    let group = group.filter(|id| view.groups.number(id).is_none());
    users.chain(group.map(|id| format!("`{id}` is not a known group"))).collect()
}
