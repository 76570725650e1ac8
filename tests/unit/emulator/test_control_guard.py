# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control endpoint accepts the requests of programs, and none that a web page has a browser send."""

from __future__ import annotations

import http.client
import json
import shutil
import subprocess
from typing import Any

import pytest
from azure_imds_emulator.control_guard import objection
from azure_imds_emulator.message import Request

HERE = "127.0.0.1:8254"
FAULT = b'{"drop": true}'


def judged(method: str = "GET", names: tuple[str, ...] = (), **headers: str) -> Any:
    """The header that a request is refused for, None where it is accepted."""
    sent = tuple((name.replace("_", "-"), value) for name, value in {"Host": HERE, **headers}.items())
    found = objection(Request(method, "/faults", headers=sent), names)
    return found and (found.status, found.field)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:8254", "127.0.0.1", "10.1.2.3:80", "[::1]:8254", "[::1]", "localhost:8254", "LocalHost", "127.0.0.1:"],
)
def test_addresses_and_localhost_are_accepted(host: str) -> None:
    assert judged(Host=host) is None


@pytest.mark.parametrize(
    "host",
    [
        "attacker.example:8254",
        "127.0.0.1.attacker.example",
        "localhost.attacker.example",
        "127.0.0.1@attacker.example",
        "attacker.example#127.0.0.1",
        "attacker.example/127.0.0.1",
        "emulator",
        "::1",
        "[attacker.example]",
        "127.1",
        "0x7f.0.0.1",
        "",
    ],
)
def test_names_are_refused(host: str) -> None:
    assert judged(Host=host) == (403, "Host")


def test_names_that_the_user_listed_are_accepted() -> None:
    assert judged(names=("emulator",), Host="Emulator:8254") is None
    assert judged(names=("emulator",), Host="emulator.attacker.example") == (403, "Host")


def test_a_repeated_host_is_refused() -> None:
    for other in (HERE, "attacker.example"):
        found = objection(Request("GET", "/", headers=(("Host", HERE), ("host", other))))
        assert found is not None
        assert (found.status, found.field) == (403, "Host")


def test_a_request_without_headers_comes_from_no_browser() -> None:
    assert objection(Request("POST", "/faults")) is None


@pytest.mark.parametrize(
    "origin", ["http://attacker.example", "null", "https://127.0.0.1:8254", "http://127.0.0.1:1", "file://", ""]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS"])
def test_other_sites_are_refused(origin: str, method: str) -> None:
    assert judged(method, Origin=origin, Content_Type="application/json") == (403, "Origin")


def test_the_endpoint_itself_is_no_other_site() -> None:
    assert judged("POST", Origin=f"http://{HERE}") is None


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
@pytest.mark.parametrize(
    "media_type",
    [
        "application/json",
        "Application/JSON; charset=utf-8",
        "application/vnd.x+json",
        "application/x-www-form-urlencoded",
    ],
)
def test_media_types_of_programs(method: str, media_type: str) -> None:
    assert judged(method, Content_Type=media_type) is None
    assert judged(method) is None


@pytest.mark.parametrize(
    "media_type", ["text/plain", "text/plain;charset=UTF-8", "multipart/form-data; boundary=x", "a"]
)
def test_other_media_types_are_refused(media_type: str) -> None:
    assert judged("POST", Content_Type=media_type) == (415, "Content-Type")
    assert judged("DELETE", Content_Type=media_type) is None


def send(imds: Any, method: str, path: str, body: bytes, **headers: str) -> tuple[int, Any]:
    host, port = imds.control_address
    connection = http.client.HTTPConnection(host, port, timeout=10)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "attacker.example"}, 403),
        ({"Origin": "http://attacker.example"}, 403),
        ({"Content_Type": "text/plain"}, 415),
    ],
)
def test_what_is_refused_changes_nothing(imds: Any, headers: dict[str, str], status: int) -> None:
    answered, answer = send(imds, "POST", "/faults", FAULT, **headers)
    assert answered == status
    assert answer["error"].startswith(f"{answer['field']}: ")
    assert imds.control("GET", "/faults") == (200, [])


def test_nothing_can_be_read_under_a_foreign_name(imds: Any) -> None:
    for path in ("/", "/requests", "/vms", "/ca/root.pem", "/nothing"):
        assert send(imds, "GET", path, b"", Host="attacker.example")[0] == 403


def test_a_name_can_be_allowed(start: Any) -> None:
    imds = start(control_hosts=["emulator"])
    assert send(imds, "GET", "/", b"", Host="emulator:8254")[0] == 200
    assert send(imds, "GET", "/", b"", Host="other:8254")[0] == 403


def test_curl_as_everybody_uses_it(imds: Any) -> None:
    """``curl -d`` names the media type of a form."""
    if not shutil.which("curl"):
        pytest.skip("no curl on this machine")
    url = "http://{}:{}/faults".format(*imds.control_address)
    done = subprocess.run(
        ["curl", "--silent", "--noproxy", "*", "-d", FAULT.decode(), url], capture_output=True, timeout=20, check=True
    )
    assert json.loads(done.stdout)[0]["kind"] == "drop"
