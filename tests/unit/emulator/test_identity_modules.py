# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The modules for tokens and secrets against the emulator: signed tokens, real TLS, refusals in the service's words.

Whatever happens, no result has a token or a secret in it that was not asked for.
"""

from __future__ import annotations

import base64
import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.imds.azure.plugins.modules import azure_imds_keyvault_secret, azure_imds_token
from ansible_collections.imds.azure.tests.scenarios.module_runner import (
    assert_documented,
    assert_options_are_documented,
    run,
)
from ansible_collections.imds.azure.tests.scenarios.running_emulator import Running, start
from azure_imds_emulator.attestation.authority import pem

SECRET = "Tr0ub4dor&3-not-for-logs"
PFX = bytes(range(256))
OTHER_TENANT = "11111111-2222-3333-4444-555555555555"
VAULT: dict[str, Any] = {
    "name": "kv-web",
    "readers": ["id-web"],
    "secrets": {
        "db-password": SECRET,
        "short": "ab",
        "off": {"value": SECRET, "enabled": False},
        "certificate": {"value": base64.b64encode(PFX).decode(), "content_type": "application/x-pkcs12"},
    },
}


class Machine:
    """A VM with the identities id-web and id-other, a vault, and the CA certificate that vouches for it."""

    def __init__(self, imds: Running, capsys: pytest.CaptureFixture[str], directory: Path) -> None:
        self.imds = imds
        self.capsys = capsys
        self.ca = directory / "root.pem"
        self.ca.write_bytes(pem(imds.emulator.authority.root()))
        self.secrets = directory / "secrets"
        self.secrets.mkdir(mode=0o700)
        self.set_identity()
        self.set_vault()

    def set_identity(self, **changes: Any) -> None:
        identity = {"system_assigned": False, "user_assigned": ["id-web", "id-other"], **changes}
        assert self.imds.control("PUT", "/vms", [{"name": "web1", "identity": identity}])[0] == 200

    def set_vault(self, **changes: Any) -> None:
        assert self.imds.control("PUT", "/vaults", [{**VAULT, **changes}])[0] == 200

    def client_id(self, name: str) -> str:
        (found,) = (
            each["client_id"]
            for each in self.imds.control("GET", "/identities/web1")[1]["identities"]
            if each["name"] == name
        )
        return str(found)

    def token(self, **options: Any) -> dict[str, Any]:
        return self._run(azure_imds_token, {"resource": "vault", **options})

    def secret(self, name: str = "db-password", identity: str = "id-web", **options: Any) -> dict[str, Any]:
        where = {
            "vault": f"https://localhost:{self.imds.vault_address[1]}",
            "resource": "https://vault.azure.net",
            "ca_path": str(self.ca),
            "client_id": self.client_id(identity),
        }
        return self._run(azure_imds_keyvault_secret, {"name": name, **where, **options})

    def _run(self, module: Any, options: dict[str, Any]) -> dict[str, Any]:
        given = {"endpoint": self.imds.url, "detect": "force", "timeout": 3, **options}
        found = run(self.capsys, module, reads=False, **given)
        documented = yaml.safe_load(module.RETURN)
        if not found.get("failed"):
            for name in set(documented) & set(found):
                assert_documented(found[name], documented[name], name, free=("claims",))
            on_request = {"token", "claims", "secret", "dest"}
            assert set(documented) - on_request <= set(found)
            assert ("secret" in found) is bool(options.get("return_secret"))
            assert ("token" in found) is bool(options.get("return_token"))
        told = json.dumps({name: value for name, value in found.items() if name not in ("token", "secret")})
        assert SECRET not in told
        assert "eyJ" not in told
        return found


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    """One for all tests: it takes a while to make its keys."""
    with start(with_vault=True) as imds:
        yield imds


@pytest.fixture
def machine(emulator: Running, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: Any) -> Machine:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return Machine(emulator, capsys, tmp_path)


def test_a_token_of_each_kind_of_selector(machine: Machine) -> None:
    shown = machine.imds.control("GET", "/identities/web1")[1]["identities"]
    (web,) = (each for each in shown if each["name"] == "id-web")
    for selector in ("client_id", "object_id"):
        found = machine.token(**{selector: web[selector]})
        assert (found["client_id"], found["object_id"]) == (web["client_id"], web["object_id"])
        assert found["identity"].lower() == web["resource_id"].lower()
    assert machine.token(msi_res_id=web["resource_id"].upper())["client_id"] == web["client_id"]
    assert found["resource"] == "https://vault.azure.net"


def test_a_kept_file_costs_no_token(machine: Machine) -> None:
    dest = machine.secrets / "token"
    options = {"resource": "https://vault.azure.net", "client_id": machine.client_id("id-web"), "dest": str(dest)}
    assert machine.token(**options)["changed"]
    content = dest.read_bytes()
    again = machine.token(**options)
    assert (again["changed"], again["attempts"]) == (False, [])
    assert dest.read_bytes() == content
    fresh = machine.token(**options, bypass_cache=True)
    assert fresh["changed"]
    assert dest.read_bytes() != content


def test_the_default_identity_decides_about_a_file(machine: Machine) -> None:
    dest = machine.secrets / "token"
    machine.set_identity(system_assigned=True)
    assert machine.token(dest=str(dest))["changed"]
    assert not machine.token(dest=str(dest))["changed"]
    machine.set_identity(user_assigned=["id-other"])
    changed = machine.token(dest=str(dest))
    assert (changed["changed"], changed["client_id"]) == (True, machine.client_id("id-other"))


@pytest.mark.parametrize(
    ("identity", "options", "reason"),
    [
        ({"user_assigned": []}, {}, "no_identity"),
        ({}, {}, "identity_ambiguous"),
        ({}, {"client_id": OTHER_TENANT}, "identity_unknown"),
        (
            {"user_assigned": ["id-web"], "resources": ["https://vault.azure.net"]},
            {"resource": "urn:x"},
            "resource_unknown",
        ),
        ({"user_assigned": [{"name": "id-web", "state": "disabled"}]}, {}, "identity_refused"),
        ({"user_assigned": [{"name": "id-web", "state": "deleted"}]}, {}, "identity_refused"),
    ],
    ids=str,
)
def test_each_refusal_of_a_token(machine: Machine, identity: Any, options: dict[str, Any], reason: str) -> None:
    machine.set_identity(**identity)
    dest = machine.secrets / "token"
    found = machine.token(dest=str(dest), **options)
    assert (found["failed"], found["reason"]) == (True, reason)
    assert found["remedy"] in found["msg"]
    assert not dest.exists()


def test_a_secret_in_a_file(machine: Machine) -> None:
    dest = machine.secrets / "db"
    first, second = machine.secret(dest=str(dest)), machine.secret(dest=str(dest))
    assert (first["changed"], second["changed"]) == (True, False)
    assert (dest.read_text(), stat.S_IMODE(dest.stat().st_mode)) == (SECRET, 0o600)
    assert (first["name"], first["client_id"]) == ("db-password", machine.client_id("id-web"))
    assert len(first["version"]) == 32
    assert [each["path"] for each in first["attempts"]] == ["identity/oauth2/token", "secrets/db-password"]
    assert machine.secret(dest=str(machine.secrets / "none"), check=True)["changed"]
    assert not (machine.secrets / "none").exists()


def test_a_secret_on_request(machine: Machine) -> None:
    found = machine.secret(return_secret=True)
    assert (found["secret"], found["changed"]) == (SECRET, False)
    assert machine.secret(return_secret=True, version=found["version"])["secret"] == SECRET
    short = machine.secret("short", return_secret=True)
    assert (short["secret"], short["reason"]) == ("ab", "ok")


def test_a_secret_that_is_encoded(machine: Machine) -> None:
    dest = machine.secrets / "certificate.pfx"
    found = machine.secret("certificate", dest=str(dest), encoding="base64")
    assert (dest.read_bytes(), found["content_type"]) == (PFX, "application/x-pkcs12")
    wrong = machine.secret(dest=str(dest), encoding="base64")
    assert wrong["msg"].startswith("encoding: ")
    assert dest.read_bytes() == PFX


@pytest.mark.parametrize(
    ("vault", "options", "reason"),
    [
        ({"readers": []}, {}, "vault_forbidden"),
        ({}, {"identity": "id-other"}, "vault_forbidden"),
        ({"readers": [], "access_model": "policies"}, {}, "vault_forbidden_by_policy"),
        ({"allowed_networks": ["10.0.0.0/8"]}, {}, "vault_firewall"),
        ({"tenant": OTHER_TENANT}, {}, "vault_wrong_tenant"),
        ({}, {"resource": "https://management.azure.com/"}, "vault_unauthorized"),
        ({}, {"name": "nothing"}, "secret_not_found"),
        ({}, {"version": "f" * 32}, "secret_not_found"),
        ({}, {"name": "off"}, "secret_disabled"),
        ({}, {"ca_path": None}, "vault_untrusted"),
        ({}, {"vault": "https://127.0.0.1:1", "timeout": 0.8}, "vault_unreachable"),
    ],
    ids=str,
)
def test_each_refusal_of_a_secret(machine: Machine, vault: Any, options: dict[str, Any], reason: str) -> None:
    machine.set_vault(**vault)
    dest = machine.secrets / "db"
    found = machine.secret(dest=str(dest), return_secret=True, **options)
    assert (found["failed"], found["reason"]) == (True, reason)
    assert found["remedy"] in found["msg"]
    assert "secret" not in found
    assert not dest.exists()


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_vault_is_asked_again(machine: Machine, status: int) -> None:
    machine.imds.fault(path="/secrets", status=status, count=1)
    assert machine.secret(return_secret=True, timeout=30)["secret"] == SECRET


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({}, "dest"),  # it would go nowhere
        ({"return_secret": True, "resource": None}, "vault"),
        ({"return_secret": True, "name": "a_b"}, "name"),
        ({"return_secret": True, "version": "../x"}, "version"),
        ({"return_secret": True, "vault": "http://localhost"}, "vault"),
        ({"return_secret": True, "resource": "vault.azure.net"}, "resource"),
        ({"return_secret": True, "ca_path": "/no/such/file"}, "ca_path"),
        ({"return_secret": True, "object_id": OTHER_TENANT}, "object_id"),
        ({"dest": "/no/such/directory/x"}, "dest"),
        ({"dest": "/tmp/x"}, "dest"),
    ],
    ids=str,
)
def test_bad_input_is_refused_before_anybody_is_asked(machine: Machine, options: dict[str, Any], name: str) -> None:
    before = len(machine.imds.requests())
    found = machine.secret(**options)
    assert found["failed"]
    assert found["msg"].startswith(f"{name}: ")
    assert len(machine.imds.requests()) == before


def test_options_are_documented() -> None:
    assert_options_are_documented(azure_imds_keyvault_secret)
