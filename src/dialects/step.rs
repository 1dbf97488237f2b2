use super::{House, Unread};
use crate::facts::{Command, Op, Outcome, Refusal};

/// What a dialect does next about a call; `R` is what it answers with.
pub enum Step<R> {
    Done(R),
    /// To be asked on a thread of its own: it takes long, since it passes over much.
    Gather(Box<Look<R>>),
    Write(Write<R>),
}

/// Commands to be carried out, and what to do then.
pub struct Write<R> {
    pub commands: Vec<Command>,
    /// Whether each is for itself, so that one which is refused keeps none of the others back.
    /// Otherwise all take effect or none.
    pub each: bool,
    pub then: Box<Then<R>>,
}

/// What to look up, and what comes of it. Called again from the start if what is served has not
/// followed what is kept yet.
pub type Look<R> = dyn Fn(&dyn House) -> Result<Step<R>, Unread> + Send + Sync;

/// What to do about what came of commands. Called again from the start if what is served has not
/// followed what is kept yet.
pub type Then<R> = dyn Fn(&Wrote, &dyn House) -> Result<Step<R>, Unread> + Send + Sync;

/// What came of commands.
#[derive(Clone, PartialEq, Debug)]
pub enum Wrote {
    /// They took effect, but for those that were refused where each is for itself: what came of each,
    /// and the revision since which it is so.
    Done {
        revision: u64,
        outcomes: Vec<Result<Outcome, Refusal>>,
    },
    /// None took effect, since one was refused.
    Refused {
        at: usize,
        refusal: Refusal,
    },
    Failed(NotWritten),
}

/// Why commands were not carried out.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotWritten {
    /// The daemon keeps no facts.
    #[error("{0}")]
    NoStore(String),
    /// No store of this kind takes so much at once.
    #[error("{0}")]
    TooLarge(String),
    /// Others wrote the same all the while; nothing took effect.
    #[error("{0}")]
    Contended(String),
    /// For now; it may have taken effect all the same.
    #[error("{0}")]
    Unavailable(String),
}

impl<R> Step<R> {
    /// Carries commands out, all or none.
    pub fn write(
        commands: Vec<Command>,
        then: impl Fn(&Wrote, &dyn House) -> Result<Self, Unread> + Send + Sync + 'static,
    ) -> Self {
        Self::Write(Write { commands, each: false, then: Box::new(then) })
    }

    /// Carries out an administrator's operation.
    pub fn op(
        op: Op,
        then: impl Fn(&Wrote, &dyn House) -> Result<Self, Unread> + Send + Sync + 'static,
    ) -> Self {
        Self::write(vec![op.into()], then)
    }

    /// Carries commands out, each for itself.
    pub fn each(
        commands: Vec<Command>,
        then: impl Fn(&Wrote, &dyn House) -> Result<Self, Unread> + Send + Sync + 'static,
    ) -> Self {
        Self::Write(Write { commands, each: true, then: Box::new(then) })
    }

    pub fn gather(
        read: impl Fn(&dyn House) -> Result<Self, Unread> + Send + Sync + 'static,
    ) -> Self {
        Self::Gather(Box::new(read))
    }
}

impl<R: std::fmt::Debug> std::fmt::Debug for Step<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Done(answer) => f.debug_tuple("Done").field(answer).finish(),
            Self::Gather(_) => f.write_str("Gather"),
            Self::Write(write) => write.fmt(f),
        }
    }
}

impl<R> std::fmt::Debug for Write<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Write")
            .field("commands", &self.commands)
            .field("each", &self.each)
            .finish_non_exhaustive()
    }
}
