# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTTPS GET to a vault: verified, bounded, through the proxy of the environment, and never anywhere else."""

from __future__ import annotations

import base64
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._identity import https
from ansible_collections.imds.azure.plugins.module_utils._identity.vault import Answer, Location, VaultError
from ansible_collections.imds.azure.plugins.module_utils._imds.options import OptionError
from ansible_collections.imds.azure.tests.scenarios.scripted_server import ScriptedServer, drip, hold, http, reset, send

pytest.importorskip("cryptography")
from ansible_collections.imds.azure.tests.scenarios.tls_server import Certificates, TlsServer, tunnel_to

HEADERS = {"Authorization": "Bearer the-token", "Accept": "application/json"}
OK = send(http(b'{"value": "hunter2"}'))


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: Any) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def get(server: ScriptedServer, certificates: Certificates, host: str = "localhost", timeout: float = 5.0) -> Answer:
    place = Location(host, server.address[1])
    return https.get(place, "/secrets/db?api-version=7.4", HEADERS, https.trust(str(certificates.ca)), timeout)


def failure(*arguments: Any, **options: Any) -> VaultError:
    with pytest.raises(VaultError) as caught:
        get(*arguments, **options)
    assert "the-token" not in caught.value.message
    return caught.value


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_one_request(certificates: Certificates, host: str) -> None:
    with TlsServer(certificates, send(http(b"{}", "404 Not Found", WWW_Authenticate="x"))) as server:
        answer = get(server, certificates, host)
        (request,) = server.requests
    assert (answer.status, answer.headers["www-authenticate"], answer.body) == (404, "x", b"{}")
    assert request.startswith(b"GET /secrets/db?api-version=7.4 HTTP/1.1\r\n")
    assert b"\r\nAuthorization: Bearer the-token\r\n" in request


def test_a_redirect_is_not_followed(certificates: Certificates) -> None:
    with TlsServer(certificates, OK) as elsewhere:
        location = f"https://localhost:{elsewhere.address[1]}/"
        with TlsServer(certificates, send(http(b"", "302 Found", Location=location))) as server:
            assert get(server, certificates).status == 302
        assert elsewhere.connections == 0


def test_an_untrusted_vault_gets_no_token(certificates: Certificates) -> None:
    with TlsServer(certificates, OK) as server:
        with pytest.raises(VaultError) as caught:
            https.get(Location("localhost", server.address[1]), "/", HEADERS, https.trust(None), 5)
        assert caught.value.reason.code == "vault_untrusted"
        assert server.requests == []


def test_a_certificate_for_another_name_is_not_trusted(certificates: Certificates, monkeypatch: Any) -> None:
    with TlsServer(certificates, OK) as server, ScriptedServer(tunnel_to(server.address)) as proxy:
        monkeypatch.setenv("https_proxy", proxy.endpoint)
        found = failure(server, certificates, host="other.vault.azure.net")
        assert found.reason.code == "vault_untrusted"
        assert server.requests == []


def test_the_proxy_of_the_environment_sees_no_token(certificates: Certificates, monkeypatch: Any) -> None:
    with TlsServer(certificates, OK) as server, ScriptedServer(tunnel_to(server.address)) as proxy:
        monkeypatch.setenv("https_proxy", proxy.endpoint.replace("://", "://user:p%40ss@"))
        assert get(server, certificates, host="v.vault.azure.net").body == b'{"value": "hunter2"}'
        (asked,) = proxy.requests
    assert asked.startswith(f"CONNECT v.vault.azure.net:{server.address[1]} HTTP/1.".encode())
    assert b"Proxy-Authorization: Basic " + base64.b64encode(b"user:p@ss") in asked
    assert b"the-token" not in asked
    assert b"Proxy-Authorization" not in server.requests[0]


def test_no_proxy_is_respected(certificates: Certificates, monkeypatch: Any) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "localhost")
    with TlsServer(certificates, OK) as server:
        assert get(server, certificates).status == 200


def test_a_proxy_that_refuses(certificates: Certificates, monkeypatch: Any) -> None:
    refused = send(http(b"", "407 Proxy Authentication Required"))
    with TlsServer(certificates, OK) as server, ScriptedServer(refused) as proxy:
        monkeypatch.setenv("https_proxy", proxy.endpoint.replace("://", "://user:p%40ss@"))
        found = failure(server, certificates, host="v.vault.azure.net")
    assert (found.reason.code, "407" in found.detail, "p@ss" in found.message) == ("vault_unreachable", True, False)


@pytest.mark.parametrize("address", ["socks5://127.0.0.1:1080", "https://proxy:1", "http://", "http://proxy:99999"])
def test_a_proxy_of_another_kind_is_named(certificates: Certificates, monkeypatch: Any, address: str) -> None:
    monkeypatch.setenv("https_proxy", address)
    with TlsServer(certificates, OK) as server:
        assert "https_proxy" in failure(server, certificates, host="v.vault.azure.net").detail


@pytest.mark.parametrize(
    ("step", "code"),
    [
        (send(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"value": "hunter2"'), "vault_unreachable"),
        (send(b"hunter2\r\n\r\n"), "vault_intercepted"),
        (send(http(b"x" * 530_000)), "vault_intercepted"),
        (reset(), "vault_unreachable"),
        (send(b""), "vault_unreachable"),
    ],
    ids=["cut off", "no HTTP", "huge", "reset", "empty"],
)
def test_other_answers(certificates: Certificates, step: Any, code: str) -> None:
    with TlsServer(certificates, step) as server:
        found = failure(server, certificates)
    assert found.reason.code == code
    assert "hunter2" not in found.message


@pytest.mark.parametrize("step", [hold(), drip(http(b"{}"), 0.05)], ids=["silent", "slow"])
def test_the_time_is_bounded(certificates: Certificates, step: Any) -> None:
    """However slowly the answer comes. What is compared is not how fast, but whether it ends at all."""
    started = time.monotonic()
    with TlsServer(certificates, step) as server:
        assert failure(server, certificates, timeout=0.3).reason.code == "vault_unreachable"
        assert time.monotonic() - started < 4


def test_nobody_listens(certificates: Certificates) -> None:
    with pytest.raises(VaultError) as caught:
        https.get(Location("127.0.0.1", 1), "/", HEADERS, https.trust(str(certificates.ca)), 5)
    assert caught.value.reason.code == "vault_unreachable"


def test_a_name_that_does_not_resolve(monkeypatch: Any) -> None:
    def refuse(*_arguments: Any, **_options: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with pytest.raises(VaultError) as caught:
        https.get(Location("gone.vault.azure.net"), "/", HEADERS, https.trust(None), 5)
    assert caught.value.reason.code == "vault_not_found"


def test_ca_path_has_to_hold_a_certificate(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("")
    for path in (tmp_path / "empty.pem", tmp_path / "none.pem", tmp_path):
        with pytest.raises(OptionError, match=r"^ca_path: "):
            https.trust(str(path))
