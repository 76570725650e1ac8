# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a script describes a fault, checked and turned into a `Fault`. Pure.

A fault is an object with a path prefix and a kind. The kind may be left out where its own field tells:

    {"path": "/metadata/instance", "status": 429, "count": 2}   an answer with this status, twice
    {"delay": 2}                                 the right answer, two seconds late
    {"drop": true}                               no answer: the connection is closed
    {"reset": true}                              no answer: the connection is reset
    {"truncate": true} or {"truncate": 20}       the right answer, cut after half of its body or so many bytes of it
    {"drip": true} or {"drip": 5}                the right answer, spread over so many seconds
    {"html": true} or {"html": "<p>..."}         a proxy's page with status 200
    {"redirect": "http://192.0.2.1/"}            a redirect
    {"msp": true}                                the refusal of the Metadata Security Protocol
    {"error": "access_denied"}                   a documented error of the identity endpoint, by its code
    {"body": "no json"}                          status 200 with this body, or so many times it with "repeat"
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import replace
from typing import Any, Callable

from . import checks, errors, unevidenced
from .faults import MOST, Fault
from .message import HTML, JSON, Answer, Headers, Layer, json_body

# The order in which fields tell the kind. The first eight exclude each other; the others also refine these.
KINDS = ("drop", "reset", "truncate", "drip", "html", "redirect", "msp", "error", "status", "body", "delay")
EXCLUSIVE = KINDS[:8]

LARGEST_BODY = 64 * 1024 * 1024
LONGEST = 300  # seconds
DRIP_SECONDS = 10.0
LOCATION = "http://192.0.2.1/blocked"  # TEST-NET-1: nobody is there
PAGE = (
    b"<!DOCTYPE html>\n<html><head><title>Access blocked</title></head>\n"
    b"<body><h1>Access blocked</h1><p>The proxy refuses this request.</p></body></html>\n"
)
# Bodies of a scripted status where one is known; every other status gets its own phrase. That of 429 is the endpoint's.
KNOWN: dict[int, Answer] = {
    404: errors.NOT_FOUND,
    410: unevidenced.ANSWERS["updating"],
    429: errors.THROTTLED,
}


def parse_all(given: Any, vms: list[str]) -> list[Fault]:
    """The faults of one object or a list of them.

    :raises InvalidInputError: if a field is wrong; it names the first one
    """
    if not isinstance(given, list):
        return [parse(given, vms)]
    if len(given) > MOST:
        checks.fail("faults", f"are {len(given)}; at most {MOST} can wait")
    return [parse(item, vms, f"faults[{i}]") for i, item in enumerate(given)]


def parse(given: Any, vms: list[str], where: str = "") -> Fault:
    """The fault that an object describes; ``vms`` are the names there are.

    :raises InvalidInputError: if a field is wrong
    """
    checked = checks.fields(where, checks.mapping(where or "fault", given), FIELDS)
    spec = {name: value for name, value in checked.items() if value is not None and value is not False}
    if "body_base64" in spec:
        spec["body"] = spec.pop("body_base64")
    prefix = f"{where}." if where else ""
    kind = spec.get("kind") or next((name for name in KINDS if name in spec), None)
    if kind is None:
        checks.fail(f"{prefix}kind", f"is missing: one of {', '.join(KINDS)}, or the field of that name")
    for other in EXCLUSIVE:
        if other in spec and other != kind:
            checks.fail(f"{prefix}{other}", f"does not go with {kind}")
    if "vm" in spec and spec["vm"] not in vms:
        checks.fail(f"{prefix}vm", f"no VM has this name; there are {', '.join(vms) or 'none'}")
    fault = Fault(
        path=spec.get("path", "/"),
        kind=kind,
        given=given,
        size=len(json_body(given)),
        vm=spec.get("vm"),
        count=spec.get("count"),
        delay=spec.get("delay", 0.0),
        repeat=spec.get("repeat", 1),
    )
    if kind in PARTICULARS:
        fault = replace(fault, **PARTICULARS[kind](spec, prefix))
    if fault.answer and len(fault.answer.body) * fault.repeat > LARGEST_BODY:
        checks.fail(f"{prefix}repeat", f"makes more than {LARGEST_BODY} bytes")
    return fault


def _needed(spec: dict[str, Any], prefix: str, *names: str) -> Any:
    """The first of these fields that is there.

    :raises InvalidInputError: if there is none; it names the usual one
    """
    for name in names:
        if name in spec:
            return spec[name]
    return checks.fail(f"{prefix}{names[0]}", "is required for this kind")


