# SPDX-License-Identifier: AGPL-3.0-or-later
"""HTTP to the daemon: kept connections, and an end to every wait."""

import json
from io import BytesIO
from typing import Any, Optional
from urllib.parse import urlsplit

from twisted.internet import reactor
from twisted.internet.endpoints import HostnameEndpoint, UNIXClientEndpoint
from twisted.web.client import (
    Agent,
    FileBodyProducer,
    HTTPConnectionPool,
    RequestNotSent,
    RequestTransmissionFailed,
    ResponseNeverReceived,
    readBody,
)
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgentEndpointFactory
from zope.interface import implementer

from synapse.logging.context import make_deferred_yieldable, run_in_background


@implementer(IAgentEndpointFactory)
class _Endpoints:
    """The one address of the daemon, whatever a URL says."""

    def __init__(self, address: str) -> None:
        self._address = address

    def endpointForURI(self, uri: Any) -> Any:
        if self._address.startswith("unix:"):
            return UNIXClientEndpoint(reactor, self._address[len("unix:"):])
        url = urlsplit(self._address)
        return HostnameEndpoint(reactor, url.hostname, url.port or 80)


class Client:
    """Requests to the daemon at `http://HOST:PORT` or `unix:PATH`.

    Connections are kept, at most `connections` of them. A request that is not answered in time fails with
    twisted's TimeoutError, and its connection is closed.
    """

    def __init__(self, address: str, token: Optional[str], connections: int = 8) -> None:
        pool = HTTPConnectionPool(reactor, persistent=True)
        pool.maxPersistentPerHost = connections
        self._agent = Agent.usingEndpointFactory(reactor, _Endpoints(address), pool)
        headers = {"Content-Type": ["application/json"]}
        if token is not None:
            headers["Authorization"] = [f"Bearer {token}"]
        self._headers = headers

    async def post(
        self, path: str, body: Any, seconds: float, headers: Optional[dict] = None
    ) -> tuple[int, Any]:
        """Posts JSON. Returns the status and the JSON of the answer."""
        all_headers = {**self._headers, **(headers or {})}
        # The deadline is of the whole exchange: connecting, sending and reading. Synapse's own client
        # would wait up to a minute.
        deadline = reactor.seconds() + seconds
        exchange = run_in_background(
            self._exchange, path, json.dumps(body).encode(), all_headers, deadline
        )
        exchange.addTimeout(seconds, reactor)
        return await make_deferred_yieldable(exchange)

    async def _exchange(
        self, path: str, body: bytes, headers: dict, deadline: float
    ) -> tuple[int, Any]:
        try:
            response = await self._request(path, body, headers)
        except (ResponseNeverReceived, RequestTransmissionFailed, RequestNotSent):
            # A request that is cancelled at its deadline ends like this, too.
            if reactor.seconds() >= deadline:
                raise
            # The daemon has closed the kept connection: it was started again. Asking twice does no harm, and
            # writes have a key.
            response = await self._request(path, body, headers)
        text = await make_deferred_yieldable(readBody(response))
        return response.code, json.loads(text)

    async def _request(self, path: str, body: bytes, headers: dict) -> Any:
        url = f"http://localhost{path}".encode()
        producer = FileBodyProducer(BytesIO(body))
        sent = self._agent.request(b"POST", url, Headers(headers), producer)
        return await make_deferred_yieldable(sent)
