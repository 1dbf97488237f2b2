//! An open loop: requests are sent when they are due, whether or not earlier ones are answered.

use std::{
    cell::RefCell,
    collections::VecDeque,
    fmt,
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    runtime::Builder,
    task::{LocalSet, yield_now},
};

use crate::daemon::Daemon;

const DECIDE: &[u8] =
    b"GET /v1/decide?subject=3&action=start_chat&resource=2 HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// What is sent, and how.
pub(crate) struct Load {
    pub(crate) name: &'static str,
    request: Vec<u8>,
    shape: Shape,
    /// The rate from which on the one that can be carried is looked for.
    pub(crate) start: f64,
    /// The `--max-in-flight` of the daemon.
    pub(crate) max_in_flight: usize,
}

impl Load {
    pub(crate) fn pipelined() -> Self {
        let (request, shape) = (DECIDE.to_vec(), Shape::Pipelined);
        Self { name: "pipelined", request, shape, start: 5000.0, max_in_flight: 256 }
    }

    pub(crate) fn pool() -> Self {
        Self { name: "pool", shape: Shape::Pool, ..Self::pipelined() }
    }

    /// One question after the other about two users.
    pub(crate) fn asking(subject: &str, resource: &str) -> Self {
        let query = format!("subject={subject}&action=start_chat&resource={resource}");
        let request = format!("GET /v1/decide?{query} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        Self { request: request.into_bytes(), ..Self::pipelined() }
    }

    /// Many evaluations in each request.
    pub(crate) fn batches(evaluations: usize) -> Self {
        let items: Vec<_> = (0..evaluations)
            .map(|at| format!(r#"{{"resource":{{"type":"user","id":"{}"}}}}"#, at % 6 + 1))
            .collect();
        let body = format!(
            r#"{{"subject":{{"type":"user","id":"3"}},"action":{{"name":"start_chat"}},"evaluations":[{}]}}"#,
            items.join(",")
        );
        let head = "POST /access/v1/evaluations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json";
        let request =
            format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes();
        Self { name: "batches", request, shape: Shape::Pool, start: 200.0, max_in_flight: 2 }
    }
}

/// How the requests are spread over connections.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Shape {
    /// Over 64 connections in turn, on which later requests do not wait for earlier ones.
    Pipelined,
    /// Over a pool of 512 connections, each with one request at a time. One that is due while none is free waits for
    /// one, and its time goes on.
    Pool,
}

impl Shape {
    fn connections(self) -> usize {
        match self {
            Self::Pipelined => 64,
            Self::Pool => 512,
        }
    }
}

/// What became of the requests of a round.
#[derive(Default)]
pub(crate) struct Outcome {
    sent: usize,
    shed: usize,
    /// The times of those that were accepted, from when they were due, in order.
    accepted: Vec<Duration>,
    /// The same from when they were sent: what waits for a free connection is not yet the daemon's.
    served: Vec<Duration>,
    rate: f64,
}

impl Outcome {
    pub(crate) fn share_accepted(&self) -> f64 {
        self.accepted.len() as f64 / self.sent as f64
    }

    pub(crate) fn p99(&self) -> Duration {
        at(&self.accepted, 0.99)
    }

    pub(crate) fn served_p99(&self) -> Duration {
        at(&self.served, 0.99)
    }
}

/// A quantile of times in order.
fn at(times: &[Duration], share: f64) -> Duration {
    let last = times.len().saturating_sub(1);
    times.get((last as f64 * share) as usize).copied().unwrap_or(Duration::MAX)
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sent, accepted) = (self.sent, self.accepted.len());
        let part = |count: usize| 100.0 * count as f64 / sent as f64;
        write!(
            f,
            "{:.0}/s due, {:.1} % accepted (median {:.2} ms, 99th percentile {:.2} ms, {:.2} ms from the sending), {:.1} % 503, {:.1} % unanswered",
            self.rate,
            part(accepted),
            at(&self.accepted, 0.5).as_secs_f64() * 1e3,
            self.p99().as_secs_f64() * 1e3,
            self.served_p99().as_secs_f64() * 1e3,
            part(self.shed),
            part(sent - accepted - self.shed)
        )
    }
}

/// One connection: the times when its unanswered requests were due and sent.
struct Lane {
    waiting: RefCell<VecDeque<[Instant; 2]>>,
    writer: RefCell<OwnedWriteHalf>,
}

/// Sends at a rate for a time.
pub(crate) fn run(daemon: &Daemon, rate: f64, span: Duration, load: &Load) -> Outcome {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, send(&daemon.address, rate, span, load))
}

