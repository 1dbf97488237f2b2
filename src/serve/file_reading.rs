//! The last reading of a file of credentials, as the status shows it.

use std::time::SystemTime;

use serde_json::{Value, json};

use crate::wire::unix_seconds;

/// The last reading of a file of credentials.
#[derive(Clone, Debug)]
pub(super) struct FileReading {
    /// The time of the last good one.
    read_at: SystemTime,
    /// Why a later one failed.
    error: Option<String>,
}

impl Default for FileReading {
    /// A good reading, now.
    fn default() -> Self {
        Self { read_at: SystemTime::now(), error: None }
    }
}

impl FileReading {
    /// Notes why a reading failed. Returns whether that is another reason than before.
    pub(super) fn fail(&mut self, error: &str) -> bool {
        let is_new = self.error.as_deref() != Some(error);
        self.error = Some(error.to_owned());
        is_new
    }

    /// Whether the last reading was good.
    pub(super) fn is_good(&self) -> bool {
        self.error.is_none()
    }

    pub(super) fn to_json(&self) -> Value {
        json!({ "read_at": unix_seconds(self.read_at), "error": self.error })
    }
}
