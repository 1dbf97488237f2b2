//! The `invariants` and `lints` sections.

use super::{CONDITION, TEXT};
use crate::{
    diagnostic::{Code, Diagnostic},
    source::Span,
    syntax::{
        ast::{Demand, Invariant, Item, Text},
        yaml::{
            cursor::{YamlCursor, YamlError},
            node::Node,
            values::{ExpectedValue, FieldValue, MappingFields},
        },
    },
};

const INVARIANTS: ExpectedValue = ExpectedValue(
    "a list of invariants",
    "write `- ` before each invariant, or `[]` if there are none",
);
const INVARIANT: ExpectedValue = ExpectedValue(
    "an invariant",
    "write `{ never: start_chat, from: hasTag(...), to: hasTag(...) }`, or `always`, or \
     `{ every: hasTag(...), reaches: hasTag(...), by: start_chat }`",
);
const ACTION: ExpectedValue = ExpectedValue("an action", "write a word like `start_chat`");
const LINTS: ExpectedValue = ExpectedValue("a mapping", "write `{ allow: [unused-tag] }`");

const FIELDS: &[&str] = &[
    "name",
    "never",
    "always",
    "from",
    "to",
    "every",
    "reaches",
    "by",
    "scope",
    "conversation",
    "description",
];

pub(super) fn read<'s>(
    cursor: &mut YamlCursor<'s, '_>,
    _: Span,
    items: &mut Vec<Item<'s>>,
) -> Result<(), YamlError> {
    if cursor.sequence(INVARIANTS)?.value().is_some() {
        while cursor.has_next()? {
            items.extend(invariant(cursor)?.map(|it| Item::Invariant(Box::new(it))));
        }
    }
    Ok(())
}

/// What each kind of invariant is about, and the fields that say so.
const NEVER: [&str; 3] = ["never", "from", "to"];
const ALWAYS: [&str; 3] = ["always", "from", "to"];
const EVERY: [&str; 3] = ["by", "every", "reaches"];

fn invariant<'s>(cursor: &mut YamlCursor<'s, '_>) -> Result<Option<Invariant<'s>>, YamlError> {
    let node = cursor.node()?;
    let Node::Mapping(opened) = node else {
        cursor.report_invalid::<()>(&node, INVARIANT)?;
        return Ok(None);
    };
    let mut fields = MappingFields::new("field");
    let (mut name, mut scope, mut conversation, mut description) = (None, None, None, None);
    let (mut action, mut from, mut to) =
        (FieldValue::Absent, FieldValue::Absent, FieldValue::Absent);
    let mut demand = None;
    let mut others: Vec<Text<'s>> = Vec::new();
    while let Some(key) = fields.next(cursor)? {
        let means = match &*key.value {
            "never" => Some(Demand::Never),
            "always" => Some(Demand::Always),
            "every" => Some(Demand::Every),
            _ => None,
        };
        match (means, demand) {
            (Some(means), None) => demand = Some((means, key.span)),
            (Some(_), Some((_, first))) => {
                let message = format!(
                    "an invariant has one of `never`, `always` and `every`, found `{}` too",
                    key.value
                );
                let problem = Diagnostic::error(Code::DuplicateKey, key.span, message);
                cursor.problems.push(problem.related(first, "the other one").hint(INVARIANT.1));
                cursor.skip()?;
                continue;
            }
            (None, _) => {}
        }
        match &*key.value {
            "name" => name = cursor.string(TEXT)?.value(),
            "never" | "always" | "by" => action = cursor.string(ACTION)?,
            "every" | "from" => from = cursor.expr(CONDITION)?,
            "reaches" | "to" => to = cursor.expr(CONDITION)?,
            "scope" => scope = cursor.string(TEXT)?.value(),
            "conversation" => conversation = cursor.string(TEXT)?.value(),
            "description" => description = cursor.string(TEXT)?.value(),
            _ => cursor.unknown_field(&key, "an invariant", FIELDS)?,
        }
        if matches!(&*key.value, "from" | "to" | "reaches" | "by") {
            others.push(key);
        }
    }
    let whole = cursor.whole(opened);
    // A value that ends in a syntax error is reported as that alone.
    cursor.peek()?;
    let place = |name: &Option<Text<'_>>| name.as_ref().map(|name| name.span);
    let span = place(&name).or(fields.first()).unwrap_or(whole);
    let Some((demand, _)) = demand else {
        let message = "the invariant has no `never`, `always` or `every`";
        let problem = Diagnostic::error(Code::MissingField, span, message);
        cursor.problems.push(problem.hint(INVARIANT.1));
        return Ok(None);
    };
    let expected = match demand {
        Demand::Never => NEVER,
        Demand::Always => ALWAYS,
        Demand::Every => EVERY,
    };
    let mut fits = true;
    for other in others.iter().filter(|key| !expected.contains(&&*key.value)) {
        let message = format!("`{}` has no `{}`", demand.as_str(), other.value);
        let problem = Diagnostic::error(Code::UnknownField, other.span, message);
        cursor.problems.push(problem.hint(INVARIANT.1));
        fits = false;
    }
    let missing = [
        matches!(action, FieldValue::Absent),
        matches!(from, FieldValue::Absent),
        matches!(to, FieldValue::Absent),
    ];
    for (field, _) in expected.iter().zip(missing).filter(|(_, missing)| *missing && fits) {
        let message = format!("the invariant has no `{field}`");
        let problem = Diagnostic::error(Code::MissingField, span, message);
        cursor.problems.push(problem.hint(INVARIANT.1));
    }
    Ok(match (action.value(), from.value(), to.value()) {
        (Some(action), Some(from), Some(to)) if fits => Some(Invariant {
            span,
            demand,
            name,
            action,
            from,
            to,
            scope,
            conversation,
            description,
        }),
        _ => None,
    })
}

/// The lints that are silenced.
pub(super) fn lints<'s>(
    cursor: &mut YamlCursor<'s, '_>,
    key: Span,
    items: &mut Vec<Item<'s>>,
) -> Result<(), YamlError> {
    if cursor.mapping(LINTS)?.value().is_none() {
        return Ok(());
    }
    let mut fields = MappingFields::new("setting");
    while let Some(field) = fields.next(cursor)? {
        if field.value != "allow" {
            cursor.unknown_field(&field, "`lints`", &["allow"])?;
            continue;
        }
        let allowed = cursor.tags()?.value();
        // A section's comments are found by the place of its key.
        items.extend(allowed.map(|mut list| {
            list.span = key;
            Item::Lints(list)
        }));
    }
    Ok(())
}
