use std::{
    cell::{Cell, RefCell},
    ops::Range,
};

use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics},
    source::Span,
    syntax::{
        ast::{Expr, ExprKind, List, Spanned, Text, User},
        dsl::{
            message::{self, Recovery},
            sections::Keyword,
            token::End,
        },
    },
};

/// What the tokens and the grammar share while one text is parsed.
pub(super) struct Context<'c> {
    pub(super) text: &'c str,
    place: &'c dyn Fn(Range<usize>) -> Span,
    problems: RefCell<&'c mut Diagnostics>,
    /// The last stretch whose brackets had to be mended. What else seems wrong there follows from
    /// that, and is not reported.
    mended: RefCell<Range<usize>>,
    /// Where the last mistake was reported: what is reported there again says nothing new.
    last: Cell<usize>,
}

/// What was being read when something unexpected came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Within {
    Tags,
    Rules,
    Rule,
    User,
    Fields,
    Condition,
}

impl<'c> Context<'c> {
    pub(super) fn new(
        text: &'c str,
        place: &'c dyn Fn(Range<usize>) -> Span,
        problems: &'c mut Diagnostics,
    ) -> Self {
        Self {
            text,
            place,
            problems: RefCell::new(problems),
            mended: RefCell::new(0..0),
            last: Cell::new(usize::MAX),
        }
    }

    pub(super) fn span(&self, from: usize, to: usize) -> Span {
        (self.place)(from..to)
    }

    pub(super) fn report(&self, diagnostic: Diagnostic) {
        self.problems.borrow_mut().push(diagnostic);
    }

    /// Notes that the text from `stretch` was mended. It may be extended while the text is read.
    pub(super) fn mend(&self, stretch: Range<usize>) {
        self.mended.replace(stretch);
    }

    fn is_mended(&self, at: usize) -> bool {
        let mended = self.mended.borrow();
        mended.start <= at && at <= mended.end && !mended.is_empty()
    }

    fn unexpected(&self, within: Within, recovery: &Recovery<'_>) {
        let found = message::found(self, &recovery.error);
        if !self.is_mended(found.start) && self.last.replace(found.start) != found.start {
            self.report(message::unexpected(self, within, &recovery.error, &found));
        }
    }

    /// A statement or field that is given up.
    pub(super) fn broken<T>(&self, within: Within, recovery: Recovery<'_>) -> Option<T> {
        self.unexpected(within, &recovery);
        None
    }

    /// Something between two items where a comma should be; both are kept.
    pub(super) fn not_separated(&self, within: Within, recovery: Recovery<'_>) {
        self.unexpected(within, &recovery);
    }

    /// A condition alone that can't be read.
    pub(super) fn failed(&self, error: message::Error<'_>) {
        self.unexpected(Within::Condition, &Recovery { error, dropped_tokens: Vec::new() });
    }

    /// The end of a statement that is whole but for a missing `;`.
    pub(super) fn ended(&self, at: usize, end: End) {
        if !matches!(end, End::Written | End::GivenUp) && !self.is_mended(at) {
            self.report(
                Diagnostic::error(Code::Syntax, self.span(at, at), "missing `;`")
                    .label("expected `;` here"),
            );
        }
    }

    /// The call that `call` begins; it ends at `to`.
    pub(super) fn call<'s>(
        &self,
        (name, mut arguments): (Text<'s>, Vec<Expr<'s>>),
        last: Option<Expr<'s>>,
        to: usize,
    ) -> Expr<'s> {
        arguments.extend(last);
        let span = name.span.to(self.span(to, to));
        Expr { span, kind: ExprKind::Call { name, arguments } }
    }

    /// The user that these fields make up.
    pub(super) fn user<'s>(
        &self,
        id: Text<'s>,
        fields: Vec<Option<(Spanned<Keyword>, List<'s>)>>,
    ) -> User<'s> {
        let mut tags: Option<(Span, List<'s>)> = None;
        for (field, list) in fields.into_iter().flatten() {
            match &tags {
                Some((first, _)) => self.report(
                    Diagnostic::error(
                        Code::DuplicateKey,
                        field.span,
                        format!("`tags` of user `{}` is given twice", message::shown(&id.value)),
                    )
                    .also(*first, "first given here"),
                ),
                None => tags = Some((field.span, list)),
            }
        }
        User { id, tags: tags.map(|(_, list)| list) }
    }
}
