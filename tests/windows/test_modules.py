# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The modules of both cores, against the emulator over real HTTP: same options, same faults, same result."""

from __future__ import annotations

import functools
import os
import socket
import sys
import time
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.imds.azure.plugins.module_utils._imds import client as client_module
from ansible_collections.imds.azure.plugins.module_utils._imds import (
    guest,
    platform,
    run_attest,
    run_info,
    versions,
)
from ansible_collections.imds.azure.plugins.modules import azure_imds_attest, azure_imds_facts, azure_imds_info
from ansible_collections.imds.azure.plugins.plugin_utils._windows_guest import Adapter, WindowsGuest
from ansible_collections.imds.azure.tests.scenarios.imds.environments import ENVIRONMENTS
from ansible_collections.imds.azure.tests.scenarios.imds.faults import LASTING
from ansible_collections.imds.azure.tests.scenarios.module_runner import argument_spec, run
from ansible_collections.imds.azure.tests.scenarios.running_emulator import Running
from ansible_collections.imds.azure.tests.scenarios.running_emulator import start as start_emulator
from ansible_collections.imds.azure.tests.scenarios.scripted_server import ScriptedServer, http, send
from ansible_collections.imds.azure.tests.scenarios.windows_disks import HOSTS, MLX5, NETVSC, report, rows
from ansible_collections.imds.azure.tests.windows.core import Core, comparable, encoded
from ansible_collections.imds.azure.tests.windows.firmware import enclosure, system, table
from azure_imds_emulator.vms import profile_names

MODULES = {"azure_imds_facts": azure_imds_facts, "azure_imds_info": azure_imds_info}
ATTEST = "azure_imds_attest"
ALL = {**MODULES, ATTEST: azure_imds_attest}
SPECS: dict[str, dict[str, Any]] = {
    "azure_imds_facts": {
        "required": False,
        "include_user_data": False,
        "include_public_keys": False,
        "load_balancer": False,
    },
    "azure_imds_info": {"path": "instance", "required": True},
    ATTEST: {name: option.get("default") for name, option in argument_spec(azure_imds_attest).items()},
}
TIMES = {"connect_timeout": 2.0, "read_timeout": 10.0, "timeout": 30.0, "updating_timeout": 100.0}
COMMON: dict[str, Any] = {"detect": "auto", "api_version": None, "chassis_asset_tag": None, **TIMES}

# The guest, as both cores are told of it.
MAC = "00:0d:3a:00:00:01"
DEVICE = "Ethernet"
DEFAULT_ADDRESS = "10.9.0.4"
GUEST = HOSTS["attached and not seen, detached and still listed"]
NICS = [NETVSC, MLX5]

Both = Callable[..., dict[str, Any]]


class Skipping:
    """A clock that is turned instead of waiting."""

    def __init__(self) -> None:
        self._skipped = 0.0

    def clock(self) -> float:
        return time.monotonic() + self._skipped

    def sleep(self, seconds: float) -> None:
        self._skipped += seconds


def _at_any_speed(result: dict[str, Any]) -> dict[str, Any]:
    """Without the warning that it took long, which depends on what else this machine does."""
    warnings = [warning for warning in result.get("warnings", ()) if not warning.startswith("Asking IMDS took")]
    others = {key: value for key, value in result.items() if key != "warnings"}
    return {**others, **({"warnings": warnings} if warnings else {})}


