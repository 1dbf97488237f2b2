//! A client that reads answers whole and keeps nothing of them, and the times that they took.

use std::{
    fmt,
    io::{self, Read, Write},
    net::TcpStream,
    time::Duration,
};

pub(crate) struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) bytes: usize,
    /// In how many seconds to ask again.
    pub(crate) retry_after: u64,
}

impl Client {
    pub(crate) fn connect(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(Self { stream, buffer: vec![0; 64 << 10], filled: 0 })
    }

    /// Asks and reads the answer to its end.
    pub(crate) fn ask(&mut self, request: &str) -> io::Result<Answer> {
        self.stream.write_all(request.as_bytes())?;
        let head = loop {
            let read = &self.buffer[..self.filled];
            if let Some(end) = read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&read[..end]).to_ascii_lowercase();
                self.drop(end + 4);
                break head;
            }
            self.fill()?;
        };
        let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name));
        let number = |name: &str| header(name).and_then(|text| text.trim().parse().ok());
        let mut answer = Answer {
            status: head.get(9..12).and_then(|status| status.parse().ok()).unwrap_or(0),
            bytes: 0,
            retry_after: number("retry-after:").unwrap_or(0),
        };
        if header("transfer-encoding:").is_none() {
            answer.bytes = usize::try_from(number("content-length:").unwrap_or(0)).unwrap();
            self.skip(answer.bytes)?;
            return Ok(answer);
        }
        loop {
            let size = loop {
                let read = &self.buffer[..self.filled];
                if let Some(end) = read.windows(2).position(|bytes| bytes == b"\r\n") {
                    let size = String::from_utf8_lossy(&read[..end]).into_owned();
                    self.drop(end + 2);
                    break usize::from_str_radix(&size, 16).map_err(io::Error::other)?;
                }
                self.fill()?;
            };
            self.skip(size + 2)?;
            answer.bytes += size;
            if size == 0 {
                return Ok(answer);
            }
        }
    }

    fn skip(&mut self, mut bytes: usize) -> io::Result<()> {
        while bytes > 0 {
            if self.filled == 0 {
                self.fill()?;
            }
            let some = bytes.min(self.filled);
            self.drop(some);
            bytes -= some;
        }
        Ok(())
    }

    fn drop(&mut self, bytes: usize) {
        self.buffer.copy_within(bytes..self.filled, 0);
        self.filled -= bytes;
    }

    fn fill(&mut self) -> io::Result<()> {
        match self.stream.read(&mut self.buffer[self.filled..])? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                self.filled += read;
                Ok(())
            }
        }
    }
}

/// How long answers took, and how many were none of 200.
#[derive(Default)]
pub(crate) struct Times {
    micros: Vec<u64>,
    failed: usize,
}

impl Times {
    pub(crate) fn note(&mut self, took: Duration, status: u16) {
        self.micros.push(took.as_micros() as u64);
        self.failed += usize::from(status != 200);
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sorted = self.micros.clone();
        sorted.sort_unstable();
        let at = |share: f64| sorted[((sorted.len() - 1) as f64 * share) as usize] as f64 / 1e3;
        write!(f, "{:.2} ms (p99 {:.2}, slowest {:.2}", at(0.5), at(0.99), at(1.0))?;
        if self.failed > 0 {
            write!(f, ", {} of {} failed", self.failed, sorted.len())?;
        }
        f.write_str(")")
    }
}
