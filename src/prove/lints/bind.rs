//! The meaning of conditions of the syntax tree.

use crate::{
    request::{Condition, DURING, During, Grant, GrantCondition},
    snapshot::{TagId, Tags},
    syntax::ast::{Expr, ExprKind},
};

/// The condition that an expression without mistakes stands for; `None` for anything else.
pub(super) fn condition(expr: &Expr<'_>, tags: &Tags) -> Option<Condition<TagId>> {
    let (name, arguments) = match &expr.kind {
        ExprKind::Call { name, arguments } => (name, arguments),
        ExprKind::Word(word) => return Condition::from_word(word),
    };
    let parts = || arguments.iter().map(|part| condition(part, tags)).collect::<Option<Vec<_>>>();
    match &*name.value {
        "hasTag" => tag(arguments, tags).map(Condition::HasTag),
        DURING => during(arguments).map(Condition::During),
        "not" => Some(Condition::Not(Box::new(parts()?.pop()?))),
        "all" => parts().map(Condition::All),
        "any" => parts().map(Condition::Any),
        _ => None,
    }
}

/// The value of a matrix that an expression without mistakes stands for; `None` for anything else.
pub(super) fn value(expr: &Expr<'_>, tags: &Tags) -> Option<GrantCondition<TagId>> {
    let (name, arguments) = match &expr.kind {
        ExprKind::Call { name, arguments } => (name, arguments),
        ExprKind::Word(word) => return word.parse::<Grant>().ok().map(GrantCondition::Grant),
    };
    let parts = || arguments.iter().map(|part| value(part, tags)).collect::<Option<Vec<_>>>();
    match &*name.value {
        "hasTag" => tag(arguments, tags).map(GrantCondition::HasTag),
        DURING => during(arguments).map(GrantCondition::During),
        "not" => Some(GrantCondition::Not(Box::new(parts()?.pop()?))),
        "all" => parts().map(GrantCondition::All),
        "any" => parts().map(GrantCondition::Any),
        _ => None,
    }
}

fn tag(arguments: &[Expr<'_>], tags: &Tags) -> Option<TagId> {
    let [Expr { kind: ExprKind::Word(word), .. }] = arguments else { return None };
    tags.get(word)
}

/// The window that the arguments name, taken to be closed: what is shown of conditions must not depend on its state.
fn during(arguments: &[Expr<'_>]) -> Option<During> {
    let [Expr { kind: ExprKind::Word(word), .. }] = arguments else { return None };
    Some(During::new(&**word))
}
