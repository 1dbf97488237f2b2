//! Policies' tests as data: reads `*.test.yaml` and tells what is not as it should be.

use std::collections::BTreeMap;

use peerage::{
    compile,
    decide::{decide, reach, reached_by},
    diagnostic::{Diagnostics, Report, render},
    policy,
    request::{self, Action, Request},
    snapshot::View,
    source::{Notation, Source, Sources},
    syntax::{
        self, Ast,
        ast::{Item, Rule, User},
    },
};
use serde::Deserialize;
use serde_json::{Value, json};

/// What a test file holds. Keys that are not known are refused, so that no expectation is passed
/// over because it is misspelled.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct TestFile {
    tests: Vec<Test>,
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct Test {
    name: String,
    #[serde(default)]
    given: Given,
    expect: Vec<Expectation>,
}

/// What is laid over the policy for one test.
#[derive(Deserialize, Default, Debug)]
#[serde(deny_unknown_fields)]
struct Given {
    /// The fields given replace the user's; a user who is not in the policy is added.
    #[serde(default)]
    users: BTreeMap<String, BTreeMap<String, Value>>,
    /// A rule replaces those of the same `rule_id` or name, or is added.
    rules: Option<Vec<BTreeMap<String, Value>>>,
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct Expectation {
    subject: Option<String>,
    action: String,
    resource: Option<String>,
    allow: Option<bool>,
    reason: Option<String>,
    reaches: Option<Vec<String>>,
    reached_by: Option<Vec<String>>,
    #[serde(default)]
    context: Context,
}

#[derive(Deserialize, Default, Debug)]
#[serde(deny_unknown_fields)]
struct Context {
    conversation: Option<Conversation>,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
enum Conversation {
    New,
    Existing,
}

/// Runs the tests of a file against a policy. Tells everything that is not as expected.
pub(crate) fn run(text: &str, policy: &Sources) -> Result<usize, Vec<String>> {
    let file: TestFile = serde_saphyr::from_str(text).map_err(|error| vec![error.to_string()])?;
    if file.tests.is_empty() {
        return Err(vec!["the file holds no tests".into()]);
    }
    let mut failures = Vec::new();
    let mut checked = 0;
    for test in &file.tests {
        checked += test.expect.len();
        let problems = test.run(policy);
        failures.extend(problems.into_iter().map(|problem| format!("{}: {problem}", test.name)));
    }
    if failures.is_empty() { Ok(checked) } else { Err(failures) }
}

impl Conversation {
    fn meant(self) -> request::Conversation {
        match self {
            Self::New => request::Conversation::New,
            Self::Existing => request::Conversation::Existing,
        }
    }
}

impl Test {
    fn run(&self, policy: &Sources) -> Vec<String> {
        if self.expect.is_empty() {
            return vec!["the test expects nothing".into()];
        }
        match laid_over(policy, &self.given) {
            Err(report) => vec![render(&report, false)],
            Ok(view) => {
                self.expect.iter().filter_map(|expected| expected.check(&view).err()).collect()
            }
        }
    }
}

impl Expectation {
    fn check(&self, view: &View) -> Result<(), String> {
        let action: Action = self.action.parse().map_err(|error| format!("{error}"))?;
        let judges = self.allow.is_some() || self.reason.is_some();
        match (&self.subject, &self.resource, &self.reaches, &self.reached_by) {
            (Some(subject), Some(resource), None, None) if judges => {
                let conversation = self.context.conversation.map(Conversation::meant);
                let request = Request::new(subject, action, resource);
                self.check_decision(view, &Request { conversation, ..request })
            }
            (Some(subject), None, Some(expected), None) if !judges => {
                let list = reach(view, &Request::new(subject, action, ""));
                same(&format!("{subject} reaches"), list.ids(), expected)
            }
            (None, Some(resource), None, Some(expected)) if !judges => {
                let list = reached_by(view, &Request::new("", action, resource));
                same(&format!("{resource} is reached by"), list.ids(), expected)
            }
            _ => Err(format!(
                "expects subject, resource, and allow or reason; or subject and reaches; or \
                 resource and reached_by: {self:?}"
            )),
        }
    }