@pytest.fixture
def both(core: Core, monkeypatch: Any, tmp_path: Path, capsys: Any) -> Both:
    """Run a module on both cores; its result, after a look that it is the same."""
    monkeypatch.setattr(platform, "_DMI", f"{tmp_path}/")
    monkeypatch.setattr(sys, "platform", "linux")
    twin = WindowsGuest([Adapter(DEVICE, MAC, True, [DEFAULT_ADDRESS])], DEFAULT_ADDRESS, rows(GUEST, NICS))
    monkeypatch.setattr(guest, "nics", twin.nics)
    monkeypatch.setattr(guest, "disks", twin.disks)
    monkeypatch.setattr(guest, "default_device", lambda: DEVICE)
    monkeypatch.setattr(guest, "addresses", lambda: [DEFAULT_ADDRESS])
    # No chance: no jitter.
    monkeypatch.setattr(client_module, "os", types.SimpleNamespace(urandom=bytes))
    time_machine = Skipping()
    patched = functools.partial(client_module.Client, clock=time_machine.clock, sleep=time_machine.sleep)
    monkeypatch.setattr(client_module, "Client", patched)
    monkeypatch.setattr(run_info, "Client", patched)
    monkeypatch.setattr(run_attest, "Client", patched)

    def run_both(
        name: str,
        tag: str | None = None,
        uuid: bytes | None = None,
        before: Callable[[], object] = lambda: None,
        **options: Any,
    ) -> dict[str, Any]:
        for file, text in (("chassis_asset_tag", tag), ("product_uuid", uuid.hex() if uuid else None)):
            if text is not None:
                (tmp_path / file).write_text(text)
        before()
        expected = run(capsys, ALL[name], **options)
        expected.pop("invocation", None)
        before()
        found = core(
            "module",
            name=name,
            params={**COMMON, **SPECS[name], **options},
            firmware=None if tag is None else encoded(table(system(uuid or bytes(16)), enclosure(tag.encode()))),
            interfaces=[{"name": DEVICE, "mac": MAC, "up": True, "addresses": [DEFAULT_ADDRESS]}],
            default_address=DEFAULT_ADDRESS,
            devices=report(GUEST, NICS),
        )
        result = {**found["result"], **({"warnings": found["warnings"]} if found["warnings"] else {})}
        if found["failure"]:
            result.update(failed=True, msg=found["failure"])
        assert comparable(_at_any_speed(result)) == comparable(_at_any_speed(expected))
        return result

    return run_both


