//! The result codes of answers.
//!
//! | codes | from |
//! |---|---|
//! | 300xx to 306xx, 32216 | the error codes of the relationship chain, and the FAQ that lists the names for 30001 |
//! | 400xx, 406xx | the error codes of profiles |
//! | 600xx | the error codes common to all REST calls |
//! | 7000x, 7001x | the error codes of UserSig |
//! | 701xx to 705xx | the error codes of accounts |
//!
//! Where the documentation has no code for an error, the nearest one is used, and its line says so.

/// A result code of a call, or of one item of a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum TencentCode {
    /// The relationship chain: a parameter is wrong, or an entry exists already or does not exist,
    /// as `ResultInfo` says.
    SnsParameter = 30001,
    /// The `sdkappid` is not that of this app.
    SnsApp = 30002,
    SnsAccount = 30003,
    /// The `identifier` is not an administrator of the app.
    SnsNotAdmin = 30004,
    /// An internal error; the call can be retried.
    SnsInternal = 30006,
    /// Concurrent writes of the same records.
    SnsConflict = 30008,
    /// The administrator forbids the user to send friend requests.
    AdminForbids = 30009,
    OwnFriendsFull = 30010,
    FriendGroupsFull = 30011,
    BlackListFull = 30013,
    TheirFriendsFull = 30014,
    /// The other user is in the user's blocklist.
    InOwnBlackList = 30515,
    /// The other user's `AllowType` is `DenyAny`.
    Denied = 30516,
    /// The user is in the other user's blocklist.
    InTheirBlackList = 30525,
    /// The request waits for the other user's answer.
    Pending = 30539,
    /// A user to be put into a friend group is not a friend.
    NotFriendForGroup = 32216,

    /// Profiles: a parameter is wrong.
    ProfileParameter = 40001,
    ProfileApp = 40002,
    ProfileAccount = 40003,
    ProfileNotAdmin = 40004,
    ProfileInternal = 40006,
    /// The field is read-only. Here: a policy file declares it.
    ProfileReadOnly = 40008,
    /// No field has this tag.
    ProfileTag = 40009,
    /// A value has more than 500 bytes.
    ProfileTooLong = 40601,
    /// A standard field can't have this value.
    ProfileValue = 40605,
    /// A value is of another type than the field's.
    ProfileType = 40610,

    /// Any call: the method or the query is wrong.
    Http = 60002,
    /// The body is not JSON.
    Json = 60003,
    /// The account or the signature is missing in the URL.
    Signature = 60004,
    /// The `sdkappid` is wrong, on a path without a code of its own for that.
    App = 60006,
    /// The request was incomplete, late or too large.
    Timeout = 60008,
    /// No resource has this path.
    Resource = 60009,
    NotAdmin = 60010,
    AppMissing = 60012,
    /// Here: the daemon was started without the options that the call needs.
    Disabled = 60017,

    /// The signature has expired.
    SigExpired = 70001,
    SigEmpty = 70002,
    /// The signature can't be read, or the configured key did not make it.
    SigInvalid = 70003,
    /// The signature is of a kind that the configured key can't verify.
    SigKind = 70009,
    /// The signature is for another identifier than the URL's.
    SigIdentifier = 70013,
    /// The signature is for another `sdkappid` than the URL's.
    SigApp = 70014,

    /// Accounts: the account does not exist.
    AccountUnknown = 70107,
    /// A parameter is wrong.
    AccountParameter = 70402,
    AccountNotAdmin = 70403,
    AccountInternal = 70500,
}

/// The family of calls that a path belongs to; each family has its own codes for the same errors.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum CallFamily {
    /// `/v4/sns/`: the relationship chain.
    Sns,
    /// `/v4/profile/`
    Profile,
    /// `/v4/im_open_login_svc/`: accounts.
    Accounts,
    /// No known path.
    None,
}

impl TencentCode {
    pub(super) const fn number(self) -> u32 {
        self as u32
    }

    /// Whether the code refuses the caller's credential.
    pub(super) const fn refuses_credential(self) -> bool {
        matches!(
            self,
            Self::SnsNotAdmin
                | Self::ProfileNotAdmin
                | Self::AccountNotAdmin
                | Self::NotAdmin
                | Self::Signature
                | Self::Disabled
                | Self::SigExpired
                | Self::SigEmpty
                | Self::SigInvalid
                | Self::SigKind
                | Self::SigIdentifier
                | Self::SigApp
        )
    }
}

impl CallFamily {
    pub(super) const fn parameter(self) -> TencentCode {
        match self {
            Self::Sns => TencentCode::SnsParameter,
            Self::Profile => TencentCode::ProfileParameter,
            Self::Accounts => TencentCode::AccountParameter,
            Self::None => TencentCode::Http,
        }
    }

    pub(super) const fn account(self) -> TencentCode {
        match self {
            Self::Profile => TencentCode::ProfileAccount,
            Self::Accounts => TencentCode::AccountUnknown,
            Self::Sns | Self::None => TencentCode::SnsAccount,
        }
    }

    pub(super) const fn not_admin(self) -> TencentCode {
        match self {
            Self::Sns => TencentCode::SnsNotAdmin,
            Self::Profile => TencentCode::ProfileNotAdmin,
            Self::Accounts => TencentCode::AccountNotAdmin,
            Self::None => TencentCode::NotAdmin,
        }
    }

    pub(super) const fn app(self) -> TencentCode {
        match self {
            Self::Sns => TencentCode::SnsApp,
            Self::Profile => TencentCode::ProfileApp,
            Self::Accounts | Self::None => TencentCode::App,
        }
    }

    pub(super) const fn internal(self) -> TencentCode {
        match self {
            Self::Profile => TencentCode::ProfileInternal,
            Self::Accounts => TencentCode::AccountInternal,
            Self::Sns | Self::None => TencentCode::SnsInternal,
        }
    }

    /// The code for concurrent writes of the same records.
    pub(super) const fn conflict(self) -> TencentCode {
        match self {
            Self::Sns => TencentCode::SnsConflict,
            Self::Profile | Self::Accounts | Self::None => self.internal(),
        }
    }

    /// The code for a change to what a policy file declares.
    pub(super) const fn stated(self) -> TencentCode {
        match self {
            Self::Profile => TencentCode::ProfileReadOnly,
            Self::Sns | Self::Accounts | Self::None => self.parameter(),
        }
    }
}
