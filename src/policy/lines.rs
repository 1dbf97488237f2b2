use crate::{
    request::Place,
    source::{Cursor, SourceId, Sources, Span},
};

/// Tells in which line something stands. What is asked in the order of the text costs one pass.
pub(super) struct Lines<'s> {
    sources: &'s Sources,
    cursor: Option<(SourceId, Cursor<'s>)>,
}

impl<'s> Lines<'s> {
    pub(super) fn new(sources: &'s Sources) -> Self {
        Self { sources, cursor: None }
    }

    pub(super) fn place(&mut self, span: Span) -> Place {
        if self.cursor.as_ref().is_none_or(|(source, _)| *source != span.source) {
            let source = self.sources.get(span.source);
            self.cursor = source.map(|it| (span.source, Cursor::new(&it.bytes)));
        }
        let line = self.cursor.as_mut().map_or(0, |(_, cursor)| cursor.position(span.start()).line);
        Place {
            file: u16::try_from(span.source.0).unwrap_or(u16::MAX),
            line: u32::try_from(line).unwrap_or(u32::MAX),
        }
    }
}
