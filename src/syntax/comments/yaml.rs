//! Comments of YAML: the parser of YAML says where they are, and where keys and values begin and
//! end.

use std::ops::Range;

use granit_parser::{Event, StructureStyle};

use super::{
    line_index::LineIndex,
    region::{Region, ScannedComment},
};
use crate::syntax::yaml;

/// The sections, their entries and their fields, and the comments wherever they stand.
pub(super) fn scan<'t>(
    text: &'t str,
    lines: &'t LineIndex<'t>,
) -> (Region, Vec<ScannedComment<'t>>) {
    let whole = 0..text.len() + 1;
    let mut scan = Scan {
        text,
        lines,
        root: Region { range: whole.clone(), body: whole, indented: true, ..Region::default() },
        open: Vec::new(),
    };
    let mut found = Vec::new();
    let mut events = yaml::events(text);
    while let Some(Ok((event, place))) = events.next_event() {
        let place = place.byte_range().unwrap_or_default();
        match event {
            Event::Comment(..) => {
                let written = text.get(place.clone()).unwrap_or_default();
                let text = written.strip_prefix('#').unwrap_or(written);
                found.push(ScannedComment { start: place.start, text });
            }
            Event::Scalar(..) | Event::Alias(..) | Event::UnresolvedAlias(..) => {
                scan.value(place, false, Vec::new());
            }
            Event::SequenceStart(style, ..) => scan.open(place, style, false),
            Event::MappingStart(style, ..) => scan.open(place, style, true),
            Event::SequenceEnd | Event::MappingEnd => scan.close(&place),
            _ => {}
        }
    }
    (scan.root, found)
}

struct Scan<'t> {
    text: &'t str,
    lines: &'t LineIndex<'t>,
    root: Region,
    open: Vec<Open>,
}

/// A list or mapping that is being read.
struct Open {
    start: usize,
    indented: bool,
    is_mapping: bool,
    /// The key whose value comes next.
    key: Option<Range<usize>>,
    children: Vec<Region>,
}

impl Scan<'_> {
    fn open(&mut self, place: Range<usize>, style: StructureStyle, is_mapping: bool) {
        let indented = style == StructureStyle::Block;
        let start = place.start;
        self.open.push(Open { start, indented, is_mapping, key: None, children: Vec::new() });
    }

    fn close(&mut self, place: &Range<usize>) {
        let Some(Open { start, indented, children, .. }) = self.open.pop() else { return };
        if self.open.is_empty() {
            // The mapping of the sections; of several documents, one after the other.
            self.root.children.extend(children);
            return;
        }
        // A block ends with its last part: the parser ends it only at the next.
        let end = match children.last() {
            _ if !indented => place.end,
            Some(last) => last.range.end,
            None => start,
        };
        let start = children.first().map_or(start, |first| first.range.start.min(start));
        self.value(start..end, indented, children);
    }

    /// A value, or the key of one.
    fn value(&mut self, place: Range<usize>, indented: bool, children: Vec<Region>) {
        let Some(parent) = self.open.last_mut() else { return };
        let written = self.text.get(place.clone()).unwrap_or_default().trim_end();
        let end = place.start + written.len();
        let is_key = parent.is_mapping && parent.key.is_none();
        if is_key {
            parent.key = Some(place.start..end);
            return;
        }
        let key = parent.key.take();
        let name = key.unwrap_or(place.start..place.start);
        // A value that is left out is nowhere.
        let end = if written.is_empty() { name.end } else { end };
        let line = self.lines.line(name.start);
        let mut part = Region {
            range: name.start..end,
            body: name.end..end,
            column: line.column,
            name,
            indented,
            children,
            ..Region::default()
        };
        if !parent.is_mapping && parent.indented {
            part.column = dash(self.text, part.range.start).unwrap_or(part.column);
        }
        part.comments.apart = line.blank_above;
        parent.children.push(part);
    }
}

/// The column of the dash before an item of a list.
fn dash(text: &str, start: usize) -> Option<usize> {
    let lead = text.get(..start)?.rsplit('\n').next()?;
    lead.rfind('-').and_then(|at| lead.get(..at)).map(|lead| lead.chars().count())
}
