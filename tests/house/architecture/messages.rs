//! The messages for authors of policies: all of them as one list, held to one grammar.
//!
//! `tests/house/architecture/messages.txt` lists the texts of the rooms below. It is written again by
//! `PEERAGE_BLESS=1 cargo test --test house messages`; read what changed.

use std::{collections::BTreeSet, env, fmt::Write as _, fs};

use super::{File, scan::texts, sources};

/// The rooms whose texts are messages of diagnostics.
const ROOMS: [&str; 6] = ["source", "syntax", "policy", "diagnostic", "prove", "inspect"];

/// Files of these rooms whose texts are no messages.
const OTHERS: [&str; 5] = [
    // Descriptions for editors, which are sentences.
    "src/policy/schema/",
    // A file format of another project.
    "src/diagnostic/sarif.rs",
    // Tables for people.
    "src/inspect/diff/",
    "src/inspect/schema.rs",
    "src/inspect/listing/",
];

/// Words and turns of phrase that no message has.
const AVOIDED: [&str; 16] = [
    "he",
    "him",
    "his",
    "himself",
    "whoever",
    "whomever",
    "whom",
    "anew",
    "none of",
    "in the midst",
    "there is no",
    "is no",
    "are no",
    "known:",
    "should be",
    "mend",
];

/// What may begin a text in capitals: names, and the words of other programs.
const NAMES: [&str; 7] =
    ["JSON", "YAML", "NUL", "UUID", "U+", "EOF while parsing", "Needed a single revision"];

const LIST: &str = "tests/house/architecture/messages.txt";

/// The messages of a room: texts of more than one word.
fn messages(files: &[File], room: &str) -> BTreeSet<String> {
    let is_one = |file: &&File| {
        file.room() == Some(room) && !OTHERS.iter().any(|other| file.path.starts_with(other))
    };
    let messages = files.iter().filter(is_one).flat_map(|file| {
        let program = file.text.split("#[cfg(test)]").next().unwrap_or_default();
        let texts = texts(program).into_iter();
        // Why a lint is expected is for maintainers.
        texts.filter(|text| is_message(text) && !program.contains(&format!("reason = \"{text}\"")))
    });
    messages.collect()
}

/// Whether a text reads as words, and is not a pattern, a list of names or a format alone.
fn is_message(text: &str) -> bool {
    let words = text.split_whitespace().filter(|word| {
        word.len() > 1 && word.chars().all(|c| c.is_alphabetic() || ",;:'-".contains(c))
    });
    words.count() > 1
}

fn listed() -> String {
    let files = sources();
    let mut list = String::new();
    for room in ROOMS {
        let _ = writeln!(list, "# {room}");
        for message in messages(&files, room) {
            let _ = writeln!(list, "{}", message.replace('\n', "\\n"));
        }
    }
    list
}

#[test]
fn messages_are_those_that_were_read() {
    let list = listed();
    if env::var_os("PEERAGE_BLESS").is_some() {
        fs::write(LIST, &list).unwrap();
    }
    let read = fs::read_to_string(LIST).unwrap();
    let (read, list): (BTreeSet<&str>, BTreeSet<&str>) =
        (read.lines().collect(), list.lines().collect());
    let new: Vec<_> = list.difference(&read).collect();
    let gone: Vec<_> = read.difference(&list).collect();
    assert!(new.is_empty() && gone.is_empty(), "new: {new:#?}\ngone: {gone:#?}");
}

#[test]
fn messages_follow_one_grammar() {
    let files = sources();
    let mut wrong = Vec::new();
    for message in ROOMS.iter().flat_map(|room| messages(&files, room)) {
        let begins_small = !message.starts_with(char::is_uppercase)
            || NAMES.iter().any(|name| message.starts_with(name));
        let is_question = message.contains('?') && !message.contains("did you mean");
        let ends_in_stop = message.ends_with('.') && !message.ends_with("...");
        let padded = format!(" {} ", message.replace([',', ';', '`', '(', ')'], " "));
        let avoided = AVOIDED.iter().find(|words| padded.contains(&format!(" {words} ")));
        if !begins_small || is_question || ends_in_stop || avoided.is_some() {
            wrong.push(format!("{message} {avoided:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
