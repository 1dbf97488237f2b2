//! The index of the lines of a text.

/// Where the lines of a text begin.
pub(super) struct LineIndex<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

/// The place of an item in its line.
pub(super) struct LinePosition {
    pub(super) start: usize,
    /// The distance from the start of the line: in characters, if that is near.
    pub(super) column: usize,
    /// Whether it is the first item of its line.
    pub(super) is_first: bool,
    /// Whether it begins its line, and the line above is empty.
    pub(super) blank_above: bool,
}

/// How far from the beginning of its line something may stand to begin it: whole texts in one line
/// must not be looked through for each part of them.
const NEAR: usize = 1024;

impl<'t> LineIndex<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let ends = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n');
        Self { text, starts: std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect() }
    }

    pub(super) fn line(&self, at: usize) -> LinePosition {
        let number = self.starts.partition_point(|&start| start <= at).saturating_sub(1);
        let start = self.starts.get(number).copied().unwrap_or_default();
        let lead = self.text.get(start..at).unwrap_or_default();
        if lead.len() > NEAR {
            return LinePosition { start, column: lead.len(), is_first: false, blank_above: false };
        }
        let lead = lead.trim_start_matches('\u{feff}');
        // The dash of a list's item, and what goes with a value, begin its line too.
        let goes_along = |word: &str| word == "-" || word.starts_with(['&', '!']);
        let apart = lead.split_whitespace().all(goes_along) && self.is_empty_above(number);
        LinePosition {
            start,
            column: lead.chars().count(),
            is_first: lead.trim().is_empty(),
            blank_above: apart,
        }
    }

    fn is_empty_above(&self, number: usize) -> bool {
        let above = number.checked_sub(1).and_then(|number| {
            let (from, to) = (*self.starts.get(number)?, *self.starts.get(number + 1)?);
            self.text.get(from..to)
        });
        above.is_some_and(|above| above.trim().is_empty())
    }
}
