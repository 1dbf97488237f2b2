//! Standing questions: their answers, and which of them a change concerns.

use std::{
    hash::{BuildHasher as _, RandomState},
    io::Write as _,
    sync::Arc,
};

use hyper::body::Bytes;
use serde_json::Value;

use crate::{
    live::{ServedPolicy, ViewChange},
    request::Decision,
    serve::{
        freshness::DecisionView,
        question::{QuestionFields, QuestionObject},
        response::HttpError,
    },
    wire::json::{JsonObject, parse_line},
};

/// The questions of a watcher, with the answers that were sent last.
#[derive(Debug)]
pub(super) struct StandingQuestions {
    questions: Vec<StandingQuestion>,
    index: NameIndex,
}

/// A question, and the answer that was sent last.
#[derive(Debug)]
struct StandingQuestion {
    subject: Box<str>,
    action: Arc<str>,
    resource: Option<Box<str>>,
    resource_type: Option<Box<str>>,
    member: Option<Box<str>>,
    field: Option<Box<str>>,
    conversation: Option<Box<str>>,
    sent: Option<Answer>,
}

/// An answer to a standing question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Answer {
    Decision(Decision),
    /// The policy of now can't be asked it: its action is not declared any more.
    Invalid,
}

/// The most questions of one watcher.
pub(super) const MOST: usize = 100_000;

impl StandingQuestions {
    /// Reads questions, a JSON object a line; empty lines are passed over.
    ///
    /// # Errors
    /// 400 with the number of a line that is not a question which can be decided.
    pub(super) fn read(body: &Bytes, served: &ServedPolicy) -> Result<Self, HttpError> {
        let mut questions: Vec<StandingQuestion> = Vec::new();
        for (at, line) in body.split(|&byte| byte == b'\n').enumerate() {
            if line.trim_ascii().is_empty() {
                continue;
            }
            let number = at + 1;
            if questions.len() == MOST {
                return Err(at_line(number, "", &format!("more than {MOST} questions")));
            }
            let JsonObject(object): JsonObject<QuestionObject<'_>> =
                parse_line(line).map_err(|error| {
                    at_line(number, "", &format!("{} ({})", error.message, error.at))
                })?;
            if object.explain.is_some() {
                return Err(at_line(number, "explain", "standing questions are not explained"));
            }
            object.request(served).map_err(|error| {
                at_line(number, error.at.as_deref().unwrap_or_default(), &error.message)
            })?;
            let last = questions.last().map(|last| &last.action);
            let question = StandingQuestion::new(object.fields(), last);
            questions.push(question);
        }
        if questions.is_empty() {
            let message = "no question; send a JSON object a line, as `/v1/decide` takes it";
            return Err(HttpError::bad_request("body", message));
        }
        let index = NameIndex::new(&questions);
        Ok(Self { questions, index })
    }

    /// The number of questions.
    pub(super) fn len(&self) -> usize {
        self.questions.len()
    }

    /// The numbers of the questions that a change which names users and groups concerns, in order.
    pub(super) fn concerned(&self, ViewChange { concerned, .. }: &ViewChange) -> Vec<u32> {
        let users = concerned.users().iter().flat_map(|user| self.index.of(Kind::User, user));
        let groups = concerned.groups().iter().flat_map(|group| self.index.of(Kind::Group, group));
        let mut numbers: Vec<u32> = users.chain(groups).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// Asks some of the questions again, and writes the answers that turn out otherwise than they were sent last.
    pub(super) fn ask(
        &mut self,
        numbers: impl IntoIterator<Item = u32>,
        served: &ServedPolicy,
        decisions: DecisionView<'_>,
        part: &mut Vec<u8>,
    ) {
        for number in numbers {
            let Some(question) = self.questions.get_mut(number as usize) else { continue };
            let answer = question.answer(served, decisions);
            if question.sent != Some(answer) {
                question.sent = Some(answer);
                answer.write(number, served, decisions, part);
            }
        }
    }
}

fn at_line(line: usize, field: &str, message: &str) -> HttpError {
    let at =
        if field.is_empty() { format!("line {line}") } else { format!("line {line}, {field}") };
    HttpError::bad_request(at, message)
}

impl StandingQuestion {
    /// A question, with the name of the last one's action where it is the same.
    fn new(fields: QuestionFields<'_>, last_action: Option<&Arc<str>>) -> Self {
        let action = fields.action.unwrap_or_default();
        let action = match last_action.filter(|last| &***last == action) {
            Some(last) => Arc::clone(last),
            None => action.into(),
        };
        Self {
            subject: fields.subject.unwrap_or_default().into(),
            action,
            resource: fields.resource.map(Into::into),
            resource_type: fields.resource_type.map(Into::into),
            member: fields.member.map(Into::into),
            field: fields.field.map(Into::into),
            conversation: fields.conversation.map(Into::into),
            sent: None,
        }
    }

