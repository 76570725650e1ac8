# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetching issuers. A local server plays the proxy of the controller, so the real addresses never leave the host."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.plugin_utils._attestation import addresses, aia
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.certificates import is_issued_by
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.roots import ROOTS
from ansible_collections.imds.azure.tests.scenarios.attestation import documents as docs
from ansible_collections.imds.azure.tests.scenarios.attestation.authority import (
    CROSS_URL,
    DAY,
    ISSUING_URL,
    ISSUING_URL_2,
    NOW,
    hierarchy,
    issue,
    make_key,
    make_leaf,
    of_impossible_version,
    under_name_of,
)
from ansible_collections.imds.azure.tests.scenarios.attestation.judge import judge

Reply = Callable[[BaseHTTPRequestHandler], None]
OTHER_URL = "http://www.microsoft.com/pkiops/certs/elsewhere.crt"


class Web:
    """Answers by URL, and the requests that came in."""

    def __init__(self) -> None:
        self.answers: dict[str, Reply] = {}
        self.requests: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.closing = threading.Event()


def body(content: bytes, status: int = 200, headers: Mapping[str, str] = MappingProxyType({})) -> Reply:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    return answer


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    page = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page.requests.append(self.path)
            page.headers.append({name.lower(): value for name, value in self.headers.items()})
            with contextlib.suppress(OSError):
                page.answers.get(self.path, body(b"<html>not here</html>", 404))(self)

        def do_CONNECT(self) -> None:
            page.requests.append(self.path)
            self.send_error(501)

        def log_message(self, *_message: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    proxy = f"http://127.0.0.1:{server.server_address[1]}"
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, proxy)
    for name in ("no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", "/nonexistent")
    yield page
    page.closing.set()
    server.shutdown()
    server.server_close()
    thread.join(timeout=5)


def outcomes(fetcher: aia.IssuerFetcher) -> list[str]:
    """What became of each URL of the hierarchy's leaf."""
    fetched = fetcher(hierarchy().leaf.certificate, NOW)
    assert not any(is_issued_by(hierarchy().leaf.certificate, found) for found in fetched.certificates)
    return [attempt["outcome"] for attempt in fetched.attempts]


def test_a_chain_is_completed_from_the_web(web: Web) -> None:
    web.answers = {ISSUING_URL: body(hierarchy().issuing.der), CROSS_URL: body(hierarchy().cross.der)}
    assert judge(docs.document(), intermediates=[], fetch=aia.IssuerFetcher()).verified
    assert web.requests == [ISSUING_URL, CROSS_URL]
    assert all("authorization" not in headers for headers in web.headers)


def test_a_bad_address_is_passed_over(web: Web) -> None:
    leaf = make_leaf(urls=["http://169.254.169.254/pkiops/certs/a.crt", ISSUING_URL, ISSUING_URL_2])
    web.answers = {ISSUING_URL_2: body(hierarchy().issuing.der)}
    fetched = aia.IssuerFetcher()(leaf.certificate, NOW)
    assert fetched.certificates == [hierarchy().issuing.certificate]
    assert [attempt["outcome"] for attempt in fetched.attempts] == [
        "not on the list of allowed addresses",
        "no plain answer (status other than 200)",
        "fetched",
    ]
    assert web.requests == [ISSUING_URL, ISSUING_URL_2]


def test_an_unreadable_certificate_at_the_first_address_is_passed_over(web: Web) -> None:
    web.answers = {
        ISSUING_URL: body(of_impossible_version(hierarchy().issuing.der)),
        ISSUING_URL_2: body(hierarchy().issuing.der),
    }
    fetched = aia.IssuerFetcher()(hierarchy().leaf.certificate, NOW)
    assert fetched.certificates == [hierarchy().issuing.certificate]
    assert [attempt["outcome"] for attempt in fetched.attempts] == ["not a certificate", "fetched"]


def test_a_builtin_root_is_looked_for_where_its_ca_publishes_it(web: Web) -> None:
    namesake, issuing, _leaf = under_name_of(ROOTS[0].subject)
    web.answers = {ROOTS[0].url: body(namesake.der)}
    assert aia.IssuerFetcher()(issuing.certificate, NOW).certificates == []
    assert web.requests == []
    fetched = aia.IssuerFetcher(builtin=True)(issuing.certificate, NOW)
    assert fetched.certificates == [namesake.certificate]
    assert web.requests == [ROOTS[0].url]


def test_addresses_have_an_end(web: Web) -> None:
    many = [f"http://www.microsoft.com/pkiops/certs/{number}.crt" for number in range(9)]
    aia.IssuerFetcher()(make_leaf(urls=many).certificate, NOW)
    assert web.requests == many[:3]


def redirect(status: int) -> Reply:
    return body(b"", status, {"Location": OTHER_URL})


