use serde_json::{Value, json};
use uuid::Uuid;

use super::{read::Failure, told};
use crate::{
    live::{Served, facts::Facts},
    serve::{answer::Refusal, query::Query},
};

/// How many are told if nothing is said of it.
const LIMIT: usize = 1000;

/// A page of a list that is asked for.
struct Page<'q> {
    query: Query<'q>,
    limit: usize,
}

impl<'q> Page<'q> {
    fn of(query: &'q str) -> Result<Self, Refusal> {
        let query = Query::parse(Some(query), &["limit", "after"])?;
        let limit = match query.get("limit").map(str::parse) {
            None => LIMIT,
            Some(Ok(limit)) if limit > 0 => limit,
            Some(_) => return Err(Refusal::bad("limit", "`limit` takes a whole number from 1")),
        };
        Ok(Self { query, limit })
    }

    fn after(&self) -> Option<&str> {
        self.query.get("after").filter(|after| !after.is_empty())
    }
}

/// `GET /v1/facts/users`: the ids of all users, in order.
pub(super) fn users(served: &Served, query: &str) -> Result<Value, Refusal> {
    let page = Page::of(query)?;
    let population = &served.view.population;
    let users = population.directory.in_order(&population.everyone, page.after());
    let mut ids: Vec<&str> = users
        .take(page.limit.saturating_add(1))
        .map(|user| population.directory.id(user))
        .collect();
    let next = next(&mut ids, page.limit).map(|id| (*id).to_owned());
    Ok(listed(served, ("users", json!(ids)), population.everyone.len(), next))
}

/// `GET /v1/facts/groups`: the ids of all groups, in order.
pub(super) fn groups(served: &Served, query: &str) -> Result<Value, Refusal> {
    let page = Page::of(query)?;
    let groups = &served.view.groups;
    let ids = groups.iter().map(|(_, group)| group.id);
    let ids = ids.filter(|&id| page.after().is_none_or(|after| id > after));
    let mut ids: Vec<&str> = ids.take(page.limit.saturating_add(1)).collect();
    let next = next(&mut ids, page.limit).map(|id| (*id).to_owned());
    Ok(listed(served, ("groups", json!(ids)), groups.len() as u64, next))
}

/// `GET /v1/facts/conversations`: the two users of each, in order.
pub(super) fn conversations(served: &Served, query: &str) -> Result<Value, Refusal> {
    let page = Page::of(query)?;
    let after: Option<(String, String)> = page
        .after()
        .map(|after| {
            serde_json::from_str(after).map_err(|_| {
                Refusal::bad("after", "`after` takes what `next` of the page before said")
            })
        })
        .transpose()?;
    let after = after.as_ref().map(|(one, other)| (one.as_str(), other.as_str()));
    let mut pairs = served.conversations(after, page.limit.saturating_add(1));
    let next = next(&mut pairs, page.limit).map(|pair| json!(pair).to_string());
    let total = served.conversation_count();
    Ok(listed(served, ("conversations", json!(pairs)), total, next))
}

/// `GET /v1/facts/rules`: all rules, in the order of their ids.
pub(super) fn rules(served: &Served, facts: Option<&Facts>, query: &str) -> Result<Value, Failure> {
    let page = Page::of(query)?;
    let after: Option<Uuid> = page
        .after()
        .map(|after| {
            let uuid = after.parse();
            uuid.map_err(|_| Refusal::bad("after", "`after` takes the id of a rule, a UUID"))
        })
        .transpose()?;
    let mut told = served.rules(facts, after, page.limit.saturating_add(1))?;
    let next = next(&mut told.rules, page.limit).map(|rule| rule.id.to_string());
    let rules: Vec<Value> = told.rules.iter().map(told::rule).collect();
    Ok(json!({
        "revision": served.view.revision.facts, "in_force": told.in_force,
        "rules": rules, "next": next.unwrap_or_default(),
    }))
}

/// The last of a page that has another after it, of which one is here; that one is dropped.
fn next<T>(all: &mut Vec<T>, limit: usize) -> Option<&T> {
    let has_more = all.len() > limit;
    all.truncate(limit);
    all.last().filter(|_| has_more)
}

fn listed(
    served: &Served,
    (name, items): (&'static str, Value),
    total: u64,
    next: Option<String>,
) -> Value {
    json!({
        "revision": served.view.revision.facts,
        name: items,
        "total": total,
        "next": next.unwrap_or_default(),
    })
}
