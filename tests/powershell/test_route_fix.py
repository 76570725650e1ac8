# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The route fix on Windows with nothing left out but the cmdlets and the kernel: action plugin, .ps1, .psm1 and C#.

Requests go to the real address over real connections, in a namespace whose kernel takes the way that Windows would.
The full matrix of failures and kills is walked under Mono, in tests/windows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._routes.options import RouteOptions
from ansible_collections.imds.azure.tests.powershell.fabric import fabric, unusable
from ansible_collections.imds.azure.tests.powershell.plays import Controller
from ansible_collections.imds.azure.tests.powershell.powershell_site import Site, environment, model, run_task
from ansible_collections.imds.azure.tests.powershell.session import EndedError, Session
from ansible_collections.imds.azure.tests.powershell.shell import pwsh
from ansible_collections.imds.azure.tests.scenarios.windows_reports import (
    BOTH_ON_LINK,
    CLUSTER,
    DHCP_VM,
    REFUSALS,
    REPAIRS,
    STATIC_DEFAULT,
    TWO_NICS,
    WANTED,
    report,
)
from ansible_collections.imds.azure.tests.windows.windows_host import AZURE, MUTATIONS, CmdletError, Row

DENIED = CmdletError("Windows System Error 5,New-NetRoute", "PermissionDenied", "Zugriff verweigert")


