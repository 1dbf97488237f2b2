//! Credentials that the daemon verifies: `UserSig` and JSON Web Tokens.
//!
//! An input that begins with `=` is the content, which is then signed with the right key; any other
//! is the credential as it is shown.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Map, Value};
use sha2::Sha256;

use super::{
    daemon::{APP, DAEMON, JWT_SECRET, USERSIG_KEY, connect, exchange},
    sockets,
};

/// The fields of a `UserSig` that are signed, in this order.
const SIGNED: [&str; 5] =
    ["TLS.identifier", "TLS.sdkappid", "TLS.time", "TLS.expire", "TLS.userbuf"];

/// Shows a `UserSig` in the query of a call. It is refused in the system's own form, or accepted.
pub fn usersig(input: &[u8]) {
    let shown = match input.strip_prefix(b"=") {
        Some(content) => packed(&signed_content(content)),
        None => input.to_vec(),
    };
    let escaped: String = shown.iter().map(|byte| format!("%{byte:02x}")).collect();
    if escaped.len() > 30_000 {
        return;
    }
    let target = format!(
        "/v4/sns/friend_check?sdkappid={APP}&identifier=administrator&random=1&contenttype=json&usersig={escaped}"
    );
    let request = format!(
        "POST {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}"
    );
    let response = exchange(&mut connect(&DAEMON.callers), request.as_bytes())
        .unwrap_or_else(|error| panic!("{error}: {target}"));
    assert!(response.status < 500, "{response:?}");
    if response.status == 200 {
        let answer: Result<Map<String, Value>, _> = serde_json::from_slice(&response.body);
        assert!(answer.is_ok_and(|answer| answer.contains_key("ErrorCode")), "{response:?}");
    }
}

/// The content with its signature, if it is an object; else as it is.
fn signed_content(content: &[u8]) -> Vec<u8> {
    let Ok(mut fields) = serde_json::from_slice::<Map<String, Value>>(content) else {
        return content.to_vec();
    };
    let mut text = String::new();
    for name in SIGNED {
        match fields.get(name) {
            Some(Value::String(value)) => text += &format!("{name}:{value}\n"),
            Some(value) => text += &format!("{name}:{value}\n"),
            None => {}
        }
    }
    fields.insert("TLS.sig".to_owned(), STANDARD.encode(signature(USERSIG_KEY, &text)).into());
    serde_json::to_vec(&fields).unwrap_or_default()
}

/// The content, compressed, in the alphabet of `UserSig`.
fn packed(content: &[u8]) -> Vec<u8> {
    let compressed = miniz_oxide::deflate::compress_to_vec_zlib(content, 6);
    let text = STANDARD.encode(compressed);
    text.replace('+', "*").replace('/', "-").replace('=', "_").into_bytes()
}

/// Signs in on a socket with a token.
pub fn jwt(input: &[u8]) {
    let token = match input.strip_prefix(b"=") {
        Some(claims) => {
            let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
            let message = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims));
            let signature = URL_SAFE_NO_PAD.encode(signature(JWT_SECRET, &message));
            format!("{message}.{signature}")
        }
        None => String::from_utf8_lossy(input).into_owned(),
    };
    let frame = serde_json::json!(["authenticate", { "token": token }]).to_string();
    // A second frame, of a user who may have signed in.
    let next = r#"["user.update", 1, {"profile": {"display_name": "A"}}]"#;
    sockets::frames(format!("{}\n{next}", frame.replace('\n', " ")).as_bytes());
}

fn signature(key: &str, text: &str) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes());
    let mac = mac.unwrap_or_else(|error| panic!("{error}"));
    mac.chain_update(text).finalize().into_bytes().to_vec()
}
