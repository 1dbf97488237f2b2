//! Anchors, and the repetition of what aliases stand for.

use std::{borrow::Cow, collections::HashMap, ops::Range};

use super::event::{YamlEvent, YamlEventKind};

/// How many values the aliases of one file may stand for, all together.
pub(super) const MAX_REPEATED: usize = 1_000_000;

/// The values that anchors name, as the events they were read from, and those that are being
/// repeated for an alias.
#[derive(Default)]
pub(super) struct Anchors<'s> {
    /// The events of all anchored values, in order; anchors within anchors share them.
    log: Vec<YamlEvent<'s>>,
    named: HashMap<Cow<'s, str>, Range<usize>>,
    /// Anchored collections that are not closed yet, outermost first.
    open: Vec<Open<'s>>,
    depth: usize,
    /// What is being repeated; aliases within aliases stack up here.
    playing: Vec<Range<usize>>,
    repeated: usize,
}

struct Open<'s> {
    name: Cow<'s, str>,
    start: usize,
    depth: usize,
}

/// What the name of an alias leads to.
pub(super) enum AliasTarget {
    /// These events of the log.
    Value(Range<usize>),
    /// The alias stands within the value that it names.
    Itself,
    Unknown,
}

impl<'s> Anchors<'s> {
    /// Takes note of an event that was read from the file, and of the anchor on it.
    pub(super) fn record(&mut self, event: &YamlEvent<'s>, anchor: Option<Cow<'s, str>>) {
        if anchor.is_none() && self.open.is_empty() {
            return;
        }
        let start = self.log.len();
        self.log.push(event.clone());
        match event.kind {
            YamlEventKind::Sequence | YamlEventKind::Mapping => {
                if let Some(name) = anchor {
                    self.open.push(Open { name, start, depth: self.depth });
                }
                self.depth += 1;
            }
            YamlEventKind::End => {
                self.depth = self.depth.saturating_sub(1);
                if let Some(open) = self.open.pop_if(|open| open.depth == self.depth) {
                    self.named.insert(open.name, open.start..self.log.len());
                }
            }
            _ => {
                if let Some(name) = anchor {
                    self.named.insert(name, start..start + 1);
                }
            }
        }
    }

    /// The value of the name here: the one that was last given that name above.
    pub(super) fn resolve(&self, name: &str) -> AliasTarget {
        if self.open.iter().any(|open| open.name == name) {
            return AliasTarget::Itself;
        }
        self.named.get(name).cloned().map_or(AliasTarget::Unknown, AliasTarget::Value)
    }

    /// Begins to repeat events of the log.
    pub(super) fn replay(&mut self, events: Range<usize>) {
        self.playing.push(events);
    }

    /// The next event of what is being repeated; `None` when the file itself is next.
    pub(super) fn next(&mut self) -> Option<YamlEvent<'s>> {
        let at = loop {
            let events = self.playing.last_mut()?;
            match events.next() {
                Some(at) => break at,
                None => self.playing.pop(),
            };
        };
        self.repeated += 1;
        self.log.get(at).cloned()
    }

    pub(super) fn is_playing(&self) -> bool {
        self.playing.iter().any(|events| !events.is_empty())
    }

    /// Whether more was repeated than a file may.
    pub(super) fn is_exhausted(&self) -> bool {
        self.repeated > MAX_REPEATED
    }

    /// Anchors hold within one document; what was repeated counts for the file.
    pub(super) fn forget(&mut self) {
        *self = Self { repeated: self.repeated, ..Self::default() };
    }

    /// Leaves what a syntax error broke off.
    pub(super) fn abandon(&mut self) {
        self.open.clear();
        self.playing.clear();
        self.depth = 0;
    }
}
