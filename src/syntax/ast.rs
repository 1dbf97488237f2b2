//! What an author wrote, with the place of each part; nothing is checked yet but the notation.
//!
//! Both notations build the same nodes. Texts are borrowed from the source where it holds them
//! verbatim.

use std::borrow::Cow;

use crate::source::Span;

/// A value, and where it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Spanned<T> {
    pub value: T,
    pub span: Span,
}

impl<T> Spanned<T> {
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}

/// A text as it is meant: escapes are resolved.
pub type Text<'s> = Spanned<Cow<'s, str>>;

/// A list of texts, and where the whole list stands.
pub type List<'s> = Spanned<Vec<Text<'s>>>;

/// What one file states, in its order. A new section is a variant here, a production in the
/// grammar, a reader in `yaml` and its meaning in `policy`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Item<'s> {
    /// A `tags` section: the tags that are declared.
    Tags(List<'s>),
    /// That the policy has rules, even if no rule follows; where it says so.
    Rules(Span),
    Rule(Rule<'s>),
    User(User<'s>),
}

/// A rule. `condition` and `outcome` are there in every rule that a parser hands on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule<'s> {
    /// Where a reader looks for it: its name, or else where it begins.
    pub span: Span,
    pub name: Option<Text<'s>>,
    pub rule_id: Option<Text<'s>>,
    pub condition: Expr<'s>,
    pub outcome: List<'s>,
    pub description: Option<Text<'s>>,
}

/// A condition, or later a matrix value: a word, or a call of a word with arguments. Which words
/// there are, and what they take, is for `policy` to say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Expr<'s> {
    pub span: Span,
    pub kind: ExprKind<'s>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ExprKind<'s> {
    Word(Cow<'s, str>),
    Call { name: Text<'s>, arguments: Vec<Expr<'s>> },
}

impl Expr<'_> {
    /// The same, independent of the text that it was read from. Costs a copy of its words, and
    /// recurses as deep as it is nested.
    pub fn into_owned(self) -> Expr<'static> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        let kind = match self.kind {
            ExprKind::Word(word) => ExprKind::Word(owned(word)),
            ExprKind::Call { name, arguments } => ExprKind::Call {
                name: Spanned::new(owned(name.value), name.span),
                arguments: arguments.into_iter().map(Expr::into_owned).collect(),
            },
        };
        Expr { span: self.span, kind }
    }
}

/// A user's record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct User<'s> {
    pub id: Text<'s>,
    pub tags: Option<List<'s>>,
}
