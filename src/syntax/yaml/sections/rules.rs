//! The `rules` section.

use super::{CONDITION, TEXT};
use crate::{
    diagnostic::{Code, Diagnostic},
    source::Span,
    syntax::{
        ast::{Item, Outcome, Rule, Text},
        idioms,
        keys::{quoted, unknown_name},
        yaml::{
            cursor::{YamlCursor, YamlError},
            node::Node,
            values::{ExpectedValue, FieldValue, MappingFields},
        },
    },
};

const RULES: ExpectedValue =
    ExpectedValue("a list of rules", "write `- ` before each rule, or `[]` if there are none");
const RULE: ExpectedValue =
    ExpectedValue("a rule", "a rule is a mapping with `condition` and `outcome`");

const OUTCOME: ExpectedValue = ExpectedValue(
    "a list of tags or a condition",
    "write a list: `[Berlin, Munich]`, or a condition: `hasTag(...)`",
);
const BETWEEN: ExpectedValue =
    ExpectedValue("a condition as text", "write `contact`, `sharesTag(...)` or another condition");

pub(super) fn read<'s>(
    cursor: &mut YamlCursor<'s, '_>,
    key: Span,
    items: &mut Vec<Item<'s>>,
) -> Result<(), YamlError> {
    cursor.has_rules = true;
    // After a syntax error the same section is read on; looking back no further than to the last
    // one keeps a file of many documents from being searched again for each.
    let last = items.iter().rfind(|item| matches!(item, Item::Rules(_)));
    if last != Some(&Item::Rules(key)) {
        items.push(Item::Rules(key));
    }
    rules(cursor, &mut |rule| items.push(Item::Rule(Box::new(rule))))
}

/// The rules of the section or of a rule set.
pub(super) fn rules<'s>(
    cursor: &mut YamlCursor<'s, '_>,
    each: &mut dyn FnMut(Rule<'s>),
) -> Result<(), YamlError> {
    if cursor.sequence(RULES)?.value().is_some() {
        while cursor.has_next()? {
            rule(cursor)?.into_iter().for_each(&mut *each);
        }
    }
    Ok(())
}

/// What belongs to a rule is indented so.
pub(super) const INDENT: &str =
    "indent it like the first field of the rule, which stands after the `- `";

pub(super) const FIELDS: &[&str] =
    &["name", "condition", "outcome", "between", "description", "rule_id"];

fn rule<'s>(cursor: &mut YamlCursor<'s, '_>) -> Result<Option<Rule<'s>>, YamlError> {
    let node = cursor.node()?;
    let Node::Mapping(opened) = node else {
        cursor.report_invalid::<()>(&node, RULE)?;
        return Ok(None);
    };
    let mut fields = MappingFields::new("field");
    let (mut name, mut rule_id, mut description) = (None, None, None);
    let (mut expr, mut outcome) = (FieldValue::Absent, FieldValue::Absent);
    let mut between = FieldValue::Absent;
    let mut is_denial = false;
    while let Some(key) = fields.next(cursor)? {
        match &*key.value {
            "name" => name = cursor.string(TEXT)?.value(),
            "condition" => expr = cursor.expr(CONDITION)?,
            "outcome" => outcome = self::outcome(cursor)?,
            "between" => between = cursor.expr(BETWEEN)?,
            "description" => description = cursor.string(TEXT)?.value(),
            "rule_id" => rule_id = cursor.string(TEXT)?.value(),
            other => {
                let denial = idioms::denial_hint(other);
                is_denial |= denial.is_some();
                let problem = unknown_name(Code::UnknownField, "a rule has no field", &key, FIELDS);
                cursor.problems.push(denial.map_or(problem.clone(), |hint| problem.hint(hint)));
                cursor.skip()?;
            }
        }
    }
    let (whole, end) = (cursor.whole(opened), cursor.end());
    // A value that ends in a syntax error is reported as that alone.
    cursor.peek()?;
    let place = |name: &Option<Text<'_>>| name.as_ref().map(|name| name.span);
    let span = place(&name).or(fields.first()).unwrap_or(whole);
    let mut missing = Vec::new();
    // What was meant to deny has its own message.
    if matches!(expr, FieldValue::Absent) && !is_denial {
        missing.push(("condition", "hasTag(...)"));
    }
    let has_outcome = !matches!((&outcome, &between), (FieldValue::Absent, FieldValue::Absent));
    if !has_outcome && !is_denial {
        missing.push(("outcome", "[...]"));
    }
    if !missing.is_empty()
        && let Some(field) = at_margin(cursor, end)
    {
        cursor.stray = Some(field.start());
        let text = cursor.text().get(field.start()..field.end()).unwrap_or_default();
        let message = format!("the rule's field {} is not indented", quoted(text));
        let problem = Diagnostic::error(Code::UnknownSection, field, message);
        cursor.problems.push(problem.related(span, "the rule begins here").hint(INDENT));
    } else {
        cursor.problems.extend(missing.into_iter().map(|(field, example)| {
            let message = format!("the rule has no `{field}`");
            let problem = Diagnostic::error(Code::MissingField, span, message);
            problem.hint(format!("add `{field}: {example}`"))
        }));
    }
    let is_read = has_outcome
        && !matches!(outcome, FieldValue::Invalid)
        && !matches!(between, FieldValue::Invalid);
    let (outcome, between) = (outcome.value(), between.value());
    Ok(expr.value().filter(|_| is_read).map(|condition| Rule {
        span,
        name,
        rule_id,
        condition,
        outcome,
        between,
        description,
    }))
}

/// An outcome: a list of tags, or a condition. People write a tag alone in its place.
fn outcome<'s>(cursor: &mut YamlCursor<'s, '_>) -> Result<FieldValue<Outcome<'s>>, YamlError> {
    let node = cursor.node()?;
    let scalar = match &node {
        Node::Scalar(scalar) if !scalar.is_null() => scalar,
        _ => {
            return Ok(match cursor.list_of(&node, OUTCOME)? {
                FieldValue::Value(tags) => FieldValue::Value(Outcome::Tags(tags)),
                FieldValue::Absent => FieldValue::Absent,
                FieldValue::Invalid => FieldValue::Invalid,
            });
        }
    };
    if !scalar.value.contains('(')
        && let Some(hint) = idioms::outcome_hint(&scalar.value, "outcome:")
    {
        return cursor.report_invalid_as(&node, OUTCOME.0, hint);
    }
    Ok(match cursor.expr_of(node, OUTCOME)? {
        FieldValue::Value(condition) => FieldValue::Value(Outcome::Condition(condition)),
        FieldValue::Absent => FieldValue::Absent,
        FieldValue::Invalid => FieldValue::Invalid,
    })
}

/// The key of the next line, if it is a field of a rule at the place of a section.
fn at_margin(cursor: &YamlCursor<'_, '_>, end: usize) -> Option<Span> {
    let rest = cursor.text().get(end..)?;
    let mut start = end + rest.find('\n')? + 1;
    for line in cursor.text().get(start..)?.split_inclusive('\n') {
        let content = line.trim();
        if !(content.is_empty() || content.starts_with('#')) {
            let field = FIELDS
                .iter()
                .find(|&&field| line.strip_prefix(field).is_some_and(|rest| rest.starts_with(':')));
            return field.map(|field| cursor.span(start, start + field.len()));
        }
        start += line.len();
    }
    None
}

/// Whether a field at the margin was reported with its rule, or follows one that was.
pub(super) fn is_reported(cursor: &YamlCursor<'_, '_>, key: Span) -> bool {
    cursor.stray.is_some_and(|first| key.start() >= first)
}
