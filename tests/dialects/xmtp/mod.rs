//! xmtp
