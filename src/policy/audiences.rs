//! Audiences, and from whom users accept what: names and conditions resolved and checked.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics, did_you_mean},
    request::{
        Accepts, Action, ActionKey, Audience, AudienceMode, AudienceNumber, Audiences, Otherwise,
        RelationCondition,
    },
    source::Span,
    syntax::ast::{self, Expr, ExprKind, Text},
};

use super::{
    actions,
    barriers::flag,
    descriptions,
    expression::resolve_expression,
    relation_expression::{RelationNames, RelationPart, is_atom},
    rule_sets::timing,
    suggestions::{expect_word, parse_word},
};

/// The audiences of a policy, the built-in ones first. Those that they name stand in their conditions.
pub(super) fn resolve(
    written: &[ast::Audience<'_>],
    names: &RelationNames<'_>,
    problems: &mut Diagnostics,
) -> Audiences<String> {
    let built_in = Audiences::<String>::default();
    names.audiences.borrow_mut().extend(
        built_in.iter().map(|(_, audience)| (audience.name.clone(), audience.condition.clone())),
    );
    let mut stated: BTreeMap<&str, &ast::Audience<'_>> = BTreeMap::new();
    for audience in written {
        if check_audience(audience, &built_in, &stated, problems) {
            stated.insert(&audience.name.value, audience);
        }
    }
    let mut resolver = Resolver { stated: &stated, names, open: Vec::new(), done: HashSet::new() };
    for &name in stated.keys() {
        resolver.audience(name, problems);
    }
    let conditions = names.audiences.borrow();
    let own = stated.keys().filter_map(|&name| {
        Some(Audience { name: name.to_owned(), condition: conditions.get(name)?.clone() })
    });
    Audiences::new(own.collect())
}

/// Whether the name of an audience is its own.
fn check_audience(
    audience: &ast::Audience<'_>,
    built_in: &Audiences<String>,
    stated: &BTreeMap<&str, &ast::Audience<'_>>,
    problems: &mut Diagnostics,
) -> bool {
    let name = &audience.name;
    if descriptions::check_name("an audience's name", name, problems).is_none() {
        return false;
    }
    let written = name.value.escape_debug();
    let problem = |message| Diagnostic::error(Code::DuplicateAudience, name.span, message);
    problems.push(if built_in.number(&name.value).is_some() {
        problem(format!("the audience `{written}` is built in")).hint("give yours another name")
    } else if is_atom(&name.value) {
        problem(format!("`{written}` has a meaning in relation conditions"))
            .hint("give the audience another name")
    } else if let Some(first) = stated.get(&*name.value) {
        problem(format!("two audiences have the name `{written}`"))
            .related(first.name.span, "first defined here")
            .hint("rename one of the two")
    } else {
        return true;
    });
    false
}

/// Resolves audiences after those that they name.
struct Resolver<'a, 's> {
    stated: &'a BTreeMap<&'a str, &'a ast::Audience<'s>>,
    names: &'a RelationNames<'a>,
    /// The audiences that are being resolved, each named by the one before it.
    open: Vec<&'a str>,
    done: HashSet<&'a str>,
}

/// The number of audiences that may name each other in a chain.
const MAX_CHAIN: usize = 32;

impl<'a> Resolver<'a, '_> {
    fn audience(&mut self, name: &'a str, problems: &mut Diagnostics) {
        let Some(&audience) = self.stated.get(name) else { return };
        if !self.done.insert(name) {
            return;
        }
        self.open.push(name);
        let mut is_sound = true;
        let mut named = Vec::new();
        words(&audience.condition, &mut |word, span| {
            if let Some((&name, _)) = self.stated.get_key_value(word) {
                named.push((name, span));
            }
        });
        for (next, span) in named {
            if self.open.contains(&next) {
                problems.push(self.cycle(next, span));
                is_sound = false;
            } else if self.open.len() == MAX_CHAIN {
                let message = format!("more than {MAX_CHAIN} audiences name each other in a chain");
                problems.push(Diagnostic::error(Code::TooDeep, span, message));
                is_sound = false;
            } else {
                self.audience(next, problems);
            }
        }
        self.open.pop();
        let condition = if is_sound {
            self.names.resolve(&audience.condition, RelationPart::Audience, problems)
        } else {
            None
        };
        // One that is wrong is known by its name, so that only its own mistake is reported.
        let condition = condition.unwrap_or(RelationCondition::Nobody);
        self.names.audiences.borrow_mut().insert(name.to_owned(), condition);
    }

    fn cycle(&self, next: &str, span: Span) -> Diagnostic {
        let from = self.open.iter().position(|&name| name == next).unwrap_or(0);
        let path = self.open.get(from..).unwrap_or_default();
        let mut path: Vec<String> =
            path.iter().map(|name| format!("`{}`", name.escape_debug())).collect();
        path.push(format!("`{}`", next.escape_debug()));
        let message = format!("audiences name each other in a circle: {}", path.join(" -> "));
        Diagnostic::error(Code::AudienceCycle, span, message)
            .hint("write out what one of them means")
    }
}

