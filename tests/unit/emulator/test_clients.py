# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients that others wrote read the answers without a complaint."""

from __future__ import annotations

import json
import shutil
import subprocess
import urllib.error
import urllib.request
from typing import Any

import pytest

URL = "/metadata/instance?api-version=2025-04-07"


def curl(*arguments: str) -> str:
    if shutil.which("curl") is None:
        pytest.skip("no curl on this machine")
    command = ["curl", "--silent", "--show-error", "--fail-with-body", "--noproxy", "*", "--max-time", "10", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=20).stdout


def opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


def test_curl_gets_the_document(imds: Any) -> None:
    assert json.loads(curl("-H", "Metadata: true", imds.url + URL))["compute"]["osType"] == "Linux"
    both = curl("-H", "Metadata: true", "-o", "/dev/null", imds.url + URL, "-o", "/dev/null", imds.url + URL,
                "-w", "%{num_connects} %{http_version}\n")  # fmt: skip
    assert both == "1 1.1\n0 1.1\n"  # the second request went over the first one's connection


def test_curl_posts_with_a_chunked_body(imds: Any) -> None:
    answer = curl("-H", "Metadata: true", "-H", "Transfer-Encoding: chunked", "-d", "x=1", "-X", "GET", imds.url + URL)
    assert "compute" in json.loads(answer)


def test_urllib_gets_the_document(imds: Any) -> None:
    request = urllib.request.Request(imds.url + URL, headers={"Metadata": "true"})
    with opener().open(request, timeout=10) as answer:
        assert json.load(answer)["network"]["interface"]
    with pytest.raises(urllib.error.HTTPError) as caught, opener().open(imds.url + URL, timeout=10):
        pass
    with caught.value as refused:
        assert (refused.code, refused.headers["Server"]) == (400, "Microsoft-IIS/10.0")


def test_requests_gets_the_document(imds: Any) -> None:
    requests = pytest.importorskip("requests")
    with requests.Session() as session:
        session.trust_env = False
        for _ignored in range(3):
            answer = session.get(imds.url + URL, headers={"Metadata": "true"}, timeout=10)
            assert answer.json()["compute"]["vmId"]
        assert session.head(imds.url + URL, timeout=10).headers["Content-Length"] == "323"
        imds.fault(redirect=imds.url + "/elsewhere", count=1)
        assert session.get(imds.url + URL, headers={"Metadata": "true"}, timeout=10).history[0].status_code == 302
        imds.fault(truncate=True, count=1)
        with pytest.raises(requests.exceptions.RequestException):
            session.get(imds.url + URL, headers={"Metadata": "true"}, timeout=10)
