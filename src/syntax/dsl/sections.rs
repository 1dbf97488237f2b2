//! The tables of statements, blocks and fields of the DSL.

use std::fmt;

use crate::syntax::{
    ast::{Demand, SettingsSection, WordSection},
    dsl::lexer::LexemeKind,
};

/// A word that begins a statement, or a field of a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Keyword {
    Tags,
    ProtectedTags,
    Rules,
    Rule,
    Word(WordSection),
    Settings(SettingsSection),
    Peers,
    Matrix,
    User,
    Group,
    Conversation,
    /// `never` or `always`.
    Pairs(Demand),
    Every,
    Lints,
    RuleSet,
    Barrier,
    Audience,
    /// The audiences of one action.
    Accepts,
    Action,
    Window,
    /// A field that takes a list.
    List(ListField),
    /// A field that takes a single word.
    Value(ValueField),
    /// The switches of one user.
    Permissions,
    /// The audiences of one user.
    OwnAccepts,
    /// The mode of those who meet no condition.
    Default,
    /// The condition that lifts a barrier.
    Unless,
    /// The condition that someone in a group must meet.
    Requires,
}

/// The tags or the users that a section is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ListField {
    Tags,
    Contacts,
    Favorites,
    Paired,
    Blocked,
    Friends,
    SuperAdmins,
    Admins,
    Members,
    Muted,
    Banned,
    Allow,
    Actions,
    Days,
    Except,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ValueField {
    Peers,
    Moderation,
    Approval,
    Matrix,
    Creator,
    Asked,
    Otherwise,
    Groups,
    /// The time at which a window opens.
    Opens,
    /// The time at which a window closes.
    Closes,
    Zone,
}

/// The statements of the DSL. A new section is a row of [`SECTIONS`], a keyword, and its production in the
/// grammar.
#[derive(Debug)]
pub(super) struct DslSection {
    pub(super) name: &'static str,
    pub(super) keyword: Keyword,
    /// The tokens that may follow the name; they distinguish the start of a statement from the same word elsewhere.
    pub(super) followed_by: &'static [LexemeKind],
    /// The block that the section has, if it has one.
    pub(super) block: Option<&'static Block>,
}

/// A block in curly brackets.
#[derive(Debug)]
pub(super) struct Block {
    /// The owner of the block, for messages.
    pub(super) name: BlockName,
    pub(super) keys: BlockKeys,
}

/// The name of a block in messages.
#[derive(Clone, Copy, Debug)]
pub(super) enum BlockName {
    /// A section of settings.
    Settings(SettingsSection),
    /// Another block.
    Phrase(&'static str),
}

impl fmt::Display for BlockName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settings(section) => write!(f, "`{section}`"),
            Self::Phrase(phrase) => f.write_str(phrase),
        }
    }
}

