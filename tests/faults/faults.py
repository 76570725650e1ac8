# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The faults of the matrix: everything that can stand between a request and its answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Fault(NamedTuple):
    """What becomes of every request that an operation is about.

    emulated: a fault of the emulator, which then sends the answer. slow: the answer is not complete when the client's
    time is over. unconnected: no connection comes about, with the transport's word for it. content_type: the right
    answer, labelled so. charset: the right answer in another one than UTF-8. proxied: the environment names a proxy.
    harmless: the operation succeeds all the same.
    """

    emulated: Mapping[str, Any] | None = None
    slow: bool = False
    unconnected: str = ""
    content_type: str = ""
    charset: str = ""
    proxied: bool = False

    @property
    def harmless(self) -> bool:
        return self.proxied or bool(self.content_type)


# As the documentation calls them, in its order.
FAULTS: Mapping[str, Fault] = {
    "404": Fault({"status": 404}),
    "410, IMDS is being updated": Fault({"status": 410}),
    "429, throttled": Fault({"status": 429}),
    "500": Fault({"status": 500}),
    "503": Fault({"status": 503}),
    "empty 403 of the Metadata Security Protocol": Fault({"msp": True}),
    "connection refused": Fault(unconnected="refused"),
    "no route": Fault(unconnected="no_route"),
    "connection times out": Fault(unconnected="connect_timeout"),
    # With a status, so that the service does nothing behind the client's back.
    "no answer": Fault({"status": 503, "delay": 3}, slow=True),
    "slow drip": Fault({"drip": 3}, slow=True),
    "connection reset": Fault({"reset": True}),
    "truncated answer": Fault({"truncate": True}),
    "oversized answer": Fault({"body": "x", "repeat": 512 * 1024 + 1}),
    "HTML page": Fault({"html": True}),
    "redirect": Fault({"redirect": True}),
    "invalid JSON": Fault({"body": '{"compute": {"name": "web-1",}}'}),
    "Latin-1 instead of UTF-8": Fault({"body_base64": "eyJuYW1lIjogIk38bmNoZW4ifQ=="}),
    "UTF-16 instead of UTF-8": Fault(charset="utf-16"),
    "deeply nested JSON": Fault({"body": "[", "repeat": 100_000}),
    "wrong content type": Fault(content_type="text/plain"),
    "proxy in the environment": Fault(proxied=True),
}
