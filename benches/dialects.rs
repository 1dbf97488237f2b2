//! Requests per second of a read call of each dialect, beside `/v1/decide`, each against a bare hyper
//! server that reads the same request and returns a body of the same size.
//!
//! `cargo bench --bench dialects` starts all as processes of their own, loads them in turn over 64
//! keep-alive connections, and prints medians: how much of the bare server's rate is left, and how
//! many times as much time a call costs beyond that server's as `/v1/decide` does. A word after `--`
//! keeps those whose names contain it, and `/v1/decide`. Venueless is called over as many sockets, and
//! compared with `/v1/decide` alone. Last, writes per second of each over 16 connections, beside those
//! of `/v1/facts`: each changes one record, and is durable when it is answered.

#![allow(
    clippy::cast_precision_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::print_stdout,
    clippy::unwrap_used,
    missing_debug_implementations,
    unreachable_pub,
    reason = "a bench may stop at what it did not expect"
)]

mod load;

use std::{
    fs,
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use load::{Server, answer, bare, load, median};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const TOKEN: &str = "0123456789abcdef-token";

const POLICY: &str = "\
rules: [{ name: all, condition: hasTag(a), outcome: [a] }]
users:
  ann: { tags: [a], friends: [bob] }
  bob: { tags: [a] }
";

/// The records of the daemon: the users' records, rules and a group.
const FACTS: &str = r#"{"commands":[
  {"op":"put_user","user":"cyd","tags":["a"]},
  {"op":"put_user","user":"dan","tags":["a"]},
  {"op":"add_friend","from":"cyd","to":"dan"},
  {"op":"put_rule","condition":"any(hasTag(Berlin), hasTag(Munich))","outcome":["Stuttgart"]},
  {"op":"put_group","group":"g1","creator":"cyd","members":["dan"]}
]}"#;

struct Exchange {
    name: &'static str,
    head: &'static str,
    body: &'static str,
}

const EXCHANGES: [Exchange; 6] = [
    Exchange {
        name: "/v1/decide",
        head: "GET /v1/decide?subject=cyd&action=start_chat&resource=dan",
        body: "",
    },
    Exchange { name: "Flip: all rules", head: "GET /sync/interaction-rules", body: "" },
    Exchange {
        name: "mesibo: userget",
        head: "POST /backend/",
        body: r#"{"op":"userget","token":"0123456789abcdef-token","user":{"address":"cyd"}}"#,
    },
    Exchange {
        name: "XMTP: isAdmin",
        head: "POST /xmtp/groups/g1/isAdmin",
        body: r#"{"inboxId":"dan"}"#,
    },
    Exchange {
        name: "Tencent IM: friend_check",
        head: "POST /v4/sns/friend_check?sdkappid=1&identifier=administrator&usersig=0123456789abcdef-token&random=1&contenttype=json",
        body: r#"{"From_Account":"cyd","To_Account":["dan"],"CheckType":"CheckResult_Type_Both"}"#,
    },
    Exchange {
        name: "Matrix: user_may_invite",
        head: "POST /matrix/antispam/user_may_invite",
        body: r#"{"inviter":"cyd","invitee":"dan","room_id":"!new:chat.test"}"#,
    },
];

const ROUND: Duration = Duration::from_millis(400);
const ROUNDS: usize = 21;
const CONNECTIONS: usize = 64;

