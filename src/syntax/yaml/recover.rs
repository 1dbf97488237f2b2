//! Recovery: the next entry or section after a syntax error, found by indentation.

/// How the entries of a section stand: each begins a line at this column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entries {
    column: usize,
    /// Whether they are items of a list, with a dash, or keys of a mapping.
    dashed: bool,
}

impl Entries {
    /// As the first line below the section's key stands, of which this is the end; `None` if the
    /// section has its value beside the key.
    pub(super) fn below(text: &str, key: usize) -> Option<Self> {
        let beside = text.get(key..)?.lines().next()?.trim_start_matches([' ', ':']);
        if !(beside.is_empty() || beside.starts_with(['#', '&', '!'])) {
            return None;
        }
        let is_content = |line: &str| !(line.is_empty() || line.starts_with('#'));
        let (_, line) = lines(text, key).find(|(_, line)| is_content(line.trim_ascii_start()))?;
        let content = line.trim_start_matches(' ');
        Some(Self { column: line.len() - content.len(), dashed: is_item(content) })
    }

    fn begin(self, line: &str) -> bool {
        let indented = line.len() - line.trim_start_matches(' ').len();
        let Some(content) = line.get(self.column..) else { return false };
        indented == self.column && if self.dashed { is_item(content) } else { is_key(content) }
    }
}

/// The first line after an offset, and before another, that looks like an entry.
pub(super) fn next_entry(
    text: &str,
    after: usize,
    before: usize,
    entries: Entries,
) -> Option<usize> {
    lines(text, after)
        .take_while(|(start, _)| *start < before)
        .find(|(_, line)| entries.begin(line))
        .map(|(start, _)| start)
}

/// The first line after an offset that looks like the key of a section: at the margin.
pub(super) fn next_section(text: &str, after: usize) -> Option<usize> {
    lines(text, after).find(|(_, line)| is_key(line)).map(|(start, _)| start)
}

/// The lines that begin after an offset.
fn lines(text: &str, after: usize) -> impl Iterator<Item = (usize, &str)> {
    let rest = text.get(after..).unwrap_or_default();
    let first = rest.find('\n').map_or(rest.len(), |at| at + 1);
    let mut start = after + first;
    rest.get(first..).unwrap_or_default().split_inclusive('\n').map(move |line| {
        let at = start;
        start += line.len();
        (at, line.trim_end_matches(['\n', '\r']))
    })
}

fn is_item(line: &str) -> bool {
    line == "-" || line.starts_with("- ")
}

fn is_key(line: &str) -> bool {
    let Some(first) = line.chars().next() else { return false };
    let rest = match first {
        '"' | '\'' => {
            let closing = line.char_indices().skip(1).find(|&(_, c)| c == first);
            closing.and_then(|(at, _)| line.get(at + 1..)).map(|rest| rest.trim_start_matches(' '))
        }
        ' ' | '\t' | '#' | '-' | '?' | ':' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!'
        | '|' | '>' | '%' | '@' | '`' => None,
        _ => line.find(": ").or_else(|| line.len().checked_sub(1)).and_then(|at| line.get(at..)),
    };
    rest.is_some_and(|rest| rest == ":" || rest.starts_with(": "))
}
