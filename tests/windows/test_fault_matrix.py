# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every operation of the C# core with every fault: the same code as in Python, after the same time.

One process runs the core by the stage's clock. Another one, in whose environment a proxy is named, sends its requests.
"""

from __future__ import annotations

import base64
import os
import ssl
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._identity import https, vault
from ansible_collections.imds.azure.plugins.module_utils._imds.transport import Response, TransportError
from ansible_collections.imds.azure.plugins.module_utils._routes.host.probe import Way
from ansible_collections.imds.azure.tests.faults.matrix import fill
from ansible_collections.imds.azure.tests.faults.operations import (
    ADDRESS,
    APPROVED,
    INTERFACE,
    NONCE,
    RESOURCE,
    headline,
    params,
    token_client,
)
from ansible_collections.imds.azure.tests.faults.stage import SECRET_NAME, Stage, open_stage, send_from_python
from ansible_collections.imds.azure.tests.scenarios.imds.world import ScriptedAnswer
from ansible_collections.imds.azure.tests.windows.core import Core, as_scripted, encoded

# Seconds by which times may differ: C# looks for replies now and then, instead of being told of them.
_LOOK = 0.1
# Seconds that the sender has, where no fault takes them.
_PATIENCE = 50.0
# Seconds after which the earliest reply arrives.
_AT_ONCE = 0.01
_ANSWERED_BY = "169.254.169.254:80"


class Twins:
    """The operations of the C# core on a stage."""

    def __init__(self, core: Core, sender: Core, stage: Stage) -> None:
        self._core = core
        self._sender = sender
        self._stage = stage
        self._trusted = https.trust(str(stage.ca))

    def send(
        self,
        address: tuple[str, int],
        method: str,
        target: str,
        headers: dict[str, str],
        body: bytes | None,
        seconds: float,
    ) -> Response:
        """Instead of stage.send_from_python; the body tells the method."""
        del method
        found = self._sender(
            "get",
            host=address[0],
            port=address[1],
            target=target,
            headers=headers,
            body=None if body is None else encoded(body),
            connect_timeout=_PATIENCE,
            read_timeout=seconds,
            timeout=_PATIENCE,
        )
        if "kind" in found:
            raise TransportError(found["kind"], found["detail"], found["local_address"], found["silent"], found["peer"])
        body = base64.b64decode(found["body"])
        return Response(found["status"], found["headers"], body, found["local_address"], found["peer"])

    def ask_vault(
        self, place: vault.Location, target: str, headers: dict[str, str], _trusted: ssl.SSLContext, seconds: float
    ) -> vault.Answer:
        """Instead of https.get."""
        found = self._sender(
            "vault_get",
            vault=place.url,
            target=target,
            headers=headers,
            ca=str(self._stage.ca),
            environment=dict(os.environ),
            timeout=seconds,
        )
        if "code" in found:
            raise vault.VaultError(found["code"], found["detail"])
        return vault.Answer(found["status"], found["headers"], base64.b64decode(found["body"]))

    def _answer(self, what: dict[str, Any]) -> Any:
        if "clock" in what:
            return {"now": self._stage.now}
        if "sleep" in what:
            self._stage.sleep(what["sleep"])
            return {}
        if "vault" in what:
            return self._answered_by_vault(**what["vault"])
        headers = {header["Key"]: header["Value"] for header in what["Headers"]}
        body = None if what["Body"] is None else bytes(what["Body"])
        times = (what["ConnectTimeout"], what["ReadTimeout"], what["Timeout"])
        return self._exchanged("GET" if body is None else "POST", what["Target"], headers, body, *times)

    def _exchanged(self, *request: Any) -> dict[str, Any]:
        try:
            result: Response | TransportError = self._stage.exchange(*request)
        except TransportError as error:
            result = error
        return as_scripted(ScriptedAnswer(result, 0.0))

    def _answered_by_vault(self, target: str, headers: dict[str, str], timeout: float) -> dict[str, Any]:
        try:
            answer = self._stage.read_vault(self._stage.vault_place, target, headers, self._trusted, timeout)
        except vault.VaultError as error:
            return {"code": error.reason.code, "detail": error.detail}
        return {"status": answer.status, "headers": answer.headers, "body": encoded(answer.body)}

    def _module(self, name: str, **given: Any) -> dict[str, Any]:
        options = {**params(self._stage), **given}
        found = self._core("module", asked=self._answer, asks=True, name=name, params=options, now=self._stage.now)
        assert found["result"], found["failure"]
        result: dict[str, Any] = found["result"]
        return result

    def facts(self, _stage: Stage) -> str:
        told = {"include_user_data": False, "include_public_keys": False, "load_balancer": False, "required": False}
        return str(self._module("azure_imds_facts", **told)["ansible_facts"]["azure_imds"]["reason"])

    def info(self, _stage: Stage) -> str:
        return str(self._module("azure_imds_info", path="instance", required=False)["reason"])

    def attest(self, _stage: Stage) -> str:
        result = self._module("azure_imds_attest", nonce=NONCE)
        return "ok" if "evidence" in result else str(result["reason"])

    def token(self, _stage: Stage) -> str:
        given = {"content": "token", "minimum_validity": "auto", "return_token": True}
        return str(self._module("azure_imds_token", resource=RESOURCE, **given)["reason"])

    def secret(self, stage: Stage) -> str:
        client = token_client(stage)
        value = client.token(RESOURCE).value
        path, limit = vault.path(SECRET_NAME, None), client.remaining
        given = {"vault": stage.vault_place.url, "path": path, "token": value, "limit": limit}
        return str(self._core("vault_secret", asked=self._answer, **given))

    def events(self, _stage: Stage) -> str:
        return self._events(required=False)

    def approve(self, _stage: Stage) -> str:
        return self._events(**APPROVED)

    def _events(self, **given: Any) -> str:
        options = {**params(self._stage), **given}
        return str(self._core("events", asked=self._answer, params=options, check=False)["result"]["reason"])

    def route_query(self, stage: Stage) -> str:
        way = Way()
        script: dict[str, Any] = {}
        for source in ("", ADDRESS):
            began = stage.now
            target, headers = "/metadata/instance/network?api-version=2017-08-01", {"Metadata": "true"}
            told = self._exchanged("GET", target, headers, None, way.connect_timeout, way.read_timeout, way.timeout)
            script[source] = {
                **told,
                "after": max(stage.now - began, _AT_ONCE),
                "local_address": ADDRESS,
                "peer": _ANSWERED_BY,
            }
            stage.turn(began)
        candidates = [{"interface": INTERFACE, "address": ADDRESS}]
        found = self._core("ask_around", candidates=candidates, script=script)
        stage.sleep(found["seconds"])
        return headline(found["told"])


