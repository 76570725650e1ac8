# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._imds import (
    client,
    disks,
    gather,
    guest,
    platform,
)
from ansible_collections.imds.azure.plugins.module_utils._imds.blank import blank
from ansible_collections.imds.azure.plugins.module_utils._imds.options import Settings
from ansible_collections.imds.azure.plugins.module_utils._imds.reasons import REASONS
from ansible_collections.imds.azure.tests.scenarios.imds.world import World, failed, said

HEAD = ["available", "reason", "remedy", "api_version"]


def interface(private: str, public: str) -> dict[str, Any]:
    return {
        "macAddress": "000D3A000001",
        "ipv4": {"ipAddress": [{"privateIpAddress": private, "publicIpAddress": public}]},
    }


def document(public: str = "") -> dict[str, Any]:
    return {
        "compute": {"name": "web-1"},
        "network": {"interface": [interface("10.1.0.9", ""), interface("10.0.0.4", public)]},
    }


BALANCED = {
    "loadbalancer": {"publicIpAddresses": [{"frontendIpAddress": "198.51.100.9", "privateIpAddress": "10.0.0.4"}]}
}


def no_disks(_listed: Any) -> Any:
    raise disks.UnreadableError("unreadable", "/sys/dev/block")


def gathered(patch: Any, world: World, azure: bool = True, **settings: Any) -> tuple[dict[str, Any], list[str]]:
    patch.setattr(platform, "detect", lambda tag: platform.Detection(azure, tag or "tag", "here"))
    patch.setattr(guest, "nics", lambda: {"00:0d:3a:00:00:01": {"device": "eth0"}})
    patch.setattr(guest, "default_device", lambda: "eth0")
    patch.setattr(guest, "disks", no_disks)
    patch.setattr(client, "Client", world.client)
    return gather.gather(Settings(**settings))


