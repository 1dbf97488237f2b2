//! Mutations of inputs: bytes changed, and pieces removed, doubled, or taken from other seeds.

use crate::chance::Chance;

/// Pieces that mean something in one format or another.
const PIECES: &[&str] = &[
    "\0",
    "\n",
    "\r\n",
    "\t",
    "\"",
    "'",
    "\\",
    "\\u0000",
    "\\ud800",
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    ",",
    ":",
    "#",
    "//",
    "-",
    "--- ",
    "&a ",
    "*a",
    "!!str ",
    "<<: ",
    "|",
    ">",
    "null",
    "true",
    "~",
    "0",
    "-1",
    "1e999",
    "18446744073709551616",
    "9223372036854775807",
    "\u{feff}",
    "\u{202e}",
    "\u{e9}",
    "e\u{301}",
    "%00",
    "%",
    "{}",
    "[]",
    "{\"",
    "\":",
    "[[[[[[[[",
    "any(",
    "not(",
    "hasTag(a)",
    "tags:",
    "users:",
    "=",
    "..",
    "/",
];

/// Makes another input of one, by one to four changes.
pub(crate) fn mutate(input: &mut Vec<u8>, seeds: &[Vec<u8>], chance: &mut Chance) {
    for _ in 0..=chance.below(4) {
        let at = chance.place(input.len() + 1);
        let most = if chance.percent(80) { 20 } else { 400 };
        let end = (at + chance.place(most)).min(input.len());
        match chance.below(8) {
            0 if at < input.len() => input[at] = byte(chance),
            1 if at < input.len() => input[at] ^= 1 << chance.below(8),
            2 => input.insert(at, byte(chance)),
            3 => drop(input.drain(at..end)),
            4 => {
                let piece = chance.pick(PIECES).as_bytes();
                input.splice(at..at, piece.iter().copied());
            }
            5 => {
                let piece = chance.pick(PIECES).as_bytes();
                input.splice(at..end, piece.iter().copied());
            }
            6 => {
                let again = input[at..end].to_vec();
                let to = chance.place(input.len() + 1);
                input.splice(to..to, again);
            }
            _ => {
                let other = chance.pick(seeds);
                let from = chance.place(other.len() + 1);
                let until = (from + chance.place(200)).min(other.len());
                input.splice(at..end, other[from..until].iter().copied());
            }
        }
    }
}

fn byte(chance: &mut Chance) -> u8 {
    u8::try_from(chance.below(256)).unwrap()
}
