# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes over the wire: a request, an answer, and the bytes an answer becomes. Pure."""

from __future__ import annotations

import enum
import http
import json
import re
from dataclasses import dataclass, replace
from typing import Any, Optional
from urllib.parse import parse_qsl, unquote

JSON = "application/json; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
XML = "text/xml; charset=utf-8"
HTML = "text/html; charset=utf-8"

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Request:
    """One request as it came in.

    ``path`` and ``query`` are raw (percent-encoded), ``headers`` in order and as spelled,
    ``source`` the TCP peer's address, ``local`` the address and port that it was sent to.
    """

    method: str
    path: str
    query: str = ""
    headers: Headers = ()
    body: bytes = b""
    source: str = ""
    local: tuple[str, int] = ("", 0)

    def header(self, name: str) -> Optional[str]:
        """The first header of that name in any case, or None."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)

    def segments(self) -> tuple[str, ...]:
        """The decoded path between its slashes. One trailing slash does not count."""
        path = self.path[:-1] if self.path.endswith("/") else self.path
        return tuple(unquote(part) for part in path.split("/")[1:])

    def query_pairs(self) -> list[tuple[str, str]]:
        """The decoded query in order, duplicates and empty values included."""
        return parse_qsl(self.query, keep_blank_values=True)

    def parameters(self) -> dict[str, str]:
        """The decoded query by name; of duplicates the last one."""
        return dict(self.query_pairs())


class Layer(enum.Enum):
    """Who speaks: each has its own ``Server`` header, or none; only the service numbers its answers."""

    IMDS = "IMDS/150.870.65.{build}"
    FRONT_END = "Microsoft-IIS/10.0"
    PROXY = "proxy"
    CONTROL = "azure-imds-emulator"
    NAMELESS = ""


@dataclass(frozen=True)
class Answer:
    """Status, body and what else decides the bytes. ``headers`` are extra ones, or replace one of the usual."""

    status: int
    body: bytes
    content_type: str = JSON
    layer: Layer = Layer.IMDS
    headers: Headers = ()

    def with_header(self, name: str, value: str) -> Answer:
        """The same answer with one more header."""
        return replace(self, headers=(*self.headers, (name, value)))


@dataclass(frozen=True)
class Envelope:
    """What the bytes hold beside the answer.

    ``date`` is an HTTP date, ``build`` ends the Server header; ``connection`` None: no such header.
    """

    date: str
    request_id: str
    build: int
    connection: Optional[str] = None
    head_only: bool = False


def json_body(document: Any) -> bytes:
    """Compact JSON, keys alphabetical, no trailing newline: the service's own style."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(errors="replace")


def error_body(message: str) -> bytes:
    """An error in the front end's style, with its inner spaces."""
    return f'{{ "error": {json.dumps(message, ensure_ascii=False)} }}'.encode(errors="replace")


def encode(answer: Answer, envelope: Envelope) -> bytes:
    """The answer's bytes: exactly the service's headers, in the service's order."""
    usual = [("Content-Type", answer.content_type)] if answer.content_type else []
    if answer.layer is not Layer.NAMELESS:
        usual.append(("Server", answer.layer.value.format(build=envelope.build)))
    if answer.layer is Layer.IMDS:
        usual.append(("x-ms-request-id", envelope.request_id))
    replaced = {name.lower(): value for name, value in answer.headers}
    headers = [(name, replaced.pop(name.lower(), value)) for name, value in usual]
    date = replaced.pop("date", envelope.date)
    headers += [(name, value) for name, value in answer.headers if name.lower() in replaced]
    headers.append(("Date", date))
    if envelope.connection:
        headers.append(("Connection", envelope.connection))
    headers.append(("Content-Length", str(len(answer.body))))
    lines = [f"HTTP/1.1 {answer.status} {phrase(answer.status)}"]
    lines += [f"{name}: {value}" for name, value in headers]
    start = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
    return start if envelope.head_only else start + answer.body


def phrase(status: int) -> str:
    """The reason phrase of a status, empty if it is not registered."""
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return ""


def split_target(target: str) -> tuple[str, str]:
    """Path and query of a request target, also of one in absolute form (``GET http://host/path``)."""
    target = re.sub(r"^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*", "", target.partition("#")[0])
    path, _ignored, query = target.partition("?")
    return path if path.startswith(("/", "*")) else "/" + path, query
