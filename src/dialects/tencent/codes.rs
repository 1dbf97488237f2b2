//! The codes that answers have.
//!
//! | codes | from |
//! |---|---|
//! | 300xx to 306xx, 32216 | the error codes of the relationship chain, and the FAQ that tells which names stand behind 30001 |
//! | 400xx, 406xx | the error codes of profiles |
//! | 600xx | the error codes common to all REST calls |
//! | 7000x, 7001x | the error codes of UserSig |
//! | 701xx to 705xx | the error codes of accounts |
//!
//! Where the documentation has no code for something, the nearest is taken, and its line says so.

/// A result code, of a call as a whole or of one item of a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum TencentCode {
    /// The relationship chain: a parameter is wrong. Also what is there already or isn't there, of
    /// which `ResultInfo` tells.
    SnsParameter = 30001,
    /// The `sdkappid` is not the one of this app.
    SnsApp = 30002,
    SnsAccount = 30003,
    /// The `identifier` is no administrator of the app.
    SnsNotAdmin = 30004,
    /// Nothing is wrong with the call: it may be sent again.
    SnsInternal = 30006,
    /// Others wrote the same all the while.
    SnsConflict = 30008,
    /// The administrator forbids the user to send friend requests.
    AdminForbids = 30009,
    OwnFriendsFull = 30010,
    FriendGroupsFull = 30011,
    BlackListFull = 30013,
    TheirFriendsFull = 30014,
    /// The other is in one's own blocklist.
    InOwnBlackList = 30515,
    /// The other's `AllowType` is `DenyAny`.
    Denied = 30516,
    /// One is in the other's blocklist.
    InTheirBlackList = 30525,
    /// The request waits for the other's answer.
    Pending = 30539,
    /// A user who is to be put into a friend group is not a friend.
    NotFriendForGroup = 32216,

    /// Profiles: a parameter is wrong.
    ProfileParameter = 40001,
    ProfileApp = 40002,
    ProfileAccount = 40003,
    ProfileNotAdmin = 40004,
    ProfileInternal = 40006,
    /// The field can't be written. Here: a policy file states it.
    ProfileReadOnly = 40008,
    /// There is no field with this tag.
    ProfileTag = 40009,
    /// A value has more than 500 bytes.
    ProfileTooLong = 40601,
    /// A standard field can't have this value.
    ProfileValue = 40605,
    /// A value is of another type than the field's.
    ProfileType = 40610,

    /// Any call: the request is not as HTTP has it here, by its method or its query.
    Http = 60002,
    /// The body is no JSON.
    Json = 60003,
    /// There is no account or no signature in the URL.
    Signature = 60004,
    /// The `sdkappid` is wrong, on a path that has no code of its own for it.
    App = 60006,
    /// The request did not come whole or in time, or was too large.
    Timeout = 60008,
    /// There is nothing at this path.
    Resource = 60009,
    NotAdmin = 60010,
    AppMissing = 60012,
    /// Here: the daemon was started without what the call needs.
    Disabled = 60017,

    /// The signature: it is not valid any more.
    SigExpired = 70001,
    SigEmpty = 70002,
    /// It can't be read, or is not one of the configured key.
    SigInvalid = 70003,
    /// It is of a kind that can't be verified with the configured key.
    SigKind = 70009,
    /// It is of another identifier than the URL's.
    SigIdentifier = 70013,
    /// It is of another `sdkappid` than the URL's.
    SigApp = 70014,

    /// Accounts: the account does not exist.
    AccountUnknown = 70107,
    /// A parameter is wrong.
    AccountParameter = 70402,
    AccountNotAdmin = 70403,
    AccountInternal = 70500,
}

/// Which calls a path is among: each has codes of its own for the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum CallFamily {
    /// `/v4/sns/`: the relationship chain.
    Sns,
    /// `/v4/profile/`
    Profile,
    /// `/v4/im_open_login_svc/`: accounts.
    Accounts,
    /// No path that there is.
    None,
}

impl TencentCode {
    pub(super) const fn number(self) -> u32 {
        self as u32
    }

    /// Whether it says, before anything is read, that a caller's credential opens nothing.
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

    /// Of what others write all the time.
    pub(super) const fn conflict(self) -> TencentCode {
        match self {
            Self::Sns => TencentCode::SnsConflict,
            Self::Profile | Self::Accounts | Self::None => self.internal(),
        }
    }

    /// Of what a policy file states.
    pub(super) const fn stated(self) -> TencentCode {
        match self {
            Self::Profile => TencentCode::ProfileReadOnly,
            Self::Sns | Self::Accounts | Self::None => self.parameter(),
        }
    }
}