/// Calls `visit` with each word that stands alone in an expression.
fn words<'e>(expr: &'e Expr<'_>, visit: &mut impl FnMut(&'e str, Span)) {
    match &expr.kind {
        ExprKind::Word(word) => visit(word, expr.span),
        ExprKind::Call { name, arguments } => {
            if matches!(&*name.value, "not" | "all" | "any") {
                arguments.iter().for_each(|argument| words(argument, visit));
            }
        }
    }
}

/// From whom users accept what, by action.
pub(super) fn resolve_accepts(
    written: &[ast::Accepts<'_>],
    names: &RelationNames<'_>,
    audiences: &Audiences<String>,
    problems: &mut Diagnostics,
) -> Vec<Accepts<String>> {
    let mut places: HashMap<ActionKey, Span> = HashMap::new();
    let mut entries = Vec::new();
    for written in written {
        let action = actions::action(&written.action, names.actions, problems);
        let modes: Vec<_> = written
            .modes
            .iter()
            .map(|mode| audience_mode(mode, names, audiences, problems))
            .collect();
        let default = match &written.default {
            Some(name) => audience_number(name, audiences, problems),
            None => Some(Audiences::<String>::EVERYONE),
        };
        let asked = timing(written.asked.as_ref(), problems);
        let Some(action) = action else { continue };
        let otherwise = otherwise(written, names.actions.like(action), problems);
        if let Some(&first) = places.get(&action) {
            let message = format!("`accepts.{}` is set twice", written.action.value);
            problems.push(
                Diagnostic::error(Code::DuplicateSetting, written.action.span, message)
                    .related(first, "first set here")
                    .hint("remove one of the two"),
            );
            continue;
        }
        places.insert(action, written.action.span);
        let modes: Option<Vec<_>> = modes.into_iter().collect();
        if let (Some(modes), Some(default), Some(asked), Some(otherwise)) =
            (modes, default, asked, otherwise)
        {
            entries.push(Accepts { action, modes, default, asked, otherwise });
        }
    }
    entries.sort_by_key(|entry| entry.action);
    entries
}

fn audience_mode(
    mode: &ast::AudienceMode<'_>,
    names: &RelationNames<'_>,
    audiences: &Audiences<String>,
    problems: &mut Diagnostics,
) -> Option<AudienceMode<String>> {
    let when = resolve_expression(&mode.when, names.vocabulary, problems);
    let audience = audience_number(&mode.audience, audiences, problems);
    let is_locked = mode.locked.as_ref().map_or(Some(false), |text| flag(text, problems));
    Some(AudienceMode { when: when?, audience: audience?, is_locked: is_locked? })
}

fn otherwise(
    written: &ast::Accepts<'_>,
    like: Option<Action>,
    problems: &mut Diagnostics,
) -> Option<Otherwise> {
    let Some(text) = &written.otherwise else { return Some(Otherwise::Deny) };
    let known = Otherwise::ALL.iter().map(|word| word.as_str());
    let otherwise: Otherwise = parse_word("word", text, known, problems)?;
    if otherwise == Otherwise::Request && !like.is_some_and(Action::is_requestable) {
        let message = format!("`{}` can't begin as a request", written.action.value);
        problems.push(
            Diagnostic::error(Code::NotRequestable, text.span, message)
                .hint("write `otherwise: deny`; chats, messages and calls can begin as a request"),
        );
        return None;
    }
    Some(otherwise)
}

/// The name of an audience as the value of a record's entry; a condition is none.
pub(super) fn audience_word<'e>(
    value: &'e Expr<'_>,
    problems: &mut Diagnostics,
) -> Option<Text<'e>> {
    expect_word("the name of an audience", value, std::iter::empty(), problems)
}

/// The number of the audience with a name.
pub(super) fn audience_number(
    name: &Text<'_>,
    audiences: &Audiences<String>,
    problems: &mut Diagnostics,
) -> Option<AudienceNumber> {
    let number = audiences.number(&name.value);
    if number.is_none() {
        let message = format!("no audience `{}`", name.value.escape_debug());
        let problem = Diagnostic::error(Code::UnknownAudience, name.span, message);
        let known = audiences.iter().map(|(_, audience)| audience.name.as_str());
        problems.push(match did_you_mean(&name.value, known) {
            Some(near) => problem.hint(format!("did you mean `{near}`?")),
            None => problem.hint(
                "define it in `audiences`, or write `everyone`, `contacts`, `favorites`, `paired`, `friends` or `nobody`",
            ),
        });
    }
    number
}
