# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fetching a token: who is asked, how often, and what is told of it."""

from __future__ import annotations

import json
import traceback
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._identity import arc, options
from ansible_collections.imds.azure.plugins.module_utils._identity.fetch import TokenClient
from ansible_collections.imds.azure.plugins.module_utils._imds import guest, lock, platform
from ansible_collections.imds.azure.plugins.module_utils._imds.client import Client
from ansible_collections.imds.azure.plugins.module_utils._imds.options import OptionError, Settings
from ansible_collections.imds.azure.plugins.module_utils._imds.platform import Detection
from ansible_collections.imds.azure.plugins.module_utils._imds.reasons import ImdsError
from ansible_collections.imds.azure.tests.scenarios.identities import (
    CLIENT_ID,
    NOT_FOUND,
    NOW,
    SEVERAL,
    UNKNOWN_RESOURCE,
    VAULT,
    answer,
    jwt,
)
from ansible_collections.imds.azure.tests.scenarios.imds.world import (
    ADDRESS,
    ScriptedAnswer,
    World,
    failed,
    said,
    silence,
)

OK = said(200, answer())
TARGET = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fvault.azure.net"
AGENT = {
    "IDENTITY_ENDPOINT": "http://localhost:40342/metadata/identity/oauth2/token",
    "IMDS_ENDPOINT": "http://localhost:40342",
}


class Site:
    """A machine with a scripted IMDS. asked: the settings of the client."""

    def __init__(self, *answers: ScriptedAnswer, environ: dict[str, str] | None = None, **params: Any) -> None:
        self.world = World(answers)
        self.environ = environ or {}
        self.params = {"resource": VAULT, "detect": "force", **params}
        self.asked: Settings | None = None
        self.patient = True

    def client(self) -> TokenClient:
        request = options.request(self.params, self.patient)
        return TokenClient(request, options.settings(self.params), self._make, lambda: NOW, self.environ)

    def _make(self, settings: Settings) -> Client:
        self.asked = settings
        return self.world.client(settings)

    @property
    def targets(self) -> list[str]:
        return [request.target for request in self.world.requests]

    def failure(self) -> tuple[ImdsError, TokenClient]:
        """The error, after making sure that neither it nor the attempts quote a token."""
        client = self.client()
        with pytest.raises(ImdsError) as caught:
            client.token(VAULT)
        told = "".join(traceback.format_exception(ImdsError, caught.value, caught.value.__traceback__))
        assert jwt().split(".")[1] not in told + json.dumps(client.attempts) + caught.value.message
        return caught.value, client


@pytest.fixture(autouse=True)
def _any_machine(monkeypatch: Any, tmp_path: Path) -> None:
    """The machine that the tests run on has no say."""
    monkeypatch.setattr(platform, "detect", lambda _tag: Detection(False, None, "nowhere"))
    monkeypatch.setattr(guest, "addresses", lambda: [ADDRESS])
    monkeypatch.setattr(lock, "is_locked", lambda: False)
    monkeypatch.setattr(arc, "PROGRAM", str(tmp_path / "himds"))


def test_one_request_is_enough() -> None:
    site = Site(OK)
    client = site.client()
    token = client.token(client.resource())
    assert (token.value, token.resource) == (jwt(), VAULT)
    assert site.targets == [TARGET]
    assert site.world.requests[0].headers["Metadata"] == "true"
    assert client.attempts == [
        {
            "path": "identity/oauth2/token",
            "api_version": "2018-02-01",
            "outcome": "ok",
            "status": 200,
            "detail": "HTTP 200",
            "wait": None,
        }
    ]


def test_what_was_asked_for_is_in_the_query() -> None:
    site = Site(OK, client_id=CLIENT_ID, bypass_cache=True, api_version="2021-02-01")
    site.client().token(VAULT)
    expected = TARGET.replace("2018-02-01", "2021-02-01") + f"&client_id={CLIENT_ID}&bypass_cache=true"
    assert site.targets == [expected]


