//! Other systems' APIs, against the real daemon: what their documents print, and whatever else may be
//! sent.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail by it"
)]

mod across;
mod carried;
mod everybody;
mod flip;
mod hostile;
mod matrix;
mod mesibo;
mod replay;
mod rig;
mod tencent;
mod venueless;
mod xmtp;
