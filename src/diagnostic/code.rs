//! The stable codes of diagnostics.

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

            /// The meaning of the code, for the reference.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+).trim_ascii(),)+ }
            }
        }
    };
}

codes! {
    /// No policy file was found in the given paths.
    NoFiles = "no-files",
    /// No test file was found in the given paths.
    NoTests = "no-tests",
    /// A file given by name has an extension that no policy file has.
    UnknownEnding = "unknown-ending",
    /// A file or folder can't be read.
    Unreadable = "unreadable",
    /// A file is still being written, and is not read before that ends.
    StillWritten = "still-written",
    /// A link leads outside the given path.
    LinkOutside = "link-outside",
    /// A pattern of files to ignore is invalid.
    InvalidPattern = "invalid-pattern",
    /// A file has 0 bytes.
    EmptyFile = "empty-file",
    /// A file has no statement: only comments, an empty mapping, or a header.
    NoStatement = "no-statement",
    /// A line of a bulk file is longer than 16 MiB.
    LongLine = "long-line",
    /// A file is larger than the limit of its notation.
    TooLarge = "too-large",
    /// A policy has more files than the limit.
    TooManyFiles = "too-many-files",
    /// Brackets, calls, collections or folders are nested deeper than the limit.
    TooDeep = "too-deep",
    /// YAML aliases repeat more than the limit allows.
    TooManyAliases = "too-many-aliases",
    /// A file is not UTF-8.
    InvalidUtf8 = "invalid-utf8",
    /// A file contains a NUL byte.
    NulByte = "nul-byte",
    /// The text does not follow the notation.
    Syntax = "syntax",
    /// A bracket is unclosed, or unmatched.
    Unbalanced = "unbalanced",
    /// A section does not exist.
    UnknownSection = "unknown-section",
    /// A field does not exist in its section.
    UnknownField = "unknown-field",
    /// A required field is missing.
    MissingField = "missing-field",
    /// A key occurs twice in one mapping.
    DuplicateKey = "duplicate-key",
    /// A value has another type than its field takes.
    WrongType = "wrong-type",
    /// A condition calls another function than `hasTag`, `during`, `not`, `all` and `any`.
    UnknownFunction = "unknown-function",
    /// A function of a condition has the wrong number or type of arguments.
    WrongArguments = "wrong-arguments",
    /// `any()` or `all()` has no arguments.
    EmptyCombination = "empty-combination",
    /// A time is not written as RFC 3339 writes it, has no zone, or does not exist.
    InvalidTime = "invalid-time",
    /// A file states something that has ended.
    HasEnded = "has-ended",
    /// A tag is empty, longer than 200 characters, or has other characters than letters, digits and `-
    /// _ . : @ / + =`; under `preset: flip`, longer than 50, or with others than letters, digits, `-`
    /// and `_`.
    InvalidTag = "invalid-tag",
    /// A tag is not declared, although the policy declares tags.
    UndeclaredTag = "undeclared-tag",
    /// A tag is declared twice.
    DuplicateTag = "duplicate-tag",
    /// A rule's outcome names no tag.
    EmptyOutcome = "empty-outcome",
    /// A `rule_id` is not a UUID.
    InvalidRuleId = "invalid-rule-id",
    /// Two rules have the same `rule_id`, name or content.
    DuplicateRule = "duplicate-rule",
    /// Two rule sets have the same name, or one has that of the section `rules`.
    DuplicateRuleSet = "duplicate-rule-set",
    /// Two barriers have the same name.
    DuplicateBarrier = "duplicate-barrier",
    /// An audience is defined twice, or has the name of a built-in one or of an atom.
    DuplicateAudience = "duplicate-audience",
    /// An audience is named that is not defined.
    UnknownAudience = "unknown-audience",
    /// Audiences name each other in a circle.
    AudienceCycle = "audience-cycle",
    /// A relation condition has a word that is no atom.
    UnknownAtom = "unknown-atom",
    /// A relation condition asks for a role in a group.
    RoleInRelation = "role-in-relation",
    /// `between` or `unless` asks for a tag of one of the two users.
    TagInRelation = "tag-in-relation",
    /// No declared tag is selected by a pattern of `sharesTag`.
    UnmatchedPattern = "unmatched-pattern",
    /// A list of the actions that a statement concerns is empty.
    EmptyActions = "empty-actions",
    /// A statement names an action that it can't concern.
    UnfitAction = "unfit-action",
    /// An action that is declared has the name of a built-in one, or of a switch.
    ReservedAction = "reserved-action",
    /// An action is declared twice.
    DuplicateAction = "duplicate-action",
    /// More than 32 actions are declared.
    TooManyActions = "too-many-actions",
    /// `otherwise: request` stands with an action that can't begin as a request.
    NotRequestable = "not-requestable",
    /// Two windows have the same name.
    DuplicateWindow = "duplicate-window",
    /// A condition names a window that is not defined.
    UnknownWindow = "unknown-window",
    /// A window names a time zone that the IANA database does not have.
    UnknownZone = "unknown-zone",
    /// A time of day, a date or a list of days of a window is none, or the end of a window is its beginning.
    InvalidWindow = "invalid-window",
    /// A name or description has characters that one of the notations can't represent.
    InvalidText = "invalid-text",
    /// The id of a user or group is empty, longer than 255 bytes, or has control characters.
    InvalidId = "invalid-id",
    /// A user is defined twice.
    DuplicateUser = "duplicate-user",
    /// A line of a bulk file is not a user record.
    InvalidRecord = "invalid-record",
    /// A word is not one of those that its field takes.
    UnknownWord = "unknown-word",
    /// An option of the daemon has a value that it does not take.
    InvalidOption = "invalid-option",
    /// A limit is not a whole number.
    InvalidLimit = "invalid-limit",
    /// A setting is set twice, in one file or in two.
    DuplicateSetting = "duplicate-setting",
    /// A user is named, but not declared.
    UnknownUser = "unknown-user",
    /// A relation or conversation is of a user with themselves.
    SelfRelation = "self-relation",
    /// A user, a day or a date is named twice in one list.
    RepeatedEntry = "repeated-entry",
    /// A list has more entries than the policy's limits allow.
    OverLimit = "over-limit",
    /// Two statements can't both hold.
    Contradiction = "contradiction",
    /// A matrix is defined twice, or has the name of a built-in one.
    DuplicateMatrix = "duplicate-matrix",
    /// A group names a matrix that is not defined.
    UnknownMatrix = "unknown-matrix",
    /// A matrix does not specify a permission, which is denied.
    Unspecified = "unspecified",
    /// A matrix makes it depend on roles who joins a group.
    RoleInJoin = "role-in-join",
    /// A matrix lets every member make admins or change permissions.
    OpenAdministration = "open-administration",
    /// A group is defined twice.
    DuplicateGroup = "duplicate-group",
    /// A group requires someone in it who meets a condition, and nobody in it does.
    UnmetRequirement = "unmet-requirement",
    /// A conversation is stated twice.
    DuplicateConversation = "duplicate-conversation",
    /// Two invariants have the same name or content.
    DuplicateInvariant = "duplicate-invariant",
    /// The policy allows what an invariant forbids, or refuses what it demands.
    BrokenInvariant = "broken-invariant",
    /// Whether an invariant or a lint holds for all possible users takes too long to compute.
    NotDecided = "not-decided",
    /// No user can meet a condition, whatever their tags.
    NeverHolds = "never-holds",
    /// Every user meets a condition, whatever their tags.
    AlwaysHolds = "always-holds",
    /// A rule allows nothing that another rule does not allow.
    ImpliedRule = "implied-rule",
    /// A rule allows nothing today, but could allow something for other users.
    DeadNow = "dead-now",
    /// A rule can never allow anything.
    DeadAlways = "dead-always",
    /// No user has a tag of an outcome.
    UnreachedTag = "unreached-tag",
    /// A tag is declared, but no user has it and no statement names it.
    UnusedTag = "unused-tag",
    /// No statement and no record uses an audience.
    UnusedAudience = "unused-audience",
    /// No condition names a window.
    UnusedWindow = "unused-window",
    /// No user is on a side of a barrier, or users are on both.
    BarrierSides = "barrier-sides",
    /// A rule set opens nothing among the existing users.
    ClosedSet = "closed-set",
    /// A user can make a relation condition true alone, so that what it opens is open to anyone.
    SelfOpened = "self-opened",
    /// `accepts` says from whom an action is accepted that `permissions` shuts.
    ShutAction = "shut-action",
    /// Nothing is said of an action that is declared.
    PlainAction = "plain-action",
    /// No group uses a matrix.
    UnusedMatrix = "unused-matrix",
    /// Users reach nobody by any rule, and nobody reaches them.
    Unconcerned = "unconcerned",
    /// A setting makes no difference: the records of all users, an earlier setting or the preset
    /// override it.
    Overridden = "overridden",
    /// A matrix lets a plain member make themselves an admin or a super admin.
    SelfPromotion = "self-promotion",
    /// An id or a name has invisible characters, looks like another, or changes the direction of text.
    Confusable = "confusable",
    /// Managers, or a matrix's permissions, depend on a tag that callers of a dialect can give and
    /// take.
    UnprotectedManagers = "unprotected-managers",
    /// A comment or setting silences nothing, or names no lint.
    UnusedAllow = "unused-allow",
    /// A test file, a test or an expectation tests nothing.
    EmptyTest = "empty-test",
    /// Two tests of one file have the same name.
    DuplicateTest = "duplicate-test",
    /// A test names a group that is not declared.
    UnknownGroup = "unknown-group",
    /// The parts of an expectation are no valid question, or have no effect in it.
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
        Self::UnusedAudience,
        Self::UnusedWindow,
        Self::BarrierSides,
        Self::ClosedSet,
        Self::SelfOpened,
        Self::ShutAction,
        Self::PlainAction,
        Self::UnusedMatrix,
        Self::UnmetRequirement,
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
