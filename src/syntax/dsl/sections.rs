use crate::syntax::dsl::lexer::Lexeme;

/// A word that begins a statement, or a field of a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Keyword {
    Tags,
    Rules,
    Rule,
    User,
}

/// What may be stated. A new section is a row of [`SECTIONS`], a keyword, and its production in the
/// grammar.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) name: &'static str,
    pub(super) keyword: Keyword,
    /// What may follow the name; tells the start of a statement from the same word elsewhere.
    pub(super) followed_by: &'static [Lexeme],
    /// The block that the section has, if it has one.
    pub(super) block: Option<&'static Block>,
}

/// A block in curly brackets.
#[derive(Debug)]
pub(super) struct Block {
    /// Whose block, for messages.
    pub(super) of: &'static str,
    pub(super) fields: &'static [(&'static str, Keyword)],
}

pub(super) const SECTIONS: &[Section] = &[
    Section { name: "tags", keyword: Keyword::Tags, followed_by: &[Lexeme::Colon], block: None },
    Section { name: "rules", keyword: Keyword::Rules, followed_by: &[Lexeme::Colon], block: None },
    Section {
        name: "rule",
        keyword: Keyword::Rule,
        followed_by: &[Lexeme::Colon, Lexeme::Word, Lexeme::Mixed, Lexeme::String],
        block: None,
    },
    Section {
        name: "user",
        keyword: Keyword::User,
        followed_by: &[Lexeme::Word, Lexeme::Mixed, Lexeme::String],
        block: Some(&Block { of: "a user", fields: &[("tags", Keyword::Tags)] }),
    },
];

/// The section that statements of this name belong to.
pub(super) fn section(name: &str) -> Option<&'static Section> {
    SECTIONS.iter().find(|section| section.name == name)
}

impl Block {
    pub(super) fn field(&self, name: &str) -> Option<Keyword> {
        self.fields.iter().find(|(known, _)| *known == name).map(|&(_, keyword)| keyword)
    }
}
