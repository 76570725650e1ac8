# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tokens of managed identities: both cores check options, read answers and files, and ask, in the same way."""

from __future__ import annotations

import base64
import json
import sys
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional

import pytest
from ansible_collections.imds.azure.plugins.module_utils._identity import arc, errors, options, resources, tokens
from ansible_collections.imds.azure.plugins.module_utils._identity.fetch import TokenClient
from ansible_collections.imds.azure.plugins.module_utils._identity.tokens import Token
from ansible_collections.imds.azure.plugins.module_utils._imds import client as client_module
from ansible_collections.imds.azure.plugins.module_utils._imds import guest, lock, platform
from ansible_collections.imds.azure.plugins.module_utils._imds.options import OptionError
from ansible_collections.imds.azure.plugins.module_utils._imds.reasons import ImdsError
from ansible_collections.imds.azure.tests.scenarios.identities import (
    CLIENT_ID,
    MSI_RES_ID,
    NOT_FOUND,
    NOW,
    OBJECT_ID,
    SEVERAL,
    UNKNOWN_RESOURCE,
    VAULT,
    answer,
    jwt,
)
from ansible_collections.imds.azure.tests.scenarios.imds.conversations import ANYTHING
from ansible_collections.imds.azure.tests.scenarios.imds.world import (
    ADDRESS,
    ScriptedAnswer,
    World,
    failed,
    said,
    silence,
)
from ansible_collections.imds.azure.tests.windows.core import Core, as_scripted, comparable, encoded
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

FORMS = ("token", "json", "header")


def shown(token: Token, now: float) -> dict[str, Any]:
    return {
        **{name: getattr(token, name) for name in ("value", "resource", "expires_on", "expires_at", "starts_on")},
        **{name: getattr(token, name) for name in ("client_id", "object_id", "tenant_id", "identity", "claims")},
        "lives": token.lives(now),
        "long_enough": [token.lives_long_enough(None, now), token.lives_long_enough(3600, now)],
        "text": repr(token),
    }


# --- options --------------------------------------------------------------------------------------------------------

REQUESTS: list[dict[str, Any]] = [
    {},
    {"resource": "ARM"},
    {"resource": "https://vault.azure.net/.default"},
    {"resource": "https://storage.azure.com//.default"},
    {"resource": CLIENT_ID},
    {"resource": "api://some-app"},
    {"resource": "urn:a:b c"},
    {"resource": "http:nothing"},
    {"resource": "https://"},
    {"resource": "vault.azure.net"},
    {"resource": ""},
    {"resource": "it's"},
    {"client_id": CLIENT_ID, "bypass_cache": True},
    {"client_id": CLIENT_ID.upper(), "arc": "never"},
    {"object_id": OBJECT_ID, "identity_wait": 12.5},
    {"msi_res_id": MSI_RES_ID},
    {"msi_res_id": MSI_RES_ID + "/a b&c=d"},
    {"msi_res_id": "/subscriptions/\u00e4"},
    {"msi_res_id": "/elsewhere"},
    {"client_id": ""},
    {"client_id": "web"},
    {"object_id": OBJECT_ID + "\n"},
    {"client_id": CLIENT_ID, "msi_res_id": MSI_RES_ID},
    {"client_id": CLIENT_ID, "object_id": OBJECT_ID, "msi_res_id": MSI_RES_ID},
    {"identity_wait": -1},
    {"identity_wait": 90},
    {"identity_wait": 100, "timeout": 200},
    {"identity_wait": 0.5, "timeout": 0.25},
    {"api_version": "2018-02-01"},
    {"api_version": "2025-04-07"},
    {"api_version": "2017-12-01"},
    {"api_version": "new"},
    {"timeout": 0},
    {"timeout": 3601},
    {"timeout": 5, "read_timeout": 1, "connect_timeout": 0.5},
    {"endpoint": "https://127.0.0.1"},
    {"updating_timeout": 7},
]


