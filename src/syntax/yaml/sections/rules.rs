use super::{CONDITION, TEXT};
use crate::{
    diagnostic::{Code, Diagnostic},
    source::Span,
    syntax::{
        ast::{Item, Rule, Text},
        yaml::{
            cursor::{Cursor, Stop},
            node::Node,
            read::{Expected, Fields, Given},
        },
    },
};

const RULES: Expected =
    Expected("a list of rules", "write `- ` before each rule, or `[]` if there are none");
const RULE: Expected = Expected("a rule", "a rule is a mapping with `condition` and `outcome`");

pub(super) fn read<'s>(
    cursor: &mut Cursor<'s, '_>,
    key: Span,
    items: &mut Vec<Item<'s>>,
) -> Result<(), Stop> {
    // After a syntax error the same section is read on; looking back no further than to the last
    // one keeps a file of many documents from being searched again for each.
    let last = items.iter().rfind(|item| matches!(item, Item::Rules(_)));
    if last != Some(&Item::Rules(key)) {
        items.push(Item::Rules(key));
    }
    if cursor.sequence(RULES)?.value().is_some() {
        while cursor.another()? {
            items.extend(rule(cursor)?.map(|rule| Item::Rule(Box::new(rule))));
        }
    }
    Ok(())
}

const RULE_FIELDS: &[&str] = &["name", "condition", "outcome", "description", "rule_id"];

fn rule<'s>(cursor: &mut Cursor<'s, '_>) -> Result<Option<Rule<'s>>, Stop> {
    let node = cursor.node()?;
    let Node::Mapping(opened) = node else {
        cursor.refuse::<()>(&node, RULE)?;
        return Ok(None);
    };
    let mut fields = Fields::new("field");
    let (mut name, mut rule_id, mut description) = (None, None, None);
    let (mut expr, mut outcome) = (Given::Nothing, Given::Nothing);
    while let Some(key) = fields.next(cursor)? {
        match &*key.value {
            "name" => name = cursor.string(TEXT)?.value(),
            "condition" => expr = cursor.expr(CONDITION)?,
            "outcome" => outcome = cursor.tags()?,
            "description" => description = cursor.string(TEXT)?.value(),
            "rule_id" => rule_id = cursor.string(TEXT)?.value(),
            _ => cursor.unknown_field(&key, "a rule", RULE_FIELDS)?,
        }
    }
    let whole = cursor.whole(opened);
    // What ends in a syntax error is told as that alone.
    cursor.peek()?;
    let place = |name: &Option<Text<'_>>| name.as_ref().map(|name| name.span);
    let span = place(&name).or(fields.first()).unwrap_or(whole);
    let mut missing = |field: &str, example: &str| {
        let message = format!("the rule has no `{field}`");
        let problem = Diagnostic::error(Code::MissingField, span, message);
        cursor.problems.push(problem.hint(format!("add `{field}: {example}`")));
    };
    if matches!(expr, Given::Nothing) {
        missing("condition", "hasTag(...)");
    }
    if matches!(outcome, Given::Nothing) {
        missing("outcome", "[...]");
    }
    Ok(match (expr, outcome) {
        (Given::Value(condition), Given::Value(outcome)) => {
            Some(Rule { span, name, rule_id, condition, outcome, description })
        }
        _ => None,
    })
}
