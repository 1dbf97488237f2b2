use std::{borrow::Cow, fmt, hash::BuildHasher};

use foldhash::fast::RandomState;
use hashbrown::{HashTable, hash_table::Entry};

use super::{
    cursor::{Cursor, Stop},
    node::Node,
    place::Places,
    read::{Expected, Fields, Given},
};
use crate::{
    diagnostic::{Code, Diagnostic},
    source::Span,
    syntax::{
        ast::{Expr, Item, List, Rule, Text, User},
        dsl,
        known::repeated,
    },
};

/// A section of a policy, and how its value is read.
pub(super) struct Section {
    pub name: &'static str,
    pub read: Reader,
}

/// Reads the value of a section whose key is at the span. After a syntax error it is called again
/// with the rest of the section.
type Reader = for<'s> fn(&mut Cursor<'s, '_>, Span, &mut Vec<Item<'s>>) -> Result<(), Stop>;

/// All sections.
pub(super) const SECTIONS: &[Section] = &[
    Section { name: "tags", read: tags },
    Section { name: "rules", read: rules },
    Section { name: "users", read: users },
];

const RULES: Expected =
    Expected("a list of rules", "write `- ` before each rule, or `[]` if there are none");
const RULE: Expected = Expected("a rule", "a rule is a mapping with `condition` and `outcome`");
const CONDITION: Expected = Expected("a condition as text", "write `hasTag(...)`");
const TEXT: Expected = Expected("a text", "put it in quotes if it is meant as a text");
const USERS: Expected = Expected("a mapping of users", "write `id: { tags: [...] }` for each user");
const USER: Expected = Expected("a user", "write `{ tags: [...] }`");

impl fmt::Debug for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

fn tags<'s>(cursor: &mut Cursor<'s, '_>, _: Span, items: &mut Vec<Item<'s>>) -> Result<(), Stop> {
    items.extend(cursor.tags()?.value().map(Item::Tags));
    Ok(())
}

fn rules<'s>(
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
            "condition" => expr = condition(cursor)?,
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

/// A condition in the grammar of the DSL.
fn condition<'s>(cursor: &mut Cursor<'s, '_>) -> Result<Given<Expr<'s>>, Stop> {
    let scalar = match cursor.scalar(CONDITION)? {
        Given::Value(scalar) => scalar,
        Given::Nothing => return Ok(Given::Nothing),
        Given::Refused => return Ok(Given::Refused),
    };
    let places = Places::new(scalar.span.source, cursor.text(), &scalar);
    let place = |range| places.span(range);
    let expr = match &scalar.value {
        Cow::Borrowed(text) => dsl::parse_expr(text, &place, cursor.problems),
        Cow::Owned(text) => dsl::parse_expr(text, &place, cursor.problems).map(Expr::into_owned),
    };
    Ok(expr.map_or(Given::Refused, Given::Value))
}

fn users<'s>(cursor: &mut Cursor<'s, '_>, _: Span, items: &mut Vec<Item<'s>>) -> Result<(), Stop> {
    if cursor.mapping(USERS)?.value().is_none() {
        return Ok(());
    }
    // Of a million users only the hashes of their ids and their places in `items` are kept.
    let mut seen = HashTable::<(u64, usize)>::new();
    let hasher = RandomState::default();
    while let Some(id) = cursor.key()? {
        let known = |at: usize| match items.get(at) {
            Some(Item::User(user)) => Some(&user.id),
            _ => None,
        };
        let hash = hasher.hash_one(&id.value);
        let is_same = |&(other, at): &(u64, usize)| {
            other == hash && known(at).is_some_and(|known| known.value == id.value)
        };
        let entry = seen.entry(hash, is_same, |&(hash, _)| hash);
        match entry {
            Entry::Occupied(first) => {
                if let Some(first) = known(first.get().1) {
                    cursor.problems.push(repeated(Code::DuplicateUser, "user", &id, first.span));
                }
                cursor.skip()?;
            }
            Entry::Vacant(entry) => {
                let at = items.len();
                entry.insert((hash, at));
                // Even with mistakes in his record he is a known user.
                items.push(Item::User(User { id, tags: None, more: None }));
                let record = user_tags(cursor)?;
                if let Some(Item::User(user)) = items.get_mut(at) {
                    user.tags = record;
                }
            }
        }
    }
    Ok(())
}

const USER_FIELDS: &[&str] = &["tags"];

fn user_tags<'s>(cursor: &mut Cursor<'s, '_>) -> Result<Option<List<'s>>, Stop> {
    let mut tags = None;
    if cursor.mapping(USER)?.value().is_some() {
        let mut fields = Fields::new("field");
        while let Some(key) = fields.next(cursor)? {
            match &*key.value {
                "tags" => tags = cursor.tags()?.value(),
                _ => cursor.unknown_field(&key, "a user", USER_FIELDS)?,
            }
        }
    }
    Ok(tags)
}
