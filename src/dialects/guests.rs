//! Guest accounts: users whom a dialect makes for callers without a credential, and their limit.

use std::fmt::Debug;

use crate::facts::{Command, UnixMillis, UserRecord};

/// The guest accounts of a dialect, distinguished from other users by their records.
pub trait GuestAccounts: Send + Sync {
    /// Whether an id has the form of a guest's, so that other users' records need not be read.
    fn is_guest_id(&self, id: &str) -> bool;

    /// The guest whom a user's record holds, if it is one.
    fn guest(&self, record: &UserRecord) -> Option<Guest>;

    /// Commands that record a guest's visit: they take effect together, or not if the guest is gone.
    ///
    /// # Errors
    /// If the text is not an id.
    fn record_visit(&self, id: &str, now: UnixMillis) -> Result<[Command; 2], String>;

    /// A command that deletes a guest whose record holds only a profile.
    ///
    /// # Errors
    /// If the text is not an id.
    fn delete_guest(&self, id: &str) -> Result<Command, String>;
}

/// A guest, by their record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Guest {
    /// The last recorded visit; `None` if there is none.
    pub last_seen: Option<UnixMillis>,
    /// Whether the record holds nothing but a profile. Other users' records are not considered.
    pub is_bare: bool,
}

/// The number of guests that may be made.
pub trait GuestLimit: Debug + Send + Sync {
    /// Takes a place for a guest who is about to be made. Called again about the same login, it takes
    /// no other.
    ///
    /// # Errors
    /// If there is no place.
    fn admit(&self) -> Result<(), GuestLimitError>;
}

/// The reason why no guest is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum GuestLimitError {
    #[error("there are {0} guests, the most there may be; log in with a token, or try again later")]
    Full(usize),
    #[error(
        "{0} guests a minute may come from one address; log in with a token, or try again in a minute"
    )]
    TooFast(u32),
}

/// A limit that admits any number of guests.
#[derive(Clone, Copy, Debug)]
pub struct NoGuestLimit;

impl GuestLimit for NoGuestLimit {
    fn admit(&self) -> Result<(), GuestLimitError> {
        Ok(())
    }
}
