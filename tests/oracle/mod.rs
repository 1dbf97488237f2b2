//! The semantics of policies told a second time, as plainly as they can be: rules are walked one by
//! one for each pair of users, and there are no sets. Nothing here is shared with the crate.

#![allow(dead_code, reason = "each test needs a part of it")]

use std::{collections::BTreeMap, fmt};

use uuid::{Uuid, uuid};

#[derive(Clone, Debug)]
pub(crate) enum Condition {
    HasTag(String),
    Not(Box<Condition>),
    All(Vec<Condition>),
    Any(Vec<Condition>),
}

#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) id: Option<Uuid>,
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) condition: Condition,
    /// May name a tag more than once.
    pub(crate) outcome: Vec<String>,
}

/// A policy, with who there is.
#[derive(Clone, Debug)]
pub(crate) struct World {
    /// The tags that are declared; `None` if the policy declares none.
    pub(crate) declared: Option<Vec<String>>,
    /// `None` if the policy has no rules section.
    pub(crate) rules: Option<Vec<Rule>>,
    /// `None` for a user of whom the policy states no tags.
    pub(crate) users: BTreeMap<String, Option<Vec<String>>>,
}

/// A user in a question, with the tags that stand in for his own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) id: &'a str,
    pub(crate) tags: Option<&'a [String]>,
}

impl<'a> From<&'a str> for Asked<'a> {
    fn from(id: &'a str) -> Self {
        Self { id, tags: None }
    }
}

impl World {
    /// What each gate says, in their order: the reason why it is closed, if it is.
    pub(crate) fn verdicts(
        &self,
        subject: Asked<'_>,
        resource: Asked<'_>,
    ) -> [Option<&'static str>; 3] {
        let known = if !self.users.contains_key(subject.id) {
            Some("unknown_subject")
        } else if !self.users.contains_key(resource.id) {
            Some("unknown_resource")
        } else {
            None
        };
        let oneself = if subject.id == resource.id { Some("self") } else { None };
        let rules = match &self.rules {
            Some(_) if self.opening(subject, resource).is_empty() => Some("no_rule"),
            _ => None,
        };
        [known, oneself, rules]
    }

    /// Why the answer is what it is: `allowed`, or the first gate that is closed.
    pub(crate) fn reason(&self, subject: Asked<'_>, resource: Asked<'_>) -> &'static str {
        self.verdicts(subject, resource).into_iter().flatten().next().unwrap_or("allowed")
    }

    pub(crate) fn allows(&self, subject: Asked<'_>, resource: Asked<'_>) -> bool {
        self.reason(subject, resource) == "allowed"
    }

    /// The ids of the rules that let the subject reach the resource, in order.
    pub(crate) fn opening(&self, subject: Asked<'_>, resource: Asked<'_>) -> Vec<Uuid> {
        let mut ids = Vec::new();
        for rule in self.rules.iter().flatten() {
            let leads_there = self.tags(resource).iter().any(|tag| rule.outcome.contains(tag));
            if leads_there && rule.condition.is_met_by(self.tags(subject)) {
                ids.push(rule.expected_id());
            }
        }
        ids.sort();
        ids
    }

    pub(crate) fn reach(&self, subject: Asked<'_>) -> Vec<&str> {
        self.users
            .keys()
            .map(String::as_str)
            .filter(|id| self.allows(subject, (*id).into()))
            .collect()
    }

    pub(crate) fn reached_by(&self, resource: Asked<'_>) -> Vec<&str> {
        self.users
            .keys()
            .map(String::as_str)
            .filter(|id| self.allows((*id).into(), resource))
            .collect()
    }

    fn tags<'a>(&'a self, asked: Asked<'a>) -> &'a [String] {
        if let Some(tags) = asked.tags {
            return tags;
        }
        match self.users.get(asked.id) {
            Some(Some(tags)) => tags,
            _ => &[],
        }
    }
}

impl Condition {
    pub(crate) fn is_met_by(&self, tags: &[String]) -> bool {
        match self {
            Self::HasTag(tag) => tags.contains(tag),
            Self::Not(inner) => !inner.is_met_by(tags),
            Self::All(parts) => parts.iter().all(|part| part.is_met_by(tags)),
            Self::Any(parts) => parts.iter().any(|part| part.is_met_by(tags)),
        }
    }
}

impl Rule {
    /// The id that the rule has or is given: derived from its name, or else from its content.
    pub(crate) fn expected_id(&self) -> Uuid {
        let namespace = uuid!("5b0b8f53-5d3e-5c57-9d67-0d3f6c1b2a94");
        let mut outcome = self.outcome.clone();
        outcome.sort();
        outcome.dedup();
        let seed = match (&self.id, &self.name) {
            (Some(id), _) => return *id,
            (None, Some(name)) => format!("name:{name}"),
            (None, None) => format!("content:{} -> {}", self.condition, outcome.join(",")),
        };
        Uuid::new_v5(&namespace, seed.as_bytes())
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined =
            |parts: &[Self]| parts.iter().map(Self::to_string).collect::<Vec<_>>().join(", ");
        match self {
            Self::HasTag(tag) => write!(f, "hasTag({tag})"),
            Self::Not(inner) => write!(f, "not({inner})"),
            Self::All(parts) => write!(f, "all({})", joined(parts)),
            Self::Any(parts) => write!(f, "any({})", joined(parts)),
        }
    }
}
