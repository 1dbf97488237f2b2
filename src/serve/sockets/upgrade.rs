//! The upgrade of a request to a WebSocket.

use std::sync::Arc;

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
    hub::Hub,
    origin,
    socket::{self, AcceptedSocket},
};
use crate::serve::{
    app::App,
    connection::ClientAddress,
    response::{self, HttpError, HttpResponse},
};

/// The greatest length of a frame, or of a message in several, that is received, in bytes.
const MAX_MESSAGE: usize = 64 << 10;

/// Upgrades a request to a WebSocket at an endpoint of a dialect.
pub(in crate::serve) fn upgrade(
    app: &Arc<App>,
    hub: &Arc<Hub>,
    endpoint: String,
    head: Parts,
    body: &Incoming,
) -> HttpResponse {
    if head.method != Method::GET {
        return response::method_not_allowed(["GET"]);
    }
    let request = Request::from_parts(head, ());
    let is_asked =
        request.version() == Version::HTTP_11 && hyper_tungstenite::is_upgrade_request(&request);
    if !is_asked {
        let message = "a WebSocket is required; send `Connection: Upgrade`, `Upgrade: websocket`, \
            Sec-WebSocket-Version and Sec-WebSocket-Key";
        return other_protocol(message);
    }
    let header = |name: HeaderName| request.headers().get(name).map(HeaderValue::as_bytes);
    if header(SEC_WEBSOCKET_VERSION) != Some(b"13") {
        return other_protocol("WebSocket version 13 is required");
    }
    if !header(SEC_WEBSOCKET_KEY).is_some_and(is_key) {
        let message = "Sec-WebSocket-Key must be 16 bytes in base64";
        return HttpError::bad_request("Sec-WebSocket-Key", message).response();
    }
    if let Err(error) = origin::check(request.headers(), &hub.options.origins, hub.name()) {
        return error.response();
    }
    if !body.is_end_stream() {
        return HttpError::bad_request("", "a request for a WebSocket has no body").response();
    }
    let address = request.extensions().get::<ClientAddress>().copied();
    let config = WebSocketConfig::default()
        .read_buffer_size(4 << 10)
        .write_buffer_size(0)
        .max_frame_size(Some(MAX_MESSAGE))
        .max_message_size(Some(MAX_MESSAGE));
    match hyper_tungstenite::upgrade(request, Some(config)) {
        Ok((accepted, websocket)) => {
            let open = hub.open_socket();
            let admission = hub.guests.admission(address);
            let (app, hub) = (Arc::clone(app), Arc::clone(hub));
            let accepted_socket = AcceptedSocket { websocket, endpoint, open, admission };
            tokio::spawn(socket::run(app, hub, accepted_socket));
            let (head, _) = accepted.into_parts();
            let mut response = response::empty_response(head.status);
            response.headers_mut().extend(head.headers);
            response
        }
        Err(error) => HttpError::bad_request("", error.to_string()).response(),
    }
}

fn other_protocol(message: &str) -> HttpResponse {
    let mut response = HttpError::new(StatusCode::UPGRADE_REQUIRED, message).response();
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    response
}

/// Whether a text is 16 bytes in base64.
fn is_key(text: &[u8]) -> bool {
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/".contains(byte);
    text.len() == 24 && text.strip_suffix(b"==").is_some_and(|digits| digits.iter().all(is_digit))
}
