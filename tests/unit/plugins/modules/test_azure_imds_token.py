# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import socket
import stat
import time
from pathlib import Path
from typing import Any, Callable, Optional

import pytest
import yaml
from ansible_collections.imds.azure.plugins.module_utils._identity import arc
from ansible_collections.imds.azure.plugins.module_utils._identity.tokens import iso
from ansible_collections.imds.azure.plugins.modules import azure_imds_token
from ansible_collections.imds.azure.tests.scenarios.identities import (
    CLIENT_ID,
    LIFE,
    MSI_RES_ID,
    NOT_FOUND,
    OBJECT_ID,
    SEVERAL,
    TENANT_ID,
    UNKNOWN_RESOURCE,
    VAULT,
    answer,
    jwt,
)
from ansible_collections.imds.azure.tests.scenarios.module_runner import (
    assert_documented,
    assert_options_are_documented,
    run,
)
from ansible_collections.imds.azure.tests.scenarios.scripted_server import ScriptedServer, Step, document, http, send

ON_REQUEST = {"token", "claims", "dest"}
FULL = int(time.time()) + LIFE


def served(expires_on: int = FULL, **claims: Any) -> Step:
    return send(document(answer(jwt(expires_on=expires_on, **claims), expires_on)))


def refused(body: Any) -> Step:
    return send(http(json.dumps(body).encode(), "400 Bad Request"))


