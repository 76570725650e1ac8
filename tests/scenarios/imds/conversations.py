# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers of an IMDS, and how a client that gets them ends."""

from __future__ import annotations

from ansible_collections.imds.azure.plugins.module_utils._imds import versions
from ansible_collections.imds.azure.plugins.module_utils._imds.transport import TransportError
from hypothesis import strategies as st

from ..imds.world import (
    ADDRESS,
    OK,
    ScriptedAnswer,
    failed,
    said,
    silence,
    version_error,
)

OLD_STYLE = said(400, b'{ "error": "Not found. Invalid version requested" }')

RETRIES: dict[str, tuple[ScriptedAnswer, str, list[float]]] = {
    "404 on a root": (said(404, {"error": "Not found"}), "not_found", [1, 2, 4]),
    "408": (said(408), "server_error", [1, 2, 4]),
    "500": (said(500), "server_error", [1, 2, 4]),
    "503": (said(503), "server_error", [1, 2, 4]),
    "504": (said(504), "server_error", [1, 2, 4]),
    "410": (said(410), "updating", [10] * 7),
    "400": (said(400, {"error": "Bad request"}), "rejected", []),
    "401": (said(401), "forbidden", []),
    "403": (said(403), "forbidden", []),
    "405": (said(405), "rejected", []),
    "refused": (failed("refused"), "refused", [1, 2]),
    "no route": (failed("no_route"), "no_route", [1, 2]),
    "prohibited": (failed("route_prohibited"), "route_prohibited", [1, 2]),
    "connect timeout": (failed("connect_timeout", 2), "connect_timeout", [1, 2]),
    "read timeout": (failed("read_timeout", 2), "read_timeout", [1, 2, 4]),
    "reset": (failed("reset"), "refused", [1, 2, 4]),
    "page": (said(200, b"<html>", server="squid", content_type="text/html"), "intercepted", [1]),
    "redirect": (said(302, location="/login"), "intercepted", [1]),
    "truncated": (failed("malformed"), "malformed", [1]),
    "half a document": (said(200, b'{"compute":{'), "malformed", [1]),
    "too large": (failed("too_large"), "too_large", []),
}

# As many values as a document may hold, its own object, compute and x among them.
MOST_VALUES = b'{"compute":{},"x":[' + b",".join([b"{}"] * 19_997) + b"]}"
MORE_VALUES = MOST_VALUES.replace(b"[{}", b"[{},0")

BAD_BODIES: dict[str, bytes] = {
    "nothing": b"",
    "half": b'{"compute":{"name":"we',
    "a list": b"[1]",
    "a string": b'"compute"',
    "null": b"null",
    "neither compute nor network": b'{"error":"x"}',
    "compute is no object": b'{"compute":"x","network":[]}',
    "not UTF-8": b'{"compute":{"name":"\xff\xfe"}}',
    "UTF-16": '{"compute":{}}'.encode("utf-16"),
    "UTF-8 with a mark": b'\xef\xbb\xbf{"compute":{}}',
    "half of a surrogate pair": b'{"compute":{"name":"\\ud800"}}',
    "NaN": b'{"compute":{"x":NaN}}',
    "Infinity": b'{"compute":{"x":-Infinity}}',
    "beyond all numbers": b'{"compute":{"x":1e999}}',
    "a number of thousands of digits": b'{"compute":{"x":' + b"9" * 5000 + b"}}",
    "two documents": b'{"compute":{}}{"compute":{}}',
    "XML": b"<?xml version='1.0'?><a/>",
    "deep": b'{"compute":{"x":' + b"[" * 200 + b"]" * 200 + b"}}",
    "deeper": b"[" * 100_000 + b"]" * 100_000,
    "deeper, as objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "deep without end": b"[" * 1_000_000,
}

REJECTED = said(400, {"error": "Bad request. format is invalid"})

ANYTHING = st.builds(
    lambda answer, after: answer._replace(after=after),
    st.sampled_from(
        [answer for answer, _code, _waits in RETRIES.values()]
        + [OK, OLD_STYLE, REJECTED, silence(), version_error("2024-07-17"), version_error(*versions.INSTANCE)]
        + [said(429, retry_after=str(seconds)) for seconds in (0, 1, 20)]
        + [ScriptedAnswer(TransportError("read_timeout", "silent", ADDRESS, silent=True))]
    ),
    st.floats(0.001, 40) | st.just(1e9) | st.just(0.01),
)
