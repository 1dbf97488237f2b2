//! An HTTP client that sends bytes as they are given.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    reason = "each test takes a part of it, and may fail by it"
)]

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    os::unix::net::UnixStream,
    path::Path,
};

use super::daemon::NEVER;

/// One connection, on which anything may be sent and answers are read one by one.
#[derive(Debug)]
pub struct Client<S> {
    pub stream: S,
    read: Vec<u8>,
}

/// An answer as it came.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Client<TcpStream> {
    #[track_caller]
    pub fn tcp(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(NEVER)).unwrap();
        stream.set_write_timeout(Some(NEVER)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, read: Vec::new() }
    }
}

impl Client<UnixStream> {
    #[track_caller]
    pub fn unix(path: &Path) -> Self {
        Self::try_unix(path).unwrap()
    }

    /// # Errors
    /// If nobody listens.
    pub fn try_unix(path: &Path) -> io::Result<Self> {
        let stream = UnixStream::connect(path)?;
        stream.set_read_timeout(Some(NEVER))?;
        stream.set_write_timeout(Some(NEVER))?;
        Ok(Self { stream, read: Vec::new() })
    }
}

impl<S: Read + Write> Client<S> {
    /// On a stream that is connected already.
    pub fn over(stream: S) -> Self {
        Self { stream, read: Vec::new() }
    }

    #[track_caller]
    pub fn get(&mut self, path: &str) -> Answer {
        self.ask("GET", path, "", b"")
    }

    #[track_caller]
    pub fn post(&mut self, path: &str, body: &[u8]) -> Answer {
        self.ask("POST", path, "Content-Type: application/json\r\n", body)
    }

    /// Asks and reads the answer. The headers are lines that end in `\r\n` each.
    #[track_caller]
    pub fn ask(&mut self, method: &str, path: &str, headers: &str, body: &[u8]) -> Answer {
        self.try_ask(method, path, headers, body).unwrap()
    }

    /// The same of one who may be gone at any moment.
    ///
    /// # Errors
    /// If there is no complete answer.
    pub fn try_ask(
        &mut self,
        method: &str,
        path: &str,
        headers: &str,
        body: &[u8],
    ) -> io::Result<Answer> {
        self.stream.write_all(&request(method, path, headers, body))?;
        self.answer(method)
    }

    /// Sends bytes as they are.
    #[track_caller]
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).unwrap();
    }

    /// The next answer, to a request of that method.
    ///
    /// # Errors
    /// If the connection ends before it is complete, or what comes is no answer.
    pub fn answer(&mut self, method: &str) -> io::Result<Answer> {
        let mut answer = self.head()?;
        let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
        if answer.header("transfer-encoding") == Some("chunked") {
            answer.body = self.chunks()?;
        } else if method != "HEAD" {
            while self.read.len() < length {
                self.more()?;
            }
            answer.body = self.read.drain(..length).collect();
        }
        Ok(answer)
    }

    /// The head of the next answer, whose body is still to be read.
    ///
    /// # Errors
    /// If the connection ends before it is complete, or what comes is no answer.
    pub fn head(&mut self) -> io::Result<Answer> {
        let head = loop {
            if let Some(end) = self.read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break self.read.drain(..end + 4).collect::<Vec<u8>>();
            }
            self.more()?;
        };
        // A header that comes back may hold whatever bytes were sent.
        let head = String::from_utf8_lossy(&head);
        let mut lines = head.lines();
        let first = lines.next().unwrap_or_default();
        let status = first
            .strip_prefix("HTTP/1.1 ")
            .or_else(|| first.strip_prefix("HTTP/1.0 "))
            .and_then(|rest| rest.get(..3)?.parse().ok())
            .ok_or_else(|| io::Error::other(format!("no status line: {first}")))?;
        let headers = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        Ok(Answer { status, headers, body: Vec::new() })
    }

    fn chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let chunk = self.chunk()?;
            if chunk.is_empty() {
                return Ok(body);
            }
            body.extend(chunk);
        }
    }

    /// The next part of a body that is sent in chunks; empty at its end.
    ///
    /// # Errors
    /// If the connection ends before it is complete.
    pub fn chunk(&mut self) -> io::Result<Vec<u8>> {
        let end = loop {
            if let Some(end) = self.read.windows(2).position(|bytes| bytes == b"\r\n") {
                break end;
            }
            self.more()?;
        };
        let size: Vec<u8> = self.read.drain(..end + 2).collect();
        let size = str::from_utf8(&size).unwrap().trim();
        let size = usize::from_str_radix(size, 16).map_err(io::Error::other)?;
        while self.read.len() < size + 2 {
            self.more()?;
        }
        let chunk = self.read.drain(..size).collect();
        self.read.drain(..2);
        Ok(chunk)
    }

    /// All answers until the other end closes the connection.
    ///
    /// # Errors
    /// If the connection ends in the midst of one, or what comes is no answer.
    pub fn answers(&mut self) -> io::Result<Vec<Answer>> {
        let mut answers = Vec::new();
        loop {
            if self.read.is_empty() && !self.fill()? {
                return Ok(answers);
            }
            answers.push(self.answer("GET")?);
        }
    }

    /// Whether the other end closes the connection, without another word; waits for it.
    pub fn is_closed(&mut self) -> bool {
        self.read.is_empty() && !matches!(self.fill(), Ok(true))
    }

    fn more(&mut self) -> io::Result<()> {
        if self.fill()? { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    fn fill(&mut self) -> io::Result<bool> {
        let mut chunk = [0; 16 << 10];
        let length = self.stream.read(&mut chunk)?;
        self.read.extend(chunk.iter().take(length));
        Ok(length > 0)
    }
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    #[track_caller]
    pub fn revision(&self) -> &str {
        self.header("peerage-revision").unwrap()
    }

    #[track_caller]
    pub fn text(&self) -> &str {
        str::from_utf8(&self.body).unwrap()
    }

    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Asserts a refusal that says what is wrong, and gives where.
    #[track_caller]
    pub fn refusal(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        assert!(self.header("peerage-revision").is_some(), "{self:?}");
        let error = self.json()["error"].clone();
        assert!(error["message"].as_str().is_some_and(|text| !text.is_empty()), "{self:?}");
        error["at"].as_str().unwrap_or_default().to_owned()
    }
}

/// A request as bytes.
pub fn request(method: &str, path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes =
        format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}").into_bytes();
    if !body.is_empty() || method == "POST" {
        bytes.extend(format!("Content-Length: {}\r\n", body.len()).bytes());
    }
    bytes.extend(b"\r\n");
    bytes.extend(body);
    bytes
}
