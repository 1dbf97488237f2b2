//! The limit of file descriptors, and the limits of connections derived from it.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The greatest numbers of connections.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConnectionLimits {
    /// Over all public listeners together.
    pub ordinary: usize,
    /// Over admin sockets, in addition.
    pub admin: usize,
}

/// The number of descriptors where the system sets no limit.
const MOST: u64 = 1 << 20;

/// The greatest number of descriptors that are reserved for administrators, files and the store.
const MOST_RESERVED: u64 = 256;

impl ConnectionLimits {
    /// Raises the soft limit of descriptors to the hard limit, and derives the limits of connections.
    pub fn raise() -> Self {
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        let wanted = maximum.unwrap_or(MOST).max(current.unwrap_or(MOST));
        let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
        Self::from_descriptors(if raised.is_ok() { wanted } else { current.unwrap_or(MOST) })
    }

    /// The limits of connections for a number of descriptors.
    fn from_descriptors(descriptors: u64) -> Self {
        let reserved = MOST_RESERVED.min(descriptors / 2);
        let count = |number: u64| usize::try_from(number.max(1)).unwrap_or(usize::MAX);
        Self { ordinary: count(descriptors - reserved), admin: count(reserved / 4) }
    }
}

#[cfg(test)]
mod tests {
    use super::ConnectionLimits;

    #[test]
    fn some_descriptors_are_reserved() {
        for (descriptors, ordinary, admin) in
            [(64, 32, 8), (1024, 768, 64), (1 << 20, (1 << 20) - 256, 64), (1, 1, 1)]
        {
            assert_eq!(
                ConnectionLimits::from_descriptors(descriptors),
                ConnectionLimits { ordinary, admin }
            );
        }
    }
}
