# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults that the emulator can have, each with the reason that it leads to where it lasts."""

from __future__ import annotations

from typing import Any

VERSION_ERROR = {"error": "Bad request. api-version is invalid", "newest-versions": ["2021-02-01", "2020-12-01"]}
LASTING: dict[str, tuple[Any, str]] = {
    "400": ({"status": 400}, "rejected"),
    "400, no header": ({"status": 400, "body": "Required metadata header not specified"}, "intercepted"),
    "400, version": ({"status": 400, "body": VERSION_ERROR}, "bad_version"),
    "401": ({"status": 401}, "forbidden"),
    "403": ({"status": 403}, "forbidden"),
    "404": ({"status": 404}, "not_found"),
    "404, version": ({"status": 404, "body": '{ "error": "Not found. Invalid version requested" }'}, "bad_version"),
    "405": ({"status": 405}, "rejected"),
    "407": ({"status": 407}, "intercepted"),
    "408": ({"status": 408}, "server_error"),
    "410": ({"status": 410}, "updating"),
    "421": ({"status": 421}, "forbidden"),
    "429": ({"status": 429}, "throttled"),
    "429, Retry-After": ({"status": 429, "headers": {"Retry-After": "3"}}, "throttled"),
    "500": ({"status": 500}, "server_error"),
    "503": ({"status": 503}, "server_error"),
    "504": ({"status": 504}, "server_error"),
    "511": ({"status": 511}, "intercepted"),
    "drop": ({"drop": True}, "refused"),
    "reset": ({"reset": True}, "refused"),
    "truncate": ({"truncate": True}, "malformed"),
    "truncate to nothing": ({"truncate": 0}, "malformed"),
    "drip": ({"drip": 30}, "read_timeout"),
    "delay": ({"delay": 1}, "read_timeout"),
    "html": ({"html": True}, "intercepted"),
    "html with 404": ({"html": True, "status": 404}, "intercepted"),
    "redirect": ({"redirect": True}, "intercepted"),
    "redirect to a path": ({"redirect": "/elsewhere", "status": 307}, "intercepted"),
    "no JSON": ({"body": "no json"}, "malformed"),
    "no document": ({"body": []}, "malformed"),
    "nothing": ({"body": ""}, "malformed"),
    "no UTF-8": ({"body_base64": "eyJhIjoi//4ifQ=="}, "malformed"),
    "deep": ({"body": "[", "repeat": 100_000}, "malformed"),
    "too large": ({"body": "x", "repeat": 512 * 1024 + 1}, "too_large"),
    "through a proxy": ({"status": 200, "body": {"compute": {}}, "headers": {"Via": "1.1 proxy"}}, "intercepted"),
}
