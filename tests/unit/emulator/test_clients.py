# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients that others wrote read the answers without a complaint."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.imds.azure.tests.scenarios.running_emulator import Running, start

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


# --- Microsoft's clients of managed identities ------------------------------------------------------------------------

ARM = "https://management.azure.com"
RESOURCE_ID = "/subscriptions/s/resourcegroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-web"
WEB = {"name": "id-web", "client_id": "aaaaaaaa-0000-4000-8000-000000000001",
       "object_id": "aaaaaaaa-0000-4000-8000-000000000002", "resource_id": RESOURCE_ID}  # fmt: skip
UNKNOWN = "aaaaaaaa-0000-4000-8000-000000000009"


@pytest.fixture(name="identified", scope="module")
def _identified(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """An emulator that these clients take for IMDS. What is not loopback is out of reach: `loopback_guard`."""
    vms = [{"name": "vm1", "identity": {"system_assigned": True, "user_assigned": [WEB]}}]
    with start(vms, ca_directory=tmp_path_factory.mktemp("ca")) as imds, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", imds.url)
        patch.setenv("NO_PROXY", "127.0.0.1")
        for name in ("IDENTITY_ENDPOINT", "MSI_ENDPOINT", "AZURE_CLIENT_ID"):
            patch.delenv(name, raising=False)
        yield imds


@pytest.mark.usefixtures("identified")
@pytest.mark.parametrize(
    "given",
    [
        {},
        {"client_id": WEB["client_id"]},
        {"identity_config": {"object_id": WEB["object_id"]}},
        {"identity_config": {"resource_id": RESOURCE_ID}},
    ],
)
def test_azure_identity_gets_tokens(given: dict[str, Any]) -> None:
    azure = pytest.importorskip("azure.identity")
    with azure.ManagedIdentityCredential(**given) as credential:
        token = credential.get_token(f"{ARM}/.default")
    claims = json.loads(base64.urlsafe_b64decode(token.token.split(".")[1] + "==="))
    assert (claims["appid"] == WEB["client_id"]) == bool(given)
    assert claims["aud"] == ARM
    assert abs(token.expires_on - claims["exp"]) < 60  # it goes by expires_in and its own clock


def test_azure_identity_s_chain_finds_the_identity_and_understands_a_refusal(identified: Running) -> None:
    azure = pytest.importorskip("azure.identity")
    with azure.DefaultAzureCredential(process_timeout=1) as chain:
        token = chain.get_token(f"{ARM}/.default").token
    assert token.count(".") == 2
    assert identified.requests()[-1]["headers"]["User-Agent"].startswith("azsdk-python-identity/")
    credential = azure.ManagedIdentityCredential(client_id=UNKNOWN)
    with credential, pytest.raises(azure.CredentialUnavailableError) as caught:
        credential.get_token(f"{ARM}/.default")
    assert "Identity not found" in str(caught.value)


@pytest.mark.usefixtures("identified")
def test_msal_gets_tokens_and_errors() -> None:
    msal, requests = pytest.importorskip("msal"), pytest.importorskip("requests")
    kinds = {name.removesuffix("_id"): value for name, value in WEB.items() if name != "name"}
    assert sorted(kinds) == ["client", "object", "resource"]
    with requests.Session() as session:

        def ask(identity: Any) -> dict[str, Any]:
            client = msal.ManagedIdentityClient(identity, http_client=session)
            return dict(client.acquire_token_for_client(resource=ARM))

        assert ask(msal.SystemAssignedManagedIdentity())["token_type"] == "Bearer"
        for kind, value in kinds.items():
            assert ask(msal.UserAssignedManagedIdentity(**{f"{kind}_id": value}))["expires_in"] > 86000
        answer = ask(msal.UserAssignedManagedIdentity(client_id=UNKNOWN))
    assert answer == {"error": "invalid_request", "error_description": "Identity not found"}
