# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tokens and secrets under PowerShell: one play for each module, in which both twins do the same and leak nothing."""

from __future__ import annotations

import json
import os
import stat
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from ansible_collections.imds.azure.tests.powershell.plays import Controller, Result
from ansible_collections.imds.azure.tests.powershell.session import Session
from ansible_collections.imds.azure.tests.powershell.shell import pwsh
from ansible_collections.imds.azure.tests.scenarios.running_emulator import Running, start
from ansible_collections.imds.azure.tests.scenarios.scripted_server import ScriptedServer
from ansible_collections.imds.azure.tests.scenarios.tls_server import tunnel_to
from ansible_collections.imds.azure.tests.windows.core import comparable

SECRET = 'Tr0ub4dorNotForAnyLog & "quotes" \\ \u00fc\nand a second line'
VM = {
    "name": "web1",
    "limiter": False,
    "identity": {"user_assigned": ["id-web", "id-other"], "resources": ["https://vault.azure.net"]},
}
KEY_VAULT = {"name": "kv-web", "readers": ["id-web"], "secrets": {"db": SECRET}}
UNKNOWN = "00000000-0000-0000-0000-000000000000"
# What Ansible adds to the result of a Python module, what depends on the time, and how each system words it.
OWN = {"invocation", "gid", "group", "mode", "owner", "size", "state", "uid", "expires_in", "_ansible_no_log"}
OWN_WORDS = {"vault_untrusted"}


class Site:
    """An IMDS, and a Linux and a Windows host with a directory each."""

    def __init__(self, controller: Controller, imds: Running) -> None:
        self._controller = controller
        self._imds = imds
        self.directory = controller.directory / "hosts"
        self.dest = {name: self.directory / name for name in ("linux", "windows")}
        for directory in self.dest.values():
            directory.mkdir(parents=True, mode=0o700)
        shown = imds.control("GET", "/identities/web1")[1]["identities"]
        self.ids = {each["name"]: each["client_id"] for each in shown}

    def play(self, module: str, tasks: dict[str, dict[str, Any]]) -> dict[str, dict[str, Result]]:
        """Host -> task -> what it returned. tasks: name -> options and, with two underscores, keywords."""
        common = {"endpoint": self._imds.url, "detect": "force", "timeout": 20, "client_id": self.ids["id-web"]}
        told = []
        for name, options in tasks.items():
            given = {**common, **options}
            keywords = {key[2:]: given.pop(key) for key in list(given) if key.startswith("__")}
            asked = {key: value for key, value in given.items() if value is not None}
            told.append({"name": name, f"imds.azure.{module}": asked, "ignore_errors": True, **keywords})
        hosts = {
            "linux": {**self._controller.linux(), "dest": str(self.dest["linux"])},
            "windows": {**self._controller.windows(), "dest": str(self.dest["windows"])},
        }
        found = self._controller.play(hosts, [{"hosts": "all", "gather_facts": False, "tasks": told}])
        return {host: {name: found[host, name] for name in tasks} for host in hosts}

    def settled(self, host: str, result: Result) -> Any:
        kept = {key: value for key, value in result.items() if key not in OWN}
        if kept.get("reason") in OWN_WORDS:
            kept.pop("msg")
            kept["attempts"] = [{**attempt, "detail": ""} for attempt in kept["attempts"]]
        return json.loads(json.dumps(comparable(kept)).replace(str(self.dest[host]), "DEST"))

    def compare(self, found: dict[str, dict[str, Result]]) -> dict[str, Any]:
        """What both hosts returned, and the same of their files."""
        expected = {name: self.settled("linux", result) for name, result in found["linux"].items()}
        for name, result in found["windows"].items():
            assert self.settled("windows", result) == expected[name], name
        content = {host: {file.name: file.read_bytes() for file in self.dest[host].iterdir()} for host in self.dest}
        assert set(content["windows"]) == set(content["linux"])
        for directory in self.dest.values():
            for file in directory.iterdir():
                assert stat.S_IMODE(file.stat().st_mode) == 0o600
        return expected


def ca(imds: Running, directory: Path) -> str:
    connection = HTTPConnection(*imds.control_address, timeout=10)
    try:
        connection.request("GET", "/ca/root.pem")
        (directory / "root.pem").write_bytes(connection.getresponse().read())
    finally:
        connection.close()
    return str(directory / "root.pem")


