# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._imds import retry
from ansible_collections.imds.azure.plugins.module_utils._imds.reasons import REASONS
from ansible_collections.imds.azure.plugins.module_utils._imds.transport import Response
from hypothesis import given
from hypothesis import strategies as st

IMDS = {"server": "IMDS/150.870.65.1854", "content-type": "application/json; charset=utf-8"}
IIS = {"server": "Microsoft-IIS/10.0", "content-type": "text/xml; charset=utf-8"}
NOBODY: dict[str, str] = {}
HTML = {"server": "squid/5.7", "content-type": "text/html"}

NO_HEADER = b'{ "error": "Bad request: . Required metadata header not specified" }'
NO_HEADER_IDENTITY = b'{"error":"invalid_request","error_description":"Required metadata header not specified"}'
VERSION = (
    b'{"error":"Bad request. api-version is invalid or was not specified in the request. For more information refer to '
    b'aka.ms/azureimds","newest-versions":["2020-10-01","2020-09-01","2020-07-15"]}'
)
OLD_VERSION = b'{ "error": "Not found. Invalid version requested" }'

# status, headers, body, path is a root -> outcome
ANSWERS = [
    # what IMDS says
    (200, IMDS, b'{"compute":{}}', True, "ok"),
    (200, NOBODY, b'{"compute":{}}', True, "ok"),
    (200, {"content-type": "text/plain; charset=utf-8"}, b"web-1", False, "ok"),
    (400, IMDS, VERSION, True, "bad_version"),
    (400, IMDS, VERSION, False, "bad_version"),
    (400, IMDS, OLD_VERSION, True, "bad_version"),
    (404, IMDS, OLD_VERSION, True, "bad_version"),
    (404, IMDS, OLD_VERSION, False, "bad_version"),
    (404, IMDS, b'{ "error": "Not found" }', False, "missing"),
    (404, IMDS, b'{ "error": "Not found" }', True, "missing_root"),
    (404, IMDS, b'{"error":"Not Found"}', False, "missing"),
    (
        404,
        IMDS,
        b"No load balancer metadata is found. Check if your virtual machine is using any nonbasic",
        False,
        "missing",
    ),
    (400, IMDS, b'{ "error": "Bad request" }', False, "rejected"),
    (400, IMDS, b"", False, "rejected"),
    (405, IMDS, b'Http method isn\'t allowed: Path = "/", Method = "GET"', False, "rejected"),
    (401, IMDS, b"", True, "forbidden"),
    (403, IMDS, b"", True, "forbidden"),
    (421, NOBODY, b"", True, "forbidden"),
    (403, NOBODY, b"<?xml version='1.0'?><Error/>", True, "forbidden"),
    (408, IMDS, b"", True, "server_error"),
    (410, IMDS, b"", True, "updating"),
    (410, IMDS, b'{"error":"Gone"}', False, "updating"),
    (429, IMDS, b"Too many requests", True, "throttled"),
    (429, NOBODY, b"Temporarily throttled, too many requests", True, "throttled"),
    (500, IMDS, b"", True, "server_error"),
    (502, NOBODY, b"", True, "server_error"),
    (503, IMDS, b"Internal service unavailable. Retry later", False, "server_error"),
    (504, IMDS, b"", True, "server_error"),
    (599, IMDS, b"", True, "server_error"),
    (418, IMDS, b"", True, "rejected"),
    # its front end has pages of its own
    (404, {**IIS, "content-type": "text/html"}, b"<!DOCTYPE html><html>404", True, "missing_root"),
    (400, IIS, b"<?xml version='1.0'?><Error/>", True, "rejected"),
    (503, {**IIS, "content-type": "text/html"}, b"<html>Service Unavailable</html>", True, "server_error"),
    # what it never says
    (400, IMDS, NO_HEADER, True, "intercepted"),
    (400, IMDS, NO_HEADER_IDENTITY, True, "intercepted"),
    (200, HTML, b"<html>Log in</html>", True, "intercepted"),
    (200, NOBODY, b"  \r\n<!DOCTYPE HTML><title>Log in</title>", True, "intercepted"),
    (200, {"content-type": "Text/HTML"}, b"", True, "intercepted"),
    (200, {**IMDS, "via": "1.1 proxy"}, b'{"compute":{}}', True, "intercepted"),
    (403, HTML, b"<html>Access denied</html>", True, "intercepted"),
    (404, {"server": "nginx", "content-type": "text/html"}, b"<html>", False, "intercepted"),
    (407, NOBODY, b"", True, "intercepted"),
    (429, HTML, b"<html>", True, "intercepted"),
    (502, HTML, b"<html>Bad gateway</html>", True, "intercepted"),
    (511, NOBODY, b"", True, "intercepted"),
    (301, {**IMDS, "location": "http://example.org/"}, b"", True, "intercepted"),
    (302, {"location": "/login"}, b"", True, "intercepted"),
    (307, {"location": "/login"}, b"", True, "intercepted"),
    (304, IMDS, b"", True, "intercepted"),
    (204, IMDS, b"", True, "intercepted"),
    (100, NOBODY, b"", True, "intercepted"),
]


