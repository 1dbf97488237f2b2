//! peerage answers one question for chat systems: who may talk to whom?
//!
//! Data flows one way, and each arrow is one function:
//!
//! - **load** ([`source::load`]) reads the files of a policy as one consistent set. It knows names
//!   and bytes, nothing of what they say.
//! - **parse** ([`syntax::parse`]) turns each text into AST nodes with spans, whatever its notation.
//!   It returns all it could read *and* all that is wrong.
//! - **resolve** ([`policy::resolve`]) binds names and checks limits: a policy is what was meant.
//!   Most of what an author is told comes from here.
//! - **compile** ([`compile::compile`]) turns a policy into a [`snapshot::View`]: for each tag the
//!   users who have it and the users who may reach it, as bitmaps. Rules are gone from the hot path
//!   after this; so a decision costs the same with ten rules as with ten thousand.
//! - **decide** ([`decide`]) walks the gates over a view: decide, reach and explain are one walk.
//!
//! [`prove`] holds a policy to its invariants and finds statements without effect; [`inspect`] tells
//! what a policy amounts to: listings, tests, the difference of two.
//!
//! What changes by the second are [`facts`]: commands are planned into change sets, and a [`store`]
//! keeps them; a view follows them record by record.
//!
//! [`live`] holds the one view that is served and swaps it whole; [`serve`] answers HTTP from it, and in
//! the APIs of other systems, which [`dialects`] translate; [`cli`] is the command line.
//!
//! Only plain sets and numbers are on the way of a decision: it takes no lock, waits for nothing and
//! allocates nothing.

pub mod cli;
pub mod compile;
pub mod decide;
pub mod diagnostic;
pub mod dialects;
pub mod facts;
pub mod gates;
pub mod inspect;
pub mod live;
pub mod policy;
pub mod prove;
pub mod request;
pub mod serve;
pub mod snapshot;
pub mod source;
pub mod store;
pub mod syntax;
