"""A client of peerage's native API."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

__all__ = [
    "Allowed", "Answer", "Change", "Client", "ConnectionFailed", "Decision", "PeerageError", "Question", "RequestError",
    "Written",
]


class PeerageError(Exception):
    """What a call may fail by."""


class ConnectionFailed(PeerageError):
    """The daemon can't be reached, does not answer in time, or closed the connection."""


class RequestError(PeerageError):
    """The daemon refused a request."""

    def __init__(self, status: int, message: str, at: str | None, body: Any) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message
        #: The parameter or place that is wrong, if it is one.
        self.at = at
        #: The whole answer: of a batch that was refused, its outcomes.
        self.body = body


@dataclass(frozen=True)
class Question:
    """Whether a user may do something."""

    subject: str
    action: str
    resource: str | None = None
    resource_type: str | None = None
    member: str | None = None
    field: str | None = None
    conversation: str | None = None

    def fields(self) -> dict[str, str]:
        return {name: value for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True)
class Decision:
    decision: bool
    reason: str
    obligations: tuple[Any, ...] = ()
    stale: bool = False
    #: The whole answer, with what `explain` adds.
    body: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class Allowed:
    allowed: bool
    reason: str
    #: The header `Peerage-Obligations`, if there are any.
    obligations: str | None = None


@dataclass(frozen=True)
class Answer:
    """The answer to a standing question; `at` counts the questions from 0."""

    at: int
    decision: bool
    reason: str
    revision: str
    obligations: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Change:
    """A view that is served; `id` is its number."""

    id: str
    revision: str
    all: bool
    users: tuple[str, ...]
    groups: tuple[str, ...]
    missed: bool


@dataclass(frozen=True)
class Written:
    revision: int
    outcomes: tuple[Mapping[str, Any], ...]


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float | None) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        try:
            self.sock.connect(self._path)
        except OSError:
            self.sock.close()
            raise


_FAILURES = (OSError, http.client.HTTPException)
# Comments come every 15 seconds: a stream that is silent for longer is broken.
_SILENCE = 45.0