async fn send(address: &str, rate: f64, span: Duration, load: &Load) -> Outcome {
    let Load { request, shape, .. } = load;
    let shape = *shape;
    let outcome = Rc::new(RefCell::new(Outcome::default()));
    let idle = Rc::new(RefCell::new(VecDeque::new()));
    let mut lanes = Vec::new();
    for at in 0..shape.connections() {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (reader, writer) = stream.into_split();
        let lane = Rc::new(Lane { waiting: RefCell::default(), writer: RefCell::new(writer) });
        tokio::task::spawn_local(receive(
            (at, Rc::clone(&lane)),
            reader,
            Rc::clone(&outcome),
            (shape == Shape::Pool).then(|| Rc::clone(&idle)),
        ));
        idle.borrow_mut().push_back(at);
        lanes.push(lane);
    }
    let begun = Instant::now();
    let gap = Duration::from_secs_f64(1.0 / rate);
    let (mut due, mut late) = (0_u32, VecDeque::new());
    let mut batches = vec![0_usize; lanes.len()];
    while begun.elapsed() < span {
        let elapsed = begun.elapsed();
        while gap * due < elapsed {
            late.push_back(begun + gap * due);
            due += 1;
        }
        if shape == Shape::Pool {
            while let Some(at) = (!late.is_empty()).then(|| idle.borrow_mut().pop_front()).flatten()
            {
                lanes[at]
                    .waiting
                    .borrow_mut()
                    .extend(late.pop_front().map(|due| [due, Instant::now()]));
                write(&lanes[at], request, 1).await;
            }
        } else {
            while let Some(time) = late.pop_front() {
                let at = idle.borrow_mut().pop_front().unwrap();
                idle.borrow_mut().push_back(at);
                lanes[at].waiting.borrow_mut().push_back([time, Instant::now()]);
                batches[at] += 1;
            }
            for (lane, batch) in lanes.iter().zip(&mut batches).filter(|(_, batch)| **batch > 0) {
                write(lane, request, std::mem::take(batch)).await;
            }
        }
        yield_now().await;
    }
    let elapsed = begun.elapsed();
    // What is on its way may still be answered.
    let deadline = Instant::now() + Duration::from_millis(500);
    let is_waiting = || lanes.iter().any(|lane| !lane.waiting.borrow().is_empty());
    while is_waiting() && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut outcome = outcome.take();
    outcome.sent = due as usize;
    outcome.rate = f64::from(due) / elapsed.as_secs_f64();
    outcome.accepted.sort_unstable();
    outcome.served.sort_unstable();
    outcome
}

#[allow(clippy::await_holding_refcell_ref, reason = "nobody else borrows the writer")]
async fn write(lane: &Lane, request: &[u8], requests: usize) {
    let bytes = request.repeat(requests);
    // A full buffer is waited for, and what is due meanwhile is late.
    lane.writer.borrow_mut().write_all(&bytes).await.unwrap();
}

/// Reads the answers of one connection.
async fn receive(
    (at, lane): (usize, Rc<Lane>),
    mut reader: OwnedReadHalf,
    outcome: Rc<RefCell<Outcome>>,
    idle: Option<Rc<RefCell<VecDeque<usize>>>>,
) {
    let mut read = Vec::with_capacity(64 << 10);
    while reader.read_buf(&mut read).await.is_ok_and(|bytes| bytes > 0) {
        let mut from = 0;
        let now = Instant::now();
        while let Some((status, length)) = answer(&read[from..]) {
            from += length;
            let [due, sent] =
                lane.waiting.borrow_mut().pop_front().expect("no answer without a request");
            let mut outcome = outcome.borrow_mut();
            match status {
                b"200" => {
                    outcome.accepted.push(now - due);
                    outcome.served.push(now - sent);
                }
                b"503" => outcome.shed += 1,
                _ => panic!("{}", String::from_utf8_lossy(&read)),
            }
            if let Some(idle) = &idle {
                idle.borrow_mut().push_back(at);
            }
        }
        read.drain(..from);
    }
}

/// The status and the length of the first answer, if it is complete.
fn answer(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let name = b"content-length: ";
    let length = bytes[..head].windows(name.len()).position(|window| window == name)?;
    let digits = bytes[length + name.len()..].iter().take_while(|byte| byte.is_ascii_digit());
    let length = digits.fold(0, |sum, digit| sum * 10 + usize::from(digit - b'0'));
    let end = head + 4 + length;
    (bytes.len() >= end).then(|| (&bytes[9..12], end))
}
