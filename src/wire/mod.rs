//! Helpers shared by every API: strict JSON, percent decoding, bearer tokens, secrets, the clock, shared bodies.
//!
//! The native API, AuthZEN, the dialects and the command line parse requests and render
//! responses with these, so that every API rejects a body with the same message.
//!
//! Invariant: knows of `request` and `decide` only.

mod bearer;
mod clock;
mod decision_line;
mod excerpt;
mod explanation;
pub mod json;
mod list;
mod percent;
mod scope;
mod secret;

pub use bearer::bearer_token;
pub use clock::{rfc3339, unix_millis, unix_seconds, write_rfc3339};
pub use decision_line::{IdForm, write_decision, write_json_text};
pub use excerpt::excerpt;
pub use explanation::explanation_json;
pub use list::{ListBody, list_field};
pub use percent::{PercentDecodeError, PercentEncoding, percent_encode};
pub use scope::{AccessScope, AccessScopes, TokenDigest, TokenDigestError};
pub use secret::{InvalidSecretError, Secret};
