# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""azure_imds_token of both cores over real HTTP: the same result and file, and no token that was not asked for."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.imds.azure.plugins.module_utils._identity import arc
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
from ansible_collections.imds.azure.tests.scenarios.module_runner import argument_spec, run
from ansible_collections.imds.azure.tests.scenarios.scripted_server import ScriptedServer, Step, document, http, send
from ansible_collections.imds.azure.tests.windows.core import Core, comparable

DEFAULTS = {name: option.get("default") for name, option in argument_spec(azure_imds_token).items()}
FULL = int(time.time()) + LIFE
SIGNATURE = jwt().rpartition(".")[2]

# What Ansible adds to the result of a Python module, on POSIX.
ADDED = {"invocation", "gid", "group", "mode", "owner", "size", "state", "uid"}


def served(expires_on: int = FULL, **claims: Any) -> Step:
    return send(document(answer(jwt(expires_on=expires_on, **claims), expires_on)))


def refused(body: Any, status: str = "400 Bad Request") -> Step:
    return send(http(json.dumps(body).encode(), status))


class Both:
    """Each core has a server of its own with the same answers, and a directory of its own.

    :param tasks: options of each task, one after the other
    """

    def __init__(self, core: Core, capsys: pytest.CaptureFixture[str], directory: Path) -> None:
        self._core = core
        self._capsys = capsys
        self._directory = directory
        for name in ("python", "csharp"):
            (directory / name).mkdir(mode=0o700)

    def __call__(self, *steps: Step, tasks: list[dict[str, Any]], old: bytes | None = None) -> list[dict[str, Any]]:
        expected = self._run("python", self._python, steps, tasks, old)
        found = self._run("csharp", self._csharp, steps, tasks, old)
        for one, other in zip(found["results"], expected["results"]):
            assert one == other
        assert found == expected
        results: list[dict[str, Any]] = expected["results"]
        return results

    def _run(
        self,
        name: str,
        ask: Callable[[dict[str, Any]], dict[str, Any]],
        steps: tuple[Step, ...],
        tasks: list[dict[str, Any]],
        old: bytes | None,
    ) -> dict[str, Any]:
        dest = self._directory / name / "file"
        if old is not None:
            dest.write_bytes(old)
        with ScriptedServer(*steps) as server:
            results = []
            for task in tasks:
                given = {key: value for key, value in {"dest": str(dest), **task}.items() if value is not None}
                found = ask({"resource": VAULT, "endpoint": server.endpoint, "detect": "force", **given})
                shown = json.dumps({key: value for key, value in found.items() if key != "token"})
                assert SIGNATURE not in shown
                assert ("token" in found) == (bool(task.get("return_token")) and not found.get("failed"))
                text = json.dumps(comparable(found)).replace(str(dest), "DEST")
                results.append(json.loads(re.sub("lives for [0-9]+ s ", "lives for some s ", text)))
            asked = [request.split(b"\r\n")[0] for request in server.requests]
        for result in results:
            result.pop("expires_in", None)
        files = {path.name: path.read_bytes() for path in dest.parent.iterdir()}
        return {"results": results, "asked": asked, "files": files}

    def _python(self, options: dict[str, Any]) -> dict[str, Any]:
        given = dict(options)
        check, diff = given.pop("check", False), given.pop("diff", False)
        found = run(self._capsys, azure_imds_token, reads=False, check=check, _ansible_diff=diff, **given)
        return {key: value for key, value in found.items() if key not in ADDED}

    def _csharp(self, options: dict[str, Any]) -> dict[str, Any]:
        given = dict(options)
        modes = {name: given.pop(name, False) for name in ("check", "diff")}
        found = self._core("module", name="azure_imds_token", params={**DEFAULTS, **given}, **modes)
        result: dict[str, Any] = dict(found["result"])
        if found["failure"]:
            result.update(failed=True, msg=found["failure"])
        return result


