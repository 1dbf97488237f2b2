//! Names and prose: first sentences, one name for one type, and words that may not come back.

use std::collections::BTreeMap;

use super::scan::{Token, tokens, without_tests};

/// Types that are written with their module, and so may be called as another is.
const WRITTEN_WITH_THEIR_MODULE: [&str; 1] = ["src/syntax/ast.rs"];

/// Words that are no part of the field's language, in prose.
const WORDS: [&str; 14] = [
    "he", "him", "his", "himself", "whoever", "whomever", "anew", "thereof", "therein", "whereof",
    "hither", "lest", "aught", "naught",
];

/// Parts of names that say nothing in the field.
const NAMES: [&str; 8] = ["told", "asked", "whom", "whoever", "anew", "thing", "stuff", "misc"];

/// Whether a file begins with a sentence about itself.
pub(crate) fn first_sentence(text: &str) -> Vec<String> {
    let first = text.lines().next().unwrap_or_default();
    let is_there = first.strip_prefix("//! ").is_some_and(|sentence| {
        sentence
            .chars()
            .next()
            .is_some_and(|c| c.is_uppercase() || c.is_numeric() || c == '`' || c == '[')
    });
    (!is_there)
        .then(|| "does not begin with a sentence about itself".to_owned())
        .into_iter()
        .collect()
}

/// The types that a file lets others see.
fn public_types(program: &[Token]) -> Vec<String> {
    let mut found = Vec::new();
    let mut depth = 0_i32;
    let mut is_public = false;
    for (at, token) in program.iter().enumerate() {
        match token {
            Token::Sign('{' | '(') => depth += 1,
            Token::Sign('}' | ')') => depth -= 1,
            Token::Word(word) if word == "pub" && depth == 0 => is_public = true,
            Token::Word(word) if is_public && depth == 0 => {
                if ["struct", "enum", "trait", "union", "type"].contains(&word.as_str())
                    && let Some(Token::Word(name)) = program.get(at + 1)
                {
                    found.push(name.clone());
                }
                is_public = false;
            }
            _ => {}
        }
    }
    found
}

/// Names that several public types have, each with its files.
pub(crate) fn names_of_several(files: &[(&str, &str)]) -> Vec<String> {
    let mut names: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (path, text) in files {
        if WRITTEN_WITH_THEIR_MODULE.contains(path) {
            continue;
        }
        for name in public_types(&without_tests(&tokens(text))) {
            names.entry(name).or_default().push(path);
        }
    }
    names
        .into_iter()
        .filter(|(_, paths)| paths.len() > 1)
        .map(|(name, paths)| format!("{name}: {}", paths.join(", ")))
        .collect()
}

/// Error types whose names don't say so.
pub(crate) fn error_names(text: &str) -> Vec<String> {
    let program = without_tests(&tokens(text));
    let mut found = Vec::new();
    let mut derives_error = false;
    for (at, token) in program.iter().enumerate() {
        let Token::Word(word) = token else { continue };
        match word.as_str() {
            "derive" => {
                let derived = program[at..].iter().take_while(|token| **token != Token::Sign(']'));
                derives_error =
                    derived.into_iter().any(|it| *it == Token::Word("Error".to_owned()));
            }
            "struct" | "enum" => {
                if derives_error
                    && let Some(Token::Word(name)) = program.get(at + 1)
                    && !name.ends_with("Error")
                {
                    found.push(format!("`{name}` is an error, and its name does not end in Error"));
                }
                derives_error = false;
            }
            _ => {}
        }
    }
    found
}

/// Words that may not come back, each with its line.
pub(crate) fn words(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
        for word in words {
            if WORDS.contains(&word.to_lowercase().as_str()) {
                found.push(format!("line {number}: `{word}`"));
            }
        }
    }
    found
}

/// Names of items, and of the file itself, with a part that says nothing.
pub(crate) fn names(path: &str, text: &str) -> Vec<String> {
    let program = without_tests(&tokens(text));
    let keywords = ["fn", "struct", "enum", "trait", "type", "mod", "const", "static"];
    let declared = program.windows(2).filter_map(|two| match two {
        [Token::Word(before), Token::Word(name)] if keywords.contains(&before.as_str()) => {
            Some(name)
        }
        _ => None,
    });
    let file = path.rsplit('/').next().and_then(|name| name.split('.').next()).map(str::to_owned);
    declared
        .cloned()
        .chain(file)
        .filter(|name| parts(name).iter().any(|part| NAMES.contains(&part.as_str())))
        .map(|name| format!("the name `{name}`"))
        .collect()
}

/// The words of which a name is made, whatever its case.
fn parts(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for c in name.chars() {
        if c == '_' || c.is_uppercase() {
            parts.push(String::new());
        }
        if let (Some(part), true) = (parts.last_mut(), c != '_') {
            part.extend(c.to_lowercase());
        }
    }
    parts
}

#[test]
fn the_rules_find_what_they_are_for() {
    assert_eq!(first_sentence("//! The set.\n").len(), 0);
    assert_eq!(first_sentence("use std;\n").len(), 1);
    assert_eq!(first_sentence("//!\n").len(), 1);
    let (one, two) =
        ("pub struct A { pub x: C } struct B;", "pub(super) enum A {} mod m { pub struct C; }");
    assert_eq!(names_of_several(&[("a.rs", one), ("b.rs", two)]), ["A: a.rs, b.rs"]);
    assert_eq!(names_of_several(&[("a.rs", one), ("src/syntax/ast.rs", two)]).len(), 0);
    assert_eq!(error_names("#[derive(Debug, Error)] pub struct A;").len(), 1);
    assert_eq!(
        error_names("#[derive(Error)] pub enum AError {} #[derive(Debug)] struct B;").len(),
        0
    );
    assert_eq!(words("// he is\nthe \"his\"\nthere\n").len(), 2);
    assert_eq!(names("src/a.rs", "fn was_told() {} struct WhomAsked; fn tolds() {}").len(), 2);
    assert_eq!(names("src/told.rs", "").len(), 1);
}
