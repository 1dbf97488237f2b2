//! File descriptors: how many there may be, and how many connections may take.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// As many connections as there may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConnectionLimits {
    /// By listeners that anyone may reach, all together.
    pub ordinary: usize,
    /// By sockets for administrators, besides.
    pub admin: usize,
}

/// How many descriptors are taken where there is no limit.
const MOST: u64 = 1 << 20;

/// How many descriptors are kept for administrators, files and the store, at most.
const MOST_RESERVED: u64 = 256;

impl ConnectionLimits {
    /// Takes as many descriptors as the system gives this process, and keeps some back.
    pub fn raise() -> Self {
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        let wanted = maximum.unwrap_or(MOST).max(current.unwrap_or(MOST));
        let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
        Self::from_descriptors(if raised.is_ok() { wanted } else { current.unwrap_or(MOST) })
    }

    /// The limits for so many descriptors.
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
    fn some_descriptors_are_kept_back() {
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
