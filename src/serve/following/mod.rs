//! Answers that change live: the stream of changes, and standing questions.

mod changes;
mod etag;
mod feed;
mod standing;
mod watch;

pub(super) use changes::changes;
pub(super) use etag::{EntityTag, is_known};
pub(super) use feed::{ChangeFeed, StreamKind};
pub(super) use watch::watch;
