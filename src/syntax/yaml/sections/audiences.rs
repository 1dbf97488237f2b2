//! The `audiences`, `accepts` and `actions` sections.

use super::{ASKED, AUDIENCE, CONDITION};
use crate::{
    diagnostic::{Code, Diagnostic},
    source::Span,
    syntax::{
        ast::{Accepts, ActionDeclaration, Audience, AudienceMode, Item, Spanned, Text},
        yaml::{
            cursor::{YamlCursor, YamlError},
            node::Node,
            values::{ExpectedValue, FieldValue, MappingFields},
        },
    },
};

const AUDIENCES: ExpectedValue =
    ExpectedValue("a mapping of audiences", "write `close: any(friend, favorite)` for each");
const AUDIENCE_CONDITION: ExpectedValue =
    ExpectedValue("a condition as text", "write a condition like `any(friend, favorite)`");
const SECTION: ExpectedValue = ExpectedValue(
    "a mapping of actions",
    "write `start_chat: { default: contacts }` for each action",
);
const ACCEPTS: ExpectedValue =
    ExpectedValue("a mapping with `default` and `modes`", "write `{ default: contacts }`");
const MODES: ExpectedValue = ExpectedValue(
    "a list of modes",
    "write `- { when: hasTag(...), audience: contacts }` for each, the first that is met counts",
);
const MODE: ExpectedValue = ExpectedValue(
    "a mapping with `when` and `audience`",
    "write `{ when: hasTag(...), audience: contacts }`",
);
const LOCKED: ExpectedValue = ExpectedValue("`true` or `false`", "write `true` or `false`");
const OTHERWISE: ExpectedValue = ExpectedValue("`deny` or `request`", "write `deny` or `request`");
const ACTIONS: ExpectedValue =
    ExpectedValue("a mapping of actions", "write `mention: { like: send_message }` for each");
const ACTION: ExpectedValue = ExpectedValue("an action", "write `{ like: send_message }`");
const LIKE: ExpectedValue = ExpectedValue("the name of an action", "write `like: send_message`");

const FIELDS: &[&str] = &["default", "modes", "asked", "otherwise"];
const MODE_FIELDS: &[&str] = &["when", "audience", "locked"];
const ACTION_FIELDS: &[&str] = &["like"];

pub(super) fn audiences<'s>(
    cursor: &mut YamlCursor<'s, '_>,
    _: Span,
    items: &mut Vec<Item<'s>>,
) -> Result<(), YamlError> {
    if cursor.mapping(AUDIENCES)?.value().is_none() {
        return Ok(());
    }
    let mut names = MappingFields::new("audience");
    while let Some(name) = names.next(cursor)? {
        match cursor.expr(AUDIENCE_CONDITION)? {
            FieldValue::Value(condition) => {
                items.push(Item::Audience(Box::new(Audience { name, condition })));
            }
            FieldValue::Invalid => {}
            FieldValue::Absent => {
                cursor.no_value("audience", &name.value, name.span, AUDIENCE_CONDITION);
            }
        }
    }
    Ok(())
}

pub(super) fn accepts<'s>(
    cursor: &mut YamlCursor<'s, '_>,
    _: Span,
    items: &mut Vec<Item<'s>>,
) -> Result<(), YamlError> {
    if cursor.mapping(SECTION)?.value().is_none() {
        return Ok(());
    }
    let mut actions = MappingFields::new("action");
    while let Some(action) = actions.next(cursor)? {
        let (default, asked, otherwise) = (None, None, None);
        let mut accepts =
            Accepts { action, modes: Vec::new(), default, asked, otherwise, is_whole: true };
        let errors = cursor.problems.errors();
        let done = fields(cursor, &mut accepts);
        accepts.is_whole = cursor.problems.errors() == errors;
        items.push(Item::Accepts(Box::new(accepts)));
        done?;
    }
    Ok(())
}

fn fields<'s>(cursor: &mut YamlCursor<'s, '_>, accepts: &mut Accepts<'s>) -> Result<(), YamlError> {
    if cursor.mapping(ACCEPTS)?.value().is_none() {
        return Ok(());
    }
    let mut fields = MappingFields::new("field");
    while let Some(key) = fields.next(cursor)? {
        match &*key.value {
            "default" => accepts.default = word(cursor, &key, AUDIENCE)?,
            "asked" => accepts.asked = word(cursor, &key, ASKED)?,
            "otherwise" => accepts.otherwise = word(cursor, &key, OTHERWISE)?,
            "modes" => {
                if cursor.sequence(MODES)?.value().is_some() {
                    while cursor.has_next()? {
                        accepts.modes.extend(mode(cursor)?);
                    }
                }
            }
            _ => cursor.unknown_field(&key, "`accepts` of an action", FIELDS)?,
        }
    }
    Ok(())
}

