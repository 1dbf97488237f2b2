//! The clock by which what ends or holds at times is judged.

use std::{fmt::Debug, time::SystemTime};

use crate::request::Moment;

/// The source of the present moment.
pub trait Clock: Send + Sync + Debug {
    /// The present moment: the wall time, which may step in both directions.
    fn now(&self) -> Moment;
}

/// The clock of the system.
#[derive(Clone, Copy, Default, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        SystemTime::now().into()
    }
}
