//! Excerpts of received text, safe to show in messages.

/// The number of characters of received text that a message shows.
const MAX_CHARS: usize = 64;

/// The first 64 characters of a text, escaped so that none of them breaks out of its line.
pub fn excerpt(text: &str) -> String {
    text.chars().take(MAX_CHARS).collect::<String>().escape_debug().to_string()
}
