//! The vocabulary: who asks, to do what, with whom, and what the answer is.
//!
//! Invariant: knows of nothing else in this crate.

mod action;
mod condition;
mod decision;
mod name;

pub use action::{Action, UnknownAction};
pub use condition::Condition;
pub use decision::{Decision, GateName, Reason};
pub use name::{InvalidTag, InvalidUserId, check_tag, check_user_id};

/// A question: may the subject do this to the resource?
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request<'a> {
    pub subject: User<'a>,
    pub action: Action,
    pub resource: User<'a>,
}

/// A user in a request, with what the request says of him in place of what the facts hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct User<'a> {
    pub id: &'a str,
    /// `properties.tags`: stands in for the user's own tags in this request only.
    pub tags: Option<Vec<&'a str>>,
}

impl<'a> From<&'a str> for User<'a> {
    fn from(id: &'a str) -> Self {
        Self { id, tags: None }
    }
}

impl<'a> Request<'a> {
    /// A question without properties, the common kind.
    pub fn new(subject: &'a str, action: Action, resource: &'a str) -> Self {
        Self { subject: subject.into(), action, resource: resource.into() }
    }
}
