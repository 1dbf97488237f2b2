//! The cursor, which reads a file node by node.

use std::{borrow::Cow, ops::Range};

use granit_parser::{
    Event as Parsed, Options, Parser, ScalarStyle, Span as ParsedSpan, StrInput, StructureStyle,
    Tag,
};

use super::{
    anchors::{AliasTarget, Anchors, MAX_REPEATED},
    event::{YamlEvent, YamlEventKind},
    node::{Node, OpenCollection, YamlScalar},
    syntax_errors::{self, MistakeContext},
};
use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics},
    source::{SourceId, Span},
    syntax::{MAX_NESTING, keys::quoted},
};

/// Why reading can't go on here; what is wrong was reported.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum YamlError {
    /// The YAML parser is lost; reading may resume further down.
    Syntax,
    /// A limit of the whole file is reached.
    Limit,
}

/// Which section and which entry of it is being read, for going on after a syntax error.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Outline {
    /// Where the section's key begins.
    pub section: Option<usize>,
    /// The section's name and the place of its key, if there is such a section.
    pub known: Option<(&'static str, Span)>,
    /// Where the entry begins.
    pub entry: Option<usize>,
}

/// Reads a file node by node.
pub(super) struct YamlCursor<'s, 'p> {
    pub problems: &'p mut Diagnostics,
    id: SourceId,
    text: &'s str,
    parser: Parser<'s, StrInput<'s>>,
    /// Where in the file the parser's text begins.
    base: usize,
    ahead: Option<YamlEvent<'s>>,
    anchors: Anchors<'s>,
    outline: Outline,
    depth: usize,
    /// Where the last thing ended that takes up space in the file.
    end: usize,
    /// Whether the document goes on that a syntax error broke off.
    resumed: bool,
    /// For each list and mapping that is open, its bracket, if it has one.
    brackets: Vec<Option<usize>>,
    last_error: Option<usize>,
    /// The alias of the file itself, not of what it repeats, that was followed last.
    last_alias: Option<Span>,
    /// Where a text ends of which a comma made several: what begins before is a part of it.
    pub cut: usize,
    /// The offset of the first field of a rule that is written like a section and was reported.
    pub stray: Option<usize>,
    /// Whether a section was entered: a file without one may be no policy at all.
    pub has_section: bool,
    /// Whether a section of rules was entered.
    pub has_rules: bool,
}

fn parser(text: &str) -> Parser<'_, StrInput<'_>> {
    let mut options = options();
    options.set_emit_comments(false);
    Parser::new_from_str_with_options(text, options)
}

/// The events of a text, comments among them.
pub(in crate::syntax) fn events(text: &str) -> Parser<'_, StrInput<'_>> {
    let mut options = options();
    options.max_buffered_comment_events = usize::MAX;
    Parser::new_from_str_with_options(text, options)
}

fn options() -> Options {
    let mut options = Options::default();
    options.emit_anchor_events = true;
    options.emit_unresolved_aliases = true;
    options.flow_nesting_limit = MAX_NESTING;
    options.block_nesting_limit = MAX_NESTING;
    // An id of 255 bytes in JSON can take up six times as much.
    options.simple_key_max_lookahead = 4096;
    options
}

impl<'s, 'p> YamlCursor<'s, 'p> {
    pub(super) fn new(id: SourceId, text: &'s str, problems: &'p mut Diagnostics) -> Self {
        Self {
            problems,
            id,
            text,
            parser: parser(text),
            base: 0,
            ahead: None,
            anchors: Anchors::default(),
            outline: Outline::default(),
            depth: 0,
            end: 0,
            resumed: false,
            brackets: Vec::new(),
            last_error: None,
            last_alias: None,
            cut: 0,
            stray: None,
            has_section: false,
            has_rules: false,
        }
    }

    /// Restarts with a part of the file, whose first node is `depth` levels deep.
    pub(super) fn restart(&mut self, part: Range<usize>, depth: usize) {
        self.resumed = part.start > 0;
        self.base = part.start;
        self.end = part.start;
        self.parser = parser(self.text.get(part).unwrap_or_default());
        self.ahead = None;
        self.outline = Outline::default();
        self.depth = depth;
        self.brackets.clear();
        self.anchors.abandon();
    }

