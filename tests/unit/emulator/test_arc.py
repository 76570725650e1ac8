# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent of Azure Arc machines: a token only for those who can read its key file."""

from __future__ import annotations

import base64
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Optional

import pytest
from ansible_collections.imds.azure.tests.scenarios.running_emulator import Connection, Reply, Running, start
from azure_imds_emulator import arc_keys

MACHINE: dict[str, Any] = {"name": "server1", "arc": True, "identity": {"system_assigned": True}}
TOKEN = "/metadata/identity/oauth2/token?api-version=2020-06-01&resource=https%3A%2F%2Fvault.azure.net"


class Agent:
    """One Arc machine and its agent."""

    def __init__(self, imds: Running, keys: Path) -> None:
        self.imds = imds
        self.keys = keys

    def ask(self, path: str = TOKEN, authorization: str = "", metadata: str = "true", method: str = "GET") -> Reply:
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Metadata: {metadata}"]
        lines += [f"Authorization: {authorization}"] if authorization else []
        with Connection(self.imds.arc_address) as connection:
            connection.send("\r\n".join([*lines, "", ""]).encode())
            reply: Optional[Reply] = connection.reply()
        assert reply is not None
        return reply

    def key(self) -> str:
        """The answer to a challenge."""
        scheme, _separator, path = (self.ask().header("WWW-Authenticate") or "").partition("realm=")
        assert scheme == "Basic "
        return f"Basic {Path(path).read_text(encoding='ascii')}"


@pytest.fixture(name="agent", scope="module")
def _agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    keys = tmp_path_factory.mktemp("arc") / "tokens"
    with start([MACHINE], with_arc=True, ca_directory=tmp_path_factory.mktemp("ca"), arc_tokens=keys) as started:
        yield Agent(started, keys)


def test_the_first_answer_is_a_challenge_with_a_file(agent: Agent) -> None:
    reply = agent.ask()
    assert reply.status == 401
    assert reply.header("Server") is None
    path = Path((reply.header("WWW-Authenticate") or "").removeprefix("Basic realm="))
    assert path.parent == agent.keys
    assert path.suffix == ".key"
    assert 0 < path.stat().st_size <= 4096
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert stat.S_IMODE(agent.keys.stat().st_mode) & 0o007 == 0


def test_who_can_read_the_file_gets_a_token_once(agent: Agent) -> None:
    key = agent.key()
    answer = agent.ask(authorization=key)
    assert answer.status == 200
    part = answer.json()["access_token"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(part + "==="))
    assert claims["xms_mirid"].endswith("/providers/Microsoft.HybridCompute/machines/server1")
    assert "xms_az_rid" not in claims
    assert agent.ask(authorization=key).status == 401


@pytest.mark.parametrize("authorization", ["Basic x", "Basic", "Bearer x", "Basic é"])
def test_others_get_another_challenge(agent: Agent, authorization: str) -> None:
    assert agent.ask(authorization=authorization).status == 401


def test_a_key_counts_only_with_its_scheme(agent: Agent) -> None:
    key = agent.key()
    assert agent.ask(authorization=key.replace("Basic", "Bearer")).status == 401
    assert agent.ask(authorization=key).status == 200


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        (TOKEN.replace("2020-06-01", "2018-02-01"), 400, "api-version"),
        (TOKEN.partition("&")[0], 400, "resource"),
        (TOKEN + "&client_id=x", 400, "system-assigned"),
        (TOKEN + "&msi_res_id=x&object_id=y", 400, "Only one"),
        ("/metadata/attested/document?api-version=2020-06-01", 404, "found"),
    ],
)
def test_requests_are_checked_before_the_challenge(agent: Agent, path: str, status: int, words: str) -> None:
    reply = agent.ask(path)
    assert reply.status == status
    assert words in reply.body.decode()


def test_the_header_and_the_verb_are_checked_too(agent: Agent) -> None:
    assert agent.ask(metadata="false").status == 400
    assert agent.ask(method="POST").status == 405


def test_the_agent_knows_the_machine_and_imds_does_not(agent: Agent) -> None:
    compute = agent.ask("/metadata/instance?api-version=2020-06-01").json()["compute"]
    assert compute["resourceId"].endswith("/providers/Microsoft.HybridCompute/machines/server1")
    assert compute["provider"] == "Microsoft.HybridCompute"
    assert agent.imds.emulator.vms.find("127.0.0.1") is None


def test_keys_are_not_logged(agent: Agent) -> None:
    key = agent.key()
    agent.ask(authorization=key)
    logged = agent.imds.requests()
    assert logged[-1]["headers"]["Authorization"] == "Basic (hidden)"
    assert key.partition(" ")[2] not in json.dumps(logged)


@pytest.mark.parametrize("given", ["id-web", {"name": "id-web"}])
def test_there_is_no_user_assigned_identity(agent: Agent, given: Any) -> None:
    status, answer = agent.imds.control("POST", "/identities/server1", given)
    assert (status, answer["field"]) == (400, "user_assigned")
    vm = {**MACHINE, "identity": {"user_assigned": [given]}}
    assert agent.imds.control("PUT", "/vms", [vm])[1]["field"] == "vms[0].identity.user_assigned"


def test_an_arc_machine_and_a_vm_can_be_side_by_side(agent: Agent) -> None:
    assert agent.imds.control("PUT", "/vms", [{"name": "web1"}, MACHINE])[0] == 200
    assert agent.imds.instance("/compute/name", more="&format=text").body == b"web1"
    assert agent.ask("/metadata/instance/compute/name?api-version=2020-06-01&format=text").body == b"server1"
    assert agent.imds.control("PUT", "/vms", [{"name": "web1"}])[0] == 200
    assert agent.ask().status == 404
    assert agent.imds.control("PUT", "/vms", [MACHINE])[0] == 200


def test_faults_concern_the_agent(agent: Agent) -> None:
    agent.imds.fault(path="/metadata/identity", status=429, count=1)
    assert "throttled" in agent.ask().json()["error_description"]


def test_keys_do_not_pile_up(tmp_path: Path) -> None:
    keys = arc_keys.ArcKeys(tmp_path / "made" / "keys")
    for _each in range(arc_keys.MOST + 5):
        keys.challenge()
    assert len(os.listdir(tmp_path / "made" / "keys")) == arc_keys.MOST
    keys.clear()
    assert os.listdir(tmp_path / "made" / "keys") == []
