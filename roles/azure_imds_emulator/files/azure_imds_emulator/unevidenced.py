# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that no capture and no document shows: our decisions, in one table.

Whoever holds a real capture replaces a line here, and nothing else: the rest only asks for a line by its name.
"""

from __future__ import annotations

from .message import HTML, TEXT, XML, Answer, Layer, error_body, json_body, phrase

# Content type of `format=text` and of the plain text bodies.
TEXT_TYPE = TEXT

# `GET /metadata?format=text`: a traversal script of 2019 starts there; what it saw is not recorded.
ROOT_LISTING = "instance/"

# What an attested document of a classic VM says about the VM; the rest is empty. One sentence of the documentation
# promises vmId alone, another one subscriptionId as well.
CLASSIC_ATTESTED: tuple[str, ...] = ("vmId",)


def _front_end(status: int, message: str) -> Answer:
    return Answer(status, error_body(message), XML, Layer.FRONT_END)


def _identity(description: str) -> Answer:
    return Answer(400, json_body({"error": "invalid_request", "error_description": description}))


ANSWERS: dict[str, Answer] = {
    # X-Forwarded-For is refused, says the documentation.
    "forwarded": _front_end(400, "Bad request: . X-Forwarded-For header is not allowed"),
    # A query parameter given twice is refused, says the documentation.
    "duplicate_parameter": _front_end(400, "Bad request. Duplicate query parameters are not allowed"),
    # A verb that the endpoint does not know is 405, says the documentation.
    "method": _front_end(405, "Method not allowed"),
    # A leaf without format=text: the status is captured, the body is not.
    "leaf": _front_end(400, "Bad request"),
    # `format` is json or text; what another value does is not recorded.
    "format": _front_end(400, "Bad request"),
    # A path outside /metadata is never answered with success: detectors of other clouds ask for theirs.
    "outside": Answer(404, b"<h2>404 - File or directory not found.</h2>", HTML, Layer.FRONT_END),
    # A path under /metadata that no endpoint has.
    "no_endpoint": _front_end(404, "Not found"),
    # An attested document with a nonce that is too long or has other characters than letters, digits, - and _.
    "nonce": _front_end(400, "Bad request"),
    # An attested document for a version that is older than these documents.
    "attested_too_old": _front_end(404, "Not found"),
    # Identity without, or with an unknown, api-version.
    "identity_no_version": _identity("Required query variable 'api-version' is missing"),
    "identity_bad_version": _identity("Unsupported api-version"),
    # More than one parameter that names an identity.
    "identity_selectors": _identity("Only one of client_id, object_id and msi_res_id can be specified"),
    # The agent of an Azure Arc machine: the status and the header are known, the body is not.
    "arc_challenge": Answer(
        401, json_body({"error": "unauthorized", "error_description": "Authorization is required"})
    ),
    # A parameter that names an identity, where there can be only one.
    "arc_selector": _identity("Only the system-assigned identity is supported"),
    # A verb that an identity route does not know: the code is specified, the description is not.
    "identity_method": Answer(
        405, json_body({"error": "method_not_allowed", "error_description": "Method not allowed"})
    ),
    # Scheduled events in a version that the host does not have: clients fall back on 400 and on 404.
    "events_too_new": _front_end(404, "Not found"),
    # An approval that is malformed (the status is documented), or names an event that there is not (it is not).
    "events_post": _front_end(400, "Bad request"),
    # The service is being updated.
    "updating": _front_end(410, "Gone"),
    # Throttled identity calls: the text is captured, the envelope around it is not.
    "identity_throttled": Answer(
        429,
        json_body({"error": "invalid_request", "error_description": "Temporarily throttled, too many requests"}),
    ),
}


def malformed(status: int) -> Answer:
    """What is not an HTTP request: the status is that of Python's HTTP parser, the look is the front end's."""
    return _front_end(status, phrase(status))


def scripted(status: int) -> Answer:
    """Body of a status that a script asked for and that no capture shows (403, 500, 503 ...)."""
    return _front_end(status, phrase(status) or "Error")