@pytest.mark.parametrize(("status", "headers", "body", "root", "outcome"), ANSWERS)
def test_classify(status: int, headers: dict[str, str], body: bytes, root: bool, outcome: str) -> None:
    assert retry.classify(Response(status, headers, body, "10.0.0.4"), root) == outcome


# outcome -> reason, and the seconds before each further try
WAITS: dict[str, tuple[str, list[float]]] = {
    "ok": ("ok", []),
    "bad_version": ("bad_version", []),
    "rejected": ("rejected", []),
    "forbidden": ("forbidden", []),
    "missing": ("not_found", []),
    "missing_root": ("not_found", [1, 2, 4]),
    "updating": ("updating", [10] * 7),
    "throttled": ("throttled", [1, 2, 4, 8]),
    "server_error": ("server_error", [1, 2, 4]),
    "intercepted": ("intercepted", [1]),
    "malformed": ("malformed", [1]),
    "too_large": ("too_large", []),
    "refused": ("refused", [1, 2]),
    "no_route": ("no_route", [1, 2]),
    "route_prohibited": ("route_prohibited", [1, 2]),
    "connect_timeout": ("connect_timeout", [1, 2]),
    "read_timeout": ("read_timeout", [1, 2, 4]),
    "reset": ("refused", [1, 2, 4]),
}


def test_every_outcome_is_in_the_table() -> None:
    assert set(retry.RULES) == set(WAITS)


@pytest.mark.parametrize("outcome", WAITS)
def test_waits(outcome: str) -> None:
    reason, waits = WAITS[outcome]
    assert retry.RULES[outcome].reason == reason
    assert reason in REASONS
    tries = len(waits) + 1
    assert [retry.wait(outcome, number + 1) for number in range(tries)] == [*waits, None]
    assert retry.wait(outcome, tries + 1) is None


@pytest.mark.parametrize("outcome", WAITS)
def test_only_throttling_has_jitter_and_obeys_retry_after(outcome: str) -> None:
    waits = WAITS[outcome][1]
    if waits:
        throttled = outcome == "throttled"
        assert retry.wait(outcome, 1, chance=1.0) == (waits[0] * 1.25 if throttled else waits[0])
        assert retry.wait(outcome, 1, retry_after="7") == (7 if throttled else waits[0])


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0),
        ("7", 7),
        ("120", 120),
        ("9" * 400, float("inf")),
        (None, 1),
        ("", 1),
        ("-1", 1),
        ("1.5", 1),
        ("\xb2", 1),
        ("soon", 1),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 1),
    ],
)
def test_retry_after(header: str | None, seconds: float) -> None:
    assert retry.wait("throttled", 1, header) == seconds
    assert retry.wait("throttled", 5, header) is None


@given(st.sampled_from(sorted(WAITS)), st.integers(1, 20), st.none() | st.text(max_size=8), st.floats(0, 1))
def test_waits_are_none_or_a_number(outcome: str, tries: int, header: str | None, chance: float) -> None:
    wait = retry.wait(outcome, tries, header, chance)
    assert wait is None or wait >= 0
    assert (wait is None) == (tries > len(WAITS[outcome][1]))


@pytest.mark.parametrize(
    ("body", "versions"),
    [
        (VERSION, ["2020-10-01", "2020-09-01", "2020-07-15"]),
        (b'{"newest-versions":["2020-07-15","2020-10-01"]}', ["2020-10-01", "2020-07-15"]),
        (b'{"newest-versions":["2020-07-15",7,null,["2020-10-01"],"x","2020-07-15-preview"]}', ["2020-07-15"]),
        (b'{"newest-versions":"2020-07-15"}', []),
        (b'{"newest-versions":{"2020-07-15":1}}', []),
        (b'{"error":"x"}', []),
        (OLD_VERSION, []),
        (b'["newest-versions"]', []),
        (b'"newest-versions"', []),
        (b"newest-versions", []),
        (b"\xff\xfe", []),
        (b"[" * 100_000, []),
        (b"", []),
    ],
    ids=lambda value: str(value)[:40],
)
def test_newest_versions(body: bytes, versions: list[str]) -> None:
    assert retry.newest_versions(body) == versions


@given(
    st.integers(100, 999),
    st.dictionaries(st.sampled_from(["server", "via", "location", "content-type", "x"]), st.text(max_size=20)),
    st.binary(max_size=80) | st.sampled_from([VERSION, OLD_VERSION, NO_HEADER]),
    st.booleans(),
)
def test_any_answer_has_an_outcome(status: int, headers: Any, body: bytes, root: bool) -> None:
    outcome = retry.classify(Response(status, headers, body, "10.0.0.4"), root)
    assert outcome in retry.RULES
    assert outcome != "ok" or status == 200
