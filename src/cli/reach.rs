use anyhow::Result;
use clap::Args;

use super::{Exit, Output, matrix, output::QUIET, parties::Parties, paths::PolicyPaths, policy};
use crate::{
    decide,
    request::{Open, Request, Resource},
    serve::Listed,
    snapshot::View,
};

#[derive(Args, Debug)]
pub(super) struct Question {
    #[command(flatten)]
    parties: Parties,
    #[command(flatten)]
    matrix: matrix::Options,
    /// List at most so many users, groups, or kinds of users
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// List those that come after this id
    #[arg(long, value_name = "ID")]
    after: Option<String>,
    #[command(flatten)]
    paths: PolicyPaths,
}

pub(super) fn run(question: &Question, output: &Output) -> Result<Exit> {
    let limit = question.limit.map(|n| usize::try_from(n).unwrap_or(usize::MAX));
    if question.matrix.matrix {
        return matrix(question, limit, output);
    }
    let (request, open) = question.parties.parts().list()?;
    let view = match policy::view(&question.paths.scope()?, output)? {
        Ok(view) => view,
        Err(exit) => return Ok(exit),
    };
    let limit = limit.unwrap_or(usize::MAX);
    let after = question.after.as_deref();
    let page = match open {
        Open::Subject => decide::reached_by(&view, &request).page(after, limit),
        Open::Resource | Open::Member => decide::reach(&view, &request).page(after, limit),
        Open::Group => decide::groups(&view, &request).page(after, limit),
    };
    let listed = Listed { open, page };
    if output.is_json() {
        output.json(&listed)?;
        return Ok(Exit::Fine);
    }
    let page = &listed.page;
    let mut text = page.ids.join("\n");
    if !text.is_empty() {
        text.push('\n');
    }
    output.result(&text)?;
    for unknown in unknown(&view, &request, open) {
        output.aside(&format!("{QUIET}{unknown}{QUIET:#}\n"));
    }
    let shown = page.ids.len();
    output.aside(&format!("{QUIET}{shown} of {}{QUIET:#}\n", page.total));
    Ok(Exit::Fine)
}

fn matrix(question: &Question, limit: Option<usize>, output: &Output) -> Result<Exit> {
    let parts = question.parties.parts();
    matrix::check(parts.action)?;
    let view = match policy::view(&question.paths.scope()?, output)? {
        Ok(view) => view,
        Err(exit) => return Ok(exit),
    };
    let asked = (parts.action, parts.conversation);
    matrix::run(&question.matrix, &view, asked, limit, output)?;
    Ok(Exit::Fine)
}

/// Whom a request names without there being any, a line each: a list that is empty for it is no
/// list of what the policy refuses.
fn unknown(view: &View, request: &Request<'_>, open: Open) -> Vec<String> {
    let subject = Some(&request.subject).filter(|_| open != Open::Subject);
    let (user, group) = match &request.resource {
        Resource::User(user) if open != Open::Resource => (Some(user), None),
        Resource::Group(group) if open != Open::Group => (None, Some(group.id)),
        _ => (None, None),
    };
    let users = subject.into_iter().chain(user).chain(&request.member).map(|user| user.id);
    let users = users
        .filter(|id| view.population.directory.number(id).is_none())
        .map(|id| format!("`{id}` is no known user"));
    let group = group.filter(|id| view.groups.number(id).is_none());
    users.chain(group.map(|id| format!("`{id}` is no known group"))).collect()
}
