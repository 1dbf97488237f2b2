//! Ground for every API: strict JSON, percent decoding, bearer tokens, secrets, the clock, shared bodies.
//!
//! The native API, AuthZEN, the dialects and the command line read what callers send, and print what
//! they answer, with these; so a body is refused in the same words whichever API it came by.
//!
//! Invariant: knows of `request` only, and there of suggestions for misspelled names.

mod bearer;
mod clock;
mod excerpt;
pub mod json;
mod percent;
mod secret;

pub use bearer::bearer_token;
pub use clock::{unix_millis, unix_seconds};
pub use excerpt::excerpt;
pub use percent::{PercentDecodeError, PercentEncoding};
pub use secret::{InvalidSecretError, Secret};
