//! A socket of the other end, by a library that is not the daemon's.

use std::sync::LazyLock;

use fastwebsockets::{Frame, OpCode, Payload, Role, WebSocket};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime::{Builder, Runtime},
    time::timeout,
};

use crate::{dialects::rig::Rig, support::daemon::NEVER};

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap());

pub(crate) struct Socket {
    inner: WebSocket<TcpStream>,
}

/// What comes last.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Last {
    /// The other end says why, by a number.
    Closed(u16),
    /// The connection is gone.
    Gone,
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    RUNTIME.block_on(async { timeout(NEVER, future).await.unwrap() })
}

impl Socket {
    /// Opens one at a path.
    #[track_caller]
    pub(super) fn open(rig: &Rig, path: &str) -> Self {
        let address = rig.daemon.address();
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        let (head, stream) = wait(async {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.set_nodelay(true).unwrap();
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut head = Vec::new();
            // One by one: frames may follow at once.
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            (String::from_utf8(head).unwrap(), stream)
        });
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        // From RFC 6455, of that key.
        let accepted = "sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=";
        assert!(head.to_lowercase().contains(accepted), "{head}");
        let mut inner = WebSocket::after_handshake(stream, Role::Client);
        inner.set_max_message_size(32 << 20);
        Self { inner }
    }

    #[track_caller]
    pub(super) fn send(&mut self, frame: &Value) {
        self.send_text(&frame.to_string());
    }

    #[track_caller]
    pub(crate) fn send_text(&mut self, text: &str) {
        self.write(Frame::text(Payload::Owned(text.as_bytes().to_vec())));
    }

    #[track_caller]
    pub(super) fn write(&mut self, frame: Frame<'_>) {
        self.try_write(frame).unwrap();
    }

    /// # Errors
    /// If the connection is gone.
    pub(super) fn try_write(&mut self, frame: Frame<'_>) -> Result<(), String> {
        wait(self.inner.write_frame(frame)).map_err(|error| error.to_string())
    }

    /// Whatever comes next.
    fn read(&mut self) -> Result<Frame<'static>, Last> {
        wait(async {
            let frame = self.inner.read_frame().await.map_err(|_| Last::Gone)?;
            if frame.opcode == OpCode::Close {
                let code = frame.payload.get(..2).map(|two| u16::from_be_bytes([two[0], two[1]]));
                return Err(Last::Closed(code.unwrap_or(1005)));
            }
            let payload = Payload::Owned(frame.payload.to_vec());
            Ok(Frame::new(frame.fin, frame.opcode, None, payload))
        })
    }

    /// The next frame.
    #[track_caller]
    pub(crate) fn next(&mut self) -> Value {
        serde_json::from_str(&self.next_text()).unwrap()
    }

    #[track_caller]
    pub(super) fn next_text(&mut self) -> String {
        match self.read() {
            Ok(frame) => String::from_utf8(frame.payload.to_vec()).unwrap(),
            Err(last) => panic!("it has ended: {last:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn ask(&mut self, frame: &Value) -> Value {
        self.send(frame);
        self.next()
    }

    /// The payload of the next frame, which must be a pong.
    #[track_caller]
    pub(super) fn pong(&mut self) -> Vec<u8> {
        let frame = self.read().unwrap();
        assert!(frame.opcode == OpCode::Pong);
        frame.payload.to_vec()
    }

    /// Answers no more pings, and shows them.
    pub(super) fn is_deaf(&mut self) {
        self.inner.set_auto_pong(false);
    }

    /// Answers so many pings.
    #[track_caller]
    pub(super) fn pings(&mut self, count: usize) {
        self.is_deaf();
        for _ in 0..count {
            let frame = self.read().unwrap();
            assert!(frame.opcode == OpCode::Ping);
            self.write(Frame::pong(frame.payload));
        }
    }

    /// How it ends, which it must without another frame.
    #[track_caller]
    pub(super) fn end(&mut self) -> Last {
        match self.read() {
            Ok(frame) => panic!("{:?}", String::from_utf8_lossy(&frame.payload)),
            Err(last) => last,
        }
    }

    /// How many frames come before it ends, and how it does.
    pub(super) fn drain(&mut self) -> (usize, Last) {
        let mut frames = 0;
        loop {
            match self.read() {
                Ok(_) => frames += 1,
                Err(last) => return (frames, last),
            }
        }
    }
}