/// The value of a field that is a word.
fn word<'s>(
    cursor: &mut YamlCursor<'s, '_>,
    key: &Text<'s>,
    expected: ExpectedValue,
) -> Result<Option<Text<'s>>, YamlError> {
    let value = cursor.string(expected)?;
    if matches!(value, FieldValue::Absent) {
        cursor.no_value("field", &key.value, key.span, expected);
    }
    Ok(value.value())
}

fn mode<'s>(cursor: &mut YamlCursor<'s, '_>) -> Result<Option<AudienceMode<'s>>, YamlError> {
    let node = cursor.node()?;
    let Node::Mapping(opened) = node else {
        cursor.report_invalid::<()>(&node, MODE)?;
        return Ok(None);
    };
    let mut fields = MappingFields::new("field");
    let (mut when, mut audience, mut locked) = (FieldValue::Absent, FieldValue::Absent, None);
    while let Some(key) = fields.next(cursor)? {
        match &*key.value {
            "when" => when = cursor.expr(CONDITION)?,
            "audience" => audience = cursor.string(AUDIENCE)?,
            "locked" => locked = self::locked(cursor)?,
            _ => cursor.unknown_field(&key, "a mode of `accepts`", MODE_FIELDS)?,
        }
    }
    let whole = cursor.whole(opened);
    // A value that ends in a syntax error is reported as that alone.
    cursor.peek()?;
    let span = fields.first().unwrap_or(whole);
    let mut missing = |field: &str, example: &str| {
        let message = format!("the mode of `accepts` has no `{field}`");
        let problem = Diagnostic::error(Code::MissingField, span, message);
        cursor.problems.push(problem.hint(format!("add `{field}: {example}`")));
    };
    if matches!(when, FieldValue::Absent) {
        missing("when", "hasTag(...)");
    }
    if matches!(audience, FieldValue::Absent) {
        missing("audience", "contacts");
    }
    Ok(match (when, audience) {
        (FieldValue::Value(when), FieldValue::Value(audience)) => {
            Some(AudienceMode { when, audience, locked })
        }
        _ => None,
    })
}

/// `true`, or nothing for `false`, which is what holds without it and has no word in the DSL.
fn locked<'s>(cursor: &mut YamlCursor<'s, '_>) -> Result<Option<Text<'s>>, YamlError> {
    let node = cursor.node()?;
    match &node {
        Node::Scalar(scalar) if scalar.is_bool() || scalar.is_null() => {
            let is_true = scalar.value.eq_ignore_ascii_case("true");
            Ok(is_true.then(|| Spanned::new("true".into(), scalar.span)))
        }
        _ => Ok(cursor.report_invalid(&node, LOCKED)?.value()),
    }
}

pub(super) fn actions<'s>(
    cursor: &mut YamlCursor<'s, '_>,
    _: Span,
    items: &mut Vec<Item<'s>>,
) -> Result<(), YamlError> {
    if cursor.mapping(ACTIONS)?.value().is_none() {
        return Ok(());
    }
    let mut names = MappingFields::new("action");
    while let Some(name) = names.next(cursor)? {
        let like = match cursor.mapping(ACTION)? {
            FieldValue::Value(_) => like(cursor)?,
            FieldValue::Absent => FieldValue::Absent,
            FieldValue::Invalid => FieldValue::Invalid,
        };
        match like {
            FieldValue::Value(like) => {
                items.push(Item::Action(Box::new(ActionDeclaration { name, like })));
            }
            FieldValue::Invalid => {}
            FieldValue::Absent => {
                let message = "the action has no `like`";
                let problem = Diagnostic::error(Code::MissingField, name.span, message);
                cursor
                    .problems
                    .push(problem.hint("add `like: send_message`: it is at least as strict"));
            }
        }
    }
    Ok(())
}

fn like<'s>(cursor: &mut YamlCursor<'s, '_>) -> Result<FieldValue<Text<'s>>, YamlError> {
    let mut fields = MappingFields::new("field");
    let mut like = FieldValue::Absent;
    while let Some(key) = fields.next(cursor)? {
        if key.value == "like" {
            like = cursor.string(LIKE)?;
        } else {
            cursor.unknown_field(&key, "a declared action", ACTION_FIELDS)?;
        }
    }
    Ok(like)
}
