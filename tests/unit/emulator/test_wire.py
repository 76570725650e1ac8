# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Byte-level golden tests: status lines, headers and their order, bodies. Written from the wire contract."""

from __future__ import annotations

import email.utils
import re
import time
from typing import Any, Optional

import pytest

JSON = "application/json; charset=utf-8"
XML = "text/xml; charset=utf-8"
GUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
IMDS_HEADERS = ["Content-Type", "Server", "x-ms-request-id", "Date", "Content-Length"]
FRONT_END_HEADERS = ["Content-Type", "Server", "Date", "Content-Length"]

MISSING_HEADER = b'{ "error": "Bad request: . Required metadata header not specified" }'
IDENTITY_MISSING_HEADER = b'{"error":"invalid_request","error_description":"Required metadata header not specified"}'
BAD_VERSION = (
    b'{"error":"Bad request. api-version is invalid or was not specified in the request. For more information refer to '
    b'aka.ms/azureimds","newest-versions":["2025-04-07","2024-07-17","2024-03-15"]}'
)
NOT_FOUND = b'{ "error": "Not found" }'
V = "api-version=2025-04-07"


def imds_answer(status_line: str, body: bytes, content_type: str = JSON) -> re.Pattern[bytes]:
    """The exact bytes of an answer from the service itself, any date and request id."""
    return re.compile(
        b"HTTP/1.1 " + status_line.encode() + b"\r\n"
        b"Content-Type: " + re.escape(content_type.encode()) + b"\r\n"
        b"Server: IMDS/150.870.65.1854\r\n"
        b"x-ms-request-id: " + GUID.encode() + b"\r\n"
        rb"Date: [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT" + b"\r\n"
        b"Content-Length: " + str(len(body)).encode() + b"\r\n\r\n" + re.escape(body)
    )


def front_end_answer(status_line: str, body: bytes, length: Optional[int] = None) -> re.Pattern[bytes]:
    """The exact bytes of an answer from the front end."""
    return re.compile(
        b"HTTP/1.1 " + status_line.encode() + b"\r\n"
        b"Content-Type: text/xml; charset=utf-8\r\n"
        b"Server: Microsoft-IIS/10.0\r\n"
        rb"Date: [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT" + b"\r\n"
        b"Content-Length: " + str(len(body) if length is None else length).encode() + b"\r\n\r\n" + re.escape(body)
    )


def bytes_of(imds: Any, method: str, target: str, *headers: str) -> bytes:
    """Everything the emulator sends for one request, the connection half closed behind it."""
    with imds.connect() as connection:
        connection.send("\r\n".join([f"{method} {target} HTTP/1.1", "Host: imds", *headers, "", ""]).encode())
        connection.socket.shutdown(1)
        return bytes(connection.rest())