def assert_nothing_leaked(found: dict[str, dict[str, Result]], secret: str, shown: set[str]) -> None:
    """No result of the twin has it, with what Ansible says of the task, unless it was asked for."""
    for name, result in found["windows"].items():
        told = json.dumps({key: value for key, value in result.items() if name not in shown or key not in shown})
        assert secret not in told, name


def test_tokens(controller: Controller) -> None:
    with start([VM]) as imds:
        site = Site(controller, imds)
        found = site.play(
            "azure_imds_token",
            {
                "write": {"resource": "vault", "dest": "{{ dest }}/token", "content": "header", "__diff": True},
                "keep": {"resource": "vault", "dest": "{{ dest }}/token", "content": "header", "__diff": True},
                "only look": {"resource": "vault", "dest": "{{ dest }}/never", "__check_mode": True},
                "show": {"resource": "vault", "return_token": True, "return_claims": True},
                "unknown": {"resource": "vault", "client_id": UNKNOWN, "return_token": True},
                "bad option": {"resource": "vault.azure.net"},
            },
        )
        written = (site.dest["windows"] / "token").read_text()
    told = site.compare(found)
    assert [told[name]["changed"] for name in ("write", "keep", "only look")] == [True, False, True]
    assert (told["unknown"]["reason"], told["bad option"]["failed"]) == ("identity_unknown", True)
    token = found["windows"]["show"]["token"]
    assert written == f"Authorization: Bearer {token}\n"
    assert_nothing_leaked(found, token.rpartition(".")[2], {"show", "token"})


def test_secrets(controller: Controller) -> None:
    with start([VM], with_vault=True, vaults=[KEY_VAULT]) as imds:
        site = Site(controller, imds)
        common = {
            "vault": f"https://localhost:{imds.vault_address[1]}",
            "resource": "https://vault.azure.net",
            "ca_path": ca(imds, controller.directory),
            "name": "db",
        }
        found = site.play(
            "azure_imds_keyvault_secret",
            {
                "write": {**common, "dest": "{{ dest }}/secret"},
                "keep": {**common, "dest": "{{ dest }}/secret"},
                "show": {**common, "return_secret": True},
                "no role": {**common, "client_id": site.ids["id-other"], "return_secret": True},
                "untrusted": {**common, "ca_path": None, "dest": "{{ dest }}/never"},
            },
        )
        assert (site.dest["windows"] / "secret").read_text() == SECRET
    told = site.compare(found)
    assert [told[name]["changed"] for name in ("write", "keep")] == [True, False]
    assert [told[name].get("reason") for name in ("no role", "untrusted")] == ["vault_forbidden", "vault_untrusted"]
    assert found["windows"]["show"]["secret"] == SECRET
    assert_nothing_leaked(found, "Tr0ub4dor", {"show", "secret"})


def test_the_name_in_a_certificate_counts(controller: Controller) -> None:
    """A CA of the user's own does not make each of its certificates that of the vault."""
    directory = controller.directory
    with ExitStack() as stack:
        imds = stack.enter_context(start([VM], with_vault=True, vaults=[KEY_VAULT]))
        proxy = stack.enter_context(ScriptedServer(tunnel_to(imds.vault_address)))
        environment = {**os.environ, "https_proxy": proxy.endpoint, "no_proxy": ""}
        session = stack.enter_context(Session(pwsh(), directory, environment=environment))
        ids = {each["name"]: each["client_id"] for each in imds.control("GET", "/identities/web1")[1]["identities"]}
        told: dict[str, Any] = {}
        for host in ("kv-web.vault.azure.net", "kv-web.example.org"):
            options = {"vault": f"https://{host}", "name": "db", "return_secret": True, "client_id": ids["id-web"]}
            asked = {"resource": "https://vault.azure.net", "endpoint": imds.url, "detect": "force", "timeout": 20}
            authority = {"ca_path": ca(imds, directory)}
            told[host] = session.run("azure_imds_keyvault_secret_windows", {**options, **asked, **authority})
        requests = [*proxy.requests]
    wrong = told["kv-web.example.org"]
    assert told["kv-web.vault.azure.net"]["secret"] == SECRET
    assert (wrong["failed"], wrong["reason"]) == (True, "vault_untrusted")
    assert "RemoteCertificateNameMismatch" in wrong["msg"]
    assert [request.split(b" ")[:2] for request in requests] == [[b"CONNECT", f"{host}:443".encode()] for host in told]
    assert b"Bearer" not in b"".join(requests)
