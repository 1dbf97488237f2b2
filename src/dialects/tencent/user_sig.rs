//! `UserSig`: who calls, signed with the app's secret key.
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

/// How long a signature may be, and what it unpacks to, in bytes.
const LONGEST: usize = 4096;
const LONGEST_UNPACKED: usize = 8192;

/// How many signatures are remembered that were verified.
const MAX_CACHED: usize = 256;

/// Some write the padding, some leave it out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a signature says, once it is verified.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct VerifiedSig {
    pub(super) identifier: String,
    pub(super) sdkappid: u64,
    /// Seconds since 1970 in UTC.
    expires: u64,
}

/// Verifies signatures. Those that were found right are remembered, so that it costs one look-up to
/// see one again.
#[derive(Debug)]
pub(super) struct SigVerifier {
    key: Secret,
    cache: Mutex<HashMap<String, Arc<VerifiedSig>>>,
}

impl SigVerifier {
    pub(super) fn new(key: Secret) -> Self {
        Self { key, cache: Mutex::default() }
    }

    /// What a signature says, if it is one of the key and still valid.
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
            let message = "`TLS.ver` of the usersig is not 2.0: only HMAC-SHA256 is verified here";
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
        let digest = digest.map_err(|_| invalid("its `TLS.sig` is not Base64"))?;
        let mac = Hmac::<Sha256>::new_from_slice(self.key.as_bytes());
        let mac = mac.map_err(|_| invalid("there is no key to verify it with"))?;
        mac.chain_update(signed).verify_slice(&digest).map_err(|_| {
            invalid("it was not signed with the key that this daemon has, or was changed since")
        })?;
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
        return Err(invalid(&format!("it has more than {LONGEST} characters")));
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
    let packed = BASE64.decode(plain).map_err(|_| invalid("it is not in its kind of Base64"))?;
    let text = miniz_oxide::inflate::decompress_to_vec_zlib_with_limit(&packed, LONGEST_UNPACKED)
        .map_err(|_| invalid("it can't be decompressed"))?;
    match json::parse(&text, "an object") {
        Ok(json::StrictValue(Value::Object(fields))) => Ok(fields),
        _ => Err(invalid("it holds no JSON object")),
    }
}

/// A text of one line: with more, the lines that are signed could be read in two ways.
fn text<'f>(fields: &'f Map<String, Value>, name: &str) -> Result<&'f str, TencentError> {
    let value = fields.get(name).and_then(Value::as_str);
    let value = value.filter(|text| !text.chars().any(char::is_control));
    value.ok_or_else(|| invalid(&format!("its `{name}` is missing or no one-line string")))
}

/// A number, which some write as a text.
fn number(fields: &Map<String, Value>, name: &str) -> Result<u64, TencentError> {
    let value = fields.get(name).and_then(body::parse_number);
    value.ok_or_else(|| invalid(&format!("its `{name}` is missing or no number")))
}

fn invalid(why: &str) -> TencentError {
    TencentError::new(TencentCode::SigInvalid, format!("the usersig is not valid: {why}"))
}
