# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults of IMDS: the twin says what the Python module says, under PowerShell and through all of Ansible."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.modules import azure_imds_attest, azure_imds_facts
from ansible_collections.imds.azure.tests.powershell.plays import Controller
from ansible_collections.imds.azure.tests.powershell.session import Session
from ansible_collections.imds.azure.tests.scenarios.busy_port import busy_port, later
from ansible_collections.imds.azure.tests.scenarios.imds.faults import LASTING
from ansible_collections.imds.azure.tests.scenarios.module_runner import run
from ansible_collections.imds.azure.tests.scenarios.running_emulator import start
from ansible_collections.imds.azure.tests.windows.core import comparable

# A fault for each reason there is.
REASONS = {reason: name for name, (_fault, reason) in LASTING.items()}

# What each of those meets in turn.
MODULES: list[tuple[str, dict[str, Any]]] = [
    ("azure_imds_facts", {}),
    ("azure_imds_info", {"required": False}),
    ("azure_imds_info", {"required": True}),
    ("azure_imds_facts", {"required": True}),
]

# How often it is tried depends on the machine, as no clock is turned here; how the last try failed does not. Some of
# the Linux hosts need no module.
VARYING = {"attempts", "requests", "delivery"}


def settled(value: Any) -> Any:
    """What of a result has to be the same, without what depends on the number of tries."""

    def without(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: without(inner) for key, inner in part.items() if key not in VARYING}
        return part

    return without(comparable(value))


@contextmanager
def faulty(name: str, path: str = "/metadata/instance") -> Iterator[dict[str, Any]]:
    """The options that lead to an IMDS with that fault."""
    fault, reason = LASTING[name]
    with start([{"name": "web-1", "limiter": False}]) as imds:
        imds.fault(path=path, **fault)
        slow = {"read_timeout": 0.3} if reason == "read_timeout" else {}
        yield {"endpoint": imds.url, "detect": "force", "chassis_asset_tag": "none", **slow}


def told_by_both(name: str, path: str, ask: Callable[[dict[str, Any]], tuple[Any, Any]]) -> dict[str, Any]:
    """What PowerShell says of the fault, which is what Python says.

    A busy machine may cut the last try of either off at the deadline. Then both have another chance, and more time.
    """
    for patience in (1.0, 2.0, 4.0):
        # All of the versions that are tried take their time.
        seconds = patience * (5.0 if LASTING[name][1] == "bad_version" else 1.0)
        with faulty(name, path) as asked:
            expected, found = ask({**asked, "timeout": seconds, "updating_timeout": seconds})
        expected.pop("invocation", None)
        if settled({"changed": False, **expected}) == settled(found):
            break
    assert settled({"changed": False, **expected}) == settled(found)
    told: dict[str, Any] = found
    return told


@pytest.mark.parametrize("name", LASTING)
def test_facts_under_powershell(session: Session, capsys: Any, name: str) -> None:
    def ask(options: dict[str, Any]) -> tuple[Any, Any]:
        return run(capsys, azure_imds_facts, **options), session.run("azure_imds_facts_windows", options)

    fact = told_by_both(name, "/metadata/instance", ask)["ansible_facts"]["azure_imds"]
    assert (fact["available"], fact["reason"]) == (False, LASTING[name][1])


@pytest.mark.parametrize("name", LASTING)
def test_attestation_under_powershell(session: Session, capsys: Any, name: str) -> None:
    def ask(options: dict[str, Any]) -> tuple[Any, Any]:
        asked = {**options, "nonce": "0123456789"}
        return run(capsys, azure_imds_attest, **asked), session.run("azure_imds_attest_windows", asked)

    found = told_by_both(name, "/metadata/attested/document", ask)
    assert (found["failed"], found["reason"], found["verified"]) == (True, LASTING[name][1], False)


def test_a_refusal_that_windows_reports_late(session: Session) -> None:
    with busy_port() as (address, port):
        asked = {"endpoint": f"http://{address[0]}:{address[1]}", "detect": "force", "timeout": 6}
        with later(2.1, port, accept=False):
            found = session.run("azure_imds_info_windows", {**asked, "required": False})
    assert found["reason"] == "refused"
    assert {attempt["outcome"] for attempt in found["attempts"]} == {"refused"}


def test_through_ansible(controller: Controller) -> None:
    hosts: dict[str, dict[str, Any]] = {}
    with ExitStack() as stack:
        for number, (reason, name) in enumerate(REASONS.items()):
            module, options = MODULES[number % len(MODULES)]
            asked = {**stack.enter_context(faulty(name)), "timeout": 4, "updating_timeout": 4, **options}
            case = {"module": f"imds.azure.{module}", "options": asked}
            hosts[f"windows: {reason}"] = {**controller.windows(), **case}
            hosts[f"linux: {reason}"] = {**controller.linux(), **case}
        ask = {"name": "Ask", "action": {"module": "{{ module }}"}, "args": "{{ options }}", "ignore_errors": True}
        found = controller.play(hosts, [{"hosts": "all", "gather_facts": False, "tasks": [ask]}])
    for reason in REASONS:
        result, expected = found[f"windows: {reason}", "Ask"], found[f"linux: {reason}", "Ask"]
        assert settled(result) == settled(expected)
        fact = result["ansible_facts"]["azure_imds"] if "ansible_facts" in result else result
        assert (fact["reason"], fact["meta"]["delivery"]) == (reason, "module")
        assert bool(result.get("failed")) == ("msg" in result)
