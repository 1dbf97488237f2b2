//! The `barriers` section.

use super::{CONDITION, TEXT};
use crate::{
    diagnostic::{Code, Diagnostic},
    source::Span,
    syntax::{
        ast::{Barrier, BarrierDirection, Expr, Item, Text},
        yaml::{
            cursor::{YamlCursor, YamlError},
            node::Node,
            values::{ExpectedValue, FieldValue, MappingFields},
        },
    },
};

const BARRIERS: ExpectedValue = ExpectedValue(
    "a list of barriers",
    "write `- ` before each barrier, or `[]` if there are none",
);
const BARRIER: ExpectedValue = ExpectedValue(
    "a barrier",
    "write `{ name: ..., between: [hasTag(...), hasTag(...)] }`, or `from` and `to` for one direction",
);
const SIDES: ExpectedValue = ExpectedValue(
    "a list of two conditions",
    "write `between: [hasTag(...), hasTag(...)]` for both directions",
);
const GROUPS: ExpectedValue = ExpectedValue("`true` or `false`", "write `true` or `false`");
const UNLESS: ExpectedValue = ExpectedValue("a condition as text", "write `sharesTag(...)`");

const FIELDS: &[&str] =
    &["name", "between", "from", "to", "actions", "unless", "groups", "description"];

pub(super) fn read<'s>(
    cursor: &mut YamlCursor<'s, '_>,
    _: Span,
    items: &mut Vec<Item<'s>>,
) -> Result<(), YamlError> {
    if cursor.sequence(BARRIERS)?.value().is_some() {
        while cursor.has_next()? {
            items.extend(barrier(cursor)?.map(|it| Item::Barrier(Box::new(it))));
        }
    }
    Ok(())
}

/// The sides of a barrier as its fields give them.
struct Sides<'s> {
    between: FieldValue<[Expr<'s>; 2]>,
    from: FieldValue<Expr<'s>>,
    to: FieldValue<Expr<'s>>,
    /// The keys of `between`, and of the first of the others.
    keys: [Option<Text<'s>>; 2],
}

fn barrier<'s>(cursor: &mut YamlCursor<'s, '_>) -> Result<Option<Barrier<'s>>, YamlError> {
    let node = cursor.node()?;
    let Node::Mapping(opened) = node else {
        cursor.report_invalid::<()>(&node, BARRIER)?;
        return Ok(None);
    };
    let mut fields = MappingFields::new("field");
    let (mut name, mut actions, mut unless) = (FieldValue::Absent, None, None);
    let (mut groups, mut description) = (None, None);
    let mut sides = Sides {
        between: FieldValue::Absent,
        from: FieldValue::Absent,
        to: FieldValue::Absent,
        keys: [None, None],
    };
    while let Some(key) = fields.next(cursor)? {
        match &*key.value {
            "name" => name = cursor.string(TEXT)?,
            "between" => {
                sides.between = self::sides(cursor)?;
                sides.keys[0] = Some(key);
            }
            "from" => {
                sides.from = cursor.expr(CONDITION)?;
                sides.keys[1].get_or_insert(key);
            }
            "to" => {
                sides.to = cursor.expr(CONDITION)?;
                sides.keys[1].get_or_insert(key);
            }
            "actions" => actions = cursor.actions()?.value(),
            "unless" => unless = cursor.expr(UNLESS)?.value(),
            "groups" => groups = cursor.string(GROUPS)?.value(),
            "description" => description = cursor.string(TEXT)?.value(),
            _ => cursor.unknown_field(&key, "a barrier", FIELDS)?,
        }
    }
    let whole = cursor.whole(opened);
    // A value that ends in a syntax error is reported as that alone.
    cursor.peek()?;
    let place = fields.first().unwrap_or(whole);
    if matches!(name, FieldValue::Absent) {
        let problem = Diagnostic::error(Code::MissingField, place, "the barrier has no `name`");
        cursor.problems.push(problem.hint("add `name: ...`: refusals are explained by it"));
    }
    let name = name.value();
    let place = name.as_ref().map_or(place, |name| name.span);
    let sides = resolve_sides(cursor, sides, place);
    Ok(match (name, sides) {
        (Some(name), Some((direction, [from, to]))) => {
            Some(Barrier { name, direction, from, to, actions, unless, groups, description })
        }
        _ => None,
    })
}

/// The two conditions of `between`.
fn sides<'s>(cursor: &mut YamlCursor<'s, '_>) -> Result<FieldValue<[Expr<'s>; 2]>, YamlError> {
    let opened = match cursor.sequence(SIDES)? {
        FieldValue::Value(opened) => opened,
        FieldValue::Absent => return Ok(FieldValue::Absent),
        FieldValue::Invalid => return Ok(FieldValue::Invalid),
    };
    let mut sides = Vec::with_capacity(2);
    let (mut found, mut is_cut) = (0, false);
    while cursor.has_next()? {
        let node = cursor.node()?;
        // The rest of a condition that a comma cut is reported with it.
        if cursor.span_of(&node).start() < cursor.cut {
            cursor.finish(&node)?;
            is_cut = true;
            continue;
        }
        found += 1;
        sides.extend(cursor.expr_of(node, CONDITION)?.value());
    }
    if found != 2 {
        let whole = cursor.whole(opened);
        let message = format!("a barrier is between two conditions, found {found}");
        let problem = Diagnostic::error(Code::WrongType, whole, message);
        cursor.problems.push(problem.hint(SIDES.1));
    }
    let sides = if is_cut { None } else { <[Expr<'s>; 2]>::try_from(sides).ok() };
    Ok(sides.map_or(FieldValue::Invalid, FieldValue::Value))
}

/// The sides, one from `between` or both of `from` and `to`. Reports what is missing or too much.
fn resolve_sides<'s>(
    cursor: &mut YamlCursor<'s, '_>,
    sides: Sides<'s>,
    place: Span,
) -> Option<(BarrierDirection, [Expr<'s>; 2])> {
    let Sides { between, from, to, keys } = sides;
    if let [Some(between), Some(other)] = &keys {
        let message =
            format!("a barrier has `between` or `from` and `to`, found `{}` too", other.value);
        let problem = Diagnostic::error(Code::DuplicateKey, other.span, message);
        cursor.problems.push(
            problem
                .related(between.span, "the other one")
                .hint("`between` is for both directions, `from` and `to` for one"),
        );
        return None;
    }
    let mut missing = |field: &str| {
        let message = format!("the barrier has no `{field}`");
        let problem = Diagnostic::error(Code::MissingField, place, message);
        cursor.problems.push(problem.hint(BARRIER.1));
    };
    match (between, from, to) {
        (FieldValue::Value(sides), ..) => Some((BarrierDirection::BothWays, sides)),
        (_, FieldValue::Value(from), FieldValue::Value(to)) => {
            Some((BarrierDirection::OneWay, [from, to]))
        }
        (FieldValue::Absent, FieldValue::Absent, FieldValue::Absent) => {
            missing("between");
            None
        }
        (FieldValue::Absent, FieldValue::Absent, _) => {
            missing("from");
            None
        }
        (FieldValue::Absent, _, FieldValue::Absent) => {
            missing("to");
            None
        }
        _ => None,
    }
}