    fn check_decision(&self, view: &View, request: &Request<'_>) -> Result<(), String> {
        let decision = decide(view, request);
        let is_right = self.allow.is_none_or(|allow| allow == decision.allow)
            && self.reason.as_ref().is_none_or(|reason| reason == decision.reason.as_str());
        if is_right {
            return Ok(());
        }
        Err(format!("{request:?}: allow {}, {}", decision.allow, decision.reason))
    }
}

fn same<'v>(
    what: &str,
    found: impl Iterator<Item = &'v str>,
    expected: &[String],
) -> Result<(), String> {
    let found: Vec<&str> = found.collect();
    let mut expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    expected.sort_unstable();
    if found == expected { Ok(()) } else { Err(format!("{what} {found:?}, not {expected:?}")) }
}

/// The policy as it is with what is given.
fn laid_over(policy: &Sources, given: &Given) -> Result<View, Report> {
    let mut sections = json!({ "users": given.users });
    if let Some(rules) = &given.rules {
        sections["rules"] = json!(rules);
    }
    // The name comes before all others, so that its statements are told apart from the policy's.
    let overlay = Sources::single("(given)", Notation::Yaml, sections.to_string());
    let files = overlay
        .iter()
        .chain(policy.iter())
        .map(|(_, source)| Source::new(source.name.clone(), source.notation, source.bytes.clone()));
    let sources = Sources::new(files.collect());
    let mut problems = Diagnostics::default();
    let ast = merged(syntax::parse(&sources, &mut problems), &sources, &mut problems);
    let policy = policy::resolve(ast, &sources, None, &mut problems);
    if problems.has_errors() {
        return Err(Report::new(problems, &sources));
    }
    Ok(compile::compile(policy, None))
}

fn merged<'s>(mut ast: Ast<'s>, sources: &Sources, problems: &mut Diagnostics) -> Ast<'s> {
    for bulk in std::mem::take(&mut ast.bulk) {
        bulk.users(problems, &mut |user, _| ast.items.push(Item::User(user)));
    }
    let is_given = |item: &Item<'_>| {
        let span = match item {
            Item::Tags(tags) => tags.span,
            Item::Rules(span) => *span,
            Item::Rule(rule) => rule.span,
            Item::Word(word) => word.span,
            Item::Settings(settings) => settings.span,
            Item::Peers(peers) => peers.span,
            Item::Matrix(matrix) => matrix.name.span,
            Item::User(user) => user.id.span,
            Item::Group(group) => group.id.span,
            Item::Conversation(conversation) => conversation.users[0].span,
        };
        sources.get(span.source).is_some_and(|source| source.name == "(given)")
    };
    let (mut given, stated): (Vec<_>, Vec<_>) = ast.items.into_iter().partition(is_given);
    let mut kept = Vec::new();
    for item in stated {
        let is_replaced = match &item {
            Item::Rule(rule) => {
                given.iter().any(|g| matches!(g, Item::Rule(g) if same_rule(g, rule)))
            }
            Item::User(user) => given.iter_mut().any(|given| match given {
                Item::User(given) if given.id.value == user.id.value => {
                    overlay(given, user);
                    true
                }
                _ => false,
            }),
            _ => false,
        };
        if !is_replaced {
            kept.push(item);
        }
    }
    ast.items = kept;
    ast.items.extend(given);
    ast
}

/// The fields that are given, and the others as they are stated.
fn overlay<'s>(given: &mut User<'s>, stated: &User<'s>) {
    fn keep<T: Clone>(given: &mut Option<T>, stated: Option<&T>) {
        *given = given.take().or_else(|| stated.cloned());
    }
    keep(&mut given.tags, stated.tags.as_ref());
    let Some(stated) = &stated.more else { return };
    let given = given.more.get_or_insert_default();
    keep(&mut given.peers, stated.peers.as_ref());
    if given.permissions.is_empty() {
        given.permissions.clone_from(&stated.permissions);
    }
    keep(&mut given.moderation, stated.moderation.as_ref());
    keep(&mut given.approval, stated.approval.as_ref());
    keep(&mut given.contacts, stated.contacts.as_ref());
    keep(&mut given.favorites, stated.favorites.as_ref());
    keep(&mut given.paired, stated.paired.as_ref());
    keep(&mut given.blocked, stated.blocked.as_ref());
    keep(&mut given.friends, stated.friends.as_ref());
}

fn same_rule(given: &Rule<'_>, stated: &Rule<'_>) -> bool {
    let same_id = given.rule_id.is_some()
        && given.rule_id.as_ref().map(|id| id.value.to_ascii_lowercase())
            == stated.rule_id.as_ref().map(|id| id.value.to_ascii_lowercase());
    let same_name = given.name.is_some()
        && given.name.as_ref().map(|name| &name.value)
            == stated.name.as_ref().map(|name| &name.value);
    same_id || same_name
}