def _delay(spec: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {"delay": _needed(spec, prefix, "delay", "seconds")}


def _truncate(spec: dict[str, Any], _prefix: str) -> dict[str, Any]:
    cut = spec.get("bytes", spec.get("truncate", True))
    return {"cut": None if cut is True else cut}


def _drip(spec: dict[str, Any], _prefix: str) -> dict[str, Any]:
    seconds = spec.get("seconds", spec.get("drip", True))
    return {"seconds": DRIP_SECONDS if seconds is True else seconds}


def _status(spec: dict[str, Any], prefix: str) -> dict[str, Any]:
    status = _needed(spec, prefix, "status")
    if "body" in spec:
        return _dressed(Answer(status, _body(spec, prefix), JSON), spec)
    dressed = _dressed(KNOWN.get(status) or unevidenced.scripted(status), spec)
    return {**dressed, "throttled": status == 429 and "content_type" not in spec}


def _wrong_body(spec: dict[str, Any], prefix: str) -> dict[str, Any]:
    return _dressed(Answer(spec.get("status", 200), _body(spec, prefix), JSON), spec)


def _html(spec: dict[str, Any], prefix: str) -> dict[str, Any]:
    page = spec.get("html", True)
    if page is True:
        page = _body(spec, prefix).decode(errors="replace") if "body" in spec else PAGE.decode()
    body = page.encode(errors="replace")
    return _dressed(Answer(spec.get("status", 200), body, HTML, Layer.PROXY, (("Via", "1.1 proxy"),)), spec)


def _redirect(spec: dict[str, Any], _prefix: str) -> dict[str, Any]:
    location = spec.get("location", spec.get("redirect", True))
    headers = (("Location", LOCATION if location is True else location),)
    return _dressed(Answer(spec.get("status", 302), b"", HTML, Layer.PROXY, headers), spec)


def _msp(_spec: dict[str, Any], _prefix: str) -> dict[str, Any]:
    return {"answer": Answer(403, b"", content_type="", layer=Layer.NAMELESS)}


def _error(spec: dict[str, Any], prefix: str) -> dict[str, Any]:
    return _dressed(errors.IDENTITY[_needed(spec, prefix, "error")], spec)


def _body(spec: dict[str, Any], prefix: str) -> bytes:
    return bytes(_needed(spec, prefix, "body"))


def _dressed(answer: Answer, spec: dict[str, Any]) -> dict[str, Any]:
    """With the content type and the headers that the script asked for."""
    headers: Headers = (*answer.headers, *spec.get("headers", ()))
    content_type = spec.get("content_type", answer.content_type)
    return {"answer": replace(answer, content_type=content_type, headers=headers)}


# Kind -> the fields of a Fault that are its own. "drop" and "reset" have none.
PARTICULARS: dict[str, Callable[[dict[str, Any], str], dict[str, Any]]] = {
    "truncate": _truncate,
    "drip": _drip,
    "html": _html,
    "redirect": _redirect,
    "msp": _msp,
    "error": _error,
    "status": _status,
    "body": _wrong_body,
    "delay": _delay,
}


def _path(field: str, value: Any) -> str:
    path = str(checks.text(field, value))
    return path if path.startswith("/") else checks.fail(field, "must start with a slash")


def _as_bytes(_field: str, value: Any) -> bytes:
    """A string as it is; anything else as JSON."""
    return value.encode(errors="replace") if isinstance(value, str) else json_body(value)


def _from_base64(field: str, value: Any) -> bytes:
    try:
        return base64.b64decode(checks.text(field, value), validate=True)
    except (binascii.Error, ValueError) as error:
        if isinstance(error, checks.InvalidInputError):
            raise
        checks.fail(field, f"is not base64: {error}")


def _line(field: str, value: Any) -> str:
    line = str(checks.text(field, value))
    return line if line.isprintable() and line.isascii() else checks.fail(field, "must be printable ASCII")


def _headers(field: str, value: Any) -> Headers:
    headers = checks.mapping(field, value)
    for name in headers:
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
            checks.fail(f"{field}.{name}", "is not a header name")
        if name.lower() == "content-length":
            checks.fail(f"{field}.{name}", "cannot be set; use truncate")
    return tuple((name, _line(f"{field}.{name}", text)) for name, text in headers.items())


def _or_boolean(check: checks.Check) -> checks.Check:
    """The check, or simply true or false."""
    return lambda field, value: value if isinstance(value, bool) else check(field, value)


def _or_null(check: checks.Check) -> checks.Check:
    """The check, or null for a field that is as good as absent."""
    return lambda field, value: None if value is None else check(field, value)


FIELDS: dict[str, checks.Check] = {
    "path": _path,
    "kind": checks.one_of(KINDS),
    "count": _or_null(checks.integer(1, 1_000_000)),
    "vm": _or_null(checks.text),
    "status": checks.integer(200, 599),
    "body": _as_bytes,
    "body_base64": _from_base64,
    "repeat": checks.integer(1, LARGEST_BODY),
    "content_type": _line,
    "headers": _headers,
    "delay": checks.number(0, LONGEST),
    "seconds": checks.number(0, LONGEST),
    "drop": checks.boolean,
    "reset": checks.boolean,
    "truncate": _or_boolean(checks.integer(0, LARGEST_BODY)),
    "bytes": checks.integer(0, LARGEST_BODY),
    "drip": _or_boolean(checks.number(0, LONGEST)),
    "html": _or_boolean(checks.text),
    "redirect": _or_boolean(_line),
    "location": _line,
    "msp": checks.boolean,
    "error": checks.one_of(tuple(errors.IDENTITY)),
}