class Client:
    """A connection to a daemon, for one thread at a time.

    `timeout` is in seconds, for connecting and for each read.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:7411",
        *,
        uds: str | None = None,
        token: str | None = None,
        timeout: float = 5.0,
        context: ssl.SSLContext | None = None,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"no URL of a daemon: {url}")
        self._parts, self._uds, self._timeout, self._context = parts, uds, timeout, context
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._kept: http.client.HTTPConnection | None = None

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def decide(self, question: Question, *, explain: bool = False) -> Decision:
        fields = question.fields() | ({"explain": "true"} if explain else {})
        return _decision(self._json("GET", "/v1/decide?" + urlencode(fields)))

    def decide_many(self, questions: Iterable[Question]) -> list[Decision]:
        """Decide up to 1000 questions at once; the decisions have their order."""
        body = [question.fields() for question in questions]
        return [_decision(item) for item in self._json("POST", "/v1/decide", body)]

    def allow(self, question: Question) -> Allowed:
        """Decide by a status. A token without the scope is a `RequestError`, though its status is a denial's."""
        response, body = self._call("GET", "/v1/allow?" + urlencode(question.fields()))
        reason = response.headers.get("Peerage-Reason")
        if response.status in (200, 204) or (response.status == 403 and reason is not None):
            allowed = response.status != 403
            return Allowed(allowed, reason or "allowed", response.headers.get("Peerage-Obligations"))
        raise _refusal(response.status, body)

    def reach(self, *, page: int = 1000, **fields: str) -> Iterator[str]:
        """List the part that `fields` leave out, as pages of `page` are read."""
        after = ""
        while True:
            query = fields | {"limit": str(page)} | ({"after": after} if after else {})
            body = self._json("GET", "/v1/reach?" + urlencode(query))
            yield from body["users"] if "users" in body else body["groups"]
            after = body["next"]
            if not after:
                return

    def write_facts(
        self,
        commands: Sequence[Mapping[str, Any]],
        *,
        if_revision: int | None = None,
        idempotency_key: str | None = None,
    ) -> Written:
        """Run a batch, which takes effect whole or not at all; a refusal is a `RequestError` with status 409."""
        batch: dict[str, Any] = {"commands": list(commands)}
        if if_revision is not None:
            batch["if_revision"] = if_revision
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        body = self._json("POST", "/v1/facts", batch, headers, may_repeat=bool(idempotency_key))
        return Written(body["revision"], tuple(body["outcomes"]))

    def watch(self, questions: Iterable[Question]) -> Iterator[Answer]:
        """Answer each question, and again whenever its answer changes, until the iterator is closed."""
        lines = "".join(json.dumps(question.fields()) + "\n" for question in questions)
        headers = {"Content-Type": "application/x-ndjson"}
        # Nothing is written while no answer changes, so that a read may wait for long.
        for line in self._stream("POST", "/v1/watch", lines.encode(), headers, None):
            if line.strip():
                body = json.loads(line)
                obligations = tuple(body.get("obligations", ()))
                yield Answer(body["at"], body["decision"], body["reason"], body["revision"], obligations)

    def changes(self, *, since: str | None = None, reconnect: bool = True, pause: float = 1.0) -> Iterator[Change]:
        """Tell each view that is served. A lost connection is made again after `pause` seconds, from the last change on."""
        last = since
        while True:
            headers = {"Last-Event-ID": last} if last else {}
            try:
                for change in self._changes(headers):
                    last = change.id
                    yield change
                if not reconnect:
                    return
            except ConnectionFailed:
                if not reconnect:
                    raise
            except RequestError as error:
                if not reconnect or error.status != 503:
                    raise
            time.sleep(pause)

    def _changes(self, headers: dict[str, str]) -> Iterator[Change]:
        fields: dict[str, str] = {}
        for raw in self._stream("GET", "/v1/changes", None, headers, _SILENCE):
            line = raw.decode().rstrip("\r\n")
            name, _, value = line.partition(":")
            if line:
                fields[name] = value.removeprefix(" ")
                continue
            if "data" in fields:
                body = json.loads(fields["data"])
                users, groups = tuple(body["users"]), tuple(body["groups"])
                yield Change(fields.get("id", ""), body["revision"], body["all"], users, groups, body["missed"])
            fields = {}

    def _connect(self, timeout: float | None) -> http.client.HTTPConnection:
        if self._uds is not None:
            return _UnixConnection(self._uds, timeout)
        host, port = self._parts.hostname or "", self._parts.port
        if self._parts.scheme == "https":
            return http.client.HTTPSConnection(host, port, timeout=timeout, context=self._context)
        return http.client.HTTPConnection(host, port, timeout=timeout)

    def _path(self, path: str) -> str:
        return self._parts.path.rstrip("/") + path

    def _stream(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str], silence: float | None
    ) -> Iterator[bytes]:
        connection = self._connect(self._timeout)
        try:
            try:
                connection.request(method, self._path(path), body, self._headers | headers)
                sock = connection.sock
                response = connection.getresponse()
                if response.status != 200:
                    raise _refusal(response.status, response.read())
                sock.settimeout(silence)
                while line := response.readline():
                    yield line
            except _FAILURES as error:
                raise ConnectionFailed(str(error)) from error
        finally:
            connection.close()

    def _json(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, may_repeat: bool = True
    ) -> Any:
        encoded = None if body is None else json.dumps(body).encode()
        response, answer = self._call(method, path, encoded, headers, may_repeat)
        if response.status != 200:
            raise _refusal(response.status, answer)
        return json.loads(answer)

    def _call(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        may_repeat: bool = True,
    ) -> tuple[http.client.HTTPResponse, bytes]:
        sent = self._headers | (headers or {}) | ({"Content-Type": "application/json"} if body is not None else {})
        was_kept = self._kept is not None
        try:
            return self._once(method, path, body, sent)
        except TimeoutError as error:
            raise ConnectionFailed("no answer in time") from error
        except _FAILURES as error:
            if not (was_kept and may_repeat):
                raise ConnectionFailed(str(error)) from error
        try:
            return self._once(method, path, body, sent)
        except _FAILURES as error:
            raise ConnectionFailed(str(error)) from error

    def _once(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[http.client.HTTPResponse, bytes]:
        if self._kept is None:
            self._kept = self._connect(self._timeout)
        try:
            self._kept.request(method, self._path(path), body, headers)
            response = self._kept.getresponse()
            answer = response.read()
        except BaseException:
            self.close()
            raise
        if response.will_close:
            self.close()
        return response, answer


def _decision(body: Mapping[str, Any]) -> Decision:
    obligations = tuple(body.get("obligations", ()))
    return Decision(body["decision"], body["reason"], obligations, body.get("stale", False), body)


def _refusal(status: int, body: bytes) -> RequestError:
    try:
        parsed = json.loads(body)
    except ValueError:
        parsed = body.decode(errors="replace")
    error = parsed.get("error") if isinstance(parsed, dict) else None
    if isinstance(error, dict):
        return RequestError(status, str(error.get("message", "")), error.get("at"), parsed)
    return RequestError(status, "refused", None, parsed)
