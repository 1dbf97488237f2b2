//! The syntax tree of test files, with the span of each part.

use super::{
    ast::{Item, List, Spanned, Text},
    print,
};
use crate::source::{SourceId, Span};

/// The content of one test file, in its order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TestFile<'s> {
    pub source: SourceId,
    pub tests: Vec<Test<'s>>,
}

/// An expectation of the policy, or of the policy with an overlay.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Test<'s> {
    pub name: Text<'s>,
    /// The moment of its questions; `None` for that at which the tests are run.
    pub at: Option<Text<'s>>,
    /// The overlay on the policy for this test: anything that a policy can state.
    pub given: Vec<Item<'s>>,
    pub expect: Vec<Expectation<'s>>,
}

impl Test<'_> {
    /// Whether it expects a list of anything.
    pub fn has_lists(&self) -> bool {
        let mut answers = self.expect.iter().map(|it| &it.answer);
        answers.any(|it| it.reaches.is_some() || it.reached_by.is_some())
    }

    /// The ids that its questions name, of users and groups alike.
    pub fn named_ids(&self) -> Vec<&str> {
        self.expect
            .iter()
            .flat_map(|it| [&it.subject, &it.resource, &it.member])
            .flatten()
            .map(|id| &*id.value)
            .collect()
    }

    /// The given statements in canonical form: equal for tests that give the same in the same order.
    pub fn given_text(&self) -> String {
        print::dsl(&self.given)
    }
}

/// A question, or one of whose parts is left open, and its answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Expectation<'s> {
    pub span: Span,
    /// Whether a part of it could not be read, so that nothing follows from its absence.
    pub is_partial: bool,
    pub subject: Option<Text<'s>>,
    pub action: Text<'s>,
    pub resource: Option<Text<'s>>,
    /// `user`, `group`, or the name of what is neither.
    pub resource_type: Option<Text<'s>>,
    pub member: Option<Text<'s>>,
    pub field: Option<Text<'s>>,
    pub conversation: Option<Text<'s>>,
    pub subject_properties: Option<ExpectationProperties<'s>>,
    pub resource_properties: Option<ExpectationProperties<'s>>,
    pub member_properties: Option<ExpectationProperties<'s>>,
    pub answer: ExpectationAnswer<'s>,
}

/// The expected answer.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct ExpectationAnswer<'s> {
    pub allow: Option<Spanned<bool>>,
    pub reason: Option<Text<'s>>,
    /// All that an allow comes with.
    pub obligations: Option<List<'s>>,
    /// All users to whom the subject may do it, and nobody else; or groups, if it is done to one; or
    /// members-to-be, if the group is given.
    pub reaches: Option<List<'s>>,
    /// Everyone who may do it, and nobody else.
    pub reached_by: Option<List<'s>>,
}

/// A replacement, in one question, of the policy's statements about a user or group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExpectationProperties<'s> {
    /// The span of its name.
    pub span: Span,
    pub tags: Option<List<'s>>,
    pub peers: Option<Text<'s>>,
    pub permissions: Vec<(Text<'s>, bool)>,
    pub moderation: Option<Text<'s>>,
    /// Of the subject, in a group.
    pub role: Option<Text<'s>>,
    /// Of a group.
    pub matrix: Option<Text<'s>>,
}