@pytest.mark.parametrize("params", REQUESTS, ids=str)
def test_options(core: Core, params: dict[str, Any]) -> None:
    params = {"resource": VAULT, **params}
    expected: dict[str, Any]
    try:
        chosen = options.settings({name: value for name, value in params.items() if name != "updating_timeout"})
        request = options.request(params)
        expected = {
            "resource": request.resource,
            "query": options.query(request.resource, request.selector, request.bypass_cache),
            "identity_wait": request.identity_wait,
            "arc": request.arc,
            "settings": {**vars(chosen), "address": list(chosen.address), "loopback": chosen.loopback},
        }
    except OptionError as error:
        expected = {"error": str(error)}
    assert comparable(core("token_request", params=params)) == comparable(expected)


@pytest.mark.parametrize("cloud", [*resources.CLOUDS, "AzureStack", ""])
def test_names_of_resources(core: Core, cloud: str) -> None:
    for name in resources.NAMES:
        try:
            expected = resources.uri(name, cloud)
        except OptionError as error:
            expected = str(error)
        assert core("name_resource", name=name, cloud=cloud) == expected


# --- answers and files ----------------------------------------------------------------------------------------------

DATES = [
    *(
        "11/15/2023 22:13:20 +00:00",
        "11/15/2023 10:13:20 PM +00:00",
        "11/15/2023 00:13:20 PM +00:00",
        "1/5/2024 1:2:3 AM +00:00",
    ),
    *("02/30/2024 1:2:3 +0000", "01/01/1960 1:2:3 +0000", "01/01/0001 00:00:00 +23:59", "12/31/9999 23:59:59 -12:00"),
    *("11/15/2023 12:13:20 AM +0130", "11/15/2023 22:13:20 -0130", "11/15/2023 22:13:20 Z", "11/15/2023 22:13:20", ""),
]
TIMES: list[Any] = [
    *(NOW + 3600, float(NOW), -1, 0, 1e300, True, False, None, [], {}, "soon"),
    *(str(NOW + 3600), f"{NOW}.5", "1.", ".5", "-5", " 5", "9" * 18, "9" * 19, *DATES),
]
ANSWERS: dict[str, dict[str, Any]] = {
    "as documented": answer(),
    "no client ID": answer(client_id=None),
    "times as numbers": answer(expires_on=NOW + 60, expires_in=60, not_before=NOW),
    "only expires_in": answer(expires_on=NOW, not_before=None) | {"expires_on": None},
    "no token": answer(access_token=None),
    "a token that is no text": answer(access_token=5),
    "a token with a blank": answer("a b"),
    "an empty token": answer(access_token=""),
    "another type": answer(token_type="mtls_pop"),
    "the type in lower case": answer(token_type="bearer"),
    "a type that is no text": answer(token_type=1),
    "no JWT": answer("opaque"),
    "two parts": answer("a.b"),
    "parts that are not Base64": answer("a.b!c.d"),
    "claims that are not JSON": answer("a." + base64.urlsafe_b64encode(b"{").decode().rstrip("=") + ".c"),
    "claims in another alphabet": answer("a.e!30.c"),
    "claims with half of a surrogate pair": answer("a.eyJhcHBpZCI6Ilx1ZDgwMCJ9.c", client_id=None),
    "claims that are a list": answer("a." + base64.urlsafe_b64encode(b"[]").decode().rstrip("=") + ".c"),
    "other claims": answer(jwt(appid=None, azp="me", oid="", xms_mirid=5, nbf="x", more={"a": [1, 2.5, None, "\xfc"]})),
    "an odd client ID": answer("opaque", client_id='\u00fc"\\\x7f\n\u2028\U0001f600'),
}
ANSWERS |= {f"expires on {value!r}": answer() | {"expires_on": value, "expires_in": "60"} for value in TIMES}
ANSWERS |= {f"lives for {value!r}": answer() | {"expires_on": "", "expires_in": value} for value in TIMES}
ANSWERS |= {f"not before {value!r}": answer(jwt(nbf=None)) | {"not_before": value} for value in TIMES}