    pub(super) fn text(&self) -> &'s str {
        self.text
    }

    pub(super) fn outline(&self) -> Outline {
        self.outline
    }

    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.id, start, end)
    }

    /// Notes that the section of this key is read from here on; `section` is its name, if there is
    /// such a section.
    pub(super) fn enter(&mut self, section: Option<&'static str>, key: Span) {
        self.has_section |= section.is_some();
        let known = section.map(|section| (section, key));
        self.outline = Outline { section: Some(key.start()), known, entry: None };
    }

    /// The span of a node; of a list or mapping, of its beginning.
    pub(super) fn span_of(&self, node: &Node<'_>) -> Span {
        match node {
            Node::Scalar(scalar) => scalar.span,
            Node::Sequence(opened) | Node::Mapping(opened) => opened.span,
            Node::Refused => self.span(self.end(), self.end()),
        }
    }

    /// Goes to the next document. `Some(true)` if it is a new one, `Some(false)` if it is the rest
    /// of one that a syntax error broke off.
    pub(super) fn next_document(&mut self) -> Result<Option<bool>, YamlError> {
        loop {
            match self.advance()?.kind {
                YamlEventKind::Document => {
                    let is_new = !std::mem::take(&mut self.resumed);
                    if is_new {
                        self.anchors.forget();
                    }
                    return Ok(Some(is_new));
                }
                YamlEventKind::Finish => return Ok(None),
                _ => {}
            }
        }
    }

    /// The next value.
    pub(super) fn node(&mut self) -> Result<Node<'s>, YamlError> {
        let event = self.advance()?;
        let written = event.start..event.end;
        let span = event.alias.unwrap_or(self.span(event.start, event.end));
        let opened = OpenCollection { span, is_alias: event.alias.is_some() };
        Ok(match event.kind {
            YamlEventKind::Scalar { value, plain } => {
                Node::Scalar(YamlScalar { value, plain, span, written })
            }
            YamlEventKind::Sequence => Node::Sequence(opened),
            YamlEventKind::Mapping => Node::Mapping(opened),
            _ => Node::Refused,
        })
    }

    /// Whether the list or mapping that is open goes on; if not, it is left. In a mapping, each key
    /// and value counts.
    pub(super) fn has_next(&mut self) -> Result<bool, YamlError> {
        let is_entry = self.depth == 2 && !self.anchors.is_playing();
        let event = self.peek()?;
        let (start, is_end) =
            (event.start, matches!(event.kind, YamlEventKind::End | YamlEventKind::Finish));
        if is_end {
            self.advance()?;
        } else if is_entry {
            self.outline.entry = Some(start);
        }
        Ok(!is_end)
    }

    /// Whether the value that is read is in brackets in the file itself.
    pub(super) fn is_in_brackets(&self) -> bool {
        !self.anchors.is_playing() && self.brackets.last().copied().flatten().is_some()
    }

    /// Where the last thing ended that takes up space in the file.
    pub(super) fn end(&self) -> usize {
        self.end
    }

    /// The whole list or mapping, of which the end was just reached.
    pub(super) fn whole(&self, opened: OpenCollection) -> Span {
        if opened.is_alias { opened.span } else { self.span(opened.span.start(), self.end) }
    }

    /// Leaves out the next value, whatever it is.
    pub(super) fn skip(&mut self) -> Result<(), YamlError> {
        let node = self.node()?;
        self.finish(&node)
    }

    /// Leaves out the rest of a value of which the beginning was read.
    pub(super) fn finish(&mut self, node: &Node<'_>) -> Result<(), YamlError> {
        if matches!(node, Node::Sequence(_) | Node::Mapping(_)) {
            let outside = self.depth.saturating_sub(1);
            while self.depth > outside && !matches!(self.advance()?.kind, YamlEventKind::Finish) {}
        }
        Ok(())
    }

    /// What comes next, whatever it is.
    pub(super) fn peek(&mut self) -> Result<&YamlEvent<'s>, YamlError> {
        let event = match self.ahead.take() {
            Some(event) => event,
            None => self.produce()?,
        };
        Ok(self.ahead.insert(event))
    }

    fn advance(&mut self) -> Result<YamlEvent<'s>, YamlError> {
        let event = match self.ahead.take() {
            Some(event) => event,
            None => self.produce()?,
        };
        match event.kind {
            YamlEventKind::Sequence | YamlEventKind::Mapping => self.open(&event)?,
            YamlEventKind::End => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        Ok(event)
    }

    fn open(&mut self, event: &YamlEvent<'_>) -> Result<(), YamlError> {
        self.depth += 1;
        if self.depth > MAX_NESTING {
            let span =
                event.alias.unwrap_or(self.span(event.start, event.end.max(event.start + 1)));
            self.problems.push(syntax_errors::too_deep(span));
            return Err(YamlError::Syntax);
        }
        Ok(())
    }

    /// The next event, with aliases followed.
    fn produce(&mut self) -> Result<YamlEvent<'s>, YamlError> {
        let mut alias = None;
        loop {
            let mut event = match self.anchors.next() {
                Some(event) => event,
                None => self.pull()?,
            };
            if self.anchors.is_exhausted() {
                let span = self.last_alias.unwrap_or(self.span(event.start, event.end));
                let message = format!("the file's aliases repeat more than {MAX_REPEATED} values");
                self.problems.push(
                    Diagnostic::error(Code::TooManyAliases, span, message)
                        .hint("write the values out, or put them into files of their own"),
                );
                return Err(YamlError::Limit);
            }
            let YamlEventKind::Repeat(events) = event.kind else {
                event.alias = event.alias.or(alias);
                return Ok(event);
            };
            let span = self.span(event.start, event.end);
            alias = alias.or(Some(span));
            if !self.anchors.is_playing() {
                self.last_alias = Some(span);
            }
            self.anchors.replay(events);
        }
    }

    /// The next event of the file itself.
    fn pull(&mut self) -> Result<YamlEvent<'s>, YamlError> {
        loop {
            let (parsed, place) = match self.parser.next_event() {
                Some(Ok(next)) => next,
                Some(Err(error)) => {
                    let at = self.base + error.marker().byte_offset().unwrap_or_default();
                    if self.last_error.replace(at) != Some(at) {
                        let bracket = self.brackets.last().copied().flatten();
                        let context = MistakeContext { text: self.text, read: self.end, bracket };
                        let problem = syntax_errors::syntax_error(&error, self.id, at, &context);
                        self.problems.push(problem);
                    }
                    return Err(YamlError::Syntax);
                }
                None => (Parsed::StreamEnd, ParsedSpan::default()),
            };
            let Range { start, end } = place.byte_range().unwrap_or_default();
            let (start, end) = (start + self.base, end + self.base);
            let (kind, anchor) = match parsed {
                Parsed::Scalar(value, style, anchor, tag) => {
                    let plain = style == ScalarStyle::Plain && tag.is_none();
                    self.check_tag(tag.as_deref(), &place);
                    (YamlEventKind::Scalar { value, plain }, anchor)
                }
                Parsed::SequenceStart(style, anchor, tag) => {
                    self.check_tag(tag.as_deref(), &place);
                    self.brackets.push((style == StructureStyle::Flow).then_some(start));
                    (YamlEventKind::Sequence, anchor)
                }
                Parsed::MappingStart(style, anchor, tag) => {
                    self.check_tag(tag.as_deref(), &place);
                    self.brackets.push((style == StructureStyle::Flow).then_some(start));
                    (YamlEventKind::Mapping, anchor)
                }
                Parsed::SequenceEnd | Parsed::MappingEnd => {
                    self.brackets.pop();
                    (YamlEventKind::End, 0)
                }
                Parsed::Alias(_) | Parsed::UnresolvedAlias(_) => (self.alias(start, end)?, 0),
                Parsed::DocumentStart(..) => (YamlEventKind::Document, 0),
                Parsed::StreamEnd => (YamlEventKind::Finish, 0),
                _ => continue,
            };
            if end > start {
                self.end = end;
            }
            let event = YamlEvent { kind, start, end, alias: None };
            let name = if anchor == 0 { None } else { self.anchor_name() };
            self.anchors.record(&event, name);
            return Ok(event);
        }
    }

    /// The name of the anchor on the value that was just read: the parser's next event.
    fn anchor_name(&mut self) -> Option<Cow<'s, str>> {
        match self.parser.next_event() {
            Some(Ok((Parsed::Anchor(_, name), _))) => Some(name),
            _ => None,
        }
    }

    fn alias(&mut self, start: usize, end: usize) -> Result<YamlEventKind<'s>, YamlError> {
        let name = self.text.get(start + 1..end).unwrap_or_default();
        let message = match self.anchors.resolve(name) {
            AliasTarget::Value(events) => return Ok(YamlEventKind::Repeat(events)),
            AliasTarget::Itself => {
                format!("the alias `*{name}` is inside the value that it repeats")
            }
            // The colon was not meant as a part of it, so what follows is not what it seems.
            AliasTarget::Unknown if name == ":" => {
                self.problems.push(syntax_errors::star(self.span(start, start + 1)));
                return Err(YamlError::Syntax);
            }
            // A syntax error may have hidden the anchor.
            AliasTarget::Unknown if self.last_error.is_some() => return Ok(YamlEventKind::Refused),
            AliasTarget::Unknown => format!("unknown anchor `&{name}`"),
        };
        let problem = Diagnostic::error(Code::Syntax, self.span(start, end), message);
        self.problems.push(problem.hint(format!(
            "write the value out, or put it in quotes if {} is meant as a text",
            quoted(&format!("*{name}"))
        )));
        Ok(YamlEventKind::Refused)
    }

    /// Tags of the core schema say what a value is anyway; others ask for something that peerage
    /// does not have.
    fn check_tag(&mut self, tag: Option<&Tag>, place: &ParsedSpan) {
        let Some(tag) = tag else { return };
        let core = ["str", "int", "float", "bool", "null", "seq", "map"];
        if tag.core_suffix().is_some_and(|suffix| core.contains(&suffix)) || tag.original() == "!" {
            return;
        }
        let Range { start, end } =
            place.tag_span().unwrap_or(*place).byte_range().unwrap_or_default();
        let span = self.span(start + self.base, end + self.base);
        let message = format!("unsupported YAML tag {}", quoted(&tag.original()));
        self.problems.push(
            Diagnostic::error(Code::Syntax, span, message)
                .hint("remove it, or put the text in quotes"),
        );
    }
}