USELESS: dict[str, tuple[Reply, str]] = {
    "HTML": (body(b"<!DOCTYPE html><title>Sign in</title>"), "not a certificate"),
    "nothing": (body(b""), "not a certificate"),
    "PEM": (body(hierarchy().issuing.pem), "not a certificate"),
    "trailing byte": (body(hierarchy().issuing.der + b"\0"), "not a certificate"),
    "huge": (body(bytes(1 << 20)), "too large"),
    "just too large": (body(bytes(16 * 1024 + 1)), "too large"),
    "compressed": (body(bytes(1 << 20), headers={"Content-Encoding": "gzip"}), "too large"),
    "301": (redirect(301), "no plain answer (status other than 200)"),
    "302": (redirect(302), "no plain answer (status other than 200)"),
    "307": (redirect(307), "no plain answer (status other than 200)"),
    "404 with the certificate": (body(hierarchy().issuing.der, 404), "no plain answer (status other than 200)"),
    "500": (body(b"", 500), "no plain answer (status other than 200)"),
    "wrong issuer": (body(hierarchy().other_root.der), "not the issuer's certificate"),
    "the leaf itself": (body(hierarchy().leaf.der), "not the issuer's certificate"),
    "right name, wrong key": (
        body(issue("Test Issuing CA 02", make_key("other issuing"), hierarchy().new_root, ca=True).der),
        "a certificate of the issuer's name that did not sign this one",
    ),
    "impossible version": (body(of_impossible_version(hierarchy().issuing.der)), "not a certificate"),
    "right key, no CA": (
        body(issue("Test Issuing CA 02", make_key("issuing"), hierarchy().new_root).der),
        "not the issuer's certificate",
    ),
    "expired": (
        body(issue("Test Issuing CA 02", make_key("issuing"), hierarchy().new_root, ca=True, not_after=NOW - DAY).der),
        "the issuer's certificate is not valid at this time",
    ),
}


@pytest.mark.parametrize(("answer", "outcome"), USELESS.values(), ids=USELESS)
def test_useless_answers(web: Web, tmp_path: Path, answer: Reply, outcome: str) -> None:
    web.answers = {ISSUING_URL: answer, ISSUING_URL_2: answer, OTHER_URL: body(hierarchy().issuing.der)}
    assert outcomes(aia.IssuerFetcher(tmp_path)) == [outcome, outcome]
    assert OTHER_URL not in web.requests
    assert list(tmp_path.iterdir()) == []  # a miss is not kept


