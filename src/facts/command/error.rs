//! Errors of commands that can't be decoded.

/// The error for a field of a command that can't be decoded.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("command {index}: `{}`: {message}", .field.escape_debug())]
pub struct CommandSyntaxError {
    /// The index of the command in its batch.
    pub index: usize,
    /// The name of the field; empty if the command as a whole is wrong.
    pub field: String,
    pub message: String,
}
