use std::{borrow::Cow, sync::Arc};

use hyper::{
    Method, Request, StatusCode, Version,
    body::{Body as _, Incoming},
    header::{
        CONNECTION, HeaderName, HeaderValue, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
    },
    http::request::Parts,
};
use hyper_tungstenite::tungstenite::protocol::WebSocketConfig;

use super::{
    hub::{Hub, WORLDS},
    origin, socket,
};
use crate::{
    serve::{
        app::App,
        listen::ClientAddress,
        response::{self, HttpError, HttpResponse},
    },
    wire::PercentEncoding,
};

/// How many bytes a frame, or a message in several, may have that comes.
const LARGEST: usize = 64 << 10;

/// The world that a path names, if it is a path of Venueless.
pub(super) fn world(path: &str) -> Option<String> {
    let rest = path.strip_prefix(WORLDS)?;
    let rest = if rest.is_empty() { rest } else { rest.strip_prefix('/')? };
    let name = rest.strip_suffix('/').unwrap_or(rest);
    let decoded = PercentEncoding::LenientPath.decode(name.as_bytes());
    // A name that is not UTF-8 is that of no world, as it stands.
    Some(decoded.map_or_else(|_| name.to_owned(), Cow::into_owned))
}

/// Makes a request a WebSocket, if it asks for one.
pub(super) fn upgrade(
    app: &Arc<App>,
    hub: &Arc<Hub>,
    world: String,
    head: Parts,
    body: &Incoming,
) -> HttpResponse {
    if head.method != Method::GET {
        return response::method_not_allowed("GET");
    }
    let request = Request::from_parts(head, ());
    let is_asked =
        request.version() == Version::HTTP_11 && hyper_tungstenite::is_upgrade_request(&request);
    if !is_asked {
        let message = "a WebSocket is spoken here: ask for it with `Connection: Upgrade`, \
            `Upgrade: websocket`, Sec-WebSocket-Version and Sec-WebSocket-Key";
        return other_protocol(message);
    }
    let header = |name: HeaderName| request.headers().get(name).map(HeaderValue::as_bytes);
    if header(SEC_WEBSOCKET_VERSION) != Some(b"13") {
        return other_protocol("version 13 of the WebSocket protocol is spoken here");
    }
    if !header(SEC_WEBSOCKET_KEY).is_some_and(is_key) {
        let message = "Sec-WebSocket-Key must be 16 bytes in base64";
        return HttpError::bad_request("Sec-WebSocket-Key", message).response();
    }
    if let Err(refusal) = origin::check(request.headers(), &hub.sockets.origins) {
        return refusal.response();
    }
    if !body.is_end_stream() {
        return HttpError::bad_request("", "who asks for a WebSocket sends no body").response();
    }
    let address = request.extensions().get::<ClientAddress>().copied();
    let config = WebSocketConfig::default()
        .read_buffer_size(4 << 10)
        .write_buffer_size(0)
        .max_frame_size(Some(LARGEST))
        .max_message_size(Some(LARGEST));
    match hyper_tungstenite::upgrade(request, Some(config)) {
        Ok((accepted, websocket)) => {
            let open = hub.open_socket();
            let door = hub.guests.admission(address);
            let (app, hub) = (Arc::clone(app), Arc::clone(hub));
            tokio::spawn(socket::run(app, hub, websocket, world, (open, door)));
            let (head, _) = accepted.into_parts();
            let mut answer = response::empty_response(head.status);
            answer.headers_mut().extend(head.headers);
            answer
        }
        Err(error) => HttpError::bad_request("", error.to_string()).response(),
    }
}

fn other_protocol(message: &str) -> HttpResponse {
    let refusal = HttpError {
        status: StatusCode::UPGRADE_REQUIRED,
        message: message.to_owned(),
        at: String::new(),
    };
    let mut answer = refusal.response();
    let headers = answer.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    answer
}

/// Whether it is 16 bytes in base64.
fn is_key(text: &[u8]) -> bool {
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/".contains(byte);
    text.len() == 24 && text.strip_suffix(b"==").is_some_and(|digits| digits.iter().all(is_digit))
}
