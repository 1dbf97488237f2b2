//! The oracle's relation conditions: what may be between two users, read from one of them.

use std::fmt;

use super::{
    ask::{Asked, Question},
    world::World,
};

/// A condition that may speak of what is between two users.
#[derive(Clone, Debug)]
pub(crate) enum Relation {
    Everyone,
    Nobody,
    /// About the other; in audiences alone.
    HasTag(String),
    /// `friend`, `contact`, `favorite` or `pair`.
    Edge(&'static str, Direction),
    Conversation,
    /// A window, by its name.
    During(&'static str),
    /// With the matrix that governs the group, if one is named.
    SharesGroup(Option<String>),
    /// A tag, or the beginning of one and a `*`.
    SharesTag(String),
    /// An audience by its name; in audiences alone.
    Audience(&'static str),
    Not(Box<Relation>),
    All(Vec<Relation>),
    Any(Vec<Relation>),
}

/// Whose list an edge stands in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Direction {
    Own,
    Inverse,
    Mutual,
}

impl World {
    /// Whether a condition holds between two users, read from the first.
    pub(super) fn relates(
        &self,
        relation: &Relation,
        question: &Question,
        owner: &Asked,
        other: &Asked,
    ) -> bool {
        let holds = |part: &Relation| self.relates(part, question, owner, other);
        match relation {
            Relation::Everyone => true,
            // Whether a window is open is settled before.
            Relation::Nobody | Relation::During(_) => false,
            Relation::HasTag(tag) => self.tags(other).contains(tag),
            Relation::Edge(kind, Direction::Own) => self.lists(kind, owner, other),
            Relation::Edge(kind, Direction::Inverse) => self.lists(kind, other, owner),
            Relation::Edge(kind, Direction::Mutual) => {
                self.lists(kind, owner, other) && self.lists(kind, other, owner)
            }
            Relation::Conversation => self.converse(question, owner, other),
            Relation::SharesGroup(matrix) => self.share_group(matrix.as_deref(), owner, other),
            Relation::SharesTag(pattern) => self.share_tag(pattern, owner, other),
            Relation::Audience(name) => self.admits(name, question, owner, other),
            Relation::Not(inner) => !holds(inner),
            Relation::All(parts) => parts.iter().all(holds),
            Relation::Any(parts) => parts.iter().any(holds),
        }
    }

    /// Whether an audience, built in or of the policy, admits the other.
    pub(super) fn admits(
        &self,
        audience: &str,
        question: &Question,
        owner: &Asked,
        other: &Asked,
    ) -> bool {
        match audience {
            "everyone" => true,
            "nobody" => false,
            "contacts" => self.lists("contact", owner, other),
            "favorites" => self.lists("favorite", owner, other),
            "paired" => self.lists("pair", owner, other),
            "friends" => self.lists("friend", owner, other),
            _ => match self.between.audiences.get(audience) {
                Some(condition) => self.relates(condition, question, owner, other),
                None => false,
            },
        }
    }

    /// Whether the other is in the owner's list.
    pub(super) fn lists(&self, kind: &str, owner: &Asked, other: &Asked) -> bool {
        let Some(record) = self.users.get(&owner.id) else { return false };
        match kind {
            "friend" => self.friends(&owner.id).contains(&&*other.id),
            "contact" => {
                record.contacts.contains(&other.id) || record.favorites.contains(&other.id)
            }
            "favorite" => record.favorites.contains(&other.id),
            "pair" => record.paired.contains(&other.id),
            _ => false,
        }
    }

    /// Whether two users have a conversation. What the request says is about its subject and the other
    /// user whom it names.
    fn converse(&self, question: &Question, one: &Asked, other: &Asked) -> bool {
        let are_its_two = self.other(question).is_some_and(|named| {
            let two = (&question.subject.id, &named.id);
            two == (&one.id, &other.id) || two == (&other.id, &one.id)
        });
        match question.conversation {
            Some(conversation) if are_its_two => conversation == "existing",
            _ => self.have_conversation(&one.id, &other.id),
        }
    }

    pub(super) fn have_conversation(&self, one: &str, other: &str) -> bool {
        self.conversations.iter().any(|[a, b]| (a == one && b == other) || (a == other && b == one))
    }

    /// Whether both are members of one group, by the facts alone.
    fn share_group(&self, matrix: Option<&str>, one: &Asked, other: &Asked) -> bool {
        self.groups.values().any(|group| {
            let governs = group.matrix.as_deref().unwrap_or("all_members");
            let counts = match matrix {
                Some(matrix) => governs == matrix,
                None => governs != "dm",
            };
            counts && [one, other].iter().all(|user| group.role(&user.id).is_some())
        })
    }

    fn share_tag(&self, pattern: &str, one: &Asked, other: &Asked) -> bool {
        let is_meant = |tag: &String| match pattern.strip_suffix('*') {
            Some(beginning) => tag.starts_with(beginning),
            None => tag == pattern,
        };
        self.tags(one).iter().any(|tag| is_meant(tag) && self.tags(other).contains(tag))
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everyone => f.write_str("everyone"),
            Self::Nobody => f.write_str("nobody"),
            Self::HasTag(tag) => write!(f, "hasTag({tag})"),
            Self::Edge(kind, Direction::Own) => f.write_str(kind),
            Self::Edge(kind, Direction::Inverse) => write!(f, "inverse({kind})"),
            Self::Edge(kind, Direction::Mutual) => write!(f, "mutual({kind})"),
            Self::Conversation => f.write_str("conversation"),
            Self::During(window) => write!(f, "during({window})"),
            Self::SharesGroup(None) => f.write_str("sharesGroup"),
            Self::SharesGroup(Some(matrix)) => write!(f, "sharesGroup({matrix})"),
            Self::SharesTag(pattern) => write!(f, "sharesTag({pattern})"),
            Self::Audience(name) => f.write_str(name),
            Self::Not(inner) => write!(f, "not({inner})"),
            Self::All(parts) => write!(f, "all({})", joined(parts)),
            Self::Any(parts) => write!(f, "any({})", joined(parts)),
        }
    }
}

fn joined(parts: &[Relation]) -> String {
    parts.iter().map(Relation::to_string).collect::<Vec<_>>().join(", ")
}