Ask = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def _no_agent(monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setattr(arc, "PROGRAM", str(tmp_path / "himds"))
    for name in ("IDENTITY_ENDPOINT", "IMDS_ENDPOINT", "IDENTITY_HEADER", "MSI_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    """Run the module; whatever happens, the result is as documented, and says a token on request only."""

    def result(server: Optional[ScriptedServer] = None, **options: Any) -> dict[str, Any]:
        where = {"endpoint": server.endpoint, "detect": "force"} if server else {}
        found = run(capsys, azure_imds_token, reads=False, **{"resource": VAULT, **where, **options})
        documented = yaml.safe_load(azure_imds_token.RETURN)
        if not found.get("failed"):
            assert set(documented) - ON_REQUEST <= set(found)
            for name in set(documented) & set(found):
                assert_documented(found[name], documented[name], name, free=("claims",))
        told = json.dumps({name: value for name, value in found.items() if name != "token"})
        assert jwt().rpartition(".")[2] not in told
        assert ("token" in found) is (bool(options.get("return_token")) and not found.get("failed"))
        return found

    return result


@pytest.fixture
def dest(tmp_path: Path) -> Path:
    (tmp_path / "secrets").mkdir(mode=0o700)
    return tmp_path / "secrets" / "vault.token"


def test_without_file_and_return_it_tells_about_the_token_only(ask: Ask) -> None:
    with ScriptedServer(served()) as server:
        result = ask(server)
    assert (result["changed"], result["reason"], result["remedy"]) == (False, "ok", None)
    assert (result["resource"], result["client_id"], result["object_id"]) == (VAULT, CLIENT_ID, OBJECT_ID)
    assert (result["tenant_id"], result["identity"]) == (TENANT_ID, MSI_RES_ID)
    assert LIFE / 2 < result["expires_in"] <= LIFE
    assert len(result["attempts"]) == 1


def test_the_token_is_returned_on_request(ask: Ask) -> None:
    with ScriptedServer(served()) as server:
        result = ask(server, return_token=True, return_claims=True)
    assert result["token"] == jwt(expires_on=FULL)
    assert result["claims"]["aud"] == VAULT


@pytest.mark.parametrize("form", ["token", "json", "header"])
def test_a_file_is_written_once(ask: Ask, dest: Path, form: str) -> None:
    with ScriptedServer(served()) as server:
        first = ask(server, dest=str(dest), content=form)
        content = dest.read_bytes()
        second = ask(server, dest=str(dest), content=form)
    assert (first["changed"], second["changed"]) == (True, False)
    assert (first["dest"], stat.S_IMODE(dest.stat().st_mode)) == (str(dest), 0o600)
    assert jwt(expires_on=FULL).encode() in content
    assert dest.read_bytes() == content
    assert os.listdir(dest.parent) == [dest.name]


def test_a_good_file_of_a_named_identity_costs_no_request(ask: Ask, dest: Path) -> None:
    with ScriptedServer(served()) as server:
        for number, selector in enumerate(
            ({"client_id": CLIENT_ID}, {"object_id": OBJECT_ID}, {"msi_res_id": MSI_RES_ID.lower()})
        ):
            result = ask(server, dest=str(dest), return_token=True, **selector)
            assert (result["changed"], len(result["attempts"])) == ((True, 1) if number == 0 else (False, 0))
            assert result["token"] == jwt(expires_on=FULL)
        assert server.connections == 1


def test_without_a_name_imds_tells_whose_turn_it_is(ask: Ask, dest: Path) -> None:
    """The file of an identity that no longer serves by default is not kept."""
    other = served(oid=TENANT_ID, appid=OBJECT_ID)
    with ScriptedServer(served(), served(FULL + 1), other) as server:
        assert ask(server, dest=str(dest))["changed"]
        kept = ask(server, dest=str(dest))
        assert (kept["changed"], kept["expires_at"]) == (False, iso(FULL))
        changed = ask(server, dest=str(dest))
    assert (changed["changed"], changed["client_id"]) == (True, OBJECT_ID)


@pytest.mark.parametrize(
    ("left", "minimum", "kept"),
    [(LIFE - 600, "auto", True), (600, "auto", False), (3600, "600", True), (3600, "7200", False)],
)
def test_a_file_is_kept_while_its_token_is_good(ask: Ask, dest: Path, left: int, minimum: str, kept: bool) -> None:
    soon = int(time.time()) + left
    with ScriptedServer(served(soon), served()) as server:
        ask(server, dest=str(dest), client_id=CLIENT_ID, minimum_validity="0")
        result = ask(server, dest=str(dest), client_id=CLIENT_ID, minimum_validity=minimum)
    assert result["changed"] is not kept
    assert result["expires_at"] == iso(soon if kept else FULL)


def test_another_resource_or_identity_or_form_is_another_file(ask: Ask, dest: Path) -> None:
    with ScriptedServer(served()) as server:
        ask(server, dest=str(dest), client_id=CLIENT_ID)
        for options in ({"resource": VAULT + "/"}, {"client_id": OBJECT_ID}, {"content": "header"}):
            result = ask(server, dest=str(dest), **{"client_id": CLIENT_ID, **options})
            assert len(result["attempts"]) == 1, options


def test_bypass_cache_always_asks(ask: Ask, dest: Path) -> None:
    with ScriptedServer(served(), served(FULL + 1)) as server:
        ask(server, dest=str(dest), client_id=CLIENT_ID)
        assert ask(server, dest=str(dest), client_id=CLIENT_ID, bypass_cache=True)["changed"]
        assert b"&bypass_cache=true " in server.requests[1]


def test_a_token_that_is_too_old_is_refreshed(ask: Ask) -> None:
    with ScriptedServer(served(int(time.time()) + 600), served()) as server:
        result = ask(server, minimum_validity="3600")
        assert b"&bypass_cache=true " in server.requests[1]
    assert (result["expires_at"], result["notes"]) == (iso(FULL), [])


def test_no_token_lives_long_enough(ask: Ask) -> None:
    with ScriptedServer(served(int(time.time()) + 600)) as server:
        result = ask(server, minimum_validity="3600")
    assert len(result["attempts"]) == 2
    (note,) = result["notes"]
    assert "minimum_validity" in note


def test_check_mode_asks_and_writes_nothing(ask: Ask, dest: Path) -> None:
    with ScriptedServer(served()) as server:
        result = ask(server, check=True, dest=str(dest))
        assert server.connections == 1
    assert result["changed"]
    assert not dest.exists()


def test_a_diff_is_about_the_token_only(ask: Ask, dest: Path) -> None:
    with ScriptedServer(served(), served(oid=TENANT_ID)) as server:
        ask(server, dest=str(dest))
        result = ask(server, dest=str(dest), _ansible_diff=True)
    for side in ("before", "after"):
        assert result["diff"][side].startswith(f"resource: {VAULT}\nidentity: {MSI_RES_ID}\nexpires: 20")


@pytest.mark.parametrize(
    ("step", "options", "reason"),
    [
        (refused(NOT_FOUND), {}, "no_identity"),
        (refused(NOT_FOUND), {"client_id": CLIENT_ID}, "identity_unknown"),
        (refused(SEVERAL), {}, "identity_ambiguous"),
        (refused(UNKNOWN_RESOURCE), {}, "resource_unknown"),
        (refused({"error": "unauthorized_client", "error_description": "AADSTS700016: gone"}), {}, "identity_refused"),
        (refused({"error": jwt(), "error_description": jwt()}), {}, "rejected"),
        (send(http(json.dumps(answer()).encode(), "403 Forbidden")), {}, "forbidden"),
        (send(http(json.dumps(answer()).encode()[:-40])), {"timeout": 1.2}, "malformed"),
        (send(http(json.dumps(answer()).encode(), "502 Bad Gateway")), {"timeout": 1}, "server_error"),
        (send(http(b"<html>" + jwt().encode())), {"timeout": 0.9}, "malformed"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_failures_have_a_reason_and_leave_the_file(
    ask: Ask, dest: Path, step: Step, options: dict[str, Any], reason: str
) -> None:
    dest.write_text("old")
    with ScriptedServer(step) as server:
        result = ask(server, dest=str(dest), return_token=True, **options)
    assert (result["failed"], result["reason"]) == (True, reason)
    assert result["remedy"] in result["msg"]
    assert result["attempts"]
    assert dest.read_text() == "old"


@pytest.fixture
def no_network(monkeypatch: Any) -> None:
    def explode(*_arguments: Any, **_options: Any) -> None:
        pytest.fail("something was about to be sent")

    monkeypatch.setattr(socket, "socket", explode)


@pytest.mark.usefixtures("no_network")
def test_off_azure_nothing_is_sent(ask: Ask) -> None:
    result = ask(chassis_asset_tag="Default string")
    assert (result["failed"], result["reason"], result["attempts"]) == (True, "not_azure", [])


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"client_id": CLIENT_ID, "msi_res_id": MSI_RES_ID}, "msi_res_id"),
        ({"client_id": ""}, "client_id"),
        ({"resource": "vault.azure.net"}, "resource"),
        ({"minimum_validity": "soon"}, "minimum_validity"),
        ({"minimum_validity": "-1"}, "minimum_validity"),
        ({"identity_wait": 100}, "identity_wait"),
        ({"mode": "0644"}, "mode"),
        ({"owner": "no-such-user"}, "owner"),
        ({"api_version": "2017-12-01"}, "api_version"),
        ({"dest": "/no/such/directory/token"}, "dest"),
        ({"dest": "/tmp/token"}, "dest"),
        ({"dest": "token"}, "dest"),
    ],
    ids=str,
)
@pytest.mark.usefixtures("no_network")
def test_bad_input_is_refused_by_name_before_anything_is_sent(ask: Ask, options: dict[str, Any], name: str) -> None:
    result = ask(detect="force", **options)
    assert result["failed"]
    assert result["msg"].startswith(f"{name}: ")
    assert not Path("/tmp/token").exists()


def test_a_name_is_looked_up_in_the_machines_cloud(ask: Ask) -> None:
    cloud = send(http(b"AzureUSGovernmentCloud", Content_Type="text/plain; charset=utf-8"))
    with ScriptedServer(cloud, served()) as server:
        result = ask(server, resource="arm")
        assert b"resource=https%3A%2F%2Fmanagement.usgovcloudapi.net%2F " in server.requests[1]
    assert result["resource"] == "https://management.usgovcloudapi.net/"


def test_a_mistake_of_ours_does_not_show_the_token(
    capsys: pytest.CaptureFixture[str], monkeypatch: Any, dest: Path
) -> None:
    """Ansible hides the token in whatever the module says, whether or not the task sets no_log."""
    token = jwt(expires_on=FULL)
    monkeypatch.setattr(azure_imds_token, "describe", lambda found: {"reason": f"it is {found.value}!"})
    with ScriptedServer(served()) as server:
        options: dict[str, Any] = {"resource": VAULT, "endpoint": server.endpoint, "detect": "force", "dest": str(dest)}
        result = run(capsys, azure_imds_token, reads=False, **options)
        assert result["reason"].startswith("it is ***")
        assert token not in json.dumps(result)
        # The one in the file is hidden too, although it has expired.
        dest.write_bytes(jwt(expires_on=LIFE).encode())
        monkeypatch.setattr(azure_imds_token, "describe", lambda _found: {"reason": dest.read_text()})
        told = run(capsys, azure_imds_token, check=True, reads=False, **options)
    assert told["changed"]
    assert "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER" in told["reason"]


def test_options_are_documented() -> None:
    assert_options_are_documented(azure_imds_token)
