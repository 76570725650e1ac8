# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripted faults over real sockets, and bad fault objects."""

from __future__ import annotations

import contextlib
import json
import time
import tracemalloc
from typing import Any

import pytest
from azure_imds_emulator.checks import InvalidInputError
from azure_imds_emulator.fault_spec import LARGEST_BODY, parse, parse_all
from azure_imds_emulator.faults import MOST
from azure_imds_emulator.limiter import Limiter

REQUEST = b"GET /metadata/instance?api-version=2025-04-07 HTTP/1.1\r\nMetadata: true\r\n\r\n"


@pytest.fixture(name="slept")
def _slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that the emulator makes, without making them."""
    pauses: list[float] = []
    monkeypatch.setattr(
        "azure_imds_emulator.emulator.time.sleep", lambda pause: pauses.append(pause) if pause else None
    )
    return pauses


def everything(imds: Any) -> bytes:
    with imds.connect() as connection:
        connection.send(REQUEST)
        return bytes(connection.rest())


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, b'{ "error": "Not found" }'),
        (410, b'{ "error": "Gone" }'),
        (429, b"Too many requests"),
        (500, b'{ "error": "Internal Server Error" }'),
        (503, b'{ "error": "Service Unavailable" }'),
        (599, b'{ "error": "Error" }'),
    ],
)
def test_a_fault_sets_the_status(imds: Any, status: int, body: bytes) -> None:
    imds.fault(path="/metadata/instance", status=status, count=1)
    reply = imds.instance()
    assert (reply.status, reply.body) == (status, body)
    assert imds.instance().status == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (
            "/metadata/identity/oauth2/token",
            b'{"error":"invalid_request","error_description":"Temporarily throttled, too many requests"}',
        ),
        ("/metadata/loadbalancer", b'{ "error": "Too many requests" }'),
        ("/metadata/versions", b"Too many requests"),
        ("/elsewhere", b"Too many requests"),
    ],
)
def test_each_endpoint_says_429_in_its_own_words(imds: Any, path: str, body: bytes) -> None:
    imds.fault(status=429, headers={"Retry-After": "3"}, count=1)
    reply = imds.get(path)
    assert (reply.status, reply.body, reply.header("Retry-After")) == (429, body, "3")
    imds.fault(status=429, body="mine", count=1)
    assert imds.get(path).body == b"mine"


def test_status_with_everything(imds: Any) -> None:
    imds.fault(status=403, body="", content_type="text/html", headers={"Server": "gpa", "X-A": "b"})
    reply = imds.instance()
    assert (reply.status, reply.body) == (403, b"")
    assert reply.names == ["Content-Type", "Server", "x-ms-request-id", "X-A", "Date", "Content-Length"]
    assert [reply.header(name) for name in ("Content-Type", "Server", "X-A")] == ["text/html", "gpa", "b"]


def test_a_fault_comes_before_the_rules(imds: Any) -> None:
    imds.fault(status=500)
    assert imds.get("/latest/meta-data", Metadata="false").status == 500


@pytest.mark.parametrize("fault", [{"delay": 2.5}, {"kind": "delay", "seconds": 2.5}, {"kind": "delay", "delay": 2.5}])
def test_a_fault_delays_the_answer(imds: Any, slept: list[float], fault: dict[str, Any]) -> None:
    imds.fault(**fault)
    assert imds.instance().status == 200
    assert slept == [2.5]


def test_delay_goes_with_every_kind(imds: Any, slept: list[float]) -> None:
    imds.fault(status=500, delay=3, count=1)
    imds.fault(drop=True, delay=4, count=1)
    assert imds.instance().status == 500
    assert everything(imds) == b""
    assert slept == [3, 4]


def test_delay_is_real(imds: Any) -> None:
    imds.fault(delay=0.2)
    before = time.monotonic()
    imds.instance()
    assert time.monotonic() - before >= 0.2


@pytest.mark.parametrize("fault", [{"drop": True}, {"kind": "drop"}])
def test_a_fault_drops_the_connection(imds: Any, fault: dict[str, Any]) -> None:
    imds.fault(**fault, count=1)
    assert everything(imds) == b""
    assert imds.instance().status == 200


@pytest.mark.parametrize("fault", [{"reset": True}, {"kind": "reset"}])
def test_a_fault_resets_the_connection(imds: Any, fault: dict[str, Any]) -> None:
    imds.fault(**fault, count=1)
    with pytest.raises(ConnectionResetError):
        everything(imds)
    assert imds.instance().status == 200


@pytest.mark.parametrize(
    ("fault", "of_4000"),
    [({"truncate": True}, 2000), ({"kind": "truncate"}, 2000), ({"truncate": 20}, 20), ({"truncate": 0}, 0),
     ({"kind": "truncate", "bytes": 7}, 7), ({"truncate": 99_999}, 3999)],
)  # fmt: skip
def test_a_fault_truncates_the_answer(imds: Any, fault: dict[str, Any], of_4000: int) -> None:
    whole = imds.instance().body
    imds.fault(**fault)
    head, _ignored, body = everything(imds).partition(b"\r\n\r\n")
    assert f"Content-Length: {len(whole)}".encode() in head
    expected = {2000: len(whole) // 2, 3999: len(whole) - 1}.get(of_4000, of_4000)
    assert body == whole[:expected]


@pytest.mark.parametrize(
    ("fault", "seconds"), [({"drip": True}, 10), ({"drip": 5}, 5), ({"kind": "drip", "seconds": 1.5}, 1.5)]
)
def test_a_fault_drips_the_answer(imds: Any, slept: list[float], fault: dict[str, Any], seconds: float) -> None:
    whole = imds.instance().body
    imds.fault(**fault)
    assert imds.instance().body == whole
    assert sum(slept) == pytest.approx(seconds)
    assert 20 <= len(slept) <= 50


@pytest.mark.parametrize("fault", [{"html": True}, {"kind": "html"}])
def test_a_fault_sends_a_page(imds: Any, fault: dict[str, Any]) -> None:
    imds.fault(**fault)
    reply = imds.instance()
    assert (reply.status, reply.header("Content-Type")) == (200, "text/html; charset=utf-8")
    assert b"<html>" in reply.body
    assert not reply.header("Server").startswith("IMDS")
    assert "x-ms-request-id" not in reply.names


def test_html_of_ones_own(imds: Any) -> None:
    imds.fault(html="<p>Zugriff verweigert für Sie</p>", status=504)
    reply = imds.instance()
    assert (reply.status, reply.body.decode()) == (504, "<p>Zugriff verweigert für Sie</p>")


@pytest.mark.parametrize(
    ("fault", "status", "location"),
    [
        ({"redirect": "http://127.0.0.1:1/x"}, 302, "http://127.0.0.1:1/x"),
        ({"kind": "redirect", "location": "/elsewhere", "status": 307}, 307, "/elsewhere"),
        ({"redirect": True}, 302, "http://192.0.2.1/blocked"),
    ],
)
def test_a_fault_redirects(imds: Any, fault: dict[str, Any], status: int, location: str) -> None:
    imds.fault(**fault)
    reply = imds.instance()
    assert (reply.status, reply.header("Location"), reply.body) == (status, location, b"")


@pytest.mark.parametrize(
    ("fault", "body"),
    [
        ({"body": "no json"}, b"no json"),
        ({"body": ""}, b""),
        ({"body": "ü"}, "ü".encode()),
        ({"body": {"b": [1], "a": None}}, b'{"a":null,"b":[1]}'),
        ({"body": []}, b"[]"),
        ({"kind": "body", "body": "x"}, b"x"),
        ({"body_base64": "/wA="}, b"\xff\x00"),
        ({"body": "[", "repeat": 100_000}, b"[" * 100_000),
    ],
)
def test_wrong_body(imds: Any, fault: dict[str, Any], body: bytes) -> None:
    imds.fault(**fault)
    reply = imds.instance()
    assert (reply.status, reply.body) == (200, body)


def test_faults_queue_in_order(imds: Any) -> None:
    imds.fault(path="/metadata/instance", status=429, count=2)
    imds.fault(path="/metadata/instance", status=410, count=1)
    imds.fault(path="/metadata/versions", status=500)
    assert [imds.instance().status for _ignored in range(5)] == [429, 429, 410, 200, 200]
    assert [imds.get("/metadata/versions").status for _ignored in range(3)] == [500] * 3
    left = imds.control("GET", "/faults")[1]
    assert [(fault["path"], fault["kind"], fault["count"]) for fault in left] == [
        ("/metadata/versions", "status", None)
    ]
    assert imds.control("DELETE", "/faults") == (200, {"deleted": 1})
    assert imds.get("/metadata/versions").status == 200


def test_a_list_of_faults(imds: Any) -> None:
    status, answer = imds.control("POST", "/faults", [{"status": 500, "count": 1}, {"status": 503, "count": 1}])
    assert (status, [fault["kind"] for fault in answer]) == (200, ["status", "status"])
    assert [imds.instance().status for _ignored in range(3)] == [500, 503, 200]


def test_path_is_a_prefix_in_any_case(imds: Any) -> None:
    imds.fault(path="/metadata/Inst", status=500)
    assert imds.instance("/compute").status == 500
    assert imds.get("/METADATA/instance").status == 500
    assert imds.get("/metadata/versions").status == 200


def test_a_fault_applies_to_one_vm(start: Any) -> None:
    imds = start([{"name": "a", "sources": ["127.0.0.11"]}, {"name": "b", "sources": ["127.0.0.12"]}])
    imds.fault(status=500, vm="b")
    assert imds.instance(source="127.0.0.11").status == 200
    assert imds.instance(source="127.0.0.12").status == 500


def test_what_the_log_says(imds: Any) -> None:
    for fault in ({"drop": True}, {"reset": True}, {"truncate": True}, {"drip": 0}, {"status": 503}, {"html": True}):
        imds.fault(**fault, count=1)
        with contextlib.suppress(ConnectionResetError), imds.connect() as connection:
            connection.send(REQUEST.replace(b"true", b"true\r\nConnection: close"))
            connection.rest()
    assert [entry["status"] for entry in imds.requests()] == [None, None, 200, 200, 503, 200]


def test_scripted_faults_are_not_counted_by_the_limiter(start: Any) -> None:
    imds = start(limiter=Limiter(lambda: 0.0))
    imds.fault(status=500, count=20)
    assert {imds.instance().status for _ignored in range(20)} == {500}
    assert [imds.instance().status for _ignored in range(6)] == [200] * 5 + [429]


BAD: dict[str, tuple[Any, str]] = {
    "no kind": ({"path": "/metadata"}, "kind"),
    "no object": ("drop", "fault"),
    "unknown field": ({"drop": True, "times": 2}, "times"),
    "unknown kind": ({"kind": "explode"}, "kind"),
    "path": ({"path": "metadata", "drop": True}, "path"),
    "path type": ({"path": 5, "drop": True}, "path"),
    "count zero": ({"drop": True, "count": 0}, "count"),
    "count text": ({"drop": True, "count": "2"}, "count"),
    "count boolean": ({"drop": True, "count": True}, "count"),
    "status too small": ({"status": 99}, "status"),
    "status too large": ({"status": 600}, "status"),
    "status text": ({"status": "429"}, "status"),
    "kind without its field": ({"kind": "status"}, "status"),
    "delay without seconds": ({"kind": "delay"}, "delay"),
    "body without body": ({"kind": "body"}, "body"),
    "delay negative": ({"delay": -1}, "delay"),
    "delay too long": ({"delay": 301}, "delay"),
    "delay text": ({"delay": "1"}, "delay"),
    "drip too long": ({"drip": 1e9}, "drip"),
    "two kinds": ({"drop": True, "reset": True}, "reset"),
    "another kind": ({"kind": "html", "truncate": 5}, "truncate"),
    "drop is no number": ({"drop": 1}, "drop"),
    "base64": ({"body_base64": "???"}, "body_base64"),
    "too large": ({"body": "xx", "repeat": 64 * 1024 * 1024}, "repeat"),
    "html too large": ({"kind": "html", "body": "xx", "repeat": 64 * 1024 * 1024}, "repeat"),
    "status too large with body": ({"status": 500, "body": "xx", "repeat": 64 * 1024 * 1024}, "repeat"),
    "headers": ({"status": 500, "headers": []}, "headers"),
    "header name": ({"status": 500, "headers": {"a b": "c"}}, "headers.a b"),
    "header value": ({"status": 500, "headers": {"A": "b\r\nC: d"}}, "headers.A"),
    "header number": ({"status": 500, "headers": {"A": 1}}, "headers.A"),
    "length": ({"status": 500, "headers": {"content-Length": "1"}}, "headers.content-Length"),
    "unknown VM": ({"drop": True, "vm": "z"}, "vm"),
    "location": ({"redirect": "/\r\n"}, "redirect"),
    "false is as good as absent": ({"drop": False}, "kind"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_faults_name_the_field(case: str) -> None:
    given, field = BAD[case]
    with pytest.raises(InvalidInputError) as caught:
        parse(given, ["a"])
    assert caught.value.field == field


def test_of_a_list_with_one_bad_fault_none_is_queued(imds: Any) -> None:
    status, answer = imds.control("POST", "/faults", [{"drop": True}, {"status": 1}])
    assert (status, answer["field"]) == (400, "faults[1].status")
    assert imds.control("GET", "/faults") == (200, [])


@pytest.mark.parametrize("kind", ["status", "body", "html"])
def test_a_large_body_is_not_built_before_a_request_meets_it(kind: str) -> None:
    """One POST of 200 bytes allocated 400 MB."""
    spec = {"kind": kind, "status": 503, "body": "x" * 64, "repeat": LARGEST_BODY // 64}
    tracemalloc.start()
    try:
        faults = parse_all([spec] * 100, [])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(faults) == 100
    assert peak < 1024 * 1024


@pytest.mark.parametrize("kind", ["status", "body", "html"])
def test_a_repeated_body(imds: Any, kind: str) -> None:
    imds.fault(kind=kind, status=503, body="xyz", repeat=1000)
    assert imds.instance().body == b"xyz" * 1000


def test_the_number_of_waiting_faults_is_bounded(imds: Any) -> None:
    assert imds.control("POST", "/faults", [{"drop": True}] * MOST)[0] == 200
    for given in ({"drop": True}, [{"drop": True}] * (MOST + 1)):
        status, answer = imds.control("POST", "/faults", given)
        assert (status, answer["field"]) == (400, "faults")
    assert imds.control("DELETE", "/faults") == (200, {"deleted": MOST})


def test_the_size_of_waiting_faults_is_bounded(imds: Any) -> None:
    given = {"body": "x" * 1_000_000}
    statuses = [imds.control("POST", "/faults", given)[0] for _ignored in range(18)]
    assert statuses == [200] * 16 + [400] * 2


def test_what_a_fault_shows_can_be_posted_again_without_its_id() -> None:
    given = {"path": "/metadata", "status": 429, "count": 2, "headers": {"A": "b"}}
    shown = parse(given, []).as_json()
    del shown["id"]
    assert parse_all(json.loads(json.dumps(shown)), [])[0].answer == parse(given, []).answer


def test_the_metadata_security_protocol_refuses(imds: Any) -> None:
    imds.fault(msp=True, count=1)
    answer = everything(imds)  # the connection is closed behind it
    assert answer.startswith(b"HTTP/1.1 403 Forbidden\r\nDate: ")
    assert answer.endswith(b" GMT\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
    assert imds.instance().status == 200


@pytest.mark.parametrize(("error", "status"), [("access_denied", 400), ("unknown_source", 401), ("unknown", 500)])
def test_documented_errors_of_identities(imds: Any, error: str, status: int) -> None:
    imds.fault(path="/metadata/identity", error=error, count=1)
    reply = imds.get("/metadata/identity/oauth2/token")
    assert (reply.status, reply.json()["error"]) == (status, error)
    assert sorted(reply.json()) == ["error", "error_description"]