def fact(result: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = result["ansible_facts"]["azure_imds"]
    return found


@pytest.fixture
def imds() -> Iterator[Running]:
    with start_emulator() as running:
        yield running


def asked(imds: Running) -> list[Any]:
    """What was asked for so far."""
    return [(entry["method"], entry["path"], entry["query"]) for entry in imds.requests()]


def half(entries: list[Any]) -> list[Any]:
    """The first half, after a look that the second is the same: one core asked after the other."""
    middle = len(entries) // 2
    assert entries[:middle] == entries[middle:]
    return entries[:middle]


# --- documents ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", profile_names())
def test_every_version_of_every_profile(both: Both, profile: str) -> None:
    with start_emulator([{"name": "web-1", "profile": profile, "limiter": False}]) as imds:
        for version in versions.INSTANCE:
            options = {"endpoint": imds.url, "detect": "force", "api_version": version}
            found = fact(both("azure_imds_facts", load_balancer=True, **options))
            assert (found["available"], found["api_version"]) == (True, version)
            content = both("azure_imds_info", **options)["content"]
            assert content["network"]
        everything = both(
            "azure_imds_facts",
            endpoint=imds.url,
            detect="force",
            include_user_data=True,
            include_public_keys=True,
        )
        assert fact(everything)["api_version"] == versions.LADDER[0]


PATHS = [
    *(
        "instance/compute",
        "instance/compute/name",
        "instance/compute/tagsList/0",
        "instance/network/interface/0/macAddress",
    ),
    *("instance/compute/nothing", "versions", "loadbalancer", "attested/document", "instance/network/interface/9"),
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("required", [False, True])
def test_both_cores_read_each_path(both: Both, imds: Running, path: str, required: bool) -> None:
    imds.emulator.vms.replace([{"name": "web-1", "limiter": False}])
    if path == "attested/document":  # signed anew at each request
        imds.fault(body={"encoding": "pkcs7", "signature": "MII="})
    both("azure_imds_info", endpoint=imds.url, detect="force", path=path, required=required)
    half(asked(imds))


def test_the_load_balancers_address(both: Both) -> None:
    entry = {"frontendIpAddress": "198.51.100.9", "privateIpAddress": "10.0.0.4"}
    vm = {
        "name": "web-1",
        "overrides": {
            "network": {
                "interface": [
                    {
                        "ipv4": {"ipAddress": [{"privateIpAddress": "10.0.0.4", "publicIpAddress": ""}], "subnet": []},
                        "macAddress": MAC.replace(":", "").upper(),
                    }
                ]
            }
        },
        "loadbalancer": {"publicIpAddresses": [entry]},
        "limiter": False,
    }
    with start_emulator([vm]) as imds:
        options = {"endpoint": imds.url, "detect": "force", "load_balancer": True}
        found = fact(both("azure_imds_facts", **options))
        assert (found["public_ip"], found["public_ip_source"]) == ("198.51.100.9", "load_balancer")
        assert found["network"]["primary"]["device"] == DEVICE
        imds.fault(path="/metadata/loadbalancer", status=403)
        assert both("azure_imds_facts", **options)["warnings"]


# --- faults ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LASTING)
def test_faults_that_last(both: Both, imds: Running, name: str) -> None:
    fault, reason = LASTING[name]
    imds.fault(path="/metadata/instance", **fault)
    slow = {"read_timeout": 0.2} if reason == "read_timeout" else {}
    found = fact(both("azure_imds_facts", endpoint=imds.url, detect="force", **slow))
    assert (found["available"], found["reason"]) == (False, reason)
    assert found["meta"]["requests"] == len(half(asked(imds)))


@pytest.mark.parametrize("name", [name for name in LASTING if LASTING[name][1] != "read_timeout"])
def test_faults_that_pass(both: Both, imds: Running, name: str) -> None:
    fault, _reason = LASTING[name]
    imds.emulator.vms.replace([{"name": "web-1", "limiter": False}])
    for module in MODULES:
        both(
            module,
            before=lambda: imds.fault(path="/metadata/instance", **fault, count=1),
            endpoint=imds.url,
            detect="force",
            required=False,
        )
    half(asked(imds))


@pytest.mark.parametrize("required", [False, True])
@pytest.mark.parametrize("name", ["403", "410", "html", "too large"])
def test_a_failure_says_the_same(both: Both, imds: Running, name: str, required: bool) -> None:
    imds.fault(**LASTING[name][0])
    for module in MODULES:
        result = both(module, endpoint=imds.url, detect="force", required=required)
        assert bool(result.get("failed")) == required


def test_both_cores_are_refused_by_a_closed_port(both: Both) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{taken.getsockname()[1]}"
        found = fact(both("azure_imds_facts", endpoint=endpoint, detect="force"))
    assert found["reason"] == "refused"


def test_the_limit_of_5_requests_a_second(both: Both, imds: Running) -> None:
    for number in range(3):
        found = fact(both("azure_imds_facts", endpoint=imds.url, detect="force"))
        assert found["available"], number


# --- attestation: fetched and handed back ---------------------------------------------------------------------------

NONCE = "0123456789abcdef0123456789ABCD-_"
EVIDENCE = {"encoding": "pkcs7", "signature": "MII="}  # the emulator signs anew at each request


@pytest.mark.parametrize("version", [None, *versions.INSTANCE])
def test_evidence_of_every_version(both: Both, imds: Running, version: str | None) -> None:
    imds.emulator.vms.replace([{"name": "web-1", "limiter": False}])
    since = version is None or version >= versions.ATTESTED_SINCE
    if since:
        imds.fault(path="/metadata/attested/document", body=EVIDENCE)
    pinned = {"api_version": version} if version else {}
    result = both(ATTEST, endpoint=imds.url, detect="force", nonce=NONCE, **pinned)
    used = version or versions.LADDER[0]
    assert set(half(asked(imds))) == {("GET", "/metadata/attested/document", f"api-version={used}&nonce={NONCE}")}
    if since:
        assert (result["verified"], result["evidence"], result["api_version"]) == (False, EVIDENCE, used)
    else:
        assert (result["failed"], result["verified"], result["reason"]) == (True, False, "not_found")


@pytest.mark.parametrize("name", LASTING)
def test_no_evidence(both: Both, imds: Running, name: str) -> None:
    fault, reason = LASTING[name]
    imds.fault(path="/metadata/attested/document", **fault)
    slow = {"read_timeout": 0.2} if reason == "read_timeout" else {}
    result = both(ATTEST, endpoint=imds.url, detect="force", nonce=NONCE, **slow)
    assert (result["failed"], result["verified"], result["reason"]) == (True, False, reason)
    assert result["attempts"]
    half(asked(imds))


@pytest.mark.parametrize("name", [name for name in LASTING if LASTING[name][1] != "read_timeout"])
def test_evidence_after_a_fault(both: Both, imds: Running, name: str) -> None:
    imds.emulator.vms.replace([{"name": "web-1", "limiter": False}])

    def before() -> None:
        imds.control("DELETE", "/faults")
        imds.fault(path="/metadata/attested/document", **LASTING[name][0], count=1)
        imds.fault(path="/metadata/attested/document", body=EVIDENCE)

    both(ATTEST, before=before, endpoint=imds.url, detect="force", nonce=NONCE)
    half(asked(imds))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"document": "MII="},
        {"document": {}, "nonce": NONCE},
        {"document": "", "nonce": "a b"},
        {"nonce": ""},
        {"nonce": "x" * 33},
        {"nonce": "a&b"},
        {"nonce": "it's\n"},
        {"nonce": NONCE, "chassis_asset_tag": "elsewhere", "detect": "auto"},
    ],
    ids=str,
)
def test_nothing_is_asked_for_evidence(both: Both, imds: Running, options: dict[str, Any]) -> None:
    result = both(ATTEST, **{"endpoint": imds.url, "detect": "force", **options})
    assert result["failed"]
    assert not imds.requests()