def test_a_name_is_translated_for_the_cloud_of_the_machine() -> None:
    cloud = said(200, b"AzureChinaCloud", content_type="text/plain; charset=utf-8")
    site = Site(cloud, said(200, answer(resource="https://vault.azure.cn")), resource="vault", api_version="2018-02-01")
    client = site.client()
    assert client.token(client.resource()).resource == "https://vault.azure.cn"
    assert site.targets == [
        "/metadata/instance/compute/azEnvironment?api-version=2025-04-07&format=text",
        TARGET.replace("azure.net", "azure.cn"),
    ]


@pytest.mark.parametrize(
    ("body", "named", "reason"),
    [
        (NOT_FOUND, False, "no_identity"),
        (NOT_FOUND, True, "identity_unknown"),
        (SEVERAL, False, "identity_ambiguous"),
        (UNKNOWN_RESOURCE, False, "resource_unknown"),
    ],
)
def test_each_refusal_has_its_reason_and_is_not_repeated(body: Any, named: bool, reason: str) -> None:
    site = Site(said(400, body), client_id=CLIENT_ID if named else None)
    error, client = site.failure()
    assert error.reason.code == reason
    assert error.reason.remedy
    assert len(client.attempts) == 1


def test_an_identity_that_is_on_its_way_is_waited_for() -> None:
    site = Site(*[said(400, NOT_FOUND)] * 3, OK, identity_wait=30)
    assert site.client().token(VAULT).value == jwt()
    assert site.world.sleeps == [5, 5, 5]


def test_an_identity_is_not_waited_for_longer_than_asked() -> None:
    site = Site(said(400, NOT_FOUND, after=0), identity_wait=12)
    error, _client = site.failure()
    assert error.reason.code == "no_identity"
    assert sum(site.world.sleeps) == 12


@pytest.mark.parametrize(
    ("seen", "reason", "requests"),
    [
        (said(404, {"error": "Not Found"}), "not_found", 5),
        (said(500, {"error": "unknown"}), "server_error", 5),
        (said(429, b"Temporarily throttled, too many requests", retry_after="20"), "throttled", 5),
        (said(429, b"Temporarily throttled", retry_after="91"), "throttled", 1),
        (said(410), "updating", 8),
        (failed("refused"), "refused", 3),
        (silence(), "read_timeout", None),
        (said(403), "forbidden", 1),
        (said(200, {"access_token": jwt()[:50] + "\n"}), "malformed", 2),
        (said(200, b'{"access_token": "' + jwt().encode()), "malformed", 2),
        (said(200, answer(jwt(), token_type="mtls_pop")), "malformed", 2),
        (said(201, answer()), "intercepted", 2),
        (said(302, answer(), location="http://example.org/"), "intercepted", 2),
        (said(400, {"error": jwt(), "error_description": jwt()}), "rejected", 1),
    ],
    ids=lambda value: str(value)[:40],
)
def test_every_failure_ends_within_the_deadline(seen: ScriptedAnswer, reason: str, requests: int | None) -> None:
    site = Site(seen)
    error, _client = site.failure()
    assert error.reason.code == reason
    assert requests in (None, len(site.world.requests))
    assert site.world.now - 1000 <= 90.0


def test_an_update_of_70_seconds_is_outlasted() -> None:
    site = Site(*[said(410)] * 7, OK)
    assert site.client().token(VAULT).value == jwt()


def test_off_azure_nothing_is_sent() -> None:
    site = Site(OK, detect="auto")
    with pytest.raises(ImdsError) as caught:
        site.client()
    assert caught.value.reason.code == "not_azure"
    assert site.targets == []


def test_another_host_with_identities_is_named() -> None:
    site = Site(OK, detect="auto", environ={"IDENTITY_ENDPOINT": "http://x", "IDENTITY_HEADER": "y"})
    with pytest.raises(ImdsError, match="App Service"):
        site.client()


def test_an_impatient_client_asks_once() -> None:
    site = Site(failed("connect_timeout", after=2.0))
    site.patient = False
    assert site.failure()[0].reason.code == "connect_timeout"
    assert len(site.targets) == 1


# --- Azure Arc ------------------------------------------------------------------------------------------------------


@pytest.fixture
def key(tmp_path: Path, monkeypatch: Any) -> Path:
    monkeypatch.setattr(arc, "KEYS", str(tmp_path))
    file = tmp_path / "3f2504e0.key"
    file.write_text("key-of-the-agent\n")
    return file


