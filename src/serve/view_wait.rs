//! Waiting for the served view to follow the store.

use std::time::Duration;

use tokio::{
    sync::watch::Receiver,
    time::{Instant, timeout_at},
};

use crate::live::Live;

/// The longest wait in all.
const PATIENCE: Duration = Duration::from_secs(2);

/// The wait of one reader for the served view to follow the store.
#[derive(Default, Debug)]
pub(super) struct ViewWait(Option<(Receiver<()>, Instant)>);

impl ViewWait {
    /// Waits until the view has changed since the last attempt to read it; `false` if it takes too
    /// long.
    pub(super) async fn retry(&mut self, live: &Live) -> bool {
        match &mut self.0 {
            // The view may have changed between the attempt and this: the next one sees.
            None => {
                self.0 = Some((live.changes(), Instant::now() + PATIENCE));
                true
            }
            Some((changes, deadline)) => {
                matches!(timeout_at(*deadline, changes.changed()).await, Ok(Ok(())))
            }
        }
    }
}