GOLDEN = {
    "no header": (
        ("GET", f"/metadata/instance?{V}"),
        front_end_answer("400 Bad Request", MISSING_HEADER),
    ),
    "no header and nothing else right": (
        ("POST", "/metadata/instance/nothing"),
        front_end_answer("400 Bad Request", MISSING_HEADER),
    ),
    "header false": (
        ("GET", f"/metadata/instance?{V}", "Metadata: false"),
        front_end_answer("400 Bad Request", MISSING_HEADER),
    ),
    "header empty": (
        ("GET", f"/metadata/instance?{V}", "Metadata:"),
        front_end_answer("400 Bad Request", MISSING_HEADER),
    ),
    "HEAD without header": (
        ("HEAD", "/metadata/instance/compute/vmId"),
        front_end_answer("400 Bad Request", b"", length=323),
    ),
    "identity without header": (
        ("GET", "/metadata/identity/oauth2/token"),
        imds_answer("400 Bad Request", IDENTITY_MISSING_HEADER),
    ),
    "identity itself": (
        ("GET", f"/metadata/identity?{V}", "Metadata: true"),
        imds_answer("404 Not Found", b'{"error":"Not Found"}'),
    ),
    "identity: newer probe": (
        ("GET", "/metadata/identity/getplatformmetadata?cred-api-version=2.0", "Metadata: true"),
        imds_answer("404 Not Found", b'{"error":"Not Found"}'),
    ),
    "token: no resource": (
        ("GET", "/metadata/identity/oauth2/token?api-version=2018-02-01", "Metadata: True"),
        imds_answer(
            "400 Bad Request",
            b'{"error":"invalid_request","error_description":"Required query variable \'resource\' is missing"}',
        ),
    ),
    "token: no identity": (
        (
            "GET",
            "/metadata/identity/oauth2/token?resource=https://vault.azure.net&api-version=2018-02-01&format=json",
            "Metadata: true",
        ),
        imds_answer("400 Bad Request", b'{"error":"invalid_request","error_description":"Identity not found"}'),
    ),
    "no api-version": (
        ("GET", "/metadata/instance", "Metadata: true"),
        imds_answer("400 Bad Request", BAD_VERSION),
    ),
    "unknown api-version": (
        ("GET", "/metadata/instance?api-version=2017-07-01", "Metadata: true"),
        imds_answer("400 Bad Request", BAD_VERSION),
    ),
    "a scheduled events version is no instance version": (
        ("GET", "/metadata/instance?api-version=2020-07-01", "Metadata: true"),
        imds_answer("400 Bad Request", BAD_VERSION),
    ),
    "unknown path": (
        ("GET", f"/metadata/instance/nothing?{V}", "Metadata: true"),
        front_end_answer("404 Not Found", NOT_FOUND),
    ),
    "leaf without format": (
        ("GET", f"/metadata/instance/compute/vmSize?{V}", "Metadata: true"),
        front_end_answer("400 Bad Request", b'{ "error": "Bad request" }'),
    ),
    "leaf as JSON": (
        ("GET", f"/metadata/instance/compute/vmSize?{V}&format=json", "Metadata: true"),
        front_end_answer("400 Bad Request", b'{ "error": "Bad request" }'),
    ),
    "leaf as text": (
        ("GET", f"/metadata/instance/compute/azEnvironment?{V}&format=text", "Metadata: true"),
        imds_answer("200 OK", b"AzurePublicCloud", "text/plain; charset=utf-8"),
    ),
    "subset": (
        ("GET", f"/metadata/instance/compute/tagsList/0?{V}", "Metadata: true"),
        imds_answer("200 OK", b'{"name":"Environment","value":"Production"}'),
    ),
    "load balancer: none": (
        ("GET", f"/metadata/loadbalancer?{V}", "Metadata: true"),
        imds_answer(
            "404 Not Found",
            b'{ "error": "No load balancer metadata is found. Check if your virtual machine is using any nonbasic SKU '
            b'load balancer and retry later." }',
        ),
    ),
    "load balancer: no api-version": (
        ("GET", "/metadata/loadbalancer", "Metadata: true"),
        imds_answer(
            "400 Bad Request",
            b'{ "error": "Missing required parameter \\"api-version\\". Fix the request and retry." }',
        ),
    ),
    "load balancer: unknown parameter": (
        ("GET", f"/metadata/loadbalancer?{V}&page=2", "Metadata: true"),
        imds_answer("400 Bad Request", b'{ "error": "Unexpected request. Check the query parameters and retry." }'),
    ),
    "load balancer: unknown path": (
        ("GET", f"/metadata/loadbalancer/rules?{V}", "Metadata: true"),
        imds_answer(
            "404 Not Found",
            b'{ "error": "API isn\'t found: Path = \\"/metadata/loadbalancer/rules\\", Method = \\"GET\\"" }',
        ),
    ),
    "load balancer: before its first version": (
        ("GET", "/metadata/loadbalancer?api-version=2020-09-01", "Metadata: true"),
        imds_answer(
            "404 Not Found",
            b'{ "error": "API isn\'t found: Path = \\"/metadata/loadbalancer\\", Method = \\"GET\\"" }',
        ),
    ),
    "load balancer: verb": (
        ("PUT", f"/metadata/loadbalancer?{V}", "Metadata: true"),
        imds_answer(
            "405 Method Not Allowed",
            b'{ "error": "Http method isn\'t allowed: Path = \\"/metadata/loadbalancer\\", Method = \\"PUT\\"" }',
        ),
    ),
}


@pytest.mark.parametrize("case", GOLDEN)
def test_answers_are_byte_for_byte_those_of_azure(imds: Any, case: str) -> None:
    request, expected = GOLDEN[case]
    sent = bytes_of(imds, *request)
    assert expected.fullmatch(sent), sent


def test_captured_lengths() -> None:
    assert len(IDENTITY_MISSING_HEADER) == 88
    assert len(b'{"error":"invalid_request","error_description":"Identity not found"}') == 68


def test_success_headers(imds: Any) -> None:
    before = int(time.time())
    reply = imds.instance()
    assert reply.status_line == "HTTP/1.1 200 OK"
    assert reply.names == IMDS_HEADERS
    assert reply.header("Content-Type") == JSON
    date = email.utils.parsedate_to_datetime(reply.header("Date")).timestamp()
    assert before <= date <= time.time()


def test_request_ids_differ(imds: Any) -> None:
    assert imds.instance().header("x-ms-request-id") != imds.instance().header("x-ms-request-id")


def test_server_build_can_be_set(start: Any) -> None:
    assert start(build=476).instance().header("Server") == "IMDS/150.870.65.476"


def test_json_is_compact_and_sorted(imds: Any) -> None:
    body = imds.instance().body
    assert not re.search(rb'[,:] "|\n', body)

    def in_order(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _value in pairs]
        assert names == sorted(names)
        return dict(pairs)

    import json

    json.loads(body, object_pairs_hook=in_order)


@pytest.mark.parametrize(
    "header", ["Metadata: true", "metadata: true", "MetaData: True", "METADATA:true", "Metadata:  true "]
)
@pytest.mark.parametrize("path", ["/metadata/instance", "/metadata/versions"])
def test_metadata_header_in_any_case(imds: Any, header: str, path: str) -> None:
    assert bytes_of(imds, "GET", f"{path}?{V}", header).startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize("path", ["/metadata/instance", "/metadata/versions", "/metadata/identity/oauth2/token"])
