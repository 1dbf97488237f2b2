//! Windows of long lines: the part around a place.

/// A line of a file as it is shown, or the part of it around a place.
pub(super) struct LineWindow {
    pub(super) text: String,
    /// The start and the length of the place within `text`, in bytes.
    pub(super) caret: (usize, usize),
}

/// The maximal length in bytes of a line that is shown whole.
const WHOLE: usize = 240;
/// The number of bytes that are shown of a longer line before the place, and from its start.
const BEFORE: usize = 60;
const AFTER: usize = 140;

const CUT: &str = "…";

/// The window of the line that begins at `line_start` around the bytes from `start` to `end`, as
/// far as they are in that line. Reads no more bytes than it may show.
pub(super) fn around(bytes: &[u8], line_start: usize, start: usize, end: usize) -> LineWindow {
    let start = start.clamp(line_start, bytes.len().max(line_start));
    let line = bytes.get(line_start..).unwrap_or_default();
    let whole = line.get(..=WHOLE).unwrap_or(line);
    let (from, to) = match whole.iter().position(|&byte| byte == b'\n') {
        Some(length) => (line_start, line_start + length),
        None if line.len() <= WHOLE => (line_start, bytes.len()),
        None => around_start(bytes, line_start, start),
    };
    let cut_before = from > line_start;
    let cut_after = to < bytes.len() && bytes.get(to) != Some(&b'\n');
    let part = |from, to| bytes.get(from..to).unwrap_or_default();
    let to = if !cut_after && part(from, to).ends_with(b"\r") { to - 1 } else { to };
    let start = start.min(to);
    let end = end.clamp(start, to);

    let mut text = String::from(if cut_before { CUT } else { "" });
    text.push_str(&shown(part(from, start)));
    let caret_start = text.len();
    text.push_str(&shown(part(start, end)));
    let caret = (caret_start, text.len() - caret_start);
    text.push_str(&shown(part(end, to)));
    if cut_after {
        text.push_str(CUT);
    }
    LineWindow { text, caret }
}

/// The bytes of a long line to show: whole characters around `start`, at most to its end.
fn around_start(bytes: &[u8], line_start: usize, start: usize) -> (usize, usize) {
    let mut from = start.saturating_sub(BEFORE).max(line_start);
    while from < start && from > line_start && is_inside_character(bytes, from) {
        from += 1;
    }
    let limit = bytes.len().min(start + AFTER);
    let rest = bytes.get(start..limit).unwrap_or_default();
    let mut to = rest.iter().position(|&byte| byte == b'\n').map_or(limit, |length| start + length);
    while to > start && is_inside_character(bytes, to) {
        to -= 1;
    }
    (from, to)
}

fn is_inside_character(bytes: &[u8], at: usize) -> bool {
    bytes.get(at).is_some_and(|byte| byte & 0b1100_0000 == 0b1000_0000)
}

/// The text of bytes, with invalid UTF-8 and control characters replaced.
fn shown(bytes: &[u8]) -> String {
    let picture = |c: char| match c {
        '\t' => '\t',
        '\u{7f}' => '\u{2421}',
        '\0'..='\u{1f}' => {
            char::from_u32(u32::from(c) + 0x2400).unwrap_or(char::REPLACEMENT_CHARACTER)
        }
        c if c.is_control() => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    String::from_utf8_lossy(bytes).chars().map(picture).collect()
}