/// The first tokens of the fields of a block.
#[derive(Debug)]
pub(super) enum BlockKeys {
    /// With one of these words.
    Fields(&'static [FieldSpec]),
    /// With a word that the policy judges, which knows none that a section has; each may have a
    /// block instead of a value, if any may.
    Known { nested: Option<&'static Block> },
    /// With whatever the author calls things.
    Names,
    /// With a condition, or one of these words.
    Conditions(&'static [FieldSpec]),
}

#[derive(Debug)]
pub(super) struct FieldSpec {
    pub(super) name: &'static str,
    pub(super) keyword: Keyword,
    /// The block that it has in place of a value, if it has one.
    pub(super) block: Option<&'static Block>,
    /// The tokens that may follow the name, but for that block.
    pub(super) followed_by: &'static [LexemeKind],
}

const NAME_OR_COLON: &[LexemeKind] =
    &[LexemeKind::Colon, LexemeKind::Word, LexemeKind::Mixed, LexemeKind::String];
const COLON: &[LexemeKind] = &[LexemeKind::Colon];
const BLOCK: &[LexemeKind] = &[LexemeKind::CurlyOpen];
const NAME: &[LexemeKind] = &[LexemeKind::Word, LexemeKind::Mixed, LexemeKind::String];

pub(super) const SECTIONS: &[DslSection] = &[
    DslSection { name: "tags", keyword: Keyword::Tags, followed_by: COLON, block: None },
    DslSection {
        name: "protected_tags",
        keyword: Keyword::ProtectedTags,
        followed_by: COLON,
        block: None,
    },
    DslSection { name: "rules", keyword: Keyword::Rules, followed_by: COLON, block: None },
    DslSection { name: "rule", keyword: Keyword::Rule, followed_by: NAME_OR_COLON, block: None },
    word(WordSection::Preset),
    word(WordSection::UnknownUsers),
    settings(SettingsSection::Moderation, &known(BlockName::Settings(SettingsSection::Moderation))),
    settings(
        SettingsSection::Permissions,
        &known(BlockName::Settings(SettingsSection::Permissions)),
    ),
    settings(SettingsSection::Blocks, &known(BlockName::Settings(SettingsSection::Blocks))),
    settings(SettingsSection::Friendship, &known(BlockName::Settings(SettingsSection::Friendship))),
    settings(SettingsSection::Limits, &known(BlockName::Settings(SettingsSection::Limits))),
    DslSection {
        name: "peers",
        keyword: Keyword::Peers,
        followed_by: BLOCK,
        block: Some(&Block {
            name: BlockName::Phrase("`peers`"),
            keys: BlockKeys::Conditions(&[DEFAULT_FIELD]),
        }),
    },
    DslSection {
        name: "matrix",
        keyword: Keyword::Matrix,
        followed_by: NAME,
        block: Some(&Block {
            name: BlockName::Phrase("a matrix"),
            keys: BlockKeys::Known { nested: Some(BY_FIELD) },
        }),
    },
    DslSection { name: "user", keyword: Keyword::User, followed_by: NAME, block: Some(USER) },
    DslSection { name: "group", keyword: Keyword::Group, followed_by: NAME, block: Some(GROUP) },
    DslSection {
        name: "conversation",
        keyword: Keyword::Conversation,
        followed_by: NAME,
        block: None,
    },
    pairs("never", Demand::Never),
    pairs("always", Demand::Always),
    DslSection { name: "every", keyword: Keyword::Every, followed_by: NAME_OR_COLON, block: None },
    DslSection {
        name: "lints",
        keyword: Keyword::Lints,
        followed_by: BLOCK,
        block: Some(&Block {
            name: BlockName::Phrase("`lints`"),
            keys: BlockKeys::Fields(&[list("allow", ListField::Allow)]),
        }),
    },
    DslSection {
        name: RULE_SET,
        keyword: Keyword::RuleSet,
        followed_by: NAME,
        block: Some(RULE_SET_BLOCK),
    },
    DslSection {
        name: "barrier",
        keyword: Keyword::Barrier,
        followed_by: NAME,
        block: Some(BARRIER),
    },
    DslSection { name: "audience", keyword: Keyword::Audience, followed_by: NAME, block: None },
    DslSection {
        name: "accepts",
        keyword: Keyword::Accepts,
        followed_by: NAME,
        block: Some(ACCEPTS),
    },
    DslSection { name: "action", keyword: Keyword::Action, followed_by: NAME, block: None },
    DslSection { name: "window", keyword: Keyword::Window, followed_by: NAME, block: Some(WINDOW) },
];

/// The section of which the block has rules.
pub(super) const RULE_SET: &str = "rule_set";

const RULE_SET_BLOCK: &Block = &Block {
    name: BlockName::Phrase("a rule set"),
    keys: BlockKeys::Fields(&[
        value("asked", ValueField::Asked),
        list("actions", ListField::Actions),
        FieldSpec { name: "rule", keyword: Keyword::Rule, block: None, followed_by: NAME_OR_COLON },
    ]),
};

const BARRIER: &Block = &Block {
    name: BlockName::Phrase("a barrier"),
    keys: BlockKeys::Fields(&[
        list("actions", ListField::Actions),
        FieldSpec { name: "unless", keyword: Keyword::Unless, block: None, followed_by: COLON },
        value("groups", ValueField::Groups),
    ]),
};

const WINDOW: &Block = &Block {
    name: BlockName::Phrase("a window"),
    keys: BlockKeys::Fields(&[
        list("days", ListField::Days),
        value("from", ValueField::Opens),
        value("to", ValueField::Closes),
        value("zone", ValueField::Zone),
        list("except", ListField::Except),
    ]),
};

const ACCEPTS: &Block = &Block {
    name: BlockName::Phrase("`accepts`"),
    keys: BlockKeys::Conditions(&[
        DEFAULT_FIELD,
        value("asked", ValueField::Asked),
        value("otherwise", ValueField::Otherwise),
    ]),
};

const DEFAULT_FIELD: FieldSpec =
    FieldSpec { name: "default", keyword: Keyword::Default, block: None, followed_by: COLON };

const BY_FIELD: &Block =
    &Block { name: BlockName::Phrase("a matrix's permission"), keys: BlockKeys::Names };

const USER: &Block = &Block {
    name: BlockName::Phrase("a user"),
    keys: BlockKeys::Fields(&[
        list("tags", ListField::Tags),
        value("peers", ValueField::Peers),
        FieldSpec {
            name: "permissions",
            keyword: Keyword::Permissions,
            block: Some(&known(BlockName::Phrase("a user's `permissions`"))),
            followed_by: COLON,
        },
        value("moderation", ValueField::Moderation),
        value("approval", ValueField::Approval),
        list("contacts", ListField::Contacts),
        list("favorites", ListField::Favorites),
        list("paired", ListField::Paired),
        list("blocked", ListField::Blocked),
        list("friends", ListField::Friends),
        FieldSpec {
            name: "accepts",
            keyword: Keyword::OwnAccepts,
            block: Some(&known(BlockName::Phrase("a user's `accepts`"))),
            followed_by: COLON,
        },
    ]),
};

const GROUP: &Block = &Block {
    name: BlockName::Phrase("a group"),
    keys: BlockKeys::Fields(&[
        value("matrix", ValueField::Matrix),
        value("creator", ValueField::Creator),
        list("super_admins", ListField::SuperAdmins),
        list("admins", ListField::Admins),
        list("members", ListField::Members),
        list("muted", ListField::Muted),
        list("banned", ListField::Banned),
        FieldSpec { name: "requires", keyword: Keyword::Requires, block: None, followed_by: COLON },
    ]),
};

const fn word(section: WordSection) -> DslSection {
    let name = section.as_str();
    DslSection { name, keyword: Keyword::Word(section), followed_by: COLON, block: None }
}

const fn pairs(name: &'static str, demand: Demand) -> DslSection {
    DslSection { name, keyword: Keyword::Pairs(demand), followed_by: NAME, block: None }
}

const fn settings(section: SettingsSection, block: &'static Block) -> DslSection {
    let name = section.as_str();
    DslSection { name, keyword: Keyword::Settings(section), followed_by: BLOCK, block: Some(block) }
}

const fn known(name: BlockName) -> Block {
    Block { name, keys: BlockKeys::Known { nested: None } }
}

const fn list(name: &'static str, field: ListField) -> FieldSpec {
    FieldSpec { name, keyword: Keyword::List(field), block: None, followed_by: COLON }
}

const fn value(name: &'static str, field: ValueField) -> FieldSpec {
    FieldSpec { name, keyword: Keyword::Value(field), block: None, followed_by: COLON }
}

/// The section that statements of this name belong to.
pub(super) fn section(name: &str) -> Option<&'static DslSection> {
    SECTIONS.iter().find(|section| section.name == name)
}

/// Whether statements begin with this word.
pub(in crate::syntax) fn is_keyword(name: &str) -> bool {
    section(name).is_some()
}

/// Whether a description may stand before statements of this name, or before fields of this name in
/// the block of a section.
pub(in crate::syntax) fn is_described(name: &str, within: Option<&str>) -> bool {
    use Keyword::{Barrier, Every, Pairs, Rule, RuleSet};
    match within.map(|within| section(within).and_then(|section| section.block)) {
        None => section(name).is_some_and(|section| {
            matches!(section.keyword, Rule | Pairs(_) | Every | RuleSet | Barrier)
        }),
        Some(block) => block
            .and_then(|block| block.field(name))
            .is_some_and(|field| field.keyword == Keyword::Rule),
    }
}

impl DslSection {
    /// Whether the statement begins with a name.
    pub(super) fn is_named(&self) -> bool {
        self.followed_by.contains(&LexemeKind::Word)
    }
}

impl Block {
    pub(super) fn fields(&self) -> &'static [FieldSpec] {
        match self.keys {
            BlockKeys::Fields(fields) => fields,
            BlockKeys::Known { .. } | BlockKeys::Names | BlockKeys::Conditions(_) => &[],
        }
    }

    pub(super) fn has_conditions(&self) -> bool {
        matches!(self.keys, BlockKeys::Conditions(_))
    }

    pub(super) fn field(&self, name: &str) -> Option<&'static FieldSpec> {
        self.fields().iter().find(|field| field.name == name)
    }

    /// Whether descriptions may stand in it.
    pub(super) fn has_rules(&self) -> bool {
        self.fields().iter().any(|field| field.keyword == Keyword::Rule)
    }
}
