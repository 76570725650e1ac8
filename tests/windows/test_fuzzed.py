# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Both cores read what is almost right alike. The inputs are those of the fuzz targets, and the same in every run."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._identity import errors, tokens, vault
from ansible_collections.imds.azure.plugins.module_utils._imds import client, facts, fields, gather
from ansible_collections.imds.azure.plugins.module_utils._imds.transport import Response
from ansible_collections.imds.azure.plugins.plugin_utils._windows_guest import Adapter, WindowsGuest
from ansible_collections.imds.azure.tests.fuzz.table import TARGETS
from ansible_collections.imds.azure.tests.fuzz.target import Target, as_json, from_json
from ansible_collections.imds.azure.tests.fuzz.unguided import inputs
from ansible_collections.imds.azure.tests.scenarios import windows_disks
from ansible_collections.imds.azure.tests.scenarios.identities import NOW as TOKEN_NOW
from ansible_collections.imds.azure.tests.scenarios.identities import VAULT
from ansible_collections.imds.azure.tests.scenarios.imds.events import NOW
from ansible_collections.imds.azure.tests.scenarios.imds.world import ScriptedAnswer
from ansible_collections.imds.azure.tests.windows.agreement import both_build, both_documents
from ansible_collections.imds.azure.tests.windows.core import Core, as_scripted, comparable, encoded
from hypothesis import HealthCheck, given, settings

MAC = "00:0d:3a:00:00:01"
EVERYTHING = facts.Context(local_address="10.1.0.4", include_user_data=True, include_public_keys=True)
Compare = Callable[[Core, Any], None]


def read_alike(core: Core, data: bytes, compare: Compare) -> None:
    """Both take the input for JSON or neither does; then what they make of it is the same."""
    try:
        content: Any = client._read_json(Response(200, {}, data, ""))
    except client.UnusableError:
        assert not core("json", body=encoded(data))["valid"]
        return
    if not rounds(content):
        assert core("json", body=encoded(data))["valid"]
        if isinstance(content, dict):
            compare(core, content)


def rounds(value: Any) -> bool:
    """Whether there is a whole number of more than 64 bits, which the C# core rounds."""
    if isinstance(value, (dict, list)):
        return any(map(rounds, value.values() if isinstance(value, dict) else value))
    return isinstance(value, int) and not -(2**63) <= value < 2**63


def is_sent(value: Any) -> bool:
    """Whether a host can send it: no text has half of a surrogate pair, and no number is infinite."""
    with contextlib.suppress(ValueError):
        return bool(json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8"))
    return False


def facts_alike(core: Core, content: Any) -> None:
    both_build(core, content, EVERYTHING)


def tokens_alike(core: Core, content: Any) -> None:
    found = core("token_read", answer=content, resource=VAULT, now=TOKEN_NOW)
    token = None
    with contextlib.suppress(tokens.TokenError):
        token = tokens.read(content, VAULT, TOKEN_NOW)
    assert ("error" in found) is (token is None)
    if token is None:
        return
    told = {
        "expires_on": token.expires_on,
        "expires_at": token.expires_at,
        "client_id": token.client_id,
        "object_id": token.object_id,
        "tenant_id": token.tenant_id,
    }
    assert comparable({name: found.get(name) for name in told}) == comparable(told)
    assert found["files"] == [encoded(tokens.render(token, form)) for form in ("token", "json", "header")]


def vaults_alike(core: Core, data: bytes) -> None:
    for status in (200, 403, 404):
        answer = vault.Answer(status, {}, data)
        expected: list[Any]
        try:
            secret = vault.read(answer, None)
            dates = [secret.date(name) for name in ("created", "updated", "nbf", "exp")]
            expected = [secret.value, secret.version, secret.content_type, dates, secret.is_past(NOW)]
        except vault.VaultError as error:
            expected = [error.reason.code]  # what counts as a blank in the message differs
        told: dict[str, Any] = {"status": status, "headers": {}, "body": encoded(data)}
        assert core("vault_read", answer=told, tenant=None, now=NOW)[: len(expected)] == expected


def errors_alike(core: Core, data: bytes) -> None:
    for status in (400, 403):
        answer = Response(status, {"server": "IMDS/1"}, data, "")
        policy = errors.TokenPolicy(False)
        expected = [policy.classify(answer), policy.describe(answer)]
        assert core("classify_token", response=as_scripted(ScriptedAnswer(answer)), named=False) == expected


def devices_alike(core: Core, data: bytes) -> None:
    given = from_json(data)
    if not isinstance(given, list) or len(given) != 2 or rounds(given) or not is_sent(given):
        return
    content = {"compute": {"storageProfile": given[0]}}
    guest = WindowsGuest([Adapter("Ethernet", MAC, True, ["10.0.0.4"])], None, given[1])
    storage: dict[str, Any] = facts.build(content)[0]["storage"]
    meta, warnings = gather._add_disks(storage, content, guest)
    interface = {"name": "Ethernet", "mac": MAC, "up": True, "addresses": ["10.0.0.4"]}
    listed = isinstance(facts.lookup(content, "compute.storageProfile.dataDisks"), list)
    found = core("devices", document=content, rows=given[1], interfaces=[interface], listed=listed)
    found["nics"] = {mac: {**dict.fromkeys(fields.NIC), **nic} for mac, nic in found["nics"].items()}
    expected = {"storage": storage, "meta": meta, "nics": guest.nics(), "warnings": warnings}
    assert comparable(found) == comparable(expected)


def _hosts() -> Iterator[bytes]:
    adapters = [windows_disks.NETVSC, windows_disks.MLX5, windows_disks.FILTER]
    for host in windows_disks.HOSTS.values():
        yield as_json([host.listed, windows_disks.rows(host, adapters)])


DEVICES = Target("devices", "disks of Windows hosts", lambda _data: None, _hosts, TARGETS["one_command_windows"].words)

COMPARED: dict[str, tuple[Target, Compare]] = {
    "facts": (TARGETS["instance_document"], partial(read_alike, compare=facts_alike)),
    "events": (TARGETS["scheduled_events"], partial(read_alike, compare=both_documents)),
    "tokens": (TARGETS["token_answer"], partial(read_alike, compare=tokens_alike)),
    "vaults": (TARGETS["vault_answer"], vaults_alike),
    "errors": (TARGETS["token_error"], errors_alike),
    "devices": (DEVICES, devices_alike),
}


@pytest.mark.parametrize("name", COMPARED)
def test_almost_right(core: Core, name: str) -> None:
    target, compare = COMPARED[name]

    @settings(derandomize=True, database=None, deadline=None, max_examples=200, suppress_health_check=list(HealthCheck))
    @given(inputs(target))
    def read(data: bytes) -> None:
        compare(core, data)

    read()