    fn fields(&self) -> QuestionFields<'_> {
        QuestionFields {
            subject: Some(&self.subject),
            action: Some(&self.action),
            resource: self.resource.as_deref(),
            resource_type: self.resource_type.as_deref(),
            member: self.member.as_deref(),
            field: self.field.as_deref(),
            conversation: self.conversation.as_deref(),
        }
    }

    fn answer(&self, served: &ServedPolicy, decisions: DecisionView<'_>) -> Answer {
        let parts = self.fields().parts(served).ok();
        let request = parts.and_then(|parts| parts.into_request().ok());
        request.map_or(Answer::Invalid, |request| Answer::Decision(decisions.decide(&request)))
    }
}

impl Answer {
    /// Writes the answer to a question as a line.
    fn write(
        self,
        at: u32,
        served: &ServedPolicy,
        decisions: DecisionView<'_>,
        part: &mut Vec<u8>,
    ) {
        let (allow, reason) = match self {
            Self::Decision(decision) => (decision.allow, decision.reason.as_str()),
            Self::Invalid => (false, "invalid"),
        };
        // Writing to a vector can't fail.
        let _ = write!(part, r#"{{"at":{at},"decision":{allow},"reason":"{reason}""#);
        match self {
            Self::Decision(decision) if !decision.obligations.is_empty() => {
                let all: Vec<Value> =
                    decision.obligations.iter().map(|it| it.as_str().into()).collect();
                let _ = write!(part, r#","obligations":{}"#, Value::from(all));
            }
            _ => {}
        }
        let revision = Value::from(served.revision.as_str());
        let _ = writeln!(part, r#","revision":{revision}{}}}"#, decisions.mark());
    }
}

/// The questions by the names in them. It holds hashes alone: a question that is found by chance is asked once more,
/// and its answer is as it was.
#[derive(Debug)]
struct NameIndex {
    hasher: RandomState,
    /// The hashes of names, each with the number of a question, in order.
    entries: Vec<(u32, u32)>,
}

#[derive(Clone, Copy, Hash)]
enum Kind {
    User,
    Group,
}

impl NameIndex {
    fn new(questions: &[StandingQuestion]) -> Self {
        let hasher = RandomState::new();
        let mut entries = Vec::with_capacity(2 * questions.len());
        for (question, number) in questions.iter().zip(0..) {
            let mut add = |kind, name: &str| entries.push((hash(&hasher, kind, name), number));
            add(Kind::User, &question.subject);
            question.member.iter().for_each(|member| add(Kind::User, member));
            // Its kind depends on the action: one that is found in vain does no harm.
            if let Some(resource) = &question.resource {
                add(Kind::User, resource);
                add(Kind::Group, resource);
            }
        }
        entries.sort_unstable();
        entries.dedup();
        Self { hasher, entries }
    }

    /// The numbers of the questions in which there is a name.
    fn of(&self, kind: Kind, name: &str) -> impl Iterator<Item = u32> {
        let hash = hash(&self.hasher, kind, name);
        let from = self.entries.partition_point(|(other, _)| *other < hash);
        let rest = self.entries.get(from..).unwrap_or_default();
        rest.iter().take_while(move |(other, _)| *other == hash).map(|(_, number)| *number)
    }
}

/// Half a hash: 32 bits of it.
fn hash(hasher: &RandomState, kind: Kind, name: &str) -> u32 {
    let [high, ..] = [hasher.hash_one((kind, name)) >> 32];
    u32::try_from(high).unwrap_or_default()
}