fn request(head: &str, body: &str) -> Vec<u8> {
    format!(
        "{head} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\
        Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn serve(folder: &Path) -> Server {
    fs::write(folder.join("policy.yaml"), POLICY).unwrap();
    fs::write(folder.join("token"), TOKEN).unwrap();
    Server::start(
        Command::new(env!("CARGO_BIN_EXE_peerage"))
            .args(["serve", "--listen", "127.0.0.1:0", "--dialect", "all"])
            .args(["--venueless-new-guests", "1000"])
            .arg(folder.join("policy.yaml"))
            .arg("--store")
            .arg(folder.join("facts"))
            .arg("--admin-token-file")
            .arg(folder.join("token"))
            .env("RUST_LOG", "error"),
    )
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    if let [bare_server, bytes] = &*args
        && bare_server == "bare"
    {
        return bare(bytes.parse().unwrap());
    }
    let is_wanted = |exchange: &&Exchange| {
        exchange.name == "/v1/decide"
            || args.first().is_none_or(|word| exchange.name.contains(word))
    };
    let exchanges: Vec<&Exchange> = EXCHANGES.iter().filter(is_wanted).collect();
    let folder = tempfile::tempdir().unwrap();
    let peerage = serve(folder.path());
    let client = tokio::runtime::Runtime::new().unwrap();
    client.block_on(answer(&peerage.address, &request("POST /v1/facts", FACTS)));
    let calls: Vec<_> = exchanges
        .iter()
        .map(|exchange| {
            let request = request(exchange.head, exchange.body);
            let (length, body) = client.block_on(answer(&peerage.address, &request));
            println!("{}: {}", exchange.name, String::from_utf8_lossy(&body));
            let bare = Server::bare(body.len());
            let (length_of_bare, _) = client.block_on(answer(&bare.address, &request));
            (request, length, bare, length_of_bare)
        })
        .collect();
    let mut rates = vec![(Vec::new(), Vec::new()); calls.len()];
    let mut of_sockets = Vec::new();
    for _ in 0..ROUNDS {
        if args.first().is_none_or(|word| VENUELESS.contains(word)) {
            of_sockets.push(client.block_on(sockets(&peerage.address)));
        }
        for ((request, length, bare, length_of_bare), (of_bare, of_peerage)) in
            calls.iter().zip(&mut rates)
        {
            let rate = load(&bare.address, request, *length_of_bare, CONNECTIONS, ROUND);
            of_bare.push(client.block_on(rate));
            let rate = load(&peerage.address, request, *length, CONNECTIONS, ROUND);
            of_peerage.push(client.block_on(rate));
        }
    }
    let mut decide = None;
    for (exchange, (of_bare, of_peerage)) in exchanges.iter().zip(rates) {
        let (bare, peerage) = (median(of_bare), median(of_peerage));
        // Microseconds of a call beyond what the bare server takes.
        let cost = 1e6 / peerage - 1e6 / bare;
        let (rate_of_decide, cost_of_decide) = *decide.get_or_insert((peerage, cost));
        println!(
            "{}: bare {bare:.0}/s, peerage {peerage:.0}/s, ratio {:.2}; of /v1/decide's rate {:.2}, \
             {cost:.2} µs beyond bare, {:.2} times /v1/decide's",
            exchange.name,
            peerage / bare,
            peerage / rate_of_decide,
            cost / cost_of_decide,
        );
    }
    if let (false, Some((rate, _))) = (of_sockets.is_empty(), decide) {
        let sockets = median(of_sockets);
        println!("{VENUELESS}: {sockets:.0}/s; of /v1/decide's rate {:.2}", sockets / rate);
    }
    if args.is_empty() {
        client.block_on(writes(&peerage.address));
    }
}

const VENUELESS: &str = "Venueless: user.fetch";

/// The two requests that connection `n` sends in turn: a head and a body each.
type Written = fn(usize) -> [(String, String); 2];

const WRITES: [(&str, Written); 5] = [
    ("/v1/facts: block, unblock", |n| {
        ["block", "unblock"].map(|op| {
            let command = format!(r#"{{"op":"{op}","from":"cyd{n}","to":"dan{n}"}}"#);
            ("POST /v1/facts".to_owned(), format!(r#"{{"commands":[{command}]}}"#))
        })
    }),
    ("Flip: tags", |n| {
        ["[]", r#"["a"]"#]
            .map(|tags| (format!("PUT /sync/users/cyd{n}/tags"), format!(r#"{{"tags":{tags}}}"#)))
    }),
    ("mesibo: userset", |n| {
        [true, false].map(|block| {
            let user = format!(
                r#"{{"address":"cyd{n}","contact":{{"address":"dan{n}","block":{block}}}}}"#
            );
            let body = format!(r#"{{"op":"userset","token":"{TOKEN}","user":{user}}}"#);
            ("POST /backend/".to_owned(), body)
        })
    }),
    ("XMTP: updateName", |n| {
        ["one", "two"].map(|name| {
            let body = format!(r#"{{"caller":"cyd{n}","groupName":"{name}"}}"#);
            (format!("POST /xmtp/groups/h{n}/updateName"), body)
        })
    }),
    ("Tencent IM: black_list_add, black_list_delete", |n| {
        ["black_list_add", "black_list_delete"].map(|command| {
            let query = format!("sdkappid=1&identifier=administrator&usersig={TOKEN}&random=1");
            let body = format!(r#"{{"From_Account":"cyd{n}","To_Account":["dan{n}"]}}"#);
            (format!("POST /v4/sns/{command}?{query}"), body)
        })
    }),
];

const WRITERS: usize = 16;

/// Writes per second of each, beside those of the first.
async fn writes(address: &str) {
    for n in 0..WRITERS {
        let facts = FACTS.replace("cyd", &format!("cyd{n}")).replace("dan", &format!("dan{n}"));
        let facts = facts.replace("g1", &format!("h{n}"));
        answer(address, &request("POST /v1/facts", &facts)).await;
    }
    let mut rates = vec![Vec::new(); WRITES.len()];
    for _ in 0..ROUNDS {
        for ((_, written), rates) in WRITES.iter().zip(&mut rates) {
            rates.push(write(address, *written).await);
        }
    }
    let mut of_facts = None;
    for ((name, _), rates) in WRITES.iter().zip(rates) {
        let rate = median(rates);
        let facts = *of_facts.get_or_insert(rate);
        println!("{name}: {rate:.0}/s; of /v1/facts' rate {:.2}", rate / facts);
    }
}

async fn write(address: &str, written: Written) -> f64 {
    let answers = Arc::new(AtomicU64::new(0));
    let begun = Instant::now();
    let clients: Vec<_> = (0..WRITERS)
        .map(|n| {
            let (address, answers) = (address.to_owned(), Arc::clone(&answers));
            tokio::spawn(async move {
                let requests = written(n).map(|(head, body)| request(&head, &body));
                let mut stream = TcpStream::connect(address).await.unwrap();
                stream.set_nodelay(true).unwrap();
                let mut turns = requests.iter().cycle();
                while begun.elapsed() < ROUND {
                    stream.write_all(turns.next().unwrap()).await.unwrap();
                    read_answer(&mut stream).await;
                    answers.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    answers.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64()
}

/// One answer, after which nothing comes unasked.
async fn read_answer(stream: &mut TcpStream) {
    let mut read = Vec::new();
    loop {
        assert!(stream.read_buf(&mut read).await.unwrap() > 0, "the daemon closed the connection");
        let text = str::from_utf8(&read).unwrap();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        assert!(head.starts_with("HTTP/1.1 200"), "{text}");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if body.len() >= length.parse().unwrap() {
            return;
        }
    }
}

/// Frames answered per second over so many sockets, with one frame at a time on each.
async fn sockets(address: &str) -> f64 {
    let answers = Arc::new(AtomicU64::new(0));
    let mut opened = Vec::new();
    for number in 0..CONNECTIONS {
        opened.push(socket(address, number).await);
    }
    let begun = Instant::now();
    let clients: Vec<_> = opened
        .into_iter()
        .map(|mut stream| {
            let answers = Arc::clone(&answers);
            tokio::spawn(async move {
                let frame = frame(r#"["user.fetch",1,{"id":"cyd"}]"#);
                while begun.elapsed() < ROUND {
                    stream.write_all(&frame).await.unwrap();
                    read_frame(&mut stream).await;
                    answers.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    answers.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64()
}

/// A socket of a guest.
async fn socket(address: &str, number: usize) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let request = "GET /ws/world/sample/ HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
        Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let enter = format!(r#"["authenticate",{{"client_id":"{number}"}}]"#);
    stream.write_all(&frame(&enter)).await.unwrap();
    read_frame(&mut stream).await;
    stream
}

/// A short text frame, masked by nothing.
fn frame(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).unwrap();
    assert!(length < 126, "it is not short");
    [&[0x81, 0x80 | length, 0, 0, 0, 0], text.as_bytes()].concat()
}

/// One frame, after which nothing comes unasked.
async fn read_frame(stream: &mut TcpStream) {
    let (mut read, mut buffer) = (0, [0; 1024]);
    loop {
        let more = stream.read(&mut buffer[read..]).await.unwrap();
        assert!(more > 0, "the daemon closed the socket");
        read += more;
        let length = match buffer[1] {
            126 => 4 + usize::from(u16::from_be_bytes([buffer[2], buffer[3]])),
            short => 2 + usize::from(short),
        };
        if read >= length {
            return;
        }
    }
}
