//! Expressions resolved to relation conditions.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
};

use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics, did_you_mean},
    request::{
        Audiences, CONDITION_RELATIONS, DM_MATRIX, DURING, DeclaredActions, EVERYONE,
        EdgeDirection, Grant, NOBODY, Relation, RelationCondition, SHARES_GROUP, TagPattern,
    },
    source::Span,
    syntax::ast::{Expr, ExprKind, Spanned},
};

use super::{Matrix, expression::during, tags::Vocabulary};

/// The functions of relation conditions.
const FUNCTIONS: [&str; 9] =
    ["hasTag", DURING, "not", "all", "any", "inverse", "mutual", "sharesTag", "sharesGroup"];

/// The words of relation conditions besides `everyone`, `nobody` and the relations.
const CONVERSATION: &str = "conversation";

/// The number of parts that a relation condition may have once the audiences that it names stand in it.
const MAX_PARTS: usize = 1000;

/// The place of a relation condition, which decides on the words that may stand in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum RelationPart {
    /// `between` or `unless`, by its name: the tags of the two are their sides' to say.
    Between(&'static str),
    /// The condition of an audience, which may name others.
    Audience,
}

/// The names that relation conditions may have.
pub(super) struct RelationNames<'n> {
    pub(super) vocabulary: &'n Vocabulary,
    pub(super) matrices: &'n [Matrix],
    /// The actions that the policy declares.
    pub(super) actions: &'n DeclaredActions<String>,
    /// The audiences that are resolved, by name, while audiences are.
    pub(super) audiences: RefCell<HashMap<String, RelationCondition<String>>>,
    /// The number of parts that the condition which is being resolved may have more.
    parts_left: Cell<usize>,
}

/// Whether a word is an atom of relation conditions, so that no audience can have it as a name.
pub(super) fn is_atom(word: &str) -> bool {
    relation(word).is_some() || word == CONVERSATION || word == SHARES_GROUP
}

fn relation(word: &str) -> Option<Relation> {
    CONDITION_RELATIONS.into_iter().find(|relation| relation.as_str() == word)
}

impl<'n> RelationNames<'n> {
    pub(super) fn new(
        vocabulary: &'n Vocabulary,
        matrices: &'n [Matrix],
        actions: &'n DeclaredActions<String>,
    ) -> Self {
        let (audiences, parts_left) = (RefCell::default(), Cell::new(0));
        Self { vocabulary, matrices, actions, audiences, parts_left }
    }

    /// The relation condition of an expression; `None`, with the reasons in `problems`, if it is none.
    ///
    /// Recursion is as deep as the expression, which the parsers limit.
    pub(super) fn resolve(
        &self,
        expr: &Expr<'_>,
        part: RelationPart,
        problems: &mut Diagnostics,
    ) -> Option<RelationCondition<String>> {
        self.parts_left.set(MAX_PARTS);
        let condition = self.part(expr, part, problems);
        if self.parts_left.get() > 0 {
            return condition;
        }
        let message = "the condition has too many parts, with those of the audiences that it names";
        problems.push(
            Diagnostic::error(Code::TooLarge, expr.span, message)
                .hint(format!("a relation condition has fewer than {MAX_PARTS}")),
        );
        None
    }

    /// Whether the condition may have this many parts more.
    fn has_room(&self, parts: usize) -> bool {
        self.parts_left.set(self.parts_left.get().saturating_sub(parts));
        self.parts_left.get() > 0
    }

