//! Excerpts of received text, safe to show in messages.

/// How many characters of received text a message shows.
const MAX_CHARS: usize = 64;

/// The first 64 characters of a text, escaped so that none of them breaks out of its line.
pub fn excerpt(text: &str) -> String {
    text.chars().take(MAX_CHARS).collect::<String>().escape_debug().to_string()
}
