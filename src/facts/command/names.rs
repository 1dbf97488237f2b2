use std::{fmt, ops::Deref};

use crate::request::{InvalidIdError, InvalidTagError, check_id, check_tag};

/// The id of a user or group, of the right form.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Id(String);

/// A tag of the right form, declared or not.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TagName(String);

impl Id {
    /// # Errors
    /// Says why the text can't be one.
    pub fn new(text: &str) -> Result<Self, InvalidIdError> {
        check_id(text).map(|()| Self(text.to_owned()))
    }
}

impl TagName {
    /// # Errors
    /// Says why the text can't be one.
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
