# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""azure_imds_keyvault_secret of both cores, with the emulator's IMDS and its key vault over HTTPS.

Mono does not look at the name in a certificate whose CA it does not know; tests/powershell tests that.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Optional

import pytest
from ansible_collections.imds.azure.plugins.module_utils._identity import arc
from ansible_collections.imds.azure.plugins.modules import azure_imds_keyvault_secret
from ansible_collections.imds.azure.tests.scenarios.module_runner import argument_spec, run
from ansible_collections.imds.azure.tests.scenarios.running_emulator import Running
from ansible_collections.imds.azure.tests.scenarios.running_emulator import start as start_emulator
from ansible_collections.imds.azure.tests.scenarios.scripted_server import ScriptedServer, send
from ansible_collections.imds.azure.tests.scenarios.tls_server import tunnel_to
from ansible_collections.imds.azure.tests.windows.core import Core, comparable

DEFAULTS = {name: option.get("default") for name, option in argument_spec(azure_imds_keyvault_secret).items()}
VM = {"name": "web1", "limiter": False, "identity": {"user_assigned": ["id-web", "id-other"]}}
MARK = "Tr0ub4dorNotForAnyLog"
SECRET = f'{MARK} & "quotes" \\ \u00fc\nand a second line'
KEY_VAULT = {
    "name": "kv-web",
    "readers": ["id-web"],
    "secrets": {"db": SECRET, "pfx": "AAEC/w==", "off": {"value": SECRET, "enabled": False}},
}
# What Ansible adds to the result of a Python module, on POSIX.
ADDED = {"invocation", "gid", "group", "mode", "owner", "size", "state", "uid"}
# How the systems put it into words.
OWN_WORDS = {"vault_untrusted", "vault_unreachable", "vault_not_found"}


@pytest.fixture(scope="module")
def imds() -> Iterator[Running]:
    with start_emulator([VM], with_vault=True, vaults=[KEY_VAULT]) as running:
        yield running


class Both:
    def __init__(self, core: Core, capsys: pytest.CaptureFixture[str], imds: Running, directory: Path) -> None:
        self._core = core
        self._capsys = capsys
        self._imds = imds
        for name in ("python", "csharp"):
            (directory / name).mkdir(mode=0o700)
        self.directory = directory
        connection = HTTPConnection(*imds.control_address, timeout=10)
        connection.request("GET", "/ca/root.pem")
        (directory / "root.pem").write_bytes(connection.getresponse().read())
        connection.close()
        shown = imds.control("GET", "/identities/web1")[1]["identities"]
        self.ids = {each["name"]: each["client_id"] for each in shown}

    def __call__(
        self,
        identity: str = "id-web",
        environment: Optional[dict[str, str]] = None,
        fault: Optional[dict[str, Any]] = None,
        **options: Any,
    ) -> dict[str, Any]:
        """What both return."""
        given = {
            "vault": f"https://localhost:{self._imds.vault_address[1]}",
            "resource": "https://vault.azure.net",
            "ca_path": str(self.directory / "root.pem"),
            "name": "db",
            "client_id": self.ids[identity],
            "dest": "DEST",
            "endpoint": self._imds.url,
            "detect": "force",
            "timeout": 5.0,
            **options,
        }
        told = {}
        for name in ("python", "csharp"):
            if fault:
                self._imds.fault(path="/secrets", count=1, **fault)
            dest = self.directory / name / "file"
            asked = {key: value for key, value in given.items() if value is not None}
            if given["dest"] == "DEST":
                asked["dest"] = str(dest)
            found = self._ask(name, asked, environment or {})
            shown = json.dumps({key: value for key, value in found.items() if key != "secret"})
            assert MARK not in shown
            assert "eyJ" not in shown
            told[name] = json.loads(json.dumps(comparable(found)).replace(str(dest), "DEST"))
            told[name]["file"] = dest.read_bytes().hex() if dest.exists() else None
        expected: dict[str, Any] = told["python"]
        if expected.get("reason") in OWN_WORDS:
            for result in told.values():
                result.pop("msg")
                for attempt in result["attempts"]:
                    attempt.pop("detail")
        assert told["csharp"] == expected
        return expected

    def _ask(self, name: str, options: dict[str, Any], environment: dict[str, str]) -> dict[str, Any]:
        check = options.pop("check", False)
        if name == "python":
            with pytest.MonkeyPatch.context() as patch:
                for variable, value in environment.items():
                    patch.setenv(variable, value)
                found = run(self._capsys, azure_imds_keyvault_secret, reads=False, check=check, **options)
            return {key: value for key, value in found.items() if key not in ADDED}
        params = {**DEFAULTS, **options}
        module = "azure_imds_keyvault_secret"
        answered = self._core("module", name=module, params=params, check=check, environment=environment)
        failure = {"failed": True, "msg": answered["failure"]} if answered["failure"] else {}
        return {**answered["result"], **failure}


