# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control endpoint: readiness, the request log, the VM list, bad input."""

from __future__ import annotations

import gc
import time
from typing import Any

import pytest
from azure_imds_emulator import log, vms
from azure_imds_emulator.message import Request


def test_readiness(imds: Any) -> None:
    status, answer = imds.control("GET", "/")
    assert (status, answer["ready"]) == (200, True)
    assert answer["version"].count(".") == 2


def test_log_of_a_request(imds: Any) -> None:
    before = time.time()
    imds.get("/metadata/instance/?api-version=2025-04-07&format=text", x_ms_client_request_id="1-2", metadata="false")
    (entry,) = imds.requests()
    assert before <= entry.pop("time") <= time.time()
    assert entry == {
        "source": "127.0.0.1",
        "vm": "emulated-vm",
        "method": "GET",
        "path": "/metadata/instance/",
        "query": "api-version=2025-04-07&format=text",
        "headers": {"Host": "imds", "Metadata": "true", "x-ms-client-request-id": "1-2", "metadata": "false"},
        "status": 200,
    }


def test_repeated_headers_are_joined(imds: Any) -> None:
    imds.raw(b"GET / HTTP/1.1\r\nA: 1\r\nB: 2\r\nA: 3\r\n\r\n")
    assert imds.requests()[0]["headers"] == {"A": "1, 3", "B": "2"}


def test_log_order_and_clearing(imds: Any) -> None:
    for i in range(3):
        imds.get(f"/{i}")
    assert [(entry["path"], entry["status"]) for entry in imds.requests()] == [("/0", 404), ("/1", 404), ("/2", 404)]
    assert imds.control("DELETE", "/requests") == (200, {"deleted": 3})
    assert imds.requests() == []


def test_the_log_is_bounded() -> None:
    requests = log.RequestLog()
    for i in range(log.LIMIT + 5):
        requests.add(Request("GET", f"/{i}"), None, 0.0)
    entries = requests.as_json()
    assert (len(entries), entries[0]["path"]) == (log.LIMIT, "/5")


def test_the_log_keeps_what_it_shows_and_no_more() -> None:
    """Ten thousand requests with bodies of 1 MiB were 10 GiB."""
    requests = log.RequestLog()
    entry = requests.add(Request("POST", "/", "a=b", (("A", "1"), ("A", "2")), b"x" * 1024 * 1024), "vm", 1.0)
    entry.status = 200
    kept = entry.as_json()
    assert kept == requests.as_json()[0]
    assert kept["headers"] == {"A": "1, 2"}
    assert b"x" * 1024 * 1024 not in gc.get_referents(entry, *gc.get_referents(entry))


def test_the_log_is_bounded_by_size_too() -> None:
    requests = log.RequestLog()
    each = 1024 * 1024
    for i in range(2 * log.LARGEST // each):
        requests.add(Request("GET", f"/{i}", headers=(("A", "x" * each),)), None, 0.0)
    entries = requests.as_json()
    assert 0 < sum(len(entry["headers"]["A"]) for entry in entries) <= log.LARGEST
    assert entries[-1]["path"] == f"/{2 * log.LARGEST // each - 1}"
    assert requests.clear() == len(entries)
    requests.add(Request("GET", "/after"), None, 0.0)
    assert len(requests.as_json()) == 1


def test_the_number_of_vms_is_bounded_before_they_are_built(imds: Any) -> None:
    given = [{"name": f"vm{i}"} for i in range(vms.MOST + 1)]
    status, answer = imds.control("PUT", "/vms", given)
    assert (status, answer["field"]) == (400, "vms")
    assert imds.control("PUT", "/vms", given[:1])[0] == 200


def test_control_requests_are_not_in_the_log(imds: Any) -> None:
    imds.control("GET", "/vms")
    assert imds.requests() == []


def test_vm_list_goes_around(imds: Any) -> None:
    given = [
        {"name": "a", "profile": "zonal", "overrides": {"compute": {"zone": "3"}}},
        {"name": "b", "sources": ["::1"]},
    ]
    assert imds.control("PUT", "/vms", given) == (200, given)
    assert imds.control("GET", "/vms") == (200, given)
    assert imds.instance().json()["compute"]["zone"] == "3"
    assert imds.control("PUT", "/vms", {"vms": given[1:]}) == (200, given[1:])


def test_the_default_list(imds: Any) -> None:
    assert imds.control("GET", "/vms") == (200, [{"name": "emulated-vm"}])


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("PUT", "/vms", [{"name": "a", "profile": "none"}], "vms[0].profile"),
        ("PUT", "/vms", {"vms": 5}, "vms"),
        ("PUT", "/vms", {}, "vms"),
        ("PUT", "/vms", b"", "body"),
        ("PUT", "/vms", b"[{", "body"),
        ("PUT", "/vms", b"\xff", "body"),
        ("PUT", "/vms", b"[" * 100_000, "body"),
        ("PUT", "/vms", b"[" * 300 + b"]" * 300, "body"),
        ("POST", "/faults", b'{"body":' * 300 + b"1" + b"}" * 300, "body"),
        ("POST", "/faults", b"NaN", "body"),
        ("POST", "/faults", {"status": "x"}, "status"),
        ("POST", "/faults", [[]], "faults[0]"),
        ("POST", "/faults", b'{"delay": NaN}', "body"),
        ("POST", "/faults", b'{"delay": 1e999}', "body"),
    ],
)
def test_bad_input_names_the_field_and_changes_nothing(
    imds: Any, method: str, path: str, body: Any, field: str
) -> None:
    status, answer = imds.control(method, path, body)
    assert (status, answer["field"]) == (400, field)
    assert answer["error"].startswith(field)
    assert imds.control("GET", "/vms")[1] == [{"name": "emulated-vm"}]
    assert imds.control("GET", "/faults")[1] == []


@pytest.mark.parametrize("path", ["/nothing", "/faults/1", "/metadata/instance"])
def test_unknown_paths(imds: Any, path: str) -> None:
    status, answer = imds.control("GET", path)
    assert status == 404
    assert "/faults" in answer["error"]


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/"), ("PUT", "/faults"), ("POST", "/requests"), ("DELETE", "/vms"), ("FOO", "/vms")]
)
def test_unknown_methods(imds: Any, method: str, path: str) -> None:
    status, answer = imds.control(method, path)
    assert status == 405
    assert "allowed are" in answer["error"]


def test_trailing_slash_and_query(imds: Any) -> None:
    assert imds.control("GET", "/requests/?pretty") == (200, [])
