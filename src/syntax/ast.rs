//! The syntax tree: the author's statements with the span of each part; only the notation has been checked.
//!
//! Both notations build the same nodes. Texts are borrowed from the source where it holds them
//! verbatim.

use std::borrow::Cow;

use crate::{request::text_enum, source::Span};

/// A value with its span.
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

/// A list of texts with the span of the whole list.
pub type List<'s> = Spanned<Vec<Text<'s>>>;

/// What one file states, in its order. A new section is a variant here, a production in the
/// grammar, a reader in `yaml` and its meaning in `policy`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Item<'s> {
    /// A `tags` section: the tags that are declared.
    Tags(List<'s>),
    /// A `protected_tags` section: the tags that only files and administrators give or take.
    ProtectedTags(List<'s>),
    /// That the policy has rules, even if no rule follows; where it says so.
    Rules(Span),
    // Those that are larger than a user, of whom there are most, are boxed.
    Rule(Box<Rule<'s>>),
    RuleSet(Box<RuleSet<'s>>),
    Barrier(Box<Barrier<'s>>),
    Audience(Box<Audience<'s>>),
    /// An entry of an `accepts` section: the audience of one action.
    Accepts(Box<Accepts<'s>>),
    /// An action of the policy's own.
    Action(Box<ActionDeclaration<'s>>),
    /// A window of time.
    Window(Box<Window<'s>>),
    /// `preset: flip`, `unknown_users: deny`.
    Word(Box<Word<'s>>),
    /// `moderation`, `permissions`, `blocks`, `friendship`, `limits`.
    Settings(Box<Settings<'s>>),
    Peers(Box<Peers<'s>>),
    Matrix(Box<Matrix<'s>>),
    User(User<'s>),
    Group(Box<Group<'s>>),
    Conversation(Box<Conversation<'s>>),
    Invariant(Box<Invariant<'s>>),
    /// A `lints` section: the lints that are silenced.
    Lints(List<'s>),
}

impl Item<'_> {
    /// The span of the statement, or of a part of it.
    pub fn span(&self) -> Span {
        match self {
            Self::Tags(list) | Self::ProtectedTags(list) | Self::Lints(list) => list.span,
            Self::Invariant(invariant) => invariant.span,
            Self::Rules(span) => *span,
            Self::Rule(rule) => rule.span,
            Self::RuleSet(set) => set.name.span,
            Self::Barrier(barrier) => barrier.name.span,
            Self::Audience(audience) => audience.name.span,
            Self::Accepts(accepts) => accepts.action.span,
            Self::Action(action) => action.name.span,
            Self::Window(window) => window.name.span,
            Self::Word(word) => word.span,
            Self::Settings(section) => section.span,
            Self::Peers(peers) => peers.span,
            Self::Matrix(matrix) => matrix.name.span,
            Self::User(user) => user.id.span,
            Self::Group(group) => group.id.span,
            Self::Conversation(conversation) => {
                let [one, _] = &conversation.users;
                one.span
            }
        }
    }

    /// Whether it says who there is, and not what they may.
    pub fn is_fact(&self) -> bool {
        matches!(self, Self::User(_) | Self::Group(_) | Self::Conversation(_))
    }
}

/// A section that is a single word.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Word<'s> {
    pub section: WordSection,
    /// The span of the section's name.
    pub span: Span,
    pub value: Text<'s>,
}

text_enum! {
    /// The section of a single word.
    WordSection: "section" {
        Preset = "preset",
        UnknownUsers = "unknown_users",
    }
}

/// A section of settings, each a key and a value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings<'s> {
    pub section: SettingsSection,
    /// The span of the section's name.
    pub span: Span,
    pub entries: Vec<Setting<'s>>,
}

text_enum! {
    /// The section of a setting.
    SettingsSection: "section" {
        Moderation = "moderation",
        Permissions = "permissions",
        Blocks = "blocks",
        Friendship = "friendship",
        Limits = "limits",
    }
}

/// A key and its value: a word, a number, or a condition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Setting<'s> {
    pub key: Text<'s>,
    pub value: Expr<'s>,
}

/// A `peers` section.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Peers<'s> {
    /// The span of the section's name.
    pub span: Span,
    pub default: Option<Text<'s>>,
    /// The mode of users who meet a condition; the first that they meet counts.
    pub modes: Vec<Mode<'s>>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mode<'s> {
    pub when: Expr<'s>,
    pub mode: Text<'s>,
}

/// A matrix of group permissions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Matrix<'s> {
    pub name: Text<'s>,
    pub permissions: Vec<Permission<'s>>,
    /// Whether there is nothing in it that could not be read.
    pub is_whole: bool,
}

/// The holders of one of a matrix's permissions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Permission<'s> {
    pub key: Text<'s>,
    pub value: PermissionValue<'s>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PermissionValue<'s> {
    One(Expr<'s>),
    /// By field of the group's metadata, `*` being the others.
    ByField(Vec<Setting<'s>>),
}

/// A group's record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Group<'s> {
    pub id: Text<'s>,
    pub matrix: Option<Text<'s>>,
    pub creator: Option<Text<'s>>,
    /// `None` if it is not stated: then the creator is the owner.
    pub super_admins: Option<List<'s>>,
    pub admins: Option<List<'s>>,
    pub members: Option<List<'s>>,
    pub muted: Option<List<'s>>,
    pub banned: Option<List<'s>>,
    /// The condition that someone in the group must meet.
    pub requires: Option<Expr<'s>>,
    /// The terms of those who are muted or banned.
    pub terms: Vec<Term<'s>>,
}

/// Two users who have a conversation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Conversation<'s> {
    pub users: [Text<'s>; 2],
}

/// A rule. `condition`, and `outcome` or `between`, are there in every rule that a parser hands on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule<'s> {
    /// Where a reader looks for it: its name, or else where it begins.
    pub span: Span,
    pub name: Option<Text<'s>>,
    pub rule_id: Option<Text<'s>>,
    pub condition: Expr<'s>,
    /// `None` for everyone, where `between` is given.
    pub outcome: Option<Outcome<'s>>,
    /// The relation condition, read from the subject.
    pub between: Option<Expr<'s>>,
    pub description: Option<Text<'s>>,
}

/// The users whom a rule lets its subjects reach.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome<'s> {
    /// Those who have at least one of the tags.
    Tags(List<'s>),
    /// Those who meet the condition.
    Condition(Expr<'s>),
}

impl<'s> Outcome<'s> {
    /// The tags that it names; none of a condition.
    pub fn tags(&self) -> &[Text<'s>] {
        match self {
            Self::Tags(tags) => &tags.value,
            Self::Condition(_) => &[],
        }
    }
}

/// A rule set: rules that are asked together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RuleSet<'s> {
    pub name: Text<'s>,
    /// `always` or `new`.
    pub asked: Option<Text<'s>>,
    /// The actions that it concerns; all that reach another user by default.
    pub actions: Option<List<'s>>,
    pub rules: Vec<Rule<'s>>,
    pub description: Option<Text<'s>>,
    /// Whether there is nothing in it that could not be read.
    pub is_whole: bool,
}

/// A barrier: users who are kept apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Barrier<'s> {
    pub name: Text<'s>,
    pub direction: BarrierDirection,
    /// The sides, from the first to the second.
    pub from: Expr<'s>,
    pub to: Expr<'s>,
    /// The actions that it concerns; all that reach another user by default.
    pub actions: Option<List<'s>>,
    /// The relation condition that lifts it, read from the user who meets the first side.
    pub unless: Option<Expr<'s>>,
    /// `true` or `false`: whether it stands between who comes to a group and its members.
    pub groups: Option<Text<'s>>,
    pub description: Option<Text<'s>>,
}

/// The directions in which a barrier stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum BarrierDirection {
    /// From users of the first side to users of the second.
    OneWay,
    /// Both ways: `between`.
    BothWays,
}

/// A named relation condition: from whom a user accepts something.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Audience<'s> {
    pub name: Text<'s>,
    pub condition: Expr<'s>,
}

/// From whom users accept an action.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Accepts<'s> {
    pub action: Text<'s>,
    /// The audience of users who meet a condition; the first that they meet counts.
    pub modes: Vec<AudienceMode<'s>>,
    pub default: Option<Text<'s>>,
    /// `always` or `new`.
    pub asked: Option<Text<'s>>,
    /// `deny` or `request`.
    pub otherwise: Option<Text<'s>>,
    /// Whether there is nothing in it that could not be read.
    pub is_whole: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AudienceMode<'s> {
    pub when: Expr<'s>,
    pub audience: Text<'s>,
    /// `true` or `false`: whether users' own audiences can't widen it.
    pub locked: Option<Text<'s>>,
}

/// An action of the policy's own, at least as strict as the one that it is like.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ActionDeclaration<'s> {
    pub name: Text<'s>,
    pub like: Text<'s>,
}

/// A window of time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Window<'s> {
    pub name: Text<'s>,
    /// The days of the week on which it opens; every day by default.
    pub days: Option<List<'s>>,
    /// The time of day at which it opens.
    pub from: Option<Text<'s>>,
    /// The time of day at which it closes.
    pub to: Option<Text<'s>>,
    /// The time zone by whose clocks it goes.
    pub zone: Option<Text<'s>>,
    /// The dates on which it does not open.
    pub except: Option<List<'s>>,
    /// Whether there is nothing in it that could not be read.
    pub is_whole: bool,
}

/// A property of everything that the policy allows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invariant<'s> {
    /// Where a reader looks for it: its name, or else where it begins.
    pub span: Span,
    pub demand: Demand,
    pub name: Option<Text<'s>>,
    pub action: Text<'s>,
    pub from: Expr<'s>,
    pub to: Expr<'s>,
    /// The users for whom it must hold; all possible ones by default.
    pub scope: Option<Text<'s>>,
    /// Whether the conversation of the two is taken to exist.
    pub conversation: Option<Text<'s>>,
    pub description: Option<Text<'s>>,
}

/// The demand of an invariant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Demand {
    /// None who meets the one condition may do it to anyone who meets the other.
    Never,
    /// All who meet the one may do it to all who meet the other.
    Always,
    /// All who meet the one may do it to someone who meets the other.
    Every,
}

impl Demand {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Always => "always",
            Self::Every => "every",
        }
    }
}

/// A condition, a matrix value, or the value of a setting: a word, or a call of a word with
/// arguments. Which words there are, and what they take, is for `policy` to say.
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
    /// The other fields, if any is given.
    pub more: Option<Box<UserFields<'s>>>,
}

/// Parts of a record that few of many users have.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct UserFields<'s> {
    pub peers: Option<Text<'s>>,
    pub permissions: Vec<Setting<'s>>,
    pub moderation: Option<Text<'s>>,
    pub approval: Option<Text<'s>>,
    /// By action, the word for the audience.
    pub accepts: Vec<Setting<'s>>,
    pub contacts: Option<List<'s>>,
    pub favorites: Option<List<'s>>,
    pub paired: Option<List<'s>>,
    pub blocked: Option<List<'s>>,
    pub friends: Option<List<'s>>,
    /// The terms of the user's tags, moderation and lists.
    pub terms: Vec<Term<'s>>,
}

/// The terms of an element of a list, or of a user's moderation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Term<'s> {
    pub of: TermOf,
    /// The position of the element in its list; 0 of moderation.
    pub position: usize,
    /// Where they stand.
    pub span: Span,
    pub until: Option<Text<'s>>,
    pub reason: Option<Text<'s>>,
    pub by: Option<Text<'s>>,
}

/// What may have terms.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum TermOf {
    Tags,
    Contacts,
    Favorites,
    Paired,
    Blocked,
    Friends,
    Moderation,
    Muted,
    Banned,
}

/// A list whose elements may have terms.
pub type TimedList<'s> = (List<'s>, Vec<Term<'s>>);