    fn part(
        &self,
        expr: &Expr<'_>,
        part: RelationPart,
        problems: &mut Diagnostics,
    ) -> Option<RelationCondition<String>> {
        if !self.has_room(1) {
            return None;
        }
        let (name, arguments) = match &expr.kind {
            ExprKind::Call { name, arguments } => (name, arguments.as_slice()),
            ExprKind::Word(word) => return self.word(word, expr.span, part, problems),
        };
        match &*name.value {
            "not" => {
                let mut parts = self.parts(arguments, part, problems)?;
                if parts.len() == 1 {
                    return parts.pop().map(|inner| RelationCondition::Not(Box::new(inner)));
                }
                let message = format!("not() takes one argument, found {}", parts.len());
                problems.push(
                    Diagnostic::error(Code::WrongArguments, expr.span, message)
                        .hint("to negate several at once, write not(any(...)) or not(all(...))"),
                );
                None
            }
            "all" | "any" if arguments.is_empty() => {
                let message = format!("{}() has no arguments", name.value);
                let word = if name.value == "any" { NOBODY } else { EVERYONE };
                problems.push(
                    Diagnostic::error(Code::EmptyCombination, expr.span, message)
                        .hint(format!("write `{word}`")),
                );
                None
            }
            "all" => self.parts(arguments, part, problems).map(RelationCondition::All),
            "any" => self.parts(arguments, part, problems).map(RelationCondition::Any),
            "inverse" => edge(expr.span, name, arguments, EdgeDirection::Inverse, problems),
            "mutual" => edge(expr.span, name, arguments, EdgeDirection::Mutual, problems),
            "sharesTag" => self.shares_tag(expr.span, arguments, problems),
            SHARES_GROUP => self.shares_group(expr.span, arguments, problems),
            "hasTag" => self.has_tag(expr, arguments, part, problems),
            DURING => during(expr.span, arguments, self.vocabulary, problems)
                .map(RelationCondition::During),
            other => {
                let message = format!("unknown function `{}`", other.escape_debug());
                let problem = Diagnostic::error(Code::UnknownFunction, name.span, message);
                let functions = FUNCTIONS.map(|name| format!("`{name}`")).join(", ");
                problems.push(match did_you_mean(other, FUNCTIONS) {
                    Some(near) => problem.hint(format!("did you mean `{near}`?")),
                    None => problem.hint(format!("the functions are {functions}")),
                });
                None
            }
        }
    }