class Machine:
    """A site, and the PowerShell process that runs its modules; a new one where the last one was killed."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        self._directory = directory
        self._stack = stack
        (directory / "fabric").mkdir()
        self.fabric = stack.enter_context(fabric(directory / "fabric"))
        self.site = Site(self.fabric, self.run)
        self.environment = environment(directory / "model")
        stack.enter_context(model(self.site, directory / "model"))
        self._session: Session | None = None

    def run(self, module: str, arguments: Row, check_mode: bool) -> Row:
        if self._session is None:
            session = Session(pwsh(), self._directory, self.fabric.enter, self.environment)
            self._session = self._stack.enter_context(session)
        try:
            return self._session.run(module, arguments, check_mode)
        except EndedError:
            self._session = None
            raise


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    pwsh()
    reason = unusable()
    if reason:
        pytest.skip(f"{reason}: the route fix is not executed under PowerShell")
    with ExitStack() as stack:
        yield Machine(tmp_path_factory.mktemp("machine"), stack)


@pytest.fixture
def site(machine: Machine) -> Site:
    machine.site.runs.clear()
    return machine.site


# --- states: query, check mode, present, present again, absent --------------------------------------------------------


@pytest.mark.parametrize("name", REPAIRS)
def test_repairs(site: Site, name: str) -> None:
    given, options, _codes, rows = REPAIRS[name]
    site.build(given)
    before = site.host.stores()
    query = site.repair(options._replace(state="query"))
    assert (query["changed"], bool(query.get("failed")), site.runs) == (False, False, ["collect"])
    foretold = site.repair(options, check_mode=True)
    assert (site.host.stores(), site.host.changes()) == (before, [])
    site.runs.clear()
    done = site.repair(options)
    assert not done.get("failed"), done["msg"]
    assert (done["verified"], done["rolled_back"], done["changed"]) == (True, False, True)
    assert done["winner"] == foretold["predicted_winner"]
    assert (done["source"], done["proof"]["local_address"]) == ("10.0.1.10", "10.0.1.10")
    assert [row[:3] for row in site.host.host_routes()] == rows
    assert site.runs == ["collect", "apply"]
    changes = len(site.host.changes())
    again = site.repair(options)
    assert (again["changed"], again["plan"], again["verified"]) == (False, [], True)
    absent = site.repair(options._replace(state="absent"))
    assert not absent.get("failed"), absent["msg"]
    ours = [row for row in site.host.host_routes() if row[2] == "0.0.0.0"]
    assert (ours, absent["changed"]) == ([], len(site.host.changes()) > changes)
    assert not site.host.needless
    assert not list(site.fabric.journal.iterdir())


# No cmdlet that is used tells the number of compartments, and only Windows who is an administrator.
@pytest.mark.parametrize("name", [name for name in REFUSALS if name not in ("compartments", "not_elevated")])
def test_refusals(site: Site, name: str) -> None:
    given, options, code = REFUSALS[name]
    site.build({**given, "tag": "elsewhere"} if given.get("azure") is False else given, imds="silent")
    before = site.host.stores()
    done = site.repair(options)
    assert (done["failed"], done["changed"]) == (True, False)
    assert code in [one["code"] for one in done["findings"]]
    assert (site.host.stores(), site.host.changes(), site.runs) == (before, [], ["collect"])


HEALTHY = {
    "dhcp": DHCP_VM,
    "route in both stores": report([STATIC_DEFAULT, WANTED], [WANTED]),
    "route in both stores, two NICs": report([STATIC_DEFAULT, WANTED], [WANTED], **TWO_NICS),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_nothing_is_done_where_nothing_is_wrong(site: Site, name: str) -> None:
    site.build(HEALTHY[name])
    done = site.repair()
    assert (done["changed"], done["verified"], done["plan"]) == (False, True, [])
    assert (site.host.changes(), site.runs) == ([], ["collect"])


# --- what goes wrong --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("imds", ["silent", "foreign"])
def test_without_a_proof_all_is_as_it_was(site: Site, imds: str) -> None:
    for name in ("failover_cluster", "static_on_wrong_nic", "lower_secondary"):
        given, options, _codes, _rows = REPAIRS[name]
        site.build(given, imds)
        before = site.host.stores()
        done = site.repair(options._replace(mac_address="00:0d:3a:00:00:05"))
        assert (done["failed"], done["changed"], done["rolled_back"]) == (True, False, True), done["msg"]
        assert site.host.stores() == before
        assert not list(site.fabric.journal.iterdir())


@pytest.fixture(scope="module")
def walked() -> set[tuple[str, ...]]:
    """The sequences of cmdlets of which each has failed once."""
    return set()


@pytest.mark.parametrize("name", REPAIRS)
def test_a_failure_at_each_change(site: Site, walked: set[tuple[str, ...]], name: str) -> None:
    """Sequences that several states need are walked with the first of them."""
    given, options, _codes, rows = REPAIRS[name]
    site.build(given)
    assert not site.repair(options).get("failed")
    sequence = tuple(call[0] for call in site.host.changes())
    if sequence in walked:
        return
    walked.add(sequence)
    for at in range(len(sequence)):
        site.build(given)
        before = site.host.stores()
        site.host.failing = at
        done = site.repair(options)
        assert done["failed"]
        assert "Das ist schiefgegangen" in done["msg"]
        assert not site.host.needless
        if done["rolled_back"]:
            assert site.host.stores() == before
        else:  # what comes after the proof
            assert (done["verified"], done["changed"]) == (True, True)
        assert not list(site.fabric.journal.iterdir())
        assert not site.repair(options).get("failed")
        assert [row[:3] for row in site.host.host_routes()] == rows


def test_access_denied(site: Site) -> None:
    site.build(CLUSTER)
    before = site.host.stores()
    site.host.failing, site.host.failures, site.host.failure = 0, 99, DENIED
    done = site.repair()
    assert (done["failed"], done["changed"], done["rolled_back"]) == (True, False, True)
    assert "Zugriff verweigert Administrator's rights are needed." in done["msg"]
    assert site.host.stores() == before


def test_a_kill_at_each_change(site: Site) -> None:
    """The process ends as by kill -9: the next run rolls back what it began, and repairs."""
    given, options, _codes, rows = REPAIRS["static_on_wrong_nic"]
    site.build(given)
    site.repair(options)
    changes = [at for at, call in enumerate(site.host.calls) if call[0] in MUTATIONS]
    for at in changes:
        site.build(given)
        site.host.kill = at
        with pytest.raises(EndedError):
            site.repair(options)
        left = list(site.fabric.journal.iterdir())
        done = site.repair(options)
        assert not done.get("failed"), done["msg"]
        assert (done["recovered"], done["verified"]) == (bool(left), True)
        assert [row[:3] for row in site.host.host_routes()] == rows
        assert not list(site.fabric.journal.iterdir())


@pytest.mark.parametrize("part", ["Get-NetAdapter", "Get-Service", "Win32_OperatingSystem"])
def test_what_is_missing_is_named(site: Site, part: str) -> None:
    site.build(CLUSTER)
    site.host.missing = {part}
    query = site.repair(RouteOptions(state="query"))
    assert [error for error in query["errors"] if f"{part}: The term '{part}' is not recognized" in error]


def test_a_host_without_the_cmdlets(session: Session) -> None:
    """All of it runs, each cmdlet is missed by itself, and the host is refused for what it is."""
    said = run_task(session.run, state="query", chassis_asset_tag="elsewhere")["msg"]
    assert "Windows Server 2012 or newer is needed" in said
    for part in ("routes.active: Get-NetRoute", "adapters: Get-NetAdapter", "find_route: Find-NetRoute"):
        assert part in said


# --- through all of Ansible -------------------------------------------------------------------------------------------


def test_through_ansible(machine: Machine, controller: Controller) -> None:
    machine.site.build(CLUSTER)
    before = machine.site.host.stores()
    # Text, under a language with a decimal comma; the default endpoint.
    options = {"verify_timeout": "0.5", "verify_retries": "0", "chassis_asset_tag": "{{ tag }}"}
    module = "imds.azure.azure_imds_route_fix"

    def task(name: str, called: str = module, **more: Any) -> Row:
        return {"name": name, called: {**options, **more}}

    tasks = [
        task("query", state="query"),
        {**task("check"), "check_mode": True},
        task("present"),
        task("again", f"{module}_windows"),
        task("absent", state="absent"),
    ]
    seen: dict[str, Any] = {}
    user = {name: machine.environment[name] for name in ("IMDS_MODEL", "PSModulePath")}
    host = controller.windows({"LC_ALL": "de_DE.UTF-8", **user}, enter=machine.fabric.enter)
    for part, runs in ((tasks[:2], 2), (tasks[2:3], 2), (tasks[3:], 3)):
        play = {"hosts": "all", "gather_facts": False, "vars": {"tag": AZURE}, "tasks": part}
        for (_name, task_name), result in controller.play({"windows": host}, [play]).items():
            assert not result.get("failed"), result
            seen[task_name] = result
        assert controller.runs() == runs, part
        if part[0]["name"] == "query":
            assert machine.site.host.stores() == before
        if part[0]["name"] == "present":
            assert [row[:3] for row in machine.site.host.host_routes()] == BOTH_ON_LINK
    assert machine.site.host.host_routes() == []
    assert {name: result["changed"] for name, result in seen.items()} == {
        "query": False,
        "check": True,
        "present": True,
        "again": False,
        "absent": True,
    }
    assert (seen["present"]["verified"], seen["present"]["source"]) == (True, "10.0.1.10")
    assert seen["present"]["winner"] == seen["check"]["predicted_winner"]
