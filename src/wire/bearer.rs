//! Bearer tokens in the `Authorization` header (RFC 6750).

/// The token of `Bearer TOKEN`, whose scheme may be written in any case; `None` for another scheme.
pub fn bearer_token(authorization: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = authorization.split_at_checked(b"Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then_some(token)
}
