//! The context that the layout and the grammar share while one text is parsed.

use std::{
    cell::{Cell, RefCell},
    ops::Range,
};

use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics},
    source::Span,
    syntax::{
        ast::{Expr, ExprKind, Text, WordSection},
        dsl::{
            sections::{Keyword, ListField, ValueField},
            token::End,
        },
    },
};

/// The state that tokens and grammar share while one text is parsed.
pub(super) struct Context<'c> {
    pub(super) text: &'c str,
    place: &'c dyn Fn(Range<usize>) -> Span,
    problems: RefCell<&'c mut Diagnostics>,
    /// The last stretch whose brackets had to be mended. What else seems wrong there follows from
    /// that, and is not reported.
    mended: Cell<Option<(usize, usize)>>,
    /// The fields that the record in hand has so far, and where; kept here so that a record needs
    /// no memory for them.
    pub(super) given: RefCell<Vec<(Keyword, Span)>>,
    /// Whether the matrix, rule set, window or `accepts` in hand has an entry that is broken.
    has_lost: Cell<bool>,
}

/// How invariants are written.
pub(super) const INVARIANTS: &str = "write `never ACTION \"name\": CONDITION -> CONDITION;`, \
    `always ACTION: CONDITION -> CONDITION;` or `every: CONDITION reaches CONDITION by ACTION;`, \
    with `scope population` before the `;` if it is about the users there are, or `conversation existing`";

/// How the modes of `accepts` are written.
pub(super) const AUDIENCE_MODE: &str = "each condition has its audience: `hasTag(minor): contacts;`, or `hasTag(minor): contacts locked;`";

/// The construct that was being read when an unexpected token came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Within {
    Tags,
    Rules,
    Rule,
    Word(WordSection),
    /// Before the block of a section that has no name.
    Section,
    /// A key with its value.
    Entry,
    /// A permission of a matrix, with its value or its block.
    Permission,
    /// A field of `peers`.
    Mode,
    Matrix,
    User,
    Group,
    Conversation,
    Invariant,
    /// Where a field of a user or group begins.
    Fields,
    List(ListField),
    Value(ValueField),
    /// The switches of a user, before their block.
    Permissions,
    RuleSet,
    Barrier,
    /// The condition that lifts a barrier.
    Unless,
    /// The condition that someone in a group must meet.
    Requires,
    Audience,
    Accepts,
    /// A field of `accepts`.
    AudienceMode,
    /// The audiences of a user, before their block.
    OwnAccepts,
    Action,
    Window,
    Condition,
}

impl<'c> Context<'c> {
    pub(super) fn new(
        text: &'c str,
        place: &'c dyn Fn(Range<usize>) -> Span,
        problems: &'c mut Diagnostics,
    ) -> Self {
        let (mended, given) = (Cell::new(None), RefCell::new(Vec::new()));
        let (problems, has_lost) = (RefCell::new(problems), Cell::new(false));
        Self { text, place, problems, mended, given, has_lost }
    }

    pub(super) fn span(&self, from: usize, to: usize) -> Span {
        (self.place)(from..to)
    }

    pub(super) fn report(&self, diagnostic: Diagnostic) {
        self.problems.borrow_mut().push(diagnostic);
    }

    /// Notes that this stretch was mended. It may be noted again as more of it is read.
    pub(super) fn mend(&self, from: usize, to: usize) {
        self.mended.set(Some((from, to)));
    }

    pub(super) fn is_mended(&self, at: usize) -> bool {
        self.mended.get().is_some_and(|(from, to)| from <= at && at <= to)
    }

    /// The entries of a matrix, a rule set, a window or `accepts` up to now: none.
    pub(super) fn begin_entries<T>(&self) -> Vec<T> {
        self.has_lost.set(false);
        Vec::new()
    }

    /// Notes that an entry of what is in hand is lost.
    pub(super) fn lose_entry(&self) {
        self.has_lost.set(true);
    }

    /// Whether all entries of what is in hand could be read.
    pub(super) fn is_whole(&self) -> bool {
        !self.has_lost.get()
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
        // Most calls have one argument, and a vector would make room for four.
        if arguments.is_empty() && last.is_some() {
            arguments.reserve_exact(1);
        }
        arguments.extend(last);
        let span = name.span.to(self.span(to, to));
        Expr { span, kind: ExprKind::Call { name, arguments } }
    }
}