@pytest.fixture
def both(core: Core, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Both:
    monkeypatch.setattr(arc, "PROGRAM", str(tmp_path / "himds"))
    for name in ("IDENTITY_ENDPOINT", "IMDS_ENDPOINT", "IDENTITY_HEADER", "MSI_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    return Both(core, capsys, tmp_path)


def test_what_is_told_and_returned(both: Both) -> None:
    told, returned = both(served(), tasks=[{"dest": None}, {"dest": None, "return_token": True, "return_claims": True}])
    assert (told["changed"], told["identity"]) == (False, MSI_RES_ID)
    assert (returned["token"], returned["claims"]["oid"]) == (jwt(expires_on=FULL), OBJECT_ID)


@pytest.mark.parametrize("form", ["token", "json", "header"])
def test_a_file_is_written_once(both: Both, form: str) -> None:
    first, second = both(served(), tasks=[{"content": form, "diff": True}] * 2)
    assert (first["changed"], second["changed"]) == (True, False)
    assert (first["diff"]["before"], second["diff"]["before"]) == ("", second["diff"]["after"])


def test_an_answer_that_repeats_the_token(both: Both) -> None:
    """Whatever a result shows, the token is not in it."""
    token = f"opaque-{SIGNATURE}"
    step = send(document(answer(token, FULL, client_id=token)))
    told, within = both(step, send(document(answer(token, FULL, client_id=f"<{token}>"))), tasks=[{"dest": None}] * 2)
    assert (told["client_id"], within["client_id"]) == ("VALUE_SPECIFIED_IN_NO_LOG_PARAMETER", "<********>")


def test_when_a_file_is_kept(both: Both) -> None:
    soon = int(time.time()) + 3600
    other: dict[str, Any] = {"oid": TENANT_ID, "appid": OBJECT_ID}
    named: dict[str, Any] = {"client_id": CLIENT_ID}
    results = both(
        served(soon),
        served(soon),
        served(),
        served(FULL + 1),
        served(**other),
        tasks=[
            {**named, "minimum_validity": "0"},
            {**named, "minimum_validity": "600"},
            {**named, "minimum_validity": "7200"},
            {"msi_res_id": MSI_RES_ID.lower() + "/"},
            {**named, "bypass_cache": True},
            {},
            {"check": True, "diff": True},
        ],
    )
    assert [result["changed"] for result in results] == [True, False, True, False, True, True, False]


def test_no_token_lives_long_enough(both: Both) -> None:
    (result,) = both(served(int(time.time()) + 600, nbf=None), tasks=[{"minimum_validity": "86399", "dest": None}])
    assert len(result["attempts"]) == 2


def test_check_mode_writes_nothing(both: Both) -> None:
    (result,) = both(served(), tasks=[{"check": True}], old=b"old")
    assert result["changed"]


FAILURES: dict[str, tuple[Step, dict[str, Any], str]] = {
    "no identity": (refused(NOT_FOUND), {}, "no_identity"),
    "unknown": (refused(NOT_FOUND), {"client_id": CLIENT_ID}, "identity_unknown"),
    "several": (refused(SEVERAL), {}, "identity_ambiguous"),
    "resource": (refused(UNKNOWN_RESOURCE), {}, "resource_unknown"),
    "a token in the words": (refused({"error": jwt(), "error_description": jwt()}), {}, "rejected"),
    "a token in the body": (refused(answer(), "403 Forbidden"), {}, "forbidden"),
    "half a token": (send(http(json.dumps(answer()).encode()[:-40])), {"timeout": 1.2}, "malformed"),
    "a page": (send(http(b"<html>" + jwt().encode(), Content_Type="text/html")), {"timeout": 0.9}, "malformed"),
    "a server error": (refused(answer(), "502 Bad Gateway"), {"timeout": 1.0}, "server_error"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_failures(both: Both, name: str) -> None:
    step, options, reason = FAILURES[name]
    (result,) = both(step, tasks=[{**options, "return_token": True}], old=b"old")
    assert (result["failed"], result["reason"]) == (True, reason)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"client_id": CLIENT_ID, "msi_res_id": MSI_RES_ID}, "msi_res_id"),
        ({"resource": "vault.azure.net"}, "resource"),
        ({"minimum_validity": "soon"}, "minimum_validity"),
        ({"minimum_validity": "604801"}, "minimum_validity"),
        ({"minimum_validity": "-1"}, "minimum_validity"),
        ({"identity_wait": 100.0}, "identity_wait"),
        ({"timeout": -1.0}, "timeout"),
        ({"mode": "0644"}, "mode"),
        ({"mode": "rw"}, "mode"),
        ({"dest": "token"}, "dest"),
        ({"api_version": "2017-12-01"}, "api_version"),
    ],
    ids=str,
)
def test_bad_options(both: Both, options: dict[str, Any], name: str) -> None:
    (result,) = both(served(), tasks=[options])
    assert result["msg"].startswith(f"{name}: ")


def test_what_could_not_be_foreseen_does_not_quote_the_token(core: Core, tmp_path: Path) -> None:
    planted = tmp_path / "planted"
    planted.write_text(jwt(expires_on=FULL))
    disk = {"me": "x", "administrator": True, "accounts": {}, "crash": str(planted)}
    options = {"resource": VAULT, "dest": str(tmp_path / "file"), "detect": "force"}
    with ScriptedServer(served()) as server, pytest.raises(AssertionError) as caught:
        core(
            "module",
            name="azure_imds_token",
            params={**DEFAULTS, **options, "endpoint": server.endpoint},
            disk=disk,
        )
    assert SIGNATURE not in str(caught.value)
    assert "********" in str(caught.value)
