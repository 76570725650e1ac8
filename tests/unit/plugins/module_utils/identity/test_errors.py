# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an answer to a request for a token means, and what is told of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._identity import errors
from ansible_collections.imds.azure.plugins.module_utils._identity.errors import TokenPolicy
from ansible_collections.imds.azure.plugins.module_utils._imds.transport import Response
from ansible_collections.imds.azure.tests.scenarios.identities import NOT_FOUND, SEVERAL, UNKNOWN_RESOURCE, answer, jwt
from hypothesis import given
from hypothesis import strategies as st

IMDS = {"server": "IMDS/150.870.65.1854", "content-type": "application/json; charset=utf-8"}


def response(status: int, body: Any = b"", headers: dict[str, str] | None = None) -> Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, IMDS if headers is None else headers, content, "10.0.0.4")


def error(code: str, description: str = "", **more: Any) -> dict[str, Any]:
    return {"error": code, "error_description": description, **more}


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, answer(), "ok"),
        (400, NOT_FOUND, "no_identity"),
        (400, SEVERAL, "identity_ambiguous"),
        (400, UNKNOWN_RESOURCE, "resource_unknown"),
        (400, error("invalid_resource", "AADSTS50001: The application was not found"), "resource_unknown"),
        (400, error("invalid_request", "AADSTS65001: The user has not consented"), "resource_unknown"),
        (400, error("invalid_request", "", error_codes=[500011]), "resource_unknown"),
        (400, error("unauthorized_client", "AADSTS700016: Application not found"), "identity_refused"),
        (400, error("invalid_request", "AADSTS7000112: Application is disabled"), "identity_refused"),
        (403, error("access_denied"), "identity_refused"),
        (400, error("invalid_request", "anything else"), "rejected"),
        (400, error("invalid_request", "The word AADSTS500011: is not at the start"), "rejected"),
        (400, b"{", "rejected"),
        (400, {"error": {"code": "x"}, "error_codes": ["500011", None]}, "rejected"),
        (400, error("invalid_request", "Required metadata header not specified"), "intercepted"),
        (401, error("unknown_source"), "forbidden"),
        (404, {"error": "Not Found"}, "missing_root"),
        (405, error("method_not_allowed"), "rejected"),
        (410, b"", "updating"),
        (429, error("x", "Temporarily throttled, too many requests"), "throttled"),
        (500, error("unknown"), "server_error"),
        (502, b"", "server_error"),
        (503, error("service_unavailable"), "server_error"),
    ],
    ids=str,
)
def test_answers(status: int, body: Any, outcome: str) -> None:
    assert errors.classify(response(status, body), named=False) == outcome


def test_a_named_identity_is_another_reason() -> None:
    assert errors.classify(response(400, NOT_FOUND), named=True) == "identity_unknown"
    assert errors.classify(response(400, SEVERAL), named=True) == "identity_ambiguous"


@pytest.mark.parametrize(
    ("status", "headers", "body", "outcome"),
    [
        (403, {}, b"", "forbidden"),  # the Metadata Security Protocol
        (403, {"content-type": "text/plain"}, b"169.254.169.254 is unreachable", "intercepted"),  # Docker Desktop
        (500, {"server": "Microsoft-Azure-Something", "content-type": "text/plain"}, b"restarting", "server_error"),
        (502, {"server": "squid", "content-type": "text/html"}, b"<html>", "intercepted"),
        (302, {"location": "http://example.org"}, b"", "intercepted"),
        (200, {"content-type": "text/html"}, b"<html>", "intercepted"),
    ],
    ids=str,
)
def test_answers_that_say_who_else_is_there(status: int, headers: dict[str, str], body: bytes, outcome: str) -> None:
    assert errors.classify(response(status, body, headers), named=False) == outcome


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (200, answer(), "HTTP 200"),
        (400, NOT_FOUND, "HTTP 400: invalid_request: Identity not found"),
        (403, b"", "HTTP 403"),
        (500, b"some text", "HTTP 500 with 9 bytes"),
        (201, answer(), f"HTTP 201 with {len(json.dumps(answer()))} bytes"),
        (400, error(jwt(), f"for {jwt()} no"), "HTTP 400: [redacted]: for [redacted] no"),
        (400, error("x", "y" * 5000), "HTTP 400: x: [redacted]"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_told(status: int, body: Any, told: str) -> None:
    assert errors.describe(response(status, body)) == told


def test_a_long_description_is_cut() -> None:
    assert len(errors.describe(response(400, error("x", "word " * 1000)))) < 400


def waits(outcome: str, policy: TokenPolicy | None = None, retry_after: str | None = None) -> list[float]:
    found: list[float] = []
    while len(found) < 20:
        wait = (policy or TokenPolicy(False)).wait(outcome, len(found) + 1, retry_after, 0.0, sum(found))
        if wait is None:
            break
        found.append(wait)
    return found


@pytest.mark.parametrize("outcome", ["missing_root", "throttled", "server_error", "read_timeout"])
def test_five_tries_as_documented(outcome: str) -> None:
    assert waits(outcome) == [2, 6, 14, 30]


@pytest.mark.parametrize(
    "outcome", ["rejected", "forbidden", "identity_ambiguous", "identity_refused", "resource_unknown"]
)
def test_what_is_wrong_stays_wrong(outcome: str) -> None:
    assert waits(outcome) == []
    assert waits(outcome, retry_after="1") == []


def test_an_update_is_outlasted() -> None:
    assert sum(waits("updating")) == 70


@pytest.mark.parametrize("outcome", ["missing_root", "throttled", "server_error", "updating"])
def test_retry_after_is_obeyed(outcome: str) -> None:
    assert set(waits(outcome, retry_after="7")) == {7}
    assert waits(outcome, retry_after="Wed, 21 Oct 2026 07:28:00 GMT") == waits(outcome)
    assert waits(outcome, retry_after="-1") == waits(outcome)


@pytest.mark.parametrize("outcome", ["no_identity", "identity_unknown"])
def test_an_identity_is_waited_for_on_request(outcome: str) -> None:
    assert waits(outcome) == []
    assert waits(outcome, TokenPolicy(True, identity_wait=12)) == [5, 5, 2]


@pytest.mark.parametrize("outcome", ["refused", "connect_timeout", "read_timeout", "no_route"])
def test_an_impatient_client_asks_once_where_nothing_answers(outcome: str) -> None:
    assert waits(outcome)
    assert waits(outcome, TokenPolicy(False, patient=False)) == []
    assert waits("updating", TokenPolicy(False, patient=False))


@given(
    st.sampled_from([200, 201, 302, 400, 401, 403, 404, 410, 429, 500, 503]),
    st.dictionaries(
        st.sampled_from(["error", "error_description", "error_codes"]),
        st.none() | st.integers() | st.text(max_size=30) | st.lists(st.integers() | st.text(max_size=5), max_size=3),
    )
    | st.binary(max_size=50),
    st.booleans(),
)
def test_no_answer_breaks_the_reader(status: int, body: Any, named: bool) -> None:
    """Whatever comes has an outcome."""
    answer = response(status, body)
    assert errors.classify(answer, named) in errors.RULES
    assert errors.describe(answer).startswith(f"HTTP {status}")