@pytest.mark.parametrize("name", ANSWERS)
def test_answers_and_files(core: Core, name: str) -> None:
    told = json.loads(json.dumps(ANSWERS[name]))
    found = core("token_read", answer=told, resource=VAULT, now=NOW + 0.75)
    if "error" in found:
        with pytest.raises(tokens.TokenError) as caught:
            tokens.read(told, VAULT, NOW + 0.75)
        assert found == {"error": str(caught.value)}
        return
    token = tokens.read(told, VAULT, NOW + 0.75)
    files = {form: tokens.render(token, form) for form in FORMS}
    expected = {**shown(token, NOW + 0.75), "files": [encoded(content) for content in files.values()]}
    assert comparable(found) == comparable(expected)
    for form in FORMS:
        for content in (files[form], files[form] + b"\n", files[form][:-1], b"\xff" + files[form], b""):
            stored = tokens.parse(content, form)
            read = core("token_file", content=encoded(content), form=form, now=NOW)
            assert comparable(read) == comparable(stored and shown(stored, NOW))


# --- what an answer means -------------------------------------------------------------------------------------------

ERRORS: list[ScriptedAnswer] = [
    *(said(status, body) for status in (400, 403) for body in (NOT_FOUND, SEVERAL, UNKNOWN_RESOURCE)),
    said(400, {"error": "invalid_request", "error_description": " IDENTITY NOT FOUND\n"}),
    said(400, {"error": "invalid_request", "error_description": "AADSTS65001: The user has not consented"}),
    said(400, {"error": "invalid_request", "error_description": "AADSTS7000112: Application is disabled"}),
    said(400, {"error": "invalid_request", "error_description": "AADSTS7000112x", "error_codes": [50001, None]}),
    said(400, {"error": "unauthorized_client"}),
    said(403, {"error": "access_denied"}),
    said(400, {"error": {"code": "x"}, "error_description": ["y"], "error_codes": 5}),
    said(400, {"error": "invalid_request", "error_description": "Required metadata header not specified"}),
    said(400, {"error": jwt(), "error_description": f"for {jwt()} and {'x' * 59} or {'y' * 60}"}),
    said(400, {"error": "x", "error_description": "\U0001f600 " * 300}),
    said(400, b"{"),
    said(400, b"\xff"),
    said(400, b"[" * 100),
    said(200, answer()),
    said(201, answer()),
    said(500, b"IMDS restarts", content_type="text/plain", server="Microsoft-Azure"),
    said(500, answer()),
    said(403, b"169.254.169.254 is unreachable", content_type="text/plain"),
    said(403),
    *(said(status, b"text") for status in (302, 401, 404, 405, 410, 429, 502, 503)),
]


@pytest.mark.parametrize("number", range(len(ERRORS)))
@pytest.mark.parametrize("named", [False, True])
def test_what_an_answer_means(core: Core, number: int, named: bool) -> None:
    response: Any = ERRORS[number].result
    policy = errors.TokenPolicy(named)
    expected = [policy.classify(response), policy.describe(response)]
    assert core("classify_token", response=as_scripted(ERRORS[number]), named=named) == expected


# --- asking ---------------------------------------------------------------------------------------------------------


class Both:
    """A machine with a scripted IMDS, asked by both cores. environment, folders: those of the Windows host."""

    def __init__(self, core: Core, directory: Path) -> None:
        self._core = core
        self._directory = directory

    def __call__(self, *answers: ScriptedAnswer, environ: dict[str, str] | None = None, **params: Any) -> Any:
        given = {"resource": VAULT, "detect": "force", **params}
        expected = self._python(World(answers), given, environ or {})
        found = self.csharp(answers, given, environ or {})
        assert _rounded(comparable(found)) == _rounded(comparable(expected))
        return expected

    def csharp(self, answers: Sequence[ScriptedAnswer], params: dict[str, Any], environ: dict[str, str]) -> Any:
        return self._core(
            "token_client",
            answers=[as_scripted(each) for each in answers],
            params=params,
            now=NOW,
            environment=environ,
            folders={"CommonApplicationData": str(self._directory), "ProgramFiles": str(self._directory)},
        )

    @staticmethod
    def _python(world: World, params: dict[str, Any], environ: dict[str, str]) -> Any:
        result: dict[str, Any] = {"attempts": None, "on_arc": None}
        client = None
        try:
            chosen = options.settings(params)
            client = TokenClient(options.request(params), chosen, world.client, lambda: NOW, environ)
            result["token"] = shown(client.token(client.resource()), NOW)
        except OptionError as error:
            result["option"] = str(error)
        except ImdsError as error:
            result["error"] = [error.reason.code, error.message]
        if client:
            result.update(attempts=client.attempts, on_arc=client.on_arc)
        result["requests"] = [[each.at, each.target, each.source, list(each.headers)] for each in world.requests]
        return {**result, "sleeps": world.sleeps}