# --- the platform ---------------------------------------------------------------------------------------------------

TAG = platform.AZURE_CHASSIS_ASSET_TAG


@pytest.mark.parametrize("tag", [TAG, "Default string", TAG[:-1], "", None])
@pytest.mark.parametrize("option", [None, TAG, "NA"])
@pytest.mark.parametrize("detect", ["auto", "force"])
def test_the_chassis_asset_tag_decides(
    both: Both, imds: Running, tag: str | None, option: str | None, detect: str
) -> None:
    for module in MODULES:
        both(module, tag=tag, endpoint=imds.url, detect=detect, chassis_asset_tag=option, required=False)
    azure = TAG in (option, tag)
    assert bool(imds.requests()) == (azure or detect == "force")


def test_without_firmware_the_platform_is_unknown(both: Both, imds: Running) -> None:
    assert fact(both("azure_imds_facts", endpoint=imds.url))["reason"] == "unknown_platform"
    assert both("azure_imds_info", endpoint=imds.url, required=True)["reason"] == "unknown_platform"
    assert not imds.requests()


@pytest.mark.parametrize("mine", [True, False])
@pytest.mark.parametrize("swapped", [True, False])
def test_another_machines_document(both: Both, imds: Running, mine: bool, swapped: bool) -> None:
    uuid = bytes.fromhex(imds.instance("/compute/vmId", more="&format=text").body.decode().replace("-", ""))
    uuid = uuid if mine else uuid[::-1]
    uuid = uuid[3::-1] + uuid[5:3:-1] + uuid[7:5:-1] + uuid[8:] if swapped else uuid
    found = fact(both("azure_imds_facts", tag=TAG, uuid=uuid, endpoint=imds.url))
    assert found["reason"] == ("ok" if mine else "intercepted")


# --- versions of the future ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize(("version", "warned"), [("2025-07-24", False), ("2099-01-01", True)])
def test_an_unknown_version_is_asked_for_with_a_warning(
    both: Both, imds: Running, module: str, version: str, warned: bool
) -> None:
    result = both(module, endpoint=imds.url, detect="force", api_version=version, required=False)
    assert len(result.get("warnings", [])) == warned
    assert imds.requests()[0]["query"] == f"api-version={version}"


# --- bad options ----------------------------------------------------------------------------------------------------

BAD: list[dict[str, Any]] = [
    {"endpoint": "https://127.0.0.1"},
    {"endpoint": "http://metadata"},
    {"endpoint": "http://10.0.0.1"},
    {"endpoint": "http://127.0.0.1:0"},
    {"endpoint": "it's"},
    {"api_version": "2025-04"},
    {"timeout": 0.0},
    {"timeout": 3601.5},
    {"read_timeout": -1.0},
    {"connect_timeout": 1e-400},
    {"updating_timeout": 1e30},
]


@pytest.mark.parametrize("options", BAD, ids=str)
@pytest.mark.parametrize("module", ALL)
def test_bad_options(both: Both, options: dict[str, Any], module: str) -> None:
    result = both(module, **({"nonce": NONCE} if module == ATTEST else {}), **options)
    assert result["failed"]
    assert result["msg"].startswith(next(iter(options)) + ": ")


@pytest.mark.parametrize("path", ["", "identity/oauth2/token", "instance/..", "instance?x", "wireserver", "ü"])
def test_bad_paths(both: Both, path: str) -> None:
    assert both("azure_imds_info", path=path)["msg"].startswith("path: ")


# --- a hostile environment ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_hostile_environments_change_nothing(program: Path, imds: Running, tmp_path: Path, name: str) -> None:
    proxy = ScriptedServer(send(http(b"<html>proxy</html>", Content_Type="text/html")))
    hostile = {key: value.replace("PROXY", proxy.endpoint) for key, value in ENVIRONMENTS[name].items()}
    environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(tmp_path), **hostile}
    params = {**COMMON, **SPECS["azure_imds_facts"], "endpoint": imds.url, "detect": "force"}
    with proxy, Core(program, environment) as core:
        found = core("module", name="azure_imds_facts", params=params)
    assert fact(found["result"])["available"]
    assert proxy.connections == 0
    (entry,) = imds.requests()
    names = {header.lower() for header in entry["headers"]}
    assert not names & {"x-forwarded-for", "authorization", "proxy-authorization", "proxy-connection"}
