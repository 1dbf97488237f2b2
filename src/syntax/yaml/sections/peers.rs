//! The `peers` section.

use super::{CONDITION, PEERS};
use crate::{
    diagnostic::{Code, Diagnostic},
    source::Span,
    syntax::{
        ast::{Item, Mode, Peers},
        yaml::{
            cursor::{YamlCursor, YamlError},
            node::Node,
            values::{ExpectedValue, FieldValue, MappingFields},
        },
    },
};

const SECTION: ExpectedValue = ExpectedValue(
    "a mapping with `default` and `modes`",
    "write `{ default: contacts, modes: [...] }`",
);
const MODES: ExpectedValue = ExpectedValue(
    "a list of modes",
    "write `- { when: hasTag(...), mode: contacts }` for each, the first that is met counts",
);
const MODE: ExpectedValue = ExpectedValue(
    "a mapping with `when` and `mode`",
    "write `{ when: hasTag(...), mode: contacts }`",
);

const FIELDS: &[&str] = &["default", "modes"];
const MODE_FIELDS: &[&str] = &["when", "mode"];

pub(super) fn read<'s>(
    cursor: &mut YamlCursor<'s, '_>,
    span: Span,
    items: &mut Vec<Item<'s>>,
) -> Result<(), YamlError> {
    if cursor.mapping(SECTION)?.value().is_none() {
        return Ok(());
    }
    let mut peers = Peers { span, default: None, modes: Vec::new() };
    let done = fields(cursor, &mut peers);
    items.push(Item::Peers(Box::new(peers)));
    done
}

fn fields<'s>(cursor: &mut YamlCursor<'s, '_>, peers: &mut Peers<'s>) -> Result<(), YamlError> {
    let mut fields = MappingFields::new("field");
    while let Some(key) = fields.next(cursor)? {
        match &*key.value {
            "default" => match cursor.string(PEERS)? {
                FieldValue::Value(mode) => peers.default = Some(mode),
                FieldValue::Invalid => {}
                FieldValue::Absent => cursor.no_value("field", "default", key.span, PEERS),
            },
            "modes" => {
                if cursor.sequence(MODES)?.value().is_some() {
                    while cursor.has_next()? {
                        peers.modes.extend(mode(cursor)?);
                    }
                }
            }
            _ => cursor.unknown_field(&key, "`peers`", FIELDS)?,
        }
    }
    Ok(())
}

fn mode<'s>(cursor: &mut YamlCursor<'s, '_>) -> Result<Option<Mode<'s>>, YamlError> {
    let node = cursor.node()?;
    let Node::Mapping(opened) = node else {
        cursor.report_invalid::<()>(&node, MODE)?;
        return Ok(None);
    };
    let mut fields = MappingFields::new("field");
    let (mut when, mut mode) = (FieldValue::Absent, FieldValue::Absent);
    while let Some(key) = fields.next(cursor)? {
        match &*key.value {
            "when" => when = cursor.expr(CONDITION)?,
            "mode" => mode = cursor.string(PEERS)?,
            _ => cursor.unknown_field(&key, "a mode of `peers`", MODE_FIELDS)?,
        }
    }
    let whole = cursor.whole(opened);
    // A value that ends in a syntax error is reported as that alone.
    cursor.peek()?;
    let span = fields.first().unwrap_or(whole);
    let mut missing = |field: &str, example: &str| {
        let message = format!("the mode of `peers` has no `{field}`");
        let problem = Diagnostic::error(Code::MissingField, span, message);
        cursor.problems.push(problem.hint(format!("add `{field}: {example}`")));
    };
    if matches!(when, FieldValue::Absent) {
        missing("when", "hasTag(...)");
    }
    if matches!(mode, FieldValue::Absent) {
        missing("mode", "contacts");
    }
    Ok(match (when, mode) {
        (FieldValue::Value(when), FieldValue::Value(mode)) => Some(Mode { when, mode }),
        _ => None,
    })
}
