//! The rooms, and the rooms that each may name.

/// A room, and the paths from the root of the crate that its files may name besides their own.
/// A room alone stands for all that is in it.
pub(crate) const ROOMS: [(&str, &[&str]); 18] = [
    ("source", &[]),
    ("request", &[]),
    ("diagnostic", &["source", "request::did_you_mean", "request::suggest"]),
    ("syntax", &["source", "diagnostic", "request::Switch", "request::text_enum"]),
    (
        "policy",
        &[
            "source",
            "diagnostic",
            "request",
            "syntax::ast",
            "syntax::Ast",
            "syntax::bulk",
            "syntax::dsl",
            "syntax::idioms",
        ],
    ),
    ("facts", &["request"]),
    (
        "store",
        &[
            "facts",
            "source::AtomicFile",
            "source::Existing",
            "source::ChecksumStream",
            "source::checksum",
        ],
    ),
    ("snapshot", &["request"]),
    ("gates", &["snapshot", "request"]),
    ("decide", &["gates", "snapshot", "request"]),
    ("wire", &["request", "decide"]),
    (
        "prove",
        &[
            "source",
            "diagnostic",
            "syntax::ast",
            "policy",
            "request",
            "snapshot",
            "gates",
            "decide",
        ],
    ),
    (
        "compile",
        &["source", "diagnostic", "syntax", "policy", "request", "facts", "snapshot", "prove"],
    ),
    (
        "inspect",
        &[
            "decide",
            "compile",
            "snapshot",
            "diagnostic",
            "request",
            "source",
            "syntax::ast",
            "syntax::parse_tests",
            "syntax::tests",
            "wire",
        ],
    ),
    (
        "live",
        &[
            "compile",
            "decide",
            "inspect",
            "policy",
            "source",
            "diagnostic",
            "snapshot",
            "facts",
            "store",
            "request",
            "wire",
        ],
    ),
    ("dialects", &["request", "facts", "wire"]),
    ("serve", &["live", "decide", "request", "facts", "dialects", "wire", "snapshot::UserNumber"]),
    ("engine", &["live", "decide", "request", "diagnostic", "source"]),
];

/// Knows of all rooms; none knows of it.
pub(crate) const OUTERMOST: &str = "cli";

/// Dependencies that live in one room.
pub(crate) const HEAVY: [(&str, &str); 29] = [
    ("ignore", "source"),
    ("lalrpop_util", "syntax"),
    ("logos", "syntax"),
    ("granit_parser", "syntax"),
    ("csv", "syntax"),
    ("roaring", "snapshot"),
    ("arc_swap", "live"),
    ("notify", "live"),
    ("redb", "store"),
    ("etcd_client", "store"),
    ("hyper", "serve"),
    ("hyper_util", "serve"),
    ("http_body_util", "serve"),
    ("prometheus_client", "serve"),
    ("percent_encoding", "wire"),
    ("subtle", "wire"),
    ("tokio_rustls", "serve"),
    ("rustls_native_certs", "cli"),
    ("hyper_tungstenite", "serve"),
    ("socket2", "serve"),
    ("futures_util", "serve"),
    ("hmac", "dialects"),
    ("clap", "cli"),
    ("anyhow", "cli"),
    ("listenfd", "cli"),
    ("anstream", "cli"),
    ("annotate_snippets", "diagnostic"),
    ("strsim", "request"),
    ("unicode_normalization", "prove"),
];

/// Heavy dependencies that the command line takes too, for its HTTP client.
pub(crate) const CLIENT: [&str; 4] = ["hyper", "hyper_util", "http_body_util", "tokio_rustls"];

/// What stands at the top of the repository, hidden files aside.
pub(crate) const TOP: [&str; 25] = [
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "Dockerfile",
    "LICENSE",
    "README.md",
    "SECURITY.md",
    "action.yml",
    "benches",
    "build.rs",
    "clients",
    "deny.toml",
    "deploy",
    "dist",
    "docs",
    "examples",
    "fuzz",
    "grammar",
    "integrations",
    "packaging",
    "policies",
    "src",
    "tests",
];
