//! Single sentences of the reference on what is between two users: a policy, a question, an answer.

mod audiences;
mod barriers;
mod declared;
mod groups;
mod order;
mod relations;
mod rule_sets;
mod sight;
mod unsound;

use peerage::{
    diagnostic::render_text,
    inspect::test,
    source::{Notation, Source, Sources},
};

use crate::worlds::build;

/// Who there is in every policy here. Ann lists each of the others in another way; Bob and Cat share
/// a class, Cat and Dan another; Bob and Dan share but a conversation of two.
const PEOPLE: &str = "
users:
  ann: { tags: [staff, team-a], contacts: [bob], favorites: [cat], paired: [dan], friends: [eve] }
  bob: { tags: [pupil, class-1] }
  cat: { tags: [pupil, class-1, class-2] }
  dan: { tags: [pupil, class-2], contacts: [ann] }
  eve: { tags: [parent], friends: [ann, dan] }
  fay: { tags: [] }
matrices:
  team:
    add_member: allow
    remove_member: allow_if_admin
    update_metadata: allow
    add_admin: allow_if_admin
    remove_admin: allow_if_admin
    update_permissions: allow_if_super_admin
groups:
  g: { creator: ann, members: [bob, fay] }
  t: { matrix: team, creator: cat, members: [dan] }
  d: { matrix: dm, creator: bob, members: [dan] }
conversations:
  - [ann, bob]
";

/// What a sentence says, a question, and the answer that it demands.
///
/// A question is `SUBJECT ACTION RESOURCE`, `_` for what a list leaves open and `-` for none, and then
/// parts such as `member=bob`, `conversation=new`, `type=group`, or `tags=a,b` of the subject.
/// An answer is `allowed`, with obligations after it, a reason, or a list in brackets.
type Case<'c> = (&'c str, &'c str, &'c str);

/// Asks a policy, written in YAML, to which [`PEOPLE`] are added.
#[track_caller]
fn check(policy: &str, cases: &[Case<'_>]) {
    let mut wrong = Vec::new();
    for (says, question, answer) in cases {
        let expectation = format!("{{ {}, {} }}", asked(question), demanded(question, answer));
        let tests = format!("tests:\n  - name: a sentence\n    expect:\n      - {expectation}\n");
        let mut sources = files(policy);
        sources.push(Source::new("sentence.test.yaml", Notation::Tests, tests));
        let outcome = test::run(&Sources::new(sources).into(), None);
        let Some(results) = outcome.results else {
            panic!("{says}: {question}\n{policy}\n{}", render_text(&outcome.report, false));
        };
        assert_eq!(results.expectations(), 1, "{says}");
        for failure in results.tests().flat_map(|test| &test.failures) {
            wrong.push(format!("{says}: {question} is not {answer}: {failure:?}"));
        }
    }
    assert!(wrong.is_empty(), "{policy}\n{}", wrong.join("\n"));
}

/// Fails unless a policy that adds this to [`PEOPLE`] is refused, and one with the other text is not.
#[track_caller]
fn refused(says: &str, bad: &str, good: &str) {
    for (text, is_good) in [(good, true), (bad, false)] {
        let outcome = build(&Sources::new(files(text)), None);
        let shown = render_text(&outcome.report, false);
        assert_eq!(outcome.view.is_some(), is_good, "{says}\n{text}\n{shown}");
    }
}

fn files(policy: &str) -> Vec<Source> {
    vec![
        Source::new("people.yaml", Notation::Yaml, PEOPLE),
        Source::new("policy.yaml", Notation::Yaml, policy),
    ]
}

/// A question as the fields of an expectation.
fn asked(question: &str) -> String {
    let mut words = question.split(' ');
    let mut fields = Vec::new();
    for name in ["subject", "action", "resource"] {
        let word = words.next().unwrap();
        if word != "_" && word != "-" {
            fields.push(format!("{name}: {word}"));
        }
    }
    for part in words {
        let (name, value) = part.split_once('=').unwrap();
        fields.push(match name {
            "conversation" => format!("context: {{ conversation: {value} }}"),
            "tags" => format!("subject_properties: {{ tags: [{value}] }}"),
            "role" => format!("subject_properties: {{ role: {value} }}"),
            "type" => format!("resource_type: {value}"),
            _ => format!("{name}: {value}"),
        });
    }
    fields.join(", ")
}

/// An answer as the fields of an expectation.
fn demanded(question: &str, answer: &str) -> String {
    let list = if question.starts_with('_') { "reached_by" } else { "reaches" };
    match answer.strip_prefix("allowed") {
        Some(obligations) => format!("allow: true, obligations: [{}]", obligations.trim()),
        None if answer.starts_with('[') => format!("{list}: {answer}"),
        None => format!("allow: false, reason: {answer}"),
    }
}
