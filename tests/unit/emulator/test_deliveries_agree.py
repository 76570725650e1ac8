# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One command and the ordinary module give the same result, whatever the documents, the faults and the options."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.imds.azure.plugins.action import azure_imds_attest as attest_action
from ansible_collections.imds.azure.plugins.action import azure_imds_facts as facts_action
from ansible_collections.imds.azure.plugins.action import azure_imds_info as info_action
from ansible_collections.imds.azure.plugins.action import azure_imds_scheduled_events_info as events_action
from ansible_collections.imds.azure.plugins.module_utils._imds import versions
from ansible_collections.imds.azure.plugins.modules import (
    azure_imds_attest,
    azure_imds_facts,
    azure_imds_info,
    azure_imds_scheduled_events_info,
)
from ansible_collections.imds.azure.tests.scenarios.imds.events import NOW
from ansible_collections.imds.azure.tests.scenarios.imds.faults import LASTING
from ansible_collections.imds.azure.tests.scenarios.module_runner import run
from ansible_collections.imds.azure.tests.scenarios.quick_host import QuickHost
from ansible_collections.imds.azure.tests.scenarios.running_emulator import Connection, Running, start
from azure_imds_emulator.vms import profile_names

TASKS: dict[str, tuple[Any, Any]] = {
    "azure_imds_facts": (facts_action, azure_imds_facts),
    "azure_imds_info": (info_action, azure_imds_info),
    "azure_imds_scheduled_events_info": (events_action, azure_imds_scheduled_events_info),
}
# What a run says about itself.
OF_THE_RUN = {"elapsed", "collected_at", "delivery"}

Both = Callable[..., dict[str, Any]]


def comparable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: comparable(inner) for key, inner in value.items() if key not in OF_THE_RUN}
    return [comparable(inner) for inner in value] if isinstance(value, list) else value


@pytest.fixture
def both(capsys: pytest.CaptureFixture[str]) -> Both:
    """A task's result, after a look that both ways have the same."""

    def run_both(name: str, before: Callable[[], object] = lambda: None, **options: Any) -> dict[str, Any]:
        action, module = TASKS[name]
        before()
        expected = run(capsys, module, **options, _ansible_module_name=f"imds.azure.{name}")
        before()
        host = QuickHost(action, f"imds.azure.{name}", **options)
        host.task_vars["ansible_inject_invocation"] = "invocation" in expected
        result = host.run()
        assert not host.modules, host.said
        assert comparable(result) == comparable({"changed": False, **expected})
        return result

    return run_both


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    with start([{"name": "web-1", "limiter": False}]) as running:
        yield running


@pytest.fixture
def imds(emulator: Running) -> Iterator[Running]:
    yield emulator
    emulator.control("DELETE", "/faults")


