//! `UserSig`: the identifier of a caller, signed with the app's secret key.
//!
//! A JSON object, compressed by zlib, in Base64 with `*`, `-` and `_` for `+`, `/` and `=`. Its
//! `TLS.sig` is an HMAC-SHA256 over the other fields, a line each.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value};
use sha2::Sha256;

use super::{body, codes::TencentCode, envelope::TencentError};
use crate::{
    facts::UnixMillis,
    wire::{Secret, json},
};

/// The maximum length of a signature, and of its decompressed content, in bytes.
const LONGEST: usize = 4096;
const LONGEST_UNPACKED: usize = 8192;

/// The maximum number of verified signatures in the cache.
const MAX_CACHED: usize = 256;

/// The Base64 of signatures; the padding is optional, since some libraries leave it out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The content of a verified signature.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct VerifiedSig {
    pub(super) identifier: String,
    pub(super) sdkappid: u64,
    /// The time of expiry, in seconds since 1970 in UTC.
    expires: u64,
}

/// A verifier of signatures. It caches valid ones, so that a repeated signature costs one look-up.
#[derive(Debug)]
pub(super) struct SigVerifier {
    key: Secret,
    cache: Mutex<HashMap<String, Arc<VerifiedSig>>>,
}

impl SigVerifier {
    pub(super) fn new(key: Secret) -> Self {
        Self { key, cache: Mutex::default() }
    }

    /// The content of a signature, if the key made it and it has not expired.
    pub(super) fn verify(
        &self,
        usersig: &str,
        now: UnixMillis,
    ) -> Result<Arc<VerifiedSig>, TencentError> {
        let known = self.cached().get(usersig).cloned();
        let ticket = match known {
            Some(ticket) => ticket,
            None => self.verify_new(usersig)?,
        };
        if now / 1000 >= ticket.expires {
            self.cached().remove(usersig);
            let message = format!(
                "the usersig of `{}` has expired; sign a new one",
                ticket.identifier_excerpt()
            );
            return Err(TencentError::new(TencentCode::SigExpired, message));
        }
        Ok(ticket)
    }

    fn cached(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<VerifiedSig>>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn verify_new(&self, usersig: &str) -> Result<Arc<VerifiedSig>, TencentError> {
        let fields = unpack(usersig)?;
        let ticket = Arc::new(self.check_fields(&fields)?);
        let mut known = self.cached();
        if known.len() >= MAX_CACHED {
            known.clear();
        }
        known.insert(usersig.to_owned(), Arc::clone(&ticket));
        Ok(ticket)
    }

    fn check_fields(&self, fields: &Map<String, Value>) -> Result<VerifiedSig, TencentError> {
        let version = text(fields, "TLS.ver")?;
        if version != "2.0" {
            let message = "`TLS.ver` of the usersig is not 2.0; use the signature with HMAC-SHA256";
            return Err(TencentError::new(TencentCode::SigKind, message));
        }
        let identifier = text(fields, "TLS.identifier")?;
        let sdkappid = number(fields, "TLS.sdkappid")?;
        let (time, expire) = (number(fields, "TLS.time")?, number(fields, "TLS.expire")?);
        let mut signed = format!(
            "TLS.identifier:{identifier}\nTLS.sdkappid:{sdkappid}\nTLS.time:{time}\n\
             TLS.expire:{expire}\n"
        );
        if fields.contains_key("TLS.userbuf") {
            signed = format!("{signed}TLS.userbuf:{}\n", text(fields, "TLS.userbuf")?);
        }
        let digest = BASE64.decode(text(fields, "TLS.sig")?);
        let digest = digest.map_err(|_| invalid("`TLS.sig` is not Base64"))?;
        let mac = Hmac::<Sha256>::new_from_slice(self.key.as_bytes());
        let mac = mac.map_err(|_| invalid("the key of this daemon can't verify it"))?;
        mac.chain_update(signed)
            .verify_slice(&digest)
            .map_err(|_| invalid("the signature does not match the key of this daemon"))?;
        let expires = time.saturating_add(expire);
        Ok(VerifiedSig { identifier: identifier.to_owned(), sdkappid, expires })
    }
}

impl VerifiedSig {
    pub(super) fn identifier_excerpt(&self) -> impl fmt::Display {
        self.identifier.escape_debug()
    }
}

/// The fields of a signature, before it is verified.
fn unpack(usersig: &str) -> Result<Map<String, Value>, TencentError> {
    if usersig.len() > LONGEST {
        return Err(invalid(&format!("more than {LONGEST} characters")));
    }
    let plain: String = usersig
        .chars()
        .map(|c| match c {
            '*' => '+',
            '-' => '/',
            '_' => '=',
            other => other,
        })
        .collect();
    let packed =
        BASE64.decode(plain).map_err(|_| invalid("not in the Base64 alphabet of usersigs"))?;
    let text = miniz_oxide::inflate::decompress_to_vec_zlib_with_limit(&packed, LONGEST_UNPACKED)
        .map_err(|_| invalid("the content can't be decompressed"))?;
    match json::parse(&text, "an object") {
        Ok(json::StrictValue(Value::Object(fields))) => Ok(fields),
        _ => Err(invalid("the content is not a JSON object")),
    }
}

/// A field that is a string of one line: with more lines, the signed text would be ambiguous.
fn text<'f>(fields: &'f Map<String, Value>, name: &str) -> Result<&'f str, TencentError> {
    let value = fields.get(name).and_then(Value::as_str);
    let value = value.filter(|text| !text.chars().any(char::is_control));
    value.ok_or_else(|| invalid(&format!("`{name}` is missing, or is not a string of one line")))
}

/// A field that is a number, or a string of its digits, as some libraries write it.
fn number(fields: &Map<String, Value>, name: &str) -> Result<u64, TencentError> {
    let value = fields.get(name).and_then(body::parse_number);
    value.ok_or_else(|| invalid(&format!("`{name}` is missing, or is not a number")))
}

fn invalid(why: &str) -> TencentError {
    TencentError::new(TencentCode::SigInvalid, format!("invalid usersig: {why}"))
}
