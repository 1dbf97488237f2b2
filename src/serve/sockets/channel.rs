//! The channel to a socket: commands from other sockets and the hub, bounded in number and bytes.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use hyper_tungstenite::tungstenite::{Utf8Bytes, protocol::frame::coding::CloseCode};
use tokio::sync::{Notify, mpsc};

/// The limits of what may wait to be sent to a socket: frames, and their bytes.
const MAX_WAITING: usize = 256;
const MAX_BYTES: usize = 512 << 10;

/// The sending end, held by others.
#[derive(Clone, Debug)]
pub(super) struct SocketSender {
    commands: mpsc::Sender<SocketCommand>,
    waiting: Arc<AtomicUsize>,
    cut: Arc<Notify>,
}

/// The receiving end, held by the socket.
#[derive(Debug)]
pub(super) struct SocketInbox {
    commands: mpsc::Receiver<SocketCommand>,
    waiting: Arc<AtomicUsize>,
}

/// A command to a socket.
#[derive(Debug)]
pub(super) enum SocketCommand {
    Send(Utf8Bytes),
    Close(CloseCode, &'static str),
}

/// Creates a channel, and the notification that it is over its limits: its socket is closed then.
pub(super) fn socket_channel() -> (SocketSender, SocketInbox, Arc<Notify>) {
    let (sender, receiver) = mpsc::channel(MAX_WAITING);
    let (waiting, cut) = (Arc::default(), Arc::default());
    let sender =
        SocketSender { commands: sender, waiting: Arc::clone(&waiting), cut: Arc::clone(&cut) };
    (sender, SocketInbox { commands: receiver, waiting }, cut)
}

impl SocketCommand {
    fn bytes(&self) -> usize {
        match self {
            Self::Send(text) => text.len(),
            Self::Close(..) => 0,
        }
    }
}

impl SocketSender {
    pub(super) fn send(&self, command: SocketCommand) {
        let bytes = command.bytes();
        let before = self.waiting.fetch_add(bytes, Ordering::Relaxed);
        if before + bytes > MAX_BYTES || self.commands.try_send(command).is_err() {
            // A caller who does not read is disconnected.
            self.cut.notify_one();
        }
    }
}

impl SocketInbox {
    pub(super) async fn next(&mut self) -> Option<SocketCommand> {
        let command = self.commands.recv().await?;
        self.waiting.fetch_sub(command.bytes(), Ordering::Relaxed);
        Some(command)
    }
}