def _rounded(value: Any) -> Any:
    """Sums of seconds, without the last bits."""
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_rounded(inner) for inner in value]
    return round(value, 6) if isinstance(value, float) else value


@pytest.fixture
def both(core: Core, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Both:
    monkeypatch.setattr(platform, "_DMI", f"{tmp_path}/")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(guest, "addresses", lambda: [ADDRESS])
    monkeypatch.setattr(lock, "is_locked", lambda: False)
    monkeypatch.setattr(client_module, "os", types.SimpleNamespace(urandom=bytes))
    agent = tmp_path / "AzureConnectedMachineAgent"
    (agent / "Tokens").mkdir(parents=True)
    monkeypatch.setattr(arc, "PROGRAM", str(agent / "himds.exe"))
    monkeypatch.setattr(arc, "KEYS", str(agent / "Tokens"))
    return Both(core, tmp_path)


OK = said(200, answer())
CLOUD = said(200, b"AzureUSGovernmentCloud", content_type="text/plain; charset=utf-8")
SEQUENCES: dict[str, tuple[list[ScriptedAnswer], dict[str, Any]]] = {
    "a token": ([OK], {}),
    "of an identity": ([OK], {"msi_res_id": MSI_RES_ID, "bypass_cache": True, "api_version": "2021-02-01"}),
    "for a name": ([CLOUD, OK], {"resource": "arm", "api_version": "2018-02-01"}),
    "for a name that the cloud lacks": ([CLOUD], {"resource": "eventhubs"}),
    "for a name, of a machine that is slow": ([silence(), CLOUD, OK], {"resource": "vault"}),
    "for a name, of no cloud": ([said(404)], {"resource": "vault"}),
    "throttled": ([said(429)], {}),
    "throttled, then not": ([said(429, retry_after="3"), OK], {}),
    "an update": ([*[said(410)] * 7, OK], {}),
    "an update with another pace": ([said(410, retry_after="20"), OK], {}),
    "an update that lasts": ([said(410)], {}),
    "an update that lasts too long": ([said(410)], {"timeout": 25}),
    "server errors": ([said(500)], {}),
    "not found": ([said(404, {"error": "Not Found"})], {}),
    "an identity that arrives": ([*[said(400, NOT_FOUND)] * 3, OK], {"identity_wait": 20}),
    "an identity that does not arrive": ([said(400, NOT_FOUND)], {"identity_wait": 12, "client_id": CLIENT_ID}),
    "no identity": ([said(400, NOT_FOUND)], {}),
    "several": ([said(400, SEVERAL)], {}),
    "no such resource": ([said(400, UNKNOWN_RESOURCE)], {}),
    "silence": ([silence()], {}),
    "refused": ([failed("refused")], {}),
    "no JSON": ([said(200, b"{")], {}),
    "no object": ([said(200, b"[]")], {}),
    "no token": ([said(200, {})], {}),
    "no token, then one": ([said(200, {}), OK], {}),
    "a bad version": ([said(400, {"error": "invalid version", "newest-versions": ["2025-04-07"]})], {}),
    "not Azure": ([OK], {"detect": "auto", "chassis_asset_tag": "elsewhere"}),
}


@pytest.mark.parametrize("name", SEQUENCES)
def test_sequences_of_answers_end_alike(both: Both, name: str) -> None:
    answers, params = SEQUENCES[name]
    both(*answers, **params)


def test_a_machine_that_can_not_be_told(both: Both) -> None:
    assert both(OK, detect="auto")["error"][0] == "unknown_platform"


@given(st.lists(ANYTHING, min_size=1, max_size=8), st.sampled_from([0.0, 12.0]), st.sampled_from(["vault", VAULT]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_any_sequence(both: Both, answers: list[ScriptedAnswer], wait: float, resource: str) -> None:
    both(*answers, identity_wait=wait, resource=resource)


# --- the agent of an Azure Arc machine ------------------------------------------------------------------------------

AGENT = {
    "IDENTITY_ENDPOINT": "http://localhost:40342/metadata/identity/oauth2/token",
    "IMDS_ENDPOINT": "http://localhost:40342",
}
ENVIRONMENTS: list[dict[str, str]] = [
    {},
    AGENT,
    {**AGENT, "IDENTITY_HEADER": "x"},
    {**AGENT, "IDENTITY_HEADER": "x", "IDENTITY_SERVER_THUMBPRINT": "y"},
    {**AGENT, "IDENTITY_ENDPOINT": "http://10.0.0.1:40342/metadata/identity/oauth2/token"},
    {**AGENT, "IDENTITY_ENDPOINT": "http://localhost:40342/elsewhere"},
    {"IDENTITY_ENDPOINT": AGENT["IDENTITY_ENDPOINT"]},
    {"MSI_ENDPOINT": "x", "MSI_SECRET": "y"},
    {"MSI_ENDPOINT": "x", "AZURE_CLIENT_ID": "y"},
    {"AZURE_FEDERATED_TOKEN_FILE": "x", "AZURE_CLIENT_ID": "y"},
]


@pytest.fixture
def key(tmp_path: Path) -> Path:
    file = tmp_path / "AzureConnectedMachineAgent" / "Tokens" / "one.key"
    file.write_text("c2VjcmV0LWtleS1vZi10aGUtYWdlbnQ=\r\n")
    return file


def challenged(realm: Any) -> ScriptedAnswer:
    return said(401, www_authenticate=f"Basic realm={realm}")


@pytest.mark.parametrize("where", ["auto", "never", "always"])
@pytest.mark.parametrize("environ", ENVIRONMENTS, ids=str)
def test_where_else_an_identity_is_served(both: Both, key: Path, where: str, environ: dict[str, str]) -> None:
    options = {"detect": "auto", "chassis_asset_tag": "elsewhere", "arc": where}
    found = both(challenged(key), OK, environ=environ, **options)
    assert ("token" in found) == (environ == AGENT and where != "never")


def test_the_agents_program_is_enough(both: Both, key: Path) -> None:
    (key.parents[1] / "himds.exe").touch()
    found = both(challenged(f'"{key}"'), OK, arc="always")
    assert found["requests"][1][3][-1] == "Authorization"
    assert both(OK, arc="always", client_id=CLIENT_ID)["option"].startswith("client_id: ")


# File that the agent names -> its content; None for a directory.
KEYS: dict[str, Optional[str]] = {
    "Tokens/one.txt": "a2V5",
    "one.key": "a2V5",
    "Tokens/../../one.key": "a2V5",
    "Tokens/two.key": None,
    "Tokens/large.key": "x" * 4097,
    "Tokens/empty.key": "\n",
    "Tokens/words.key": "two words",
}


@pytest.mark.parametrize("name", KEYS)
def test_a_key_file_that_is_not_the_agents(both: Both, key: Path, name: str) -> None:
    content, file = KEYS[name], f"{key.parents[1]}/{name}"
    if content is None:
        Path(file).mkdir()
    else:
        Path(file).write_text(content)
    found = both(challenged(file), OK, environ=AGENT, arc="always")
    assert found["error"][0] == "intercepted"
    assert len(found["requests"]) == 1


def test_a_key_file_that_can_not_be_read_says_who_can(both: Both, key: Path) -> None:
    answers = [challenged(key.with_name("other.key")), OK]
    reason, told = both.csharp(answers, {"resource": VAULT, "arc": "always"}, AGENT)["error"]
    assert reason == "forbidden"
    assert "other.key" in told
    assert "Hybrid agent extension applications" in told


def test_an_agent_that_does_not_accept_its_key(both: Both, key: Path) -> None:
    assert both(challenged(key), environ=AGENT, arc="always")["error"][0] == "forbidden"
