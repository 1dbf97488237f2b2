use std::fmt;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $slug:literal,)+) => {
        /// The kind of a mistake. The text of a code is stable: tools and people may rely on it.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Code {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Code {
            /// Every code, in the order of the reference.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The stable text.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $slug,)+ }
            }

            /// What the code means, for the reference.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+).trim_ascii(),)+ }
            }
        }
    };
}

codes! {
    /// No policy file was found in the paths that were given.
    NoFiles = "no-files",
    /// No test file was found in the paths that were given.
    NoTests = "no-tests",
    /// A file that was given by name has an ending that is none of a policy file's.
    UnknownEnding = "unknown-ending",
    /// A file or folder can't be read.
    Unreadable = "unreadable",
    /// A file is still being written, and is not read before that ends.
    StillWritten = "still-written",
    /// A link leads to what is not below the path that was given.
    LinkOutside = "link-outside",
    /// A pattern of what to pass over that can't be understood.
    InvalidPattern = "invalid-pattern",
    /// A file of 0 bytes: was it emptied, or is it still to be written?
    EmptyFile = "empty-file",
    /// A file that states nothing: comments, an empty mapping, or a header alone.
    NoStatement = "no-statement",
    /// A line of a bulk file is longer than 16 MiB.
    LongLine = "long-line",
    /// A file is larger than its notation may be.
    TooLarge = "too-large",
    /// There are more files than a policy may have.
    TooManyFiles = "too-many-files",
    /// Brackets, calls, collections or folders are nested deeper than the limit.
    TooDeep = "too-deep",
    /// YAML aliases repeat more than the limit allows.
    TooManyAliases = "too-many-aliases",
    /// A file is not UTF-8.
    InvalidUtf8 = "invalid-utf8",
    /// A file holds a NUL byte.
    NulByte = "nul-byte",
    /// The text does not follow the notation.
    Syntax = "syntax",
    /// A bracket is never closed, or closes nothing.
    Unbalanced = "unbalanced",
    /// A section that peerage does not have.
    UnknownSection = "unknown-section",
    /// A field that its section does not have.
    UnknownField = "unknown-field",
    /// A field that must be there is missing.
    MissingField = "missing-field",
    /// A key stands twice in one mapping.
    DuplicateKey = "duplicate-key",
    /// A value is of another kind than its field takes.
    WrongType = "wrong-type",
    /// A condition calls something other than hasTag, not, all and any.
    UnknownFunction = "unknown-function",
    /// A function of a condition has the wrong number or kind of arguments.
    WrongArguments = "wrong-arguments",
    /// any() or all() of nothing.
    EmptyCombination = "empty-combination",
    /// A tag that is empty, over 200 long, or has other characters than letters, digits and
    /// `- _ . : @ / + =`; under `preset: flip`, over 50 or other than letters, digits, `-` and `_`.
    InvalidTag = "invalid-tag",
    /// A tag that is not declared, though tags are.
    UndeclaredTag = "undeclared-tag",
    /// A tag is declared twice.
    DuplicateTag = "duplicate-tag",
    /// A rule's outcome names no tag.
    EmptyOutcome = "empty-outcome",
    /// A rule_id that is no UUID.
    InvalidRuleId = "invalid-rule-id",
    /// Two rules have the same rule_id, name or content.
    DuplicateRule = "duplicate-rule",
    /// A name or description that can't be told in both notations.
    InvalidText = "invalid-text",
    /// An id of a user or group that is empty, over 255 bytes, or has control characters.
    InvalidId = "invalid-id",
    /// A user is defined twice.
    DuplicateUser = "duplicate-user",
    /// A line of a bulk file that is no user record.
    InvalidRecord = "invalid-record",
    /// A word that is none of those that may stand in its place.
    UnknownWordError = "unknown-word",
    /// A limit that is no whole number.
    InvalidLimit = "invalid-limit",
    /// A setting is set twice, in one file or in two.
    DuplicateSetting = "duplicate-setting",
    /// Somebody is named who is no user.
    UnknownUser = "unknown-user",
    /// A relation or conversation of a user with himself.
    SelfRelation = "self-relation",
    /// Somebody is named twice in one list.
    RepeatedEntry = "repeated-entry",
    /// More entries than the policy's limits allow.
    OverLimit = "over-limit",
    /// Two statements that can't both hold.
    Contradiction = "contradiction",
    /// A matrix is defined twice, or has the name of a built-in one.
    DuplicateMatrix = "duplicate-matrix",
    /// A group names a matrix that there is not.
    UnknownMatrix = "unknown-matrix",
    /// A permission that a matrix does not specify: it is denied.
    Unspecified = "unspecified",
    /// A matrix lets every member make admins or change permissions.
    OpenAdministration = "open-administration",
    /// A group is defined twice.
    DuplicateGroup = "duplicate-group",
    /// A conversation is stated twice.
    DuplicateConversation = "duplicate-conversation",
    /// Two invariants have the same name or say the same.
    DuplicateInvariant = "duplicate-invariant",
    /// The policy allows what an invariant rules out, or refuses what it demands.
    BrokenInvariant = "broken-invariant",
    /// Whether an invariant or a lint holds for all possible users could not be told in bounds.
    NotDecided = "not-decided",
    /// A condition that no user can ever meet, whatever his tags.
    NeverHolds = "never-holds",
    /// A condition that every user meets, whatever his tags.
    AlwaysHolds = "always-holds",
    /// A rule that allows nothing that another rule does not allow.
    ImpliedRule = "implied-rule",
    /// A rule that allows nobody anything today, and could with other users.
    DeadNow = "dead-now",
    /// A rule that can never allow anybody anything.
    DeadAlways = "dead-always",
    /// A tag in an outcome that no user has.
    UnreachedTag = "unreached-tag",
    /// A tag that is declared, and that no user has and nothing names.
    UnusedTag = "unused-tag",
    /// A matrix that no group names.
    UnusedMatrix = "unused-matrix",
    /// Users whom no rule lets reach anyone or be reached.
    Unconcerned = "unconcerned",
    /// A setting that makes no difference: the records of all users, another setting before it or the
    /// preset settle what it is about.
    Overridden = "overridden",
    /// A matrix by which a plain member can make himself an admin or a super admin.
    SelfPromotion = "self-promotion",
    /// An id or a name with invisible characters, one that looks like another, or a character that changes
    /// the direction of text.
    Confusable = "confusable",
    /// Managers, or what a matrix says, depend on a tag that callers of a dialect can give and take.
    UnprotectedManagers = "unprotected-managers",
    /// A comment or setting that silences nothing, or names no lint.
    UnusedAllow = "unused-allow",
    /// A test file, a test or an expectation that tests nothing.
    EmptyTest = "empty-test",
    /// Two tests of one file have the same name.
    DuplicateTest = "duplicate-test",
    /// A test names a group that there is not.
    UnknownGroup = "unknown-group",
    /// The parts of an expectation make no question, or say nothing in it.
    Misfit = "misfit",
}

impl Code {
    /// The lints: those that a policy may silence.
    pub const LINTS: &[Self] = &[
        Self::NeverHolds,
        Self::AlwaysHolds,
        Self::ImpliedRule,
        Self::DeadNow,
        Self::DeadAlways,
        Self::UnreachedTag,
        Self::UnusedTag,
        Self::UnusedMatrix,
        Self::Unconcerned,
        Self::Overridden,
        Self::SelfPromotion,
        Self::Confusable,
        Self::UnprotectedManagers,
        Self::UnusedAllow,
        Self::NotDecided,
    ];
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