TWINS: Mapping[str, Callable[[Twins, Stage], str]] = {
    "facts": Twins.facts,
    "info": Twins.info,
    "attest": Twins.attest,
    "events": Twins.events,
    "approve": Twins.approve,
    "token": Twins.token,
    "secret": Twins.secret,
    "route query": Twins.route_query,
}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with open_stage(tmp_path_factory.mktemp("stage")) as made:
        yield made


@pytest.fixture(scope="module")
def twins(core: Core, program: Path, stage: Stage) -> Iterator[Twins]:
    named = dict.fromkeys(("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"), stage.proxy)
    with Core(program, {**os.environ, **named}) as sender:
        yield Twins(core, sender, stage)


@pytest.mark.parametrize("name", TWINS)
def test_each_cell_is_that_of_python(stage: Stage, twins: Twins, name: str) -> None:
    expected = fill(stage, name)
    before = stage.proxied
    stage.send, stage.ask_vault = twins.send, twins.ask_vault
    try:
        found = fill(stage, name, lambda _stage: TWINS[name](twins, stage))
    finally:
        stage.send, stage.ask_vault = send_from_python, https.get
    assert {title: cell.code for title, cell in found.items()} == {title: cell.code for title, cell in expected.items()}
    for title, cell in found.items():
        assert cell.seconds == pytest.approx(expected[title].seconds, abs=_LOOK), title
        assert cell.seconds <= cell.deadline + 1e-6, title
    assert bool(stage.proxied - before) == (name == "secret")