def test_facts_of_an_azure_vm_come_from_the_document(monkeypatch: Any) -> None:
    world = World([said(200, document("203.0.113.7"))])
    fact, warnings = gathered(monkeypatch, world)
    assert [fact[name] for name in HEAD] == [True, "ok", None, "2025-04-07"]
    assert (fact["name"], fact["private_ip"], fact["public_ip"]) == ("web-1", "10.0.0.4", "203.0.113.7")
    assert fact["network"]["primary"]["device"] == "eth0"
    assert warnings == []
    meta = fact["meta"]
    assert (meta["message"], meta["requests"], len(meta["attempts"])) == ("IMDS answered.", 1, 1)
    assert meta["detection"] == {"azure": True, "chassis_asset_tag": "tag", "source": "here", "mode": "auto"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", meta["collected_at"])
    assert meta["elapsed"] >= 0


def test_off_azure_nothing_is_asked(monkeypatch: Any) -> None:
    world = World([said(200, document())])
    fact, warnings = gathered(monkeypatch, world, azure=False, chassis_asset_tag="NA")
    assert [fact[name] for name in HEAD] == [False, "not_azure", REASONS["not_azure"].remedy, None]
    assert {name: value for name, value in fact.items() if name not in (*HEAD, "meta")} == blank()
    assert (fact["meta"]["requests"], fact["meta"]["attempts"], world.requests) == (0, [], [])
    assert fact["meta"]["detection"] == {"azure": False, "chassis_asset_tag": "NA", "source": "here", "mode": "auto"}
    assert warnings == []


def test_force_asks_anyway(monkeypatch: Any) -> None:
    fact, _warnings = gathered(monkeypatch, World([said(200, document())]), azure=False, detect="force")
    assert (fact["available"], fact["meta"]["detection"]["azure"], fact["meta"]["detection"]["mode"]) == (
        True,
        False,
        "force",
    )


def test_a_miss_has_the_shape_of_a_hit(monkeypatch: Any) -> None:
    hit = gathered(monkeypatch, World([said(200, document())]))[0]
    off = gathered(monkeypatch, World([]), azure=False)[0]
    miss = gathered(monkeypatch, World([said(403, b"blocked by policy")]))[0]
    assert list(hit) == list(miss) == list(off)
    assert list(hit["meta"]) == list(miss["meta"]) == list(off["meta"])
    assert [miss[name] for name in HEAD] == [False, "forbidden", REASONS["forbidden"].remedy, None]
    assert "blocked by policy" in miss["meta"]["message"]
    assert (miss["meta"]["requests"], len(miss["meta"]["attempts"])) == (1, 1)
    json.dumps([hit, miss, off], allow_nan=False)


@pytest.mark.parametrize(
    ("public", "wanted", "answer", "found", "requests", "warns"),
    [
        ("203.0.113.7", True, said(200, BALANCED), ("203.0.113.7", "instance"), 1, False),
        ("", False, said(200, BALANCED), (None, None), 1, False),
        ("", True, said(200, BALANCED), ("198.51.100.9", "load_balancer"), 2, False),
        ("", True, said(200, {"loadbalancer": {}}), (None, None), 2, False),
        ("", True, said(404, b"No load balancer metadata is found."), (None, None), 2, False),
        ("", True, said(403), (None, None), 2, True),
        ("", True, said(200, b"[]"), (None, None), 3, True),
        ("", True, failed("too_large"), (None, None), 2, True),
    ],
)
def test_the_load_balancer_gives_the_public_address(
    monkeypatch: Any, public: str, wanted: bool, answer: Any, found: Any, requests: int, warns: bool
) -> None:
    world = World([said(200, document(public)), answer])
    fact, warnings = gathered(monkeypatch, world, load_balancer=wanted)
    assert fact["available"]
    assert (fact["public_ip"], fact["public_ip_source"]) == found
    assert fact["meta"]["requests"] == len(world.requests) == requests
    assert bool(warnings) == warns


# --- disks ------------------------------------------------------------------------------------------------------------


def disk(name: str, controller: str, unit: int) -> disks.Disk:
    found = disks.Disk(name, "")
    found.transport, found.controller, found.unit, found.size = "scsi", controller, unit, 32 << 30
    return found


FIRST, DATA = ("{f8b3781a-1e82-4818-a1c3-63d806ec15bb}", "{f8b3781b-1e82-4818-a1c3-63d806ec15bb}")
FOUND = [disk("sda", FIRST, 0), disk("sdb", DATA, 1)]


def with_disks(patch: Any, storage: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    sent = document()
    sent["compute"]["storageProfile"] = storage
    world = World([said(200, sent)])
    patch.setattr(guest, "disks", lambda _listed: (FOUND, None))
    patch.setattr(platform, "detect", lambda tag: platform.Detection(True, tag, "here"))
    patch.setattr(client, "Client", world.client)
    return gather.gather(Settings())


def test_disks_have_their_devices(monkeypatch: Any) -> None:
    fact, warnings = with_disks(monkeypatch, {"osDisk": {"name": "os"}, "dataDisks": [{"lun": "1"}]})
    storage = fact["storage"]
    assert (storage["os_disk"]["device"]["path"], storage["data_disks"][0]["device"]["path"]) == (
        "/dev/sda",
        "/dev/sdb",
    )
    assert fact["meta"]["disks"] == {"reason": None, "message": None}
    assert warnings == []


def test_contradictions_are_warnings_too(monkeypatch: Any) -> None:
    fact, warnings = with_disks(monkeypatch, {"dataDisks": [{"lun": "0"}]})
    assert [one["code"] for one in fact["storage"]["contradictions"]] == ["missing_device", "unknown_to_imds"]
    assert len(warnings) == 1
    assert all(one["message"] in warnings[0] for one in fact["storage"]["contradictions"])


def test_a_version_that_lists_no_data_disks_contradicts_nothing(monkeypatch: Any) -> None:
    fact, warnings = with_disks(monkeypatch, {})
    assert (fact["storage"]["contradictions"], warnings) == ([], [])


def test_why_disks_were_not_read_is_in_meta(monkeypatch: Any) -> None:
    fact, warnings = gathered(monkeypatch, World([said(200, document())]))
    assert fact["meta"]["disks"] == {
        "reason": "unreadable",
        "message": "The guest's devices can't be listed. (/sys/dev/block)",
    }
    assert fact["storage"]["os_disk"]["device"] is None
    assert warnings == []
    assert gathered(monkeypatch, World([]), azure=False)[0]["meta"]["disks"]["reason"] == "not_read"


def test_unavailable_is_complete() -> None:
    fact = gather.unavailable("malformed", "what it was")
    assert (fact["available"], fact["reason"]) == (False, "malformed")
    assert "what it was" in fact["meta"]["message"]
    assert set(blank()) < set(fact)
