//! Reads Rust as far as the house rules need it: which paths a file names, and which calls it makes.

use std::iter::Peekable;

/// A piece of a program: a word, or a sign. Comments, texts and lifetimes are left out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Token {
    Word(String),
    /// `::`
    Colons,
    Sign(char),
}

impl Token {
    fn is(&self, sign: char) -> bool {
        *self == Self::Sign(sign)
    }
}

/// What a stretch of a program is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Comment,
    /// A string in quotes, with its prefix and quotes.
    Text,
    CharacterOrLifetime,
    Word,
    Colons,
    Other,
}

/// The stretches of a program, one after the other, blanks among them.
fn stretches(text: &str) -> impl Iterator<Item = (Kind, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let c = rest.chars().next()?;
        let (kind, len) = if rest.starts_with("//") {
            (Kind::Comment, rest.find('\n').unwrap_or(rest.len()))
        } else if rest.starts_with("/*") {
            (Kind::Comment, block_comment(rest))
        } else if let Some(len) = raw_string(rest) {
            (Kind::Text, len)
        } else if c == '"' || rest.starts_with("b\"") {
            (Kind::Text, quoted(rest, '"'))
        } else if c == '\'' {
            (Kind::CharacterOrLifetime, character_or_lifetime(rest))
        } else if c.is_alphanumeric() || c == '_' {
            let len = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            (Kind::Word, len)
        } else if rest.starts_with("::") {
            (Kind::Colons, 2)
        } else {
            (Kind::Other, c.len_utf8())
        };
        let (stretch, after) = rest.split_at(len);
        rest = after;
        Some((kind, stretch))
    })
}

pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let token = |(kind, stretch): (Kind, &str)| match kind {
        Kind::Comment | Kind::Text | Kind::CharacterOrLifetime => None,
        Kind::Word => Some(Token::Word(stretch.to_owned())),
        Kind::Colons => Some(Token::Colons),
        Kind::Other => stretch.chars().next().filter(|c| !c.is_whitespace()).map(Token::Sign),
    };
    stretches(text).filter_map(token).collect()
}

/// The texts of a program as they are printed: without quotes, lines that a backslash joins as one,
/// quotes and backslashes without the backslash before them.
pub(crate) fn texts(program: &str) -> Vec<String> {
    let texts = stretches(program).filter(|(kind, _)| *kind == Kind::Text);
    let joined = |text: &str| {
        let mut parts = text.split("\\\n");
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |joined, part| joined + part.trim_start())
    };
    texts
        .map(|(_, text)| match text.strip_prefix('"') {
            Some(inner) => joined(inner.strip_suffix('"').unwrap_or(inner))
                .replace("\\\"", "\"")
                .replace("\\\\", "\\"),
            None => text.trim_matches(['r', 'b', '#', '"']).to_owned(),
        })
        .collect()
}

fn block_comment(text: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

fn raw_string(text: &str) -> Option<usize> {
    let after = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    let inner = after[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let closed = inner.find(&end).map_or(inner.len(), |at| at + end.len());
    Some(text.len() - inner.len() + closed)
}

fn quoted(text: &str, quote: char) -> usize {
    let start = text.find(quote).unwrap_or(0) + 1;
    let mut escaped = false;
    for (at, c) in text[start..].char_indices() {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == quote {
            return start + at + 1;
        }
    }
    text.len()
}

fn character_or_lifetime(text: &str) -> usize {
    let mut inner = text[1..].chars();
    let first = inner.next();
    if first == Some('\\') || inner.next() == Some('\'') {
        return quoted(text, '\'');
    }
    1 + text[1..].find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len() - 1)
}

/// The program without what is compiled for tests only.
pub(crate) fn without_tests(tokens: &[Token]) -> Vec<Token> {
    let test = self::tokens("#[cfg(test)]");
    let mut kept = Vec::new();
    let mut rest = tokens;
    while let Some(token) = rest.first() {
        let Some(after) = rest.strip_prefix(test.as_slice()) else {
            kept.push(token.clone());
            rest = &rest[1..];
            continue;
        };
        // The item ends with its block, or with a semicolon before there is one.
        let mut depth = 0;
        let mut end = after.len();
        for (at, token) in after.iter().enumerate() {
            depth += i32::from(token.is('{')) - i32::from(token.is('}'));
            if depth == 0 && (token.is('}') || token.is(';')) {
                end = at + 1;
                break;
            }
        }
        rest = &after[end..];
    }
    kept
}

/// Every path that a program names, groups taken apart: `use a::{b, c::*}` names `a::b` and
/// `a::c::*`.
pub(crate) fn paths(tokens: &[Token]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut tokens = tokens.iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            Token::Word(word) => branch(&mut tokens, vec![word.clone()], &mut found),
            // What follows a type or a generic argument, `<T>::x`, begins no path.
            Token::Colons => {
                tokens.next();
            }
            Token::Sign(_) => {}
        }
    }
    found
}

fn branch<'t>(
    tokens: &mut Peekable<impl Iterator<Item = &'t Token>>,
    mut path: Vec<String>,
    found: &mut Vec<Vec<String>>,
) {
    while tokens.next_if_eq(&&Token::Colons).is_some() {
        match tokens.peek() {
            Some(Token::Word(word)) => path.push(word.clone()),
            Some(Token::Sign('*')) => path.push("*".to_owned()),
            Some(Token::Sign('{')) => {
                tokens.next();
                group(tokens, &path, found);
                return;
            }
            _ => break,
        }
        tokens.next();
    }
    found.push(path);
}

fn group<'t>(
    tokens: &mut Peekable<impl Iterator<Item = &'t Token>>,
    prefix: &[String],
    found: &mut Vec<Vec<String>>,
) {
    while let Some(token) = tokens.next() {
        match token {
            Token::Sign('}') => return,
            Token::Sign('*') => found.push([prefix, &["*".to_owned()]].concat()),
            Token::Word(word) if word == "self" => found.push(prefix.to_vec()),
            Token::Word(word) if word == "as" => {
                tokens.next();
            }
            Token::Word(word) => {
                branch(tokens, [prefix, std::slice::from_ref(word)].concat(), found);
            }
            Token::Colons | Token::Sign(_) => {}
        }
    }
}

/// A path as it is seen from the root of the crate; `None` if it leads elsewhere. `module` is where
/// it stands.
pub(crate) fn from_root(path: &[String], module: &[String]) -> Option<Vec<String>> {
    let (first, rest) = path.split_first()?;
    match first.as_str() {
        "crate" => Some(rest.to_vec()),
        "self" => Some([module, rest].concat()),
        "super" => {
            let up = path.iter().take_while(|part| *part == "super").count();
            let base = module.get(..module.len().checked_sub(up)?)?;
            Some([base, &path[up..]].concat())
        }
        _ => None,
    }
}

/// Calls that end the process where they should report: `.unwrap()`, `panic!` and their like.
pub(crate) fn panics(tokens: &[Token]) -> Vec<String> {
    let word = |token: &Token, names: &[&str]| match token {
        Token::Word(word) if names.contains(&word.as_str()) => Some(word.clone()),
        _ => None,
    };
    tokens
        .windows(3)
        .filter_map(|three| {
            let called = three[0].is('.') && three[2].is('(');
            let method = called.then(|| word(&three[1], &["unwrap", "expect"])).flatten();
            let named = three[1].is('!') && (three[2].is('(') || three[2].is('{'));
            let macros = ["panic", "todo", "unimplemented", "unreachable"];
            method.or_else(|| named.then(|| word(&three[0], &macros)).flatten())
        })
        .collect()
}