def fact(result: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = result["ansible_facts"]["azure_imds"]
    return found


@pytest.mark.parametrize("profile", profile_names())
def test_every_profile(both: Both, profile: str) -> None:
    with start([{"name": "web-1", "profile": profile, "limiter": False}]) as running:
        found = fact(both("azure_imds_facts", endpoint=running.url, detect="force", load_balancer=True))
        assert (found["available"], found["meta"]["delivery"]) == (True, "one_command")


@pytest.mark.parametrize("version", [*versions.INSTANCE[::6], "2099-01-01", "nonsense"])
def test_versions(both: Both, imds: Running, version: str) -> None:
    both("azure_imds_facts", endpoint=imds.url, detect="force", api_version=version)


@pytest.mark.parametrize(
    "options",
    [
        {"include_user_data": True, "include_public_keys": True},
        {"detect": "auto", "chassis_asset_tag": "none"},
        {"detect": "auto", "chassis_asset_tag": "none", "required": True},
        {"timeout": "soon"},
        {"timeout": -1},
        {"detect": "maybe"},
        {"endpoint": "https://127.0.0.1"},
        {"endpoint": ["http://127.0.0.1"]},
        {"include_user_data": "sometimes"},
        {"nonsense": 1},
        {"nonsense": 1, "detekt": 2},
    ],
    ids=str,
)
def test_options(both: Both, imds: Running, options: dict[str, Any]) -> None:
    both("azure_imds_facts", **{"endpoint": imds.url, "detect": "force", **options})


@pytest.mark.parametrize("path", ["instance", "instance/compute/name", "versions", "instance/nothing", "../x", ""])
def test_paths(both: Both, imds: Running, path: str) -> None:
    both("azure_imds_info", endpoint=imds.url, detect="force", path=path, required=path != "instance/nothing")


@pytest.mark.parametrize("name", [name for name in LASTING if LASTING[name][1] != "read_timeout"])
def test_faults(both: Both, imds: Running, name: str) -> None:
    fault, reason = LASTING[name]
    imds.fault(path="/metadata/instance", **fault)
    # So short that nothing is tried twice, except another version.
    limit = 5.0 if reason == "bad_version" else 0.2
    found = fact(both("azure_imds_facts", endpoint=imds.url, detect="force", timeout=limit, updating_timeout=limit))
    assert (found["available"], found["reason"]) == (False, reason)


def test_faults_that_take_time(both: Both, imds: Running) -> None:
    imds.fault(path="/metadata/instance", delay=1)
    result = both("azure_imds_facts", endpoint=imds.url, detect="force", read_timeout=0.1, timeout=0.2, required=True)
    assert (result["failed"], result["reason"], result["meta"]["delivery"]) == (True, "read_timeout", "one_command")


@pytest.mark.parametrize(
    "options",
    [{}, {"event_types": ["Reboot"], "within": 60}, {"mine": False}, {"event_ids": "x"}, {"within": -1}],
    ids=str,
)
def test_scheduled_events(both: Both, options: dict[str, Any]) -> None:
    with start([{"name": "web-1", "limiter": False}], clock=lambda: NOW) as running:
        assert running.control("POST", "/events", {"scenario": "user-reboot"})[0] == 200
        both("azure_imds_scheduled_events_info", endpoint=running.url, detect="force", **options)


def test_no_scheduled_events(both: Both, imds: Running) -> None:
    imds.fault(path="/metadata/scheduledevents", status=403)
    for required in (True, False):
        result = both("azure_imds_scheduled_events_info", endpoint=imds.url, detect="force", required=required)
        assert (bool(result.get("failed")), result["reason"]) == (required, "forbidden")


# --- attestation ----------------------------------------------------------------------------------------------------


@pytest.fixture
def attested_both(capsys: pytest.CaptureFixture[str], imds: Running, tmp_path: Path) -> Both:
    """The same for azure_imds_attest, whose module only fetches."""
    trust: dict[str, Any] = {"builtin_anchors": False, "fetch_intermediates": "never"}
    for option, name in (("anchors", "root"), ("intermediates", "intermediate")):
        with Connection(imds.control_address) as connection:
            connection.send(f"GET /ca/{name}.pem HTTP/1.1\r\n\r\n".encode())
            reply = connection.reply()
        assert reply is not None
        trust[option] = str(tmp_path / f"{name}.pem")
        (tmp_path / f"{name}.pem").write_bytes(reply.body)

    def attest_both(**options: Any) -> dict[str, Any]:
        results = []
        for family in ("csh", "sh"):
            asked = {"endpoint": imds.url, "detect": "force", "nonce": "0123456789", **trust, **options}
            host = QuickHost(attest_action, attest_action.MODULE, **asked)
            host.connection._shell.SHELL_FAMILY = family
            host.run_module = lambda arguments: run(capsys, azure_imds_attest, **arguments)
            results.append(host.run())
            assert bool(host.modules) == (family == "csh"), host.said
        deliveries = [result.get("meta", {}).get("delivery") for result in results]
        assert deliveries == ["module", "one_command"]
        assert results[0].keys() == results[1].keys()
        return results[1]

    return attest_both


def test_an_attested_document(attested_both: Both) -> None:
    result = attested_both()
    assert (result["verified"], result["nonce_verified"], result["document"]["nonce"]) == (True, True, "0123456789")
    assert [attempt["outcome"] for attempt in result["attempts"]] == ["ok"]


@pytest.mark.parametrize("status", [403, 404, 410])
def test_no_attested_document(attested_both: Both, imds: Running, status: int) -> None:
    imds.fault(path="/metadata/attested/document", status=status)
    result = attested_both(timeout=0.2, updating_timeout=0.2)
    assert (result["failed"], result["verified"], result["attempts"][0]["status"]) == (True, False, status)
    assert result["msg"].startswith("No attested document: ")
