//! AST to text: what a policy says, in the DSL.

use std::fmt::{self, Write as _};

use crate::syntax::ast::{Expr, ExprKind, Item, Rule, Text, User};

/// The statements as a `.peerage` file in canonical form: in their order, one a line, a description
/// before its rule, an empty line between statements of different kinds. What it says is what the
/// statements say: parsing it gives them back, but for their spans and for a description that no
/// `///` can hold (one with a carriage return before a line's end).
pub fn dsl(items: &[Item<'_>]) -> String {
    let mut text = String::new();
    let mut previous: Option<&Item<'_>> = None;
    for item in items {
        if previous.is_some_and(|previous| stands_apart(previous, item)) {
            text.push('\n');
        }
        // Writing to a string can't fail.
        let _ = write!(text, "{}", Statement(item));
        previous = Some(item);
    }
    text
}

/// A condition, as it stands in a rule of either notation.
pub fn condition(expr: &Expr<'_>) -> String {
    Condition(expr).to_string()
}

/// Whether an empty line stands between two statements.
fn stands_apart(previous: &Item<'_>, item: &Item<'_>) -> bool {
    let described = matches!(item, Item::Rule(rule) if rule.description.is_some());
    described || std::mem::discriminant(previous) != std::mem::discriminant(item)
}

struct Statement<'a>(&'a Item<'a>);

impl fmt::Display for Statement<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Item::Tags(tags) => writeln!(f, "tags: {};", List(&tags.value)),
            Item::Rules(_) => writeln!(f, "rules: [];"),
            Item::Rule(rule) => write_rule(f, rule),
            Item::User(user) => write_user(f, user),
            _ => Ok(()),
        }
    }
}

fn write_rule(f: &mut fmt::Formatter<'_>, rule: &Rule<'_>) -> fmt::Result {
    if let Some(description) = &rule.description {
        for line in description.value.split('\n') {
            let space = if line.is_empty() { "" } else { " " };
            writeln!(f, "///{space}{line}")?;
        }
    }
    f.write_str("rule")?;
    if let Some(name) = &rule.name {
        write!(f, " {}", Name(&name.value))?;
    }
    match &rule.rule_id {
        // There the bare word would be the keyword.
        Some(id) if id.value == "rule_id" => f.write_str(" rule_id \"rule_id\"")?,
        Some(id) => write!(f, " rule_id {}", Name(&id.value))?,
        None => {}
    }
    let condition = Condition(&rule.condition);
    writeln!(f, ": {condition} -> {};", List(&rule.outcome.value))
}

fn write_user(f: &mut fmt::Formatter<'_>, user: &User<'_>) -> fmt::Result {
    write!(f, "user {} {{", Name(&user.id.value))?;
    match &user.tags {
        Some(tags) => writeln!(f, " tags: {}; }}", List(&tags.value)),
        None => writeln!(f, "}}"),
    }
}

struct Condition<'a>(&'a Expr<'a>);

impl fmt::Display for Condition<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.kind {
            ExprKind::Word(word) => Name(word).fmt(f),
            ExprKind::Call { name, arguments } => {
                // The name of a call is always a word: the grammar has no other.
                write!(f, "{}(", name.value)?;
                separated(f, arguments.iter().map(Condition))?;
                f.write_str(")")
            }
        }
    }
}

struct List<'a>(&'a [Text<'a>]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        separated(f, self.0.iter().map(|text| Name(&text.value)))?;
        f.write_str("]")
    }
}

fn separated(
    f: &mut fmt::Formatter<'_>,
    parts: impl Iterator<Item = impl fmt::Display>,
) -> fmt::Result {
    for (at, part) in parts.enumerate() {
        if at > 0 {
            f.write_str(", ")?;
        }
        part.fmt(f)?;
    }
    Ok(())
}

/// A name: bare where it is a plain word, else in quotes.
struct Name<'a>(&'a str);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if !self.0.is_empty() && self.0.bytes().all(plain) {
            return f.write_str(self.0);
        }
        f.write_str("\"")?;
        for c in self.0.chars() {
            match c {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                c if u32::from(c) <= 0xFFFF && c.is_control() => {
                    write!(f, "\\u{:04x}", u32::from(c))?;
                }
                c => f.write_char(c)?,
            }
        }
        f.write_str("\"")
    }
}