def drip(web: Web) -> Reply:
    """One byte now and then, each soon enough for a timeout per read."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        for byte in hierarchy().issuing.der:
            request.wfile.write(bytes([byte]))
            if web.closing.wait(0.05):
                break

    return answer


def silence(web: Web) -> Reply:
    def answer(_request: BaseHTTPRequestHandler) -> None:
        web.closing.wait(5)

    return answer


@pytest.mark.parametrize("slow", [drip, silence])
def test_slow_servers_do_not_hold_us(web: Web, monkeypatch: pytest.MonkeyPatch, slow: Callable[[Web], Reply]) -> None:
    monkeypatch.setattr(aia, "URL_SECONDS", 0.3)
    web.answers = {ISSUING_URL: slow(web), ISSUING_URL_2: body(hierarchy().issuing.der)}
    fetched = aia.IssuerFetcher()(hierarchy().leaf.certificate, NOW)
    assert fetched.certificates == [hierarchy().issuing.certificate]
    assert fetched.attempts[0]["outcome"] in ("no complete answer in time", "no answer")


def test_one_verification_has_one_budget(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aia, "TOTAL_SECONDS", 0.2)
    web.answers = {ISSUING_URL: silence(web)}
    assert outcomes(aia.IssuerFetcher()) == ["no complete answer in time", "no time left"]
    assert web.requests == [ISSUING_URL]


def test_no_server_is_a_miss(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed.getsockname()[1]}")
        assert outcomes(aia.IssuerFetcher()) == ["no answer", "no answer"]
    assert web.requests == []


def test_https_goes_through_the_proxy_too(web: Web) -> None:
    leaf = make_leaf(urls=[ISSUING_URL.replace("http:", "https:")])
    fetched = aia.IssuerFetcher()(leaf.certificate, NOW)  # the server here opens no tunnel
    assert [attempt["outcome"] for attempt in fetched.attempts] == ["no answer"]
    assert web.requests == ["www.microsoft.com:443"]


def test_credentials_stay_at_home(web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login me password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    aia.IssuerFetcher()(hierarchy().leaf.certificate, NOW)
    assert web.headers
    assert all("authorization" not in headers for headers in web.headers)


def test_requests_may_be_absent(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aia, "find_requests", lambda: None)
    assert all("requests is not installed" in outcome for outcome in outcomes(aia.IssuerFetcher()))
    assert web.requests == []


# the cache


def test_what_fitted_is_kept(web: Web, tmp_path: Path) -> None:
    cache = tmp_path / "a" / "b"
    web.answers = {ISSUING_URL: body(hierarchy().issuing.der)}
    for outcome in ("fetched", "cached"):
        fetched = aia.IssuerFetcher(cache)(hierarchy().leaf.certificate, NOW)
        assert fetched.certificates == [hierarchy().issuing.certificate]
        assert fetched.attempts == [{"url": ISSUING_URL, "outcome": outcome}]
    assert web.requests == [ISSUING_URL]
    assert [file.read_bytes() for file in cache.iterdir()] == [hierarchy().issuing.der]
    assert cache.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("content", [b"", b"<html>", hierarchy().other_root.der, bytes(1 << 20)])
def test_a_spoilt_cache_is_replaced(web: Web, tmp_path: Path, content: bytes) -> None:
    web.answers = {ISSUING_URL: body(hierarchy().issuing.der)}
    aia.IssuerFetcher(tmp_path)(hierarchy().leaf.certificate, NOW)
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(content)
    fetched = aia.IssuerFetcher(tmp_path)(hierarchy().leaf.certificate, NOW)
    assert fetched.attempts[0]["outcome"] == "fetched"
    assert kept.read_bytes() == hierarchy().issuing.der


def test_a_cache_that_cannot_be_written_is_a_warning(web: Web, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("not a directory")
    web.answers = {ISSUING_URL: body(hierarchy().issuing.der), CROSS_URL: body(hierarchy().cross.der)}
    verdict = judge(
        docs.document(), intermediates=[], fetch=aia.IssuerFetcher(file / "cache"), expected_vm_id=docs.VM_ID
    )
    assert verdict.verified
    assert verdict.warnings
    assert all(warning.startswith("cache_dir:") for warning in verdict.warnings)


# the addresses


@pytest.mark.parametrize(
    "url",
    [
        ISSUING_URL,
        ISSUING_URL_2,
        CROSS_URL,
        "http://www.microsoft.com/pkiops/certs/Microsoft%20TLS%20G2%20RSA%20CA%20OCSP%2002.crt",
        "https://www.microsoft.com:443/pkiops/certs/a.crt",
        "http://caissuers.microsoft.com:80/pkiops/certs/a.crt",
        "http://WWW.Microsoft.com/pkiops/certs/a.crt",
        "http://cacerts.digicert.com/DigiCertGlobalRootG2.crt",
        "http://cacerts.digicert.cn/DigiCertBasicRSACNCAG2.crt",
        "http://cacerts.geotrust.com/GeoTrustTLSRSACAG1.crt",
    ],
)
def test_allowed_addresses(url: str) -> None:
    assert addresses.is_allowed(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "javascript:alert(1)",
        "file:///pkiops/certs/a.crt",
        "ftp://www.microsoft.com/pkiops/certs/a.crt",
        "ldap://www.microsoft.com/pkiops/certs/a.crt",
        "//www.microsoft.com/pkiops/certs/a.crt",
        "http:///pkiops/certs/a.crt",
        "http://169.254.169.254/pkiops/certs/a.crt",
        "http://[::ffff:169.254.169.254]/pkiops/certs/a.crt",
        "http://2852039166/pkiops/certs/a.crt",
        "http://localhost/pkiops/certs/a.crt",
        "http://microsoft.com/pkiops/certs/a.crt",
        "http://www.microsoft.com.evil.example/pkiops/certs/a.crt",
        "http://evil-www.microsoft.com/pkiops/certs/a.crt",
        "http://www.microsoft.com./pkiops/certs/a.crt",
        "http://www.microsoft.com@evil.example/pkiops/certs/a.crt",
        "http://user:secret@www.microsoft.com/pkiops/certs/a.crt",
        "http://evil.example\\@www.microsoft.com/pkiops/certs/a.crt",
        "http://www.microsoft.com:22/pkiops/certs/a.crt",
        "http://www.microsoft.com:443/pkiops/certs/a.crt",
        "http://www.microsoft.com:x/pkiops/certs/a.crt",
        "http://www.microsoft.com:99999/pkiops/certs/a.crt",
        "http://www.microsoft.com/pki/mscorp/a.crt",
        "http://www.microsoft.com/pkiops/certs/../../a.crt",
        "http://www.microsoft.com/pkiops/certs/..%2f..%2fa.crt",
        "http://www.microsoft.com/pkiops/certs/sub/a.crt",
        "http://www.microsoft.com/pkiops/certs/a.crl",
        "http://www.microsoft.com/pkiops/certs/.crt",
        "http://www.microsoft.com/pkiops/certs/a.crt?x=1",
        "http://www.microsoft.com/pkiops/certs/a?.crt",
        "http://www.microsoft.com/pkiops/certs/a.crt#x",
        "http://www.microsoft.com/pkiops/certs/a.crt\n",
        "http://www.microsoft.com/pkiops/certs/a%0d%0ab.crt",
        "http://www.microsoft.com/pkiops/certs/a b.crt",
        "http://www.microsoft.com/pkiops/certs/%C3%A9.crt",
        "http://www.microsoft.com/pkiops/certs/" + "a" * 2000 + ".crt",
        "http://cacerts.digicert.com/pkiops/certs/a.crt",
        "http://[www.microsoft.com/pkiops/certs/a.crt",
    ],
)
def test_other_addresses_are_not_asked(url: str) -> None:
    assert not addresses.is_allowed(url)
