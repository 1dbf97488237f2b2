//! A policy compiler and decision engine for chat systems: who may talk to whom?
//!
//! A program that embeds it needs an [`Engine`] and a [`Request`]:
//!
//! ```
//! use peerage::{Action, Engine, Reason, Request};
//!
//! // Policy files, or folders of them. An error is a report of all that is wrong, with places.
//! let engine = Engine::open(["policies/stores"])?;
//!
//! // Some tens of nanoseconds, however many rules there are.
//! assert!(engine.decide(&Request::new("5", Action::StartChat, "3")).allow);
//! assert_eq!(engine.decide(&Request::new("3", Action::StartChat, "5")).reason, Reason::NoRule);
//!
//! // Both directions of "who can reach whom" are one operation each.
//! let snapshot = engine.snapshot();
//! let request = Request::new("3", Action::StartChat, "3");
//! let (reach, reached_by) = (snapshot.reach(&request), snapshot.reached_by(&request));
//! println!("may reach {}, may be reached by {}", reach.total(), reached_by.total());
//!
//! // Which gate refuses, or which rules allow.
//! for finding in engine.explain(&request).findings {
//!     println!("{}: {}", finding.gate, finding.detail);
//! }
//! # Ok::<(), peerage::EngineError>(())
//! ```
//!
//! [`Engine::follow`] follows the files as they change. What changes by the second (users, relations,
//! groups over an API) is the daemon's business, as are HTTP and the command line.
//!
//! # How it works
//!
//! Data flows one way, and each arrow is one function, in a room of its own below `src/`:
//!
//! - **load** (`source::load`) reads the files of a policy as one consistent set. It knows names and
//!   bytes, nothing of what they say.
//! - **parse** (`syntax::parse`) turns each text into AST nodes with spans, whatever its notation. It
//!   returns all it could read *and* all that is wrong.
//! - **resolve** (`policy::resolve`) binds names and checks limits: a policy is what was meant. Most
//!   diagnostics come from here.
//! - **compile** (`compile::compile`) turns a policy into a `snapshot::View`: for each tag the users
//!   who have it and the users who may reach it, as bitmaps. Rules are gone from the hot path after
//!   this; so a decision costs the same with ten rules as with ten thousand.
//! - **decide** (`decide`) walks the gates over a view: decide, reach and explain are one walk.
//!
//! `prove` holds a policy to its invariants and finds statements without effect; `inspect` shows what
//! a policy amounts to: listings, tests, the difference of two versions.
//!
//! What changes by the second are `facts`: commands are planned into change sets, and a `store` keeps
//! them; a view follows them record by record. `live` holds the one view that is served and swaps it
//! whole; `serve` answers HTTP from it, and in the APIs of other systems, which `dialects` translate;
//! `cli` is the command line.
//!
//! Only plain sets and numbers are on the way of a decision: it takes no lock, waits for nothing and
//! allocates nothing.

mod engine;

pub use decide::{Explanation, GateFinding, ListPage, Reach, RuleRef};
pub use diagnostic::{LocatedDiagnostic, Report, SourceLocation};
pub use engine::{Engine, EngineError, Snapshot};
pub use live::{HeldPolicy, LatestReload, ReloadOutcome};
pub use request::{
    Action, Conversation, Decision, DeclaredAction, GateName, Group, Moderation, Obligation,
    Obligations, PeersMode, Properties, Reason, Request, RequestedAction, Resource, Role, Switch,
    User,
};

// The rooms: for the project's own command, tests and benches. What they hold may change at any time.
#[doc(hidden)]
pub mod cli;
#[doc(hidden)]
pub mod compile;
#[doc(hidden)]
pub mod decide;
#[doc(hidden)]
pub mod diagnostic;
#[doc(hidden)]
pub mod dialects;
#[doc(hidden)]
pub mod facts;
#[doc(hidden)]
pub mod gates;
#[doc(hidden)]
pub mod inspect;
#[doc(hidden)]
pub mod live;
#[doc(hidden)]
pub mod policy;
#[doc(hidden)]
pub mod prove;
#[doc(hidden)]
pub mod request;
#[doc(hidden)]
pub mod serve;
#[doc(hidden)]
pub mod snapshot;
#[doc(hidden)]
pub mod source;
#[doc(hidden)]
pub mod store;
#[doc(hidden)]
pub mod syntax;
#[doc(hidden)]
pub mod wire;

/// The programs that the book shows, as doc-tests.
#[cfg(doctest)]
#[doc = include_str!("../docs/embedding.md")]
struct Embedding;
