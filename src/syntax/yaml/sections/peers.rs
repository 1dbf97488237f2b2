use super::{CONDITION, PEERS};
use crate::{
    diagnostic::{Code, Diagnostic},
    source::Span,
    syntax::{
        ast::{Item, Mode, Peers},
        yaml::{
            cursor::{Cursor, Stop},
            node::Node,
            read::{Expected, Fields, Given},
        },
    },
};

const SECTION: Expected =
    Expected("a mapping with `default` and `modes`", "write `{ default: contacts, modes: [...] }`");
const MODES: Expected = Expected(
    "a list of modes",
    "write `- { when: hasTag(...), mode: contacts }` for each, the first that is met counts",
);
const MODE: Expected =
    Expected("a mapping with `when` and `mode`", "write `{ when: hasTag(...), mode: contacts }`");

const FIELDS: &[&str] = &["default", "modes"];
const MODE_FIELDS: &[&str] = &["when", "mode"];

pub(super) fn read<'s>(
    cursor: &mut Cursor<'s, '_>,
    span: Span,
    items: &mut Vec<Item<'s>>,
) -> Result<(), Stop> {
    if cursor.mapping(SECTION)?.value().is_none() {
        return Ok(());
    }
    let mut peers = Peers { span, default: None, modes: Vec::new() };
    let done = fields(cursor, &mut peers);
    items.push(Item::Peers(Box::new(peers)));
    done
}

fn fields<'s>(cursor: &mut Cursor<'s, '_>, peers: &mut Peers<'s>) -> Result<(), Stop> {
    let mut fields = Fields::new("field");
    while let Some(key) = fields.next(cursor)? {
        match &*key.value {
            "default" => match cursor.string(PEERS)? {
                Given::Value(mode) => peers.default = Some(mode),
                Given::Refused => {}
                Given::Nothing => cursor.no_value("field", "default", key.span, PEERS),
            },
            "modes" => {
                if cursor.sequence(MODES)?.value().is_some() {
                    while cursor.another()? {
                        peers.modes.extend(mode(cursor)?);
                    }
                }
            }
            _ => cursor.unknown_field(&key, "`peers`", FIELDS)?,
        }
    }
    Ok(())
}

fn mode<'s>(cursor: &mut Cursor<'s, '_>) -> Result<Option<Mode<'s>>, Stop> {
    let node = cursor.node()?;
    let Node::Mapping(opened) = node else {
        cursor.refuse::<()>(&node, MODE)?;
        return Ok(None);
    };
    let mut fields = Fields::new("field");
    let (mut when, mut mode) = (Given::Nothing, Given::Nothing);
    while let Some(key) = fields.next(cursor)? {
        match &*key.value {
            "when" => when = cursor.expr(CONDITION)?,
            "mode" => mode = cursor.string(PEERS)?,
            _ => cursor.unknown_field(&key, "a mode of `peers`", MODE_FIELDS)?,
        }
    }
    let whole = cursor.whole(opened);
    // What ends in a syntax error is told as that alone.
    cursor.peek()?;
    let span = fields.first().unwrap_or(whole);
    let mut missing = |field: &str, example: &str| {
        let message = format!("the mode of `peers` has no `{field}`");
        let problem = Diagnostic::error(Code::MissingField, span, message);
        cursor.problems.push(problem.hint(format!("add `{field}: {example}`")));
    };
    if matches!(when, Given::Nothing) {
        missing("when", "hasTag(...)");
    }
    if matches!(mode, Given::Nothing) {
        missing("mode", "contacts");
    }
    Ok(match (when, mode) {
        (Given::Value(when), Given::Value(mode)) => Some(Mode { when, mode }),
        _ => None,
    })
}