    fn parts(
        &self,
        arguments: &[Expr<'_>],
        part: RelationPart,
        problems: &mut Diagnostics,
    ) -> Option<Vec<RelationCondition<String>>> {
        let parts: Vec<_> =
            arguments.iter().map(|argument| self.part(argument, part, problems)).collect();
        parts.into_iter().collect()
    }

    fn word(
        &self,
        word: &str,
        span: Span,
        part: RelationPart,
        problems: &mut Diagnostics,
    ) -> Option<RelationCondition<String>> {
        match word {
            EVERYONE => return Some(RelationCondition::Everyone),
            NOBODY => return Some(RelationCondition::Nobody),
            CONVERSATION => return Some(RelationCondition::Conversation),
            SHARES_GROUP => return Some(RelationCondition::SharesGroup(None)),
            _ => {}
        }
        if let Some(relation) = relation(word) {
            return Some(RelationCondition::Related(relation, EdgeDirection::Own));
        }
        if part == RelationPart::Audience
            && let Some(condition) = self.audiences.borrow().get(word)
        {
            let mut parts = 0;
            condition.for_each_atom(&mut |_| parts += 1);
            return self.has_room(parts).then(|| condition.clone());
        }
        problems.push(self.unknown_word(word, span, part));
        None
    }

    /// The problem of a word that means nothing in a relation condition.
    fn unknown_word(&self, word: &str, span: Span, part: RelationPart) -> Diagnostic {
        let written = word.escape_debug();
        let built_in = Audiences::<String>::default();
        let audience = built_in.number(word).and_then(|number| built_in.get(number));
        if let (Some(audience), RelationPart::Between(place)) = (audience, part) {
            return Diagnostic::error(
                Code::UnknownAtom,
                span,
                format!("`{written}` is an audience, which can't stand in `{place}`"),
            )
            .hint(format!("write `{}`", audience.condition));
        }
        let is_role = word.parse::<Grant>().is_ok()
            || matches!(word, "member" | "admin" | "super_admin" | "creator");
        if is_role {
            return Diagnostic::error(
                Code::RoleInRelation,
                span,
                format!("`{written}` is about a role in a group, not about two users"),
            )
            .hint("for two members of one group, write `sharesGroup`; roles stand in matrices");
        }
        let problem = Diagnostic::error(
            Code::UnknownAtom,
            span,
            format!("`{written}` says nothing about two users"),
        );
        let audiences = self.audiences.borrow();
        let names: Vec<&str> = audiences.keys().map(String::as_str).collect();
        let atoms = CONDITION_RELATIONS.map(Relation::as_str).into_iter();
        let atoms = atoms.chain([CONVERSATION, SHARES_GROUP, EVERYONE, NOBODY]);
        let known = atoms.chain(names.into_iter().filter(|_| part == RelationPart::Audience));
        match did_you_mean(word, known) {
            Some(near) => problem.hint(format!("did you mean `{near}`?")),
            None => problem.hint(
                "write `friend`, `contact`, `favorite`, `pair`, `inverse(...)` or `mutual(...)` of these, `conversation`, \
                 `sharesGroup`, `sharesTag(...)`, `everyone` or `nobody`",
            ),
        }
    }

    fn has_tag(
        &self,
        expr: &Expr<'_>,
        arguments: &[Expr<'_>],
        part: RelationPart,
        problems: &mut Diagnostics,
    ) -> Option<RelationCondition<String>> {
        if let RelationPart::Between(place) = part {
            let message = format!("`hasTag` can't stand in `{place}`");
            let hint = "say it in the condition of a side; for a tag that both have, write `sharesTag(...)`";
            problems.push(Diagnostic::error(Code::TagInRelation, expr.span, message).hint(hint));
            return None;
        }
        let tag = single_word(expr.span, "hasTag", "tag", arguments, problems)?;
        self.vocabulary.bind(&tag, problems).map(RelationCondition::HasTag)
    }

    fn shares_tag(
        &self,
        span: Span,
        arguments: &[Expr<'_>],
        problems: &mut Diagnostics,
    ) -> Option<RelationCondition<String>> {
        let pattern = single_word(span, "sharesTag", "tag or pattern", arguments, problems)?;
        let pattern = self.vocabulary.shared_pattern(&pattern, problems)?;
        Some(RelationCondition::SharesTag(TagPattern::new(pattern)))
    }

    fn shares_group(
        &self,
        span: Span,
        arguments: &[Expr<'_>],
        problems: &mut Diagnostics,
    ) -> Option<RelationCondition<String>> {
        let name = single_word(span, SHARES_GROUP, "matrix", arguments, problems)?;
        if self.matrices.iter().any(|matrix| *matrix.name == *name.value) {
            return Some(RelationCondition::SharesGroup(Some(name.value.into_owned())));
        }
        let message = format!("no matrix `{}`", name.value.escape_debug());
        let problem = Diagnostic::error(Code::UnknownMatrix, name.span, message);
        let known = self.matrices.iter().map(|matrix| matrix.name.as_str());
        problems.push(match did_you_mean(&name.value, known) {
            Some(near) => problem.hint(format!("did you mean `{near}`?")),
            None => problem.hint(format!(
                "write `{SHARES_GROUP}` for a group of any matrix but `{DM_MATRIX}`"
            )),
        });
        None
    }
}

/// The only argument of a function, a word.
fn single_word<'e>(
    span: Span,
    function: &str,
    what: &str,
    arguments: &'e [Expr<'_>],
    problems: &mut Diagnostics,
) -> Option<Spanned<std::borrow::Cow<'e, str>>> {
    if let [Expr { span, kind: ExprKind::Word(word) }] = arguments {
        return Some(Spanned::new((&**word).into(), *span));
    }
    let message = match arguments {
        [_] => format!("{function}() takes the name of a {what}, not a condition"),
        _ => format!("{function}() takes one {what}, found {}", arguments.len()),
    };
    problems.push(Diagnostic::error(Code::WrongArguments, span, message));
    None
}

/// `inverse(friend)`, `mutual(friend)`.
fn edge(
    span: Span,
    name: &Spanned<std::borrow::Cow<'_, str>>,
    arguments: &[Expr<'_>],
    direction: EdgeDirection,
    problems: &mut Diagnostics,
) -> Option<RelationCondition<String>> {
    if let [Expr { kind: ExprKind::Word(word), .. }] = arguments
        && let Some(relation) = relation(word)
    {
        return Some(RelationCondition::Related(relation, direction));
    }
    let names = CONDITION_RELATIONS.map(|relation| format!("`{relation}`")).join(", ");
    let message = format!("{}() takes one relation", name.value);
    problems.push(
        Diagnostic::error(Code::WrongArguments, span, message)
            .hint(format!("write one of {names}")),
    );
    None
}
