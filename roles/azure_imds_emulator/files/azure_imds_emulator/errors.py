# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The errors whose bodies are captured or documented, byte by byte. Pure.

Answers that nobody has captured are in `unevidenced.py`.
"""

from __future__ import annotations

from typing import Any

from . import event_kinds, unevidenced
from .message import JSON, XML, Answer, Layer, Request, error_body, json_body
from .versions import NEWEST


def _front_end(status: int, message: str) -> Answer:
    return Answer(status, error_body(message), XML, Layer.FRONT_END)


def identity(description: str, error: str = "invalid_request", status: int = 400, **more: Any) -> Answer:
    """An error of the identity endpoint; ``more`` are keys beside the usual two."""
    return Answer(status, json_body({"error": error, "error_description": description, **more}))


# Captured: the odd ": ." is the service's own.
MISSING_HEADER = _front_end(400, "Bad request: . Required metadata header not specified")
# Captured is a length of 323 bytes; a HEAD has no body, so these bytes are never sent.
MISSING_HEADER_ON_HEAD = Answer(400, b" " * 323, XML, Layer.FRONT_END)
NOT_FOUND = _front_end(404, "Not found")
# Clients compare this body with exactly these words.
THROTTLED = Answer(429, b"Too many requests", unevidenced.TEXT_TYPE)


def _bad_version(newest: tuple[str, ...]) -> Answer:
    text = (
        "Bad request. api-version is invalid or was not specified in the request. "
        "For more information refer to aka.ms/azureimds"
    )
    return Answer(400, json_body({"error": text, "newest-versions": list(newest)}))


BAD_VERSION = _bad_version(NEWEST)
# Captured is the status; the body is that of the other endpoints.
BAD_EVENTS_VERSION = _bad_version(event_kinds.NEWEST)
# Captured are these words, on a POST; not the status.
EVENTS_THROTTLED = Answer(429, b"Throttle Result: Too Many Requests", unevidenced.TEXT_TYPE)

IDENTITY_MISSING_HEADER = identity("Required metadata header not specified")
IDENTITY_ROOT = Answer(404, json_body({"error": "Not Found"}))  # another spelling than NOT_FOUND: another backend
IDENTITY_NOT_FOUND = identity("Identity not found")
IDENTITY_NO_RESOURCE = identity("Required query variable 'resource' is missing")
IDENTITY_AMBIGUOUS = identity(
    "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the "
    "token request"
)

# Documented codes of the identity endpoint, for those who want to see one without its cause. 401 and 5xx are
# documented with their status, the others as one of 4xx.
IDENTITY: dict[str, Answer] = {
    code: identity(description, code, status)
    for code, status, description in (
        ("bad_request_102", 400, "Required metadata header not specified"),
        ("unknown_source", 401, "Unknown Source"),
        ("invalid_request", 400, "The request is malformed"),
        ("invalid_resource", 400, "AADSTS50001: The application was not found in the tenant"),
        ("unauthorized_client", 400, "The client is not authorized to request an access token using this method"),
        ("access_denied", 400, "The resource owner or authorization server denied the request"),
        ("unsupported_response_type", 400, "The authorization server does not support this method"),
        ("invalid_scope", 400, "The requested scope is invalid, unknown, or malformed"),
        ("unknown", 500, "Failed to retrieve token from the Active directory"),
        ("server_error", 500, "The server met an unexpected condition"),
        ("service_unavailable", 503, "The service is temporarily unavailable"),
    )
}

# Documented texts; the envelope around them is the front end's.
_LOADBALANCER: dict[str, tuple[int, str]] = {
    "no_data": (
        404,
        "No load balancer metadata is found. "
        "Check if your virtual machine is using any nonbasic SKU load balancer and retry later.",
    ),
    "no_api": (404, 'API isn\'t found: Path = "{path}", Method = "{method}"'),
    "method": (405, 'Http method isn\'t allowed: Path = "{path}", Method = "{method}"'),
    "missing": (400, 'Missing required parameter "{parameter}". Fix the request and retry.'),
    "unexpected": (400, "Unexpected request. Check the query parameters and retry."),
    "throttled": (429, "Too many requests"),
    "unavailable": (503, "Internal service unavailable. Retry later"),
}


def loadbalancer(name: str, request: Request, parameter: str = "") -> Answer:
    """A documented error of the load balancer endpoint by its short name."""
    status, text = _LOADBALANCER[name]
    text = text.format(path=request.path, method=request.method, parameter=parameter)
    return Answer(status, error_body(text), JSON)
