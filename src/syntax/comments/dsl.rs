//! Comments of the DSL: statements and fields end at `;` or with their block.

use std::mem;

use super::{
    line_index::LineIndex,
    region::{Region, ScannedComment},
};
use crate::syntax::dsl::is_described;

/// The statements and their fields, and the comments wherever they stand.
pub(super) fn scan<'t>(
    text: &'t str,
    lines: &'t LineIndex<'t>,
) -> (Region, Vec<ScannedComment<'t>>) {
    let mut scan = Scan {
        text,
        lines,
        open: Vec::new(),
        part: None,
        children: Vec::new(),
        docs: Vec::new(),
        found: Vec::new(),
        section: "",
    };
    let mut at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) {
        at = scan.step(at, c);
    }
    while !scan.open.is_empty() {
        scan.close(text.len());
    }
    scan.end(text.len());
    scan.found.append(&mut scan.docs);
    let whole = 0..text.len() + 1;
    let root =
        Region { range: whole.clone(), body: whole, children: scan.children, ..Region::default() };
    (root, scan.found)
}

struct Scan<'t> {
    text: &'t str,
    lines: &'t LineIndex<'t>,
    /// The parts whose blocks are open, each with the children of its own block before it.
    open: Vec<(Region, Vec<Region>)>,
    /// The statement or field that is being read.
    part: Option<Region>,
    /// Those before it, in the block that is open.
    children: Vec<Region>,
    /// Lines of a description, as long as it is open whether what it describes follows; without one they are
    /// comments.
    docs: Vec<ScannedComment<'t>>,
    found: Vec<ScannedComment<'t>>,
    /// The word that the last statement of the file begins with.
    section: &'t str,
}

impl<'t> Scan<'t> {
    /// Reads what begins with `c`; gives the place after it.
    fn step(&mut self, at: usize, c: char) -> usize {
        let rest = self.text.get(at..).unwrap_or_default();
        let mut end = at + c.len_utf8();
        match c {
            ' ' | '\t' | '\r' | '\n' | '\u{c}' => return end,
            '/' if rest.starts_with("//") => return self.comment(at, rest),
            ';' => {
                self.end(end);
                return end;
            }
            '{' => {
                self.begin(at);
                let mut part = self.part.take().unwrap_or_default();
                part.body = end..end;
                self.open.push((part, mem::take(&mut self.children)));
                return end;
            }
            '}' => {
                self.close(at);
                return end;
            }
            '"' => end = at + string(rest),
            _ => {}
        }
        self.begin(at);
        end
    }

    fn comment(&mut self, at: usize, rest: &'t str) -> usize {
        let line = rest.split('\n').next().unwrap_or(rest);
        let text = line.get(2..).unwrap_or_default();
        match text.strip_prefix('/') {
            Some(text) if !text.starts_with('/') => {
                let doc = ScannedComment { start: at, text };
                let describes = self.part.is_none() && self.open.len() <= 1;
                if describes { &mut self.docs } else { &mut self.found }.push(doc);
            }
            _ => self.found.push(ScannedComment { start: at, text }),
        }
        at + line.len()
    }

    /// Records that a part of a statement or field is here.
    fn begin(&mut self, at: usize) {
        if self.part.is_some() {
            return;
        }
        let mut start = at;
        let rest = self.text.get(at..).unwrap_or_default();
        let word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        let name = rest.split(|c| !word(c)).next().unwrap_or_default();
        if self.open.is_empty() {
            self.section = name;
        }
        if self.is_described(name) {
            start = self.docs.first().map_or(at, |doc| doc.start);
            self.docs.clear();
        }
        self.found.append(&mut self.docs);
        let line = self.lines.line(start);
        let mut part = Region { range: start..at, column: line.column, ..Region::default() };
        part.comments.apart = line.blank_above;
        self.part = Some(part);
    }

    fn is_described(&self, name: &str) -> bool {
        match self.open.len() {
            0 => is_described(name, None),
            1 => is_described(name, Some(self.section)),
            _ => false,
        }
    }

    fn end(&mut self, at: usize) {
        if let Some(mut part) = self.part.take() {
            part.range.end = at;
            self.children.push(part);
        }
    }

    /// Ends the block that is open, and what it is the block of.
    fn close(&mut self, at: usize) {
        self.found.append(&mut self.docs);
        self.end(at);
        if let Some((mut part, siblings)) = self.open.pop() {
            part.body.end = at;
            part.range.end = at + 1;
            part.children = mem::replace(&mut self.children, siblings);
            self.children.push(part);
        }
    }
}

/// How long the string is that a text begins with.
fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            '\n' => return at,
            _ => {}
        }
    }
    text.len()
}
