//! Line numbers of spans, found in one pass over the files.

use crate::{
    request::DeclarationSite,
    source::{PositionCursor, SourceId, Sources, Span},
};

/// The lines of offsets in a text. Queries in the order of the text cost one pass in all.
pub(super) struct LineLocator<'s> {
    sources: &'s Sources,
    cursor: Option<(SourceId, PositionCursor<'s>)>,
}

impl<'s> LineLocator<'s> {
    pub(super) fn new(sources: &'s Sources) -> Self {
        Self { sources, cursor: None }
    }

    pub(super) fn locate(&mut self, span: Span) -> DeclarationSite {
        if self.cursor.as_ref().is_none_or(|(source, _)| *source != span.source) {
            let source = self.sources.get(span.source);
            self.cursor = source.map(|it| (span.source, PositionCursor::new(&it.bytes)));
        }
        let line = self.cursor.as_mut().map_or(0, |(_, cursor)| cursor.position(span.start()).line);
        DeclarationSite {
            file: u16::try_from(span.source.0).unwrap_or(u16::MAX),
            line: u32::try_from(line).unwrap_or(u32::MAX),
        }
    }
}