def challenged(file: Path) -> ScriptedAnswer:
    return ScriptedAnswer(said(401, www_authenticate=f"Basic realm={file}").result)


@pytest.mark.parametrize("params", [{"detect": "auto"}, {"arc": "always"}], ids=str)
def test_the_agent_of_an_arc_machine_is_answered_with_its_key(key: Path, params: dict[str, Any]) -> None:
    site = Site(challenged(key), OK, environ=AGENT, **params)
    client = site.client()
    assert client.token(VAULT).value == jwt()
    assert client.on_arc
    assert site.asked
    assert site.asked.address == ("127.0.0.1", 40342)
    assert site.targets == [TARGET.replace("2018-02-01", "2020-06-01")] * 2
    first, second = (request.headers for request in site.world.requests)
    assert "Authorization" not in first
    assert second["Authorization"] == "Basic key-of-the-agent"
    assert "key-of-the-agent" not in json.dumps(client.attempts)


def test_an_installed_agent_is_found_without_its_variables(key: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(arc, "PROGRAM", str(key))
    site = Site(challenged(key), OK, detect="auto")
    assert site.client().on_arc


@pytest.mark.parametrize("params", [{"detect": "force"}, {"arc": "never", "detect": "force"}], ids=str)
def test_imds_is_asked_where_that_is_wanted(params: dict[str, Any]) -> None:
    assert not Site(OK, environ=AGENT, **params).client().on_arc


def test_an_azure_vm_asks_imds_even_if_the_agent_is_there(monkeypatch: Any) -> None:
    monkeypatch.setattr(platform, "detect", lambda _tag: Detection(True, "tag", "here"))
    assert not Site(OK, detect="auto", environ=AGENT).client().on_arc


@pytest.mark.parametrize(
    ("params", "environ"),
    [
        ({"arc": "never", "detect": "auto"}, AGENT),
        ({"arc": "always"}, {}),
        ({"arc": "always"}, {**AGENT, "IDENTITY_ENDPOINT": "http://192.0.2.1:40342/metadata/identity/oauth2/token"}),
        ({"arc": "always"}, {**AGENT, "IDENTITY_HEADER": "x"}),
    ],
    ids=str,
)
def test_where_there_is_no_agent_nothing_is_sent(params: dict[str, Any], environ: dict[str, str]) -> None:
    site = Site(OK, environ=environ, **params)
    with pytest.raises(ImdsError) as caught:
        site.client()
    assert caught.value.reason.code == "not_azure"


def test_an_arc_machine_has_one_identity_only() -> None:
    with pytest.raises(OptionError, match="client_id"):
        Site(OK, environ=AGENT, detect="auto", client_id=CLIENT_ID).client()


def test_a_key_that_the_agent_refuses_is_not_sent_again(key: Path) -> None:
    site = Site(challenged(key), environ=AGENT, arc="always")
    assert site.failure()[0].reason.code == "forbidden"
    assert len(site.targets) == 2


def test_no_other_file_is_sent(key: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    outside = tmp_path / "elsewhere" / "shadow.key"
    outside.write_text("root:secret")
    link = tmp_path / "link.key"
    link.symlink_to(outside)
    wrong = tmp_path / "wrong.txt"
    wrong.write_text("x")
    big = tmp_path / "big.key"
    big.write_text("x" * 4097)
    binary = tmp_path / "binary.key"
    binary.write_bytes(b"a\r\nX-Header: b")
    for file in (outside, link, wrong, big, binary, key.parent / ".." / "etc" / "x.key"):
        site = Site(challenged(file), OK, environ=AGENT, arc="always")
        assert site.failure()[0].reason.code == "intercepted", file
        assert len(site.targets) == 1


def test_a_key_that_may_not_be_read_names_the_remedy(tmp_path: Path, key: Path) -> None:
    site = Site(challenged(tmp_path / "gone.key"), OK, environ=AGENT, arc="always")
    error, _client = site.failure()
    assert error.reason.code == "forbidden"
    assert "group himds" in error.detail
    assert key.exists()
