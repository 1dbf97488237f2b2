//! The oracle's conditions, rules and values.

use std::fmt;

use uuid::{Uuid, uuid};

use super::relations::Relation;

#[derive(Clone, Debug)]
pub(crate) enum Condition {
    Everyone,
    Nobody,
    HasTag(String),
    /// A window, by its name.
    During(&'static str),
    Not(Box<Condition>),
    All(Vec<Condition>),
    Any(Vec<Condition>),
}

/// What a switch is set to.
#[derive(Clone, Debug)]
pub(crate) enum Toggle {
    Always(bool),
    When(Condition),
}

/// Who has a permission in a group.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// `allow`, `deny`, `allow_if_admin`, `allow_if_super_admin` or `unspecified`.
    Grant(&'static str),
    HasTag(String),
    During(&'static str),
    Not(Box<Value>),
    All(Vec<Value>),
    Any(Vec<Value>),
}

#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) id: Option<Uuid>,
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) condition: Condition,
    pub(crate) outcome: Outcome,
    /// Read from the subject.
    pub(crate) between: Option<Relation>,
}

/// Whom a rule lets its subjects reach.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// May name a tag more than once.
    Tags(Vec<String>),
    Condition(Condition),
    /// Everyone with whom there is what is between.
    LeftOut,
}

impl Condition {
    pub(crate) fn is_met_by(&self, tags: &[String]) -> bool {
        match self {
            Self::Everyone => true,
            // Whether a window is open is settled before.
            Self::Nobody | Self::During(_) => false,
            Self::HasTag(tag) => tags.contains(tag),
            Self::Not(inner) => !inner.is_met_by(tags),
            Self::All(parts) => parts.iter().all(|part| part.is_met_by(tags)),
            Self::Any(parts) => parts.iter().any(|part| part.is_met_by(tags)),
        }
    }
}

impl Toggle {
    pub(crate) fn is_on(&self, tags: &[String]) -> bool {
        match self {
            Self::Always(on) => *on,
            Self::When(condition) => condition.is_met_by(tags),
        }
    }
}

impl Value {
    /// Whether it grants to a member of this role who has these tags.
    pub(crate) fn grants(&self, role: &str, tags: &[String]) -> bool {
        match self {
            Self::Grant("allow") => true,
            Self::Grant("allow_if_admin") => role == "admin" || role == "super_admin",
            Self::Grant("allow_if_super_admin") => role == "super_admin",
            Self::Grant(_) | Self::During(_) => false,
            Self::HasTag(tag) => tags.contains(tag),
            Self::Not(inner) => !inner.grants(role, tags),
            Self::All(parts) => parts.iter().all(|part| part.grants(role, tags)),
            Self::Any(parts) => parts.iter().any(|part| part.grants(role, tags)),
        }
    }
}

impl Rule {
    /// The id that the rule has or is given: derived from its name, or else from its content. Those of
    /// which the reference does not say how have a name.
    pub(crate) fn expected_id(&self) -> Uuid {
        let namespace = uuid!("5b0b8f53-5d3e-5c57-9d67-0d3f6c1b2a94");
        let mut outcome = match &self.outcome {
            Outcome::Tags(tags) => tags.clone(),
            Outcome::Condition(_) | Outcome::LeftOut => Vec::new(),
        };
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
        match self {
            Self::Everyone => f.write_str("everyone"),
            Self::Nobody => f.write_str("nobody"),
            Self::HasTag(tag) => write!(f, "hasTag({tag})"),
            Self::During(window) => write!(f, "during({window})"),
            Self::Not(inner) => write!(f, "not({inner})"),
            Self::All(parts) => write!(f, "all({})", joined(parts)),
            Self::Any(parts) => write!(f, "any({})", joined(parts)),
        }
    }
}

fn joined(parts: &[Condition]) -> String {
    parts.iter().map(Condition::to_string).collect::<Vec<_>>().join(", ")
}