@pytest.mark.parametrize("value", ["", "10.0.0.1"])
def test_forwarded_requests_are_refused(imds: Any, path: str, value: str) -> None:
    assert imds.get(f"{path}?{V}", x_forwarded_for=value).status == 400


@pytest.mark.parametrize(
    "query",
    [
        f"{V}&{V}",
        f"{V}&api-version=2017-04-02",
        f"{V}&a=1&a=2",
        f"{V}&format=json&format=text",
        f"{V}&a&a",
        f"{V}&a=1&%61=1",
    ],
)
def test_duplicate_parameters_are_refused(imds: Any, query: str) -> None:
    assert imds.get(f"/metadata/instance?{query}").status == 400


@pytest.mark.parametrize(
    "query", [f"format=json&{V}", f"{V}&extended=true&format=json", f"&{V}&&unknown=1&a", f"x=%zz&{V}"]
)
def test_parameter_order_and_unknown_parameters_do_no_harm(imds: Any, query: str) -> None:
    assert imds.get(f"/metadata/instance?{query}").status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "get", "X"])
def test_other_verbs(imds: Any, method: str) -> None:
    reply = imds.get(f"/metadata/instance?{V}", method=method, Content_Length="0")
    assert reply.status_line == "HTTP/1.1 405 Method Not Allowed"
    assert "Allow" not in reply.names


def test_head_with_header_has_no_body(imds: Any) -> None:
    sent = bytes_of(imds, "HEAD", f"/metadata/instance?{V}", "Metadata: true")
    assert sent.startswith(b"HTTP/1.1 405 ")
    assert sent.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    "path",
    ["/metadata/instance/", "/METADATA/Instance", "/metadata/instance/network/interface/", "/metadata/versions/"],
)
def test_trailing_slash_and_path_case(imds: Any, path: str) -> None:
    assert imds.get(f"{path}?{V}").status == 200


@pytest.mark.parametrize(
    "path", ["/metadata/instance/Compute", "/metadata/instance//compute", "/metadata/instance/compute//"]
)
def test_keys_are_exact(imds: Any, path: str) -> None:
    assert imds.get(f"{path}?{V}").status == 404


@pytest.mark.parametrize(
    "path",
    ["/", "/latest/meta-data/", "/latest/api/token", "/computeMetadata/v1/instance/", "/opc/v2/instance/", "/v1.json",
     "/openstack/latest/meta_data.json", "/metadata/unknown", "/metadata", "/metadata/v1.json", "/metadata/instancex",
     "/metadata/scheduledeventsx", "*"],
)  # fmt: skip
@pytest.mark.parametrize("headers", [{}, {"Metadata": "false"}])
def test_other_paths_are_never_answered_with_success(imds: Any, path: str, headers: dict[str, str]) -> None:
    assert 400 <= imds.get(f"{path}?{V}", **headers).status < 500


@pytest.mark.parametrize("path", ["/", "/latest/meta-data/", "/computeMetadata/v1/", "/opc/v1/instance/", "/v1.json"])
def test_other_clouds_paths_are_404_without_the_header_too(imds: Any, path: str) -> None:
    assert bytes_of(imds, "GET", path).startswith(b"HTTP/1.1 404 Not Found\r\n")


@pytest.mark.parametrize(
    "accept", ["*/*", "text/plain", "application/vnd.coreos.ignition+json;version=3.3.0, */*;q=0.1"]
)
def test_accept_is_ignored(imds: Any, accept: str) -> None:
    reply = imds.get(f"/metadata/instance?{V}", accept=accept)
    assert (reply.status, reply.header("Content-Type")) == (200, JSON)


def test_connection_close_is_echoed(imds: Any) -> None:
    with imds.connect() as connection:
        connection.send(f"GET /metadata/instance?{V} HTTP/1.1\r\nMetadata: true\r\nConnection: close\r\n\r\n".encode())
        reply = connection.reply()
        assert reply.names == ["Content-Type", "Server", "x-ms-request-id", "Date", "Connection", "Content-Length"]
        assert reply.header("Connection") == "close"
        assert connection.rest() == b""


def test_connections_are_kept_alive(imds: Any) -> None:
    with imds.connect() as connection:
        for _ignored in range(3):
            connection.send(f"GET /metadata/instance?{V} HTTP/1.1\r\nMetadata: true\r\n\r\n".encode())
            assert connection.reply().status == 200


def test_absolute_request_target(imds: Any) -> None:
    assert imds.get(f"http://169.254.169.254/metadata/instance?{V}").status == 200


def test_front_end_and_service_look_different(imds: Any) -> None:
    assert imds.get(f"/metadata/instance?{V}", Metadata="false").names == FRONT_END_HEADERS
    assert imds.instance(version="x").names == IMDS_HEADERS
    assert imds.get(f"/metadata/instance/x?{V}").header("Content-Type") == XML
