//! The protocol of systemd's `sd_notify`: the state of the daemon for its service manager.

use std::{
    env,
    ffi::OsStr,
    future::pending,
    io,
    os::unix::{
        ffi::OsStrExt as _,
        net::{SocketAddr, UnixDatagram},
    },
    process,
    thread::JoinHandle,
    time::Duration,
};

use anyhow::{Result, anyhow};
use tokio::time::{MissedTickBehavior, interval};
use tracing::warn;

/// The service manager that started the process, if it wants to know of its state.
#[derive(Debug, Default)]
pub(super) struct ServiceManager(Option<UnixDatagram>);

impl ServiceManager {
    /// Connects to the socket that `NOTIFY_SOCKET` names.
    pub(super) fn from_environment() -> Self {
        let name = env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty());
        Self(name.and_then(|name| match connect(&name) {
            Ok(socket) => Some(socket),
            Err(error) => {
                warn!(%error, "can't reach NOTIFY_SOCKET `{}`", name.display());
                None
            }
        }))
    }

    /// The daemon serves.
    pub(super) fn ready(&self, status: &str) {
        self.send(&format!("READY=1\nSTATUS={status}"));
    }

    /// The daemon reloads; [`Self::ready`] ends it.
    pub(super) fn reloading(&self) {
        let now = monotonic_micros();
        self.send(&format!("RELOADING=1\nMONOTONIC_USEC={now}\nSTATUS=reloading"));
    }

    /// The daemon stops.
    pub(super) fn stopping(&self) {
        self.send("STOPPING=1\nSTATUS=stopping");
    }

    /// Feeds the watchdog while the runtime turns and the thread of reloads is alive. Never returns.
    pub(super) async fn feed_watchdog(&self, reloads: &JoinHandle<()>) {
        let Some(timeout) = watchdog_timeout().filter(|_| self.0.is_some()) else {
            return pending().await;
        };
        let mut ticks = interval((timeout / 2).max(Duration::from_millis(1)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if !reloads.is_finished() {
                self.send("WATCHDOG=1");
            }
        }
    }

    fn send(&self, state: &str) {
        let Some(socket) = &self.0 else { return };
        if let Err(error) = socket.send(state.as_bytes()) {
            warn!(%error, "can't notify the service manager");
        }
    }
}

/// A path, or an abstract name behind `@`.
fn connect(name: &OsStr) -> Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    // A manager that does not read must not stop the daemon.
    socket.set_nonblocking(true)?;
    match name.as_bytes() {
        [b'@', name @ ..] => socket.connect_addr(&abstract_address(name)?)?,
        [b'/', ..] => socket.connect(name)?,
        _ => return Err(anyhow!("expected a path, or @ and an abstract name")),
    }
    Ok(socket)
}

#[cfg(target_os = "linux")]
fn abstract_address(name: &[u8]) -> io::Result<SocketAddr> {
    use std::os::linux::net::SocketAddrExt as _;
    SocketAddr::from_abstract_name(name)
}

#[cfg(not(target_os = "linux"))]
fn abstract_address(_: &[u8]) -> io::Result<SocketAddr> {
    Err(io::ErrorKind::Unsupported.into())
}

/// The longest time between two signs of life, if the manager watches this process.
fn watchdog_timeout() -> Option<Duration> {
    let number = |name| env::var(name).ok()?.parse::<u64>().ok();
    if number("WATCHDOG_PID").is_some_and(|id| id != u64::from(process::id())) {
        return None;
    }
    number("WATCHDOG_USEC").filter(|&micros| micros > 0).map(Duration::from_micros)
}

/// The clock by which the manager orders reloads.
fn monotonic_micros() -> i64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec * 1_000_000 + now.tv_nsec / 1_000
}
