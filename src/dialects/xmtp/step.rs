//! Steps that may end in a refusal.

use super::refused::{Refused, Stop};
use crate::{
    dialects::{House, Reply, Step, Unread, Wrote},
    facts::Command,
};

/// What is answered where there is no result.
pub(super) fn settled(step: Result<Step<Reply>, Stop>) -> Result<Step<Reply>, Unread> {
    match step {
        Ok(step) => Ok(step),
        Err(Stop::Refused(refused)) => Ok(Step::Done(refused.reply())),
        Err(Stop::Unread(unread)) => Err(unread),
    }
}

pub(super) fn refused(refused: &Refused) -> Step<Reply> {
    Step::Done(refused.reply())
}

/// To be asked on a thread of its own.
pub(super) fn gather(
    read: impl Fn(&dyn House) -> Result<Step<Reply>, Stop> + Send + Sync + 'static,
) -> Step<Reply> {
    Step::gather(move |house| settled(read(house)))
}

/// Carries commands out, all or none.
pub(super) fn write(
    commands: Vec<Command>,
    then: impl Fn(&Wrote, &dyn House) -> Result<Reply, Stop> + Send + Sync + 'static,
) -> Step<Reply> {
    Step::write(commands, move |wrote, house| settled(then(wrote, house).map(Step::Done)))
}
