//! Well-formed ids and tags.

use std::{fmt, ops::Deref};

use crate::request::{InvalidIdError, InvalidTagError, check_id, check_tag};

/// A well-formed id of a user or group.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Id(String);

/// A well-formed tag, declared or not.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TagName(String);

impl Id {
    /// Checks and wraps an id.
    ///
    /// # Errors
    /// If the text is not well-formed.
    pub fn new(text: &str) -> Result<Self, InvalidIdError> {
        check_id(text).map(|()| Self(text.to_owned()))
    }
}

impl TagName {
    /// Checks and wraps a tag.
    ///
    /// # Errors
    /// If the text is not well-formed.
    pub fn new(text: &str) -> Result<Self, InvalidTagError> {
        check_tag(text).map(|()| Self(text.to_owned()))
    }
}

impl Deref for Id {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Deref for TagName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl fmt::Display for TagName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}