@pytest.fixture
def both(
    core: Core, capsys: pytest.CaptureFixture[str], imds: Running, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Both]:
    monkeypatch.setattr(arc, "PROGRAM", str(tmp_path / "himds"))
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    yield Both(core, capsys, imds, tmp_path)
    imds.control("DELETE", "/faults")


def test_a_secret_is_written_once(both: Both) -> None:
    assert not both(check=True)["file"]
    first, second = both(), both()
    assert (first["changed"], second["changed"]) == (True, False)
    assert bytes.fromhex(first["file"]).decode() == SECRET


def test_a_secret_is_returned_on_request(both: Both) -> None:
    found = both(dest=None, return_secret=True)
    assert (found["secret"], found["file"]) == (SECRET, None)


def test_base64_is_decoded(both: Both) -> None:
    assert both(name="pfx", encoding="base64")["file"] == "000102ff"
    assert both(encoding="base64")["msg"].startswith("encoding: ")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"identity": "id-other"}, "vault_forbidden"),
        ({"name": "nothing"}, "secret_not_found"),
        ({"name": "off"}, "secret_disabled"),
        ({"resource": "https://management.azure.com/"}, "vault_unauthorized"),
        ({"ca_path": None}, "vault_untrusted"),
        ({"client_id": "00000000-0000-0000-0000-000000000000"}, "identity_unknown"),
        ({"fault": {"truncate": True}, "timeout": 0.9}, "vault_unreachable"),
        ({"fault": {"status": 403, "body": json.dumps({"error": {"message": MARK[:15]}})}}, "vault_forbidden"),
        ({"fault": {"status": 400, "body": json.dumps({"value": SECRET})}}, "vault_intercepted"),
        ({"fault": {"html": f"<html>{MARK}</html>"}}, "vault_intercepted"),
        (
            {"fault": {"status": 302, "body": json.dumps({"value": SECRET}), "headers": {"Location": "https://a.b"}}},
            "vault_intercepted",
        ),
        ({"vault": "https://localhost:1", "timeout": 0.9}, "vault_unreachable"),
        (
            {"vault": "https://localhost:1", "environment": {"https_proxy": "ftp://a"}, "timeout": 0.9},
            "vault_unreachable",
        ),
    ],
    ids=str,
)
def test_failures(both: Both, options: dict[str, Any], reason: str) -> None:
    found = both(return_secret=True, **options)
    assert (found["failed"], found["reason"], found["file"]) == (True, reason, None)
    assert "secret" not in found


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"dest": None}, "dest"),
        ({"vault": "my_vault"}, "vault"),
        ({"vault": "https://localhost", "resource": None}, "vault"),
        ({"name": "a/b"}, "name"),
        ({"version": "../x"}, "version"),
        ({"resource": "no URI"}, "resource"),
        ({"timeout": 0.0}, "timeout"),
        ({"mode": "0644"}, "mode"),
        ({"dest": "file"}, "dest"),
    ],
    ids=str,
)
def test_bad_options(both: Both, options: dict[str, Any], name: str) -> None:
    assert both(**options)["msg"].startswith(f"{name}: ")


@pytest.mark.parametrize(
    "content", [None, "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"]
)
def test_files_without_ca_certificates(core: Core, both: Both, content: Optional[str]) -> None:
    file = both.directory / "ca.pem"
    if content is not None:
        file.write_text(content)
    params = {**DEFAULTS, "vault": "abc", "name": "db", "dest": str(both.directory / "file"), "ca_path": str(file)}
    failure = core("module", name="azure_imds_keyvault_secret", params=params)["failure"]
    assert failure.startswith(f"ca_path: {file} holds no CA certificate in PEM format: ")


def test_a_proxy_leads_to_the_vault(both: Both, imds: Running) -> None:
    with ScriptedServer(tunnel_to(imds.vault_address)) as proxy:
        found = both(vault="kv-web", resource=None, environment={"https_proxy": proxy.endpoint}, return_secret=True)
        requests = [*proxy.requests]
    assert (found["vault"], found["secret"]) == ("https://kv-web.vault.azure.net", SECRET)
    assert len(requests) == 2
    for request in requests:
        assert request.startswith(b"CONNECT kv-web.vault.azure.net:443 ")
        assert b"Bearer" not in request


def test_a_proxy_is_asked_and_gets_no_token(both: Both) -> None:
    """It refuses; what it answers is not the vault's."""
    refusal = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
    with ScriptedServer(send(refusal)) as proxy:
        address = proxy.endpoint.replace("http://", "http://user:word@")
        found = both(environment={"https_proxy": address}, timeout=0.9)
        requests = [*proxy.requests]
    assert found["reason"] == "vault_unreachable"
    assert len(requests) == 2
    for request in requests:
        assert request.startswith(b"CONNECT localhost:")
        assert b"Bearer" not in request


def test_what_is_trusted_is_asked_past_the_proxy(both: Both) -> None:
    with ScriptedServer(send(b"")) as proxy:
        assert both(environment={"https_proxy": proxy.endpoint, "no_proxy": "localhost"})["changed"]
        assert proxy.connections == 0
