# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The route fix on Windows, whole: the action plugin, the C# side under Mono, and a model of the cmdlets.

Only _ImdsRoutes.psm1, which hands the calls to PowerShell, is left out; test_powershell.py reads it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from ansible_collections.imds.azure.plugins.action import azure_imds_route_fix as action
from ansible_collections.imds.azure.plugins.module_utils._route_fix import argument_spec
from ansible_collections.imds.azure.plugins.module_utils._routes.options import RouteOptions
from ansible_collections.imds.azure.plugins.modules import azure_imds_route_fix
from ansible_collections.imds.azure.tests.scenarios.windows_reports import (
    BOTH_ON_LINK,
    CLUSTER,
    CLUSTER_ROUTE,
    DHCP_DEFAULT,
    DHCP_HOST,
    DHCP_VM,
    GHOST,
    IMDS,
    LOOPBACK_TWIN,
    LOW_VIP,
    OFF_SUBNET,
    ON_SECOND,
    REFUSALS,
    REPAIRS,
    STATIC_DEFAULT,
    TWO_NICS,
    WANTED,
    report,
)
from ansible_collections.imds.azure.tests.windows.core import Core, encoded
from ansible_collections.imds.azure.tests.windows.firmware import enclosure, system, table
from ansible_collections.imds.azure.tests.windows.windows_host import (
    AZURE,
    MAC,
    MUTATIONS,
    CmdletError,
    KilledError,
    Row,
    Windows,
)

FIRMWARE = encoded(table(system(bytes(16)), enclosure(AZURE.encode())))
SIDECAR = Path(azure_imds_route_fix.__file__).with_name("azure_imds_route_fix_windows.yml")
DOCUMENTED = set(yaml.safe_load(SIDECAR.read_text())["RETURN"])
BOTH_STORES = [(*row, 1) for row in BOTH_ON_LINK]


class Site:
    """A controller and one Windows host."""

    def __init__(self, core: Core, journal: Path) -> None:
        self.core = core
        self.journal = journal
        self.host = Windows(CLUSTER)
        self.firmware: str | None = FIRMWARE
        self.before_applying: Callable[[], Any] = lambda: None

    def build(self, given: Row, **more: Any) -> None:
        self.host = Windows({**given, **more})
        for row in self.host.report["adapters"]:
            row.setdefault("MacAddress", MAC.upper().replace(":", "-") if row["InterfaceIndex"] == 5 else "")
        self.journal.mkdir(exist_ok=True)

    def after_change(self, number: int, happening: Callable[[], Any]) -> None:
        answer = self.host.answer

        def answer_and_more(name: str, parameters: Row) -> Row:
            before = len(self.host.changes())
            answered = answer(name, parameters)
            if before < number == len(self.host.changes()):
                happening()
            return answered

        self.host.answer = answer_and_more  # type: ignore[method-assign]

    def module(self, arguments: Row, check_mode: bool) -> Row:
        """The .ps1 module: its loop, with the model for PowerShell."""
        if (arguments["request"] or {}).get("mode") == "apply":
            self.before_applying()
        defaults = {name: spec.get("default") for name, spec in argument_spec().items()}
        step = self._call(
            "route_start",
            params={**defaults, **arguments},
            check_mode=check_mode,
            firmware=self.firmware,
            journal=str(self.journal),
        )
        for _turn in range(1000):
            if "call" not in step:
                break
            try:
                answer = self.host.answer(step["call"], dict(step["parameters"]))
            except KilledError:
                self._call("route_drop")
                raise
            step = self._call("route_answer", **answer)
        if step["failure"]:
            return {"failed": True, "msg": step["failure"]}
        assert set(step["result"]) - {"changed"} <= DOCUMENTED
        return dict(step["result"])

    def _call(self, name: str, **arguments: Any) -> Any:
        return self.core(name, asked=self._ask, **arguments)

    def _ask(self, request: Row) -> Row:
        answer = self.host.ask(request)
        if "body" in answer:
            answer["body"] = encoded(json.dumps(answer["body"]).encode())
        return answer

    def task(self, check_mode: bool = False, called: str = action.MODULE, **args: Any) -> Row:
        task = SimpleNamespace(args=args, action=called, async_val=0, check_mode=check_mode)
        connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir="there"))
        plugin = action.ActionModule(task, connection, SimpleNamespace(), None, None, None)

        def execute_module(name: str, module_args: Row, **_more: Any) -> Row:
            assert name == called
            return self.module(json.loads(json.dumps(module_args)), check_mode)

        plugin._execute_module = execute_module
        result: Row = plugin.run(task_vars={})
        return result

    def recover(self) -> None:
        assert not self.module({"request": {"mode": "collect", "recover": True}}, check_mode=False).get("failed")

    def repair(self, wishes: RouteOptions = RouteOptions(), **more: Any) -> Row:  # noqa: B008 - immutable
        return self.task(**options_of(wishes), **more)


def options_of(wishes: RouteOptions) -> Row:
    return {name: value for name, value in wishes._asdict().items() if value not in ("", None)}


@pytest.fixture
def site(core: Core, tmp_path: Path) -> Site:
    made = Site(core, tmp_path / "imds.azure")
    made.build(CLUSTER)
    return made


def test_the_failover_cluster(site: Site) -> None:
    """The documentation's own table: one route is added, nothing else is touched, and a second run changes nothing."""
    before = site.host.stores()
    foretold = site.task(check_mode=True)
    assert site.host.stores() == before
    assert not site.host.changes()
    assert [one["code"] for one in foretold["findings"]] == ["captured_by_cluster_adapter"]
    assert (foretold["changed"], foretold["predicted_winner"]["index"]) == (True, 5)
    done = site.task()
    assert not done.get("failed"), done
    assert (done["changed"], done["verified"], done["source"]) == (True, True, "10.0.1.10")
    assert done["winner"] == foretold["predicted_winner"]
    assert site.host.host_routes() == BOTH_STORES
    (change,) = site.host.changes()
    assert change == (
        "New-NetRoute",
        {"DestinationPrefix": IMDS, "InterfaceIndex": 5, "NextHop": "0.0.0.0", "RouteMetric": 1, "PolicyStore": ""},
    )
    assert set(before) <= set(site.host.stores())
    asked = len(site.host.requests)
    again = site.task()
    assert (again["changed"], again["plan"], again["verified"]) == (False, [], True)
    assert len(site.host.requests) == asked + 1
    assert len(site.host.changes()) == 1


def test_the_twin_called_by_its_own_name(site: Site) -> None:
    assert site.task(called=f"{action.MODULE}_windows")["verified"]


def test_a_healthy_vm_by_dhcp(site: Site) -> None:
    site.build(DHCP_VM)
    done = site.task()
    assert [one["code"] for one in done["findings"]] == ["ok"]
    assert (done["changed"], done["verified"], done["primary"]["rule"]) == (False, True, "imds")
    assert not site.host.changes()
    assert done["errors"] == []  # no cluster service is a plain answer


@pytest.mark.parametrize("name", REPAIRS)
def test_repairs(site: Site, name: str) -> None:
    given, wishes, _codes, rows = REPAIRS[name]
    site.build(given)
    before = site.host.stores()
    query = site.repair(wishes._replace(state="query"))
    assert (query["changed"], bool(query.get("failed"))) == (False, False)
    foretold = site.repair(wishes, check_mode=True)
    assert site.host.stores() == before
    done = site.repair(wishes)
    assert not done.get("failed"), done["msg"]
    assert (done["verified"], done["rolled_back"], done["changed"]) == (True, False, True)
    assert done["winner"] == foretold["predicted_winner"]
    assert [row[:3] for row in site.host.host_routes()] == rows
    assert site.host.way()[1] == "10.0.1.10"
    again = site.repair(wishes)
    assert (again["changed"], again["plan"]) == (False, [])
    for _cmdlet, parameters in site.host.changes():
        assert parameters["InterfaceIndex"] not in (9, 12)
        assert parameters.get("DestinationPrefix", IMDS) == IMDS
        assert parameters.get("IPAddress") not in ("10.0.1.15", "169.254.1.156")


@pytest.mark.parametrize("name", REPAIRS)
def test_a_silent_imds_means_back_to_what_was(site: Site, name: str) -> None:
    given, wishes, _codes, _rows = REPAIRS[name]
    site.build(given)
    before = site.host.stores()
    site.host.imds = "silent"
    done = site.repair(wishes)
    assert done["failed"]
    assert (done["changed"], done["verified"]) == (False, False)
    assert site.host.stores() == before
    if done["plan"]:
        assert done["rolled_back"]
        assert "rolled back." in done["msg"]
        assert done["tables"]["before"] == done["tables"]["after"]
        repaired = any(step["phase"] == "repair" for step in done["plan"])
        assert (done["tables"]["tried"] != done["tables"]["before"]) == repaired
    assert not list(site.journal.iterdir())


@pytest.mark.parametrize("name", REPAIRS)
def test_throttling_is_an_answer(site: Site, name: str) -> None:
    given, wishes, _codes, rows = REPAIRS[name]
    site.build(given)
    site.host.imds = "throttled"
    done = site.repair(wishes)
    assert not done.get("failed"), done["msg"]
    assert (done["verified"], done["proof"]["outcome"]) == (True, "busy")
    assert [row[:3] for row in site.host.host_routes()] == rows


@pytest.mark.parametrize("name", REPAIRS)
def test_a_failure_at_each_step_leaves_all_as_it_was(site: Site, name: str) -> None:
    given, wishes, _codes, rows = REPAIRS[name]
    site.build(given)
    site.repair(wishes)
    count = len(site.host.changes())
    assert count
    for at in range(count):
        site.build(given)
        before = site.host.stores()
        site.host.failing = at
        done = site.repair(wishes)
        assert done["failed"]
        assert site.host.failure.record["message"].rstrip(".") in done["msg"]
        assert not site.host.needless
        if done["rolled_back"]:
            assert not done["changed"]
            assert site.host.stores() == before
        else:  # what comes after the proof can't be put back, and the repair is good without it
            assert (done["verified"], done["changed"]) == (True, True)
        assert not list(site.journal.iterdir())
        done = site.repair(wishes)
        assert [row[:3] for row in site.host.host_routes()] == rows


@pytest.mark.parametrize("name", REPAIRS)
def test_killed_at_every_call_the_next_run_converges(site: Site, name: str) -> None:
    given, wishes, _codes, rows = REPAIRS[name]
    site.build(given)
    site.repair(wishes)
    changes = [at for at, call in enumerate(site.host.calls) if call[0] in MUTATIONS]
    recovered = set()
    for at in range(changes[0], changes[-1] + 10):
        site.build(given)
        site.host.kill = at
        with pytest.raises(KilledError):
            site.repair(wishes)
        unfinished = bool(list(site.journal.iterdir()))
        done = site.repair(wishes)
        assert not done.get("failed"), done["msg"]
        assert done["recovered"] == unfinished
        assert done["verified"]
        assert not site.host.needless
        assert [row[:3] for row in site.host.host_routes()] == rows
        assert not list(site.journal.iterdir())
        recovered.add(unfinished)
    assert recovered == {True, False}


def test_the_undo_goes_backwards(site: Site) -> None:
    given, wishes, _codes, _rows = REPAIRS["static_on_wrong_nic"]
    site.build(given)
    site.host.imds = "silent"
    site.repair(wishes)
    calls = site.host.calls
    done = [(name, parameters["InterfaceIndex"]) for name, parameters in site.host.changes()]
    forth = [("Remove-NetRoute", 7), ("Remove-NetRoute", 7), ("New-NetRoute", 5)]
    back = [("Remove-NetRoute", 5), ("Remove-NetRoute", 5), ("New-NetRoute", 7)]
    assert done == [*forth, *back]
    site.build(given)
    site.host.kill = [name for name, _parameters in calls].index("New-NetRoute") + 1
    with pytest.raises(KilledError):
        site.repair(wishes)
    site.recover()
    assert [(name, parameters["InterfaceIndex"]) for name, parameters in site.host.changes()] == [*forth, *back]


def test_a_step_that_was_not_begun_is_not_undone(site: Site) -> None:
    on_link = {**ON_SECOND, "NextHop": "0.0.0.0"}
    site.build(report([STATIC_DEFAULT, ON_SECOND, on_link], [ON_SECOND, on_link], **TWO_NICS))
    before = site.host.stores()
    site.host.failing = 1
    done = site.task()
    assert len([one for one in done["plan"] if one["action"] == "remove"]) == 2
    assert done["rolled_back"]
    assert site.host.stores() == before
    assert (
        len({(parameters["InterfaceIndex"], parameters["NextHop"]) for _name, parameters in site.host.changes()}) == 1
    )


@pytest.mark.parametrize("name", REPAIRS)
def test_what_a_killed_run_began_is_taken_back_wholly(site: Site, name: str) -> None:
    """By the recovery alone: the plan that follows it would hide what is left."""
    given, wishes, _codes, _rows = REPAIRS[name]
    site.build(given)
    before = site.host.stores()
    site.repair(wishes)
    changes = [at for at, call in enumerate(site.host.calls) if call[0] in MUTATIONS]
    for at in range(changes[0], changes[-1] + 2):
        site.build(given)
        site.host.kill = at
        with pytest.raises(KilledError):
            site.repair(wishes)
        if "take back" in (site.journal / "route_fix.txt").read_text():
            site.recover()
            assert site.host.stores() == before
        site.recover()
        assert not list(site.journal.iterdir())


def test_taken_back_is_not_yet_as_it_was(site: Site) -> None:
    """Somebody else changes the table meanwhile; or it can't be looked at any more."""
    foreign = {**WANTED, "NextHop": "10.0.1.1"}
    for happening in (
        lambda: site.host.report["routes"]["active"].append(foreign),
        lambda: site.host.missing.add("Get-NetRoute"),
    ):
        site.build(CLUSTER)
        site.host.imds = "silent"
        site.after_change(1, happening)
        done = site.task()
        assert (done["failed"], done["rolled_back"], done["changed"]) == (True, True, True)
        assert "The repair was rolled back, but the table is not what it was." in done["msg"]
        assert ("active", 5, "0.0.0.0", 1) not in site.host.host_routes()


def test_a_look_that_fails_once_is_no_lasting_doubt(site: Site) -> None:
    site.host.imds = "silent"
    site.after_change(1, lambda: site.host.missing.add("Get-NetRoute"))
    site.after_change(2, site.host.missing.clear)
    done = site.task()
    assert (done["rolled_back"], done["changed"]) == (True, False)
    assert done["msg"].endswith("The repair was rolled back.")


def test_a_journal_that_cannot_be_written_any_more_ends_the_repair(site: Site) -> None:
    given, wishes, _codes, rows = REPAIRS["static_on_wrong_nic"]
    site.build(given)
    before = site.host.stores()
    site.after_change(1, (site.journal / "route_fix.txt.new").mkdir)
    done = site.repair(wishes)
    assert "A step failed" in done["msg"]
    assert (done["failed"], done["rolled_back"], done["changed"]) == (True, True, False)
    assert site.host.stores() == before
    (site.journal / "route_fix.txt.new").rmdir()
    assert not list(site.journal.iterdir())
    assert site.repair(wishes)["verified"]
    assert [row[:3] for row in site.host.host_routes()] == rows


def test_without_a_journal_nothing_is_begun(site: Site) -> None:
    (site.journal / "route_fix.txt.new").mkdir()
    done = site.task()
    assert (done["failed"], done["changed"]) == (True, False)
    assert "rolled back" not in done["msg"]
    assert not site.host.changes()


def test_without_a_journal_of_it_nothing_is_cleaned_up(site: Site) -> None:
    site.build(report([STATIC_DEFAULT], [GHOST]))
    site.after_change(1, (site.journal / "route_fix.txt.new").mkdir)
    done = site.task()
    assert done["msg"].endswith("The repair stands.")
    assert (done["failed"], done["verified"], done["changed"]) == (True, True, True)
    assert [name for name, _parameters in site.host.changes()] == ["New-NetRoute"]
    assert [file.name for file in site.journal.iterdir()] == ["route_fix.txt.new"]


def test_a_report_that_cannot_be_read_after_the_repair_hides_no_change(site: Site) -> None:
    site.after_change(1, lambda: site.host.missing.add("Get-NetIPAddress"))
    done = site.task()
    assert (done["failed"], done["changed"], done["verified"]) == (True, True, True)
    assert "can't be read" in done["msg"]
    assert site.host.host_routes() == BOTH_STORES


def test_what_was_recovered_is_told_whatever_follows(site: Site) -> None:
    given, wishes, _codes, _rows = REPAIRS["static_on_wrong_nic"]
    for trouble in ("the proof", "the report", "the steps"):
        site.build(given)
        site.host.kill = 20
        with pytest.raises(KilledError):
            site.repair(wishes)
        assert list(site.journal.iterdir())
        if trouble == "the proof":
            site.host.imds = "silent"
        elif trouble == "the report":
            site.host.missing.add("Get-NetIPAddress")
        else:
            site.before_applying = lambda: site.core("hold_journal", journal=str(site.journal))
        done = site.repair(wishes)
        assert (done["failed"], done["recovered"], done["changed"]) == (True, True, True), trouble
    site.core("release_journal")


def test_what_a_killed_run_left_is_told_and_not_touched_in_check_mode(site: Site) -> None:
    given, wishes, _codes, _rows = REPAIRS["static_on_wrong_nic"]
    site.build(given)
    site.host.failing, site.host.failures = 1, 99
    site.repair(wishes)
    half_done, count = site.host.stores(), len(site.host.changes())
    for told in (site.repair(wishes, check_mode=True), site.repair(wishes._replace(state="query"))):
        assert told["warnings"] == ["An earlier run was killed. The next one rolls back what it began."]
        assert not told.get("failed")
    assert (site.host.stores(), len(site.host.changes())) == (half_done, count)


def test_check_mode_counts_what_the_next_run_takes_back(site: Site) -> None:
    """Killed when all was done but the last look: the table is as wished, and is going to be changed all the same."""
    site.task()
    last = [name for name, _parameters in site.host.calls].index("New-NetRoute") + 3
    site.build(CLUSTER)
    site.host.kill = last
    with pytest.raises(KilledError):
        site.task()
    assert site.host.host_routes() == BOTH_STORES
    told = site.task(check_mode=True)
    assert (told["changed"], told["plan"], len(told["warnings"])) == (True, [], 1)


# No cmdlet that is used tells the number of compartments.
@pytest.mark.parametrize("name", [name for name in REFUSALS if name != "compartments"])
def test_refusals_change_nothing(site: Site, name: str) -> None:
    given, wishes, code = REFUSALS[name]
    tag = "no Azure" if given.get("azure") is False else AZURE
    site.build(given)
    site.firmware = encoded(table(system(bytes(16)), enclosure(tag.encode())))
    site.host.imds = "silent"
    before = site.host.stores()
    done = site.repair(wishes)
    assert done["failed"]
    assert done["msg"].startswith("Nothing was changed. ")
    assert code in [one["code"] for one in done["findings"]]
    assert site.host.stores() == before
    assert not site.host.changes()


def test_nothing_is_sent_off_azure(site: Site) -> None:
    site.firmware = encoded(table(system(bytes(16)), enclosure(b"elsewhere")))
    assert site.task(state="query")["verified"] is None
    assert site.task()["failed"]
    assert not site.host.requests
    assert site.task(force=True)["verified"]


def test_firmware_that_cannot_be_read_is_asked_of_cim(site: Site) -> None:
    site.firmware = None
    assert site.task(check_mode=True)["verified"] is False
    site.build(CLUSTER, tag="elsewhere")
    assert "not_azure" in [one["code"] for one in site.task()["findings"]]
    site.build(CLUSTER)
    site.host.missing.add("Win32_SystemEnclosure")
    assert site.task()["verified"]


PARTS = (
    "Get-NetAdapter",
    "Get-NetIPInterface",
    "Find-NetRoute",
    "Get-Service",
    "PersistentRoutes",
    "Win32_OperatingSystem",
    "Win32_IP4PersistedRouteTable",
    "IsElevated",
)


@pytest.mark.parametrize("part", PARTS)
def test_a_missing_part_is_no_failed_run(site: Site, part: str) -> None:
    site.host.missing.add(part)
    collected = site.module({"request": {"mode": "collect"}}, check_mode=False)["report"]
    (said,) = [line for line in collected["errors"] if "is not recognized" in line]
    assert part in said
    site.build(CLUSTER)
    site.host.missing.add(part)
    done = site.task()
    assert not done.get("failed"), done["msg"]
    assert said in done["errors"]
    assert site.host.host_routes() == BOTH_STORES


@pytest.mark.parametrize("part", ["Get-NetRoute", "Get-NetIPAddress"])
def test_a_host_without_netttcpip_is_refused(site: Site, part: str) -> None:
    site.host.missing.add(part)
    done = site.task()
    assert done["failed"]
    assert "Windows Server 2012 or newer is needed" in done["msg"]
    assert not site.host.changes()


@pytest.mark.parametrize(
    "denied",
    [
        CmdletError("Windows System Error 5,New-NetRoute", "PermissionDenied", "Zugriff verweigert"),
        CmdletError("Windows System Error 5,New-NetRoute", "NotSpecified", "Zugriff verweigert"),
        CmdletError("AccessDenied,New-NetRoute", "PermissionDenied", "Zugriff verweigert"),
    ],
)
@pytest.mark.parametrize("name", ["failover_cluster", "static_on_wrong_nic", "active_only_on_static_nic"])
def test_unknown_elevation_is_tried_and_denied(site: Site, name: str, denied: CmdletError) -> None:
    given, wishes, _codes, _rows = REPAIRS[name]
    site.build(given, elevated=None)
    before = site.host.stores()
    site.host.failing, site.host.failures, site.host.failure = 0, 99, denied
    done = site.repair(wishes)
    assert done["failed"]
    assert "Zugriff verweigert Administrator's rights are needed." in done["msg"]
    assert (done["changed"], done["rolled_back"]) == (False, True)
    assert site.host.stores() == before
    assert len(site.host.changes()) == 1
    assert not list(site.journal.iterdir())


def test_an_undo_that_fails_is_tried_again_by_the_next_run(site: Site) -> None:
    given, wishes, _codes, rows = REPAIRS["static_on_wrong_nic"]
    site.build(given)
    site.host.failing, site.host.failures = 1, 99
    done = site.repair(wishes)
    assert done["failed"]
    assert "the next run tries again" in done["msg"]
    assert [file.name for file in site.journal.iterdir()] == ["route_fix.txt"]
    stuck = site.repair(wishes)
    assert stuck["failed"]
    assert "can't be taken back" in stuck["msg"]
    site.host.failures = 0
    done = site.repair(wishes)
    assert (done["recovered"], done["verified"]) == (True, True)
    assert [row[:3] for row in site.host.host_routes()] == rows


def test_rollback_false_keeps_an_unproven_repair(site: Site) -> None:
    site.host.imds = "silent"
    done = site.task(rollback=False)
    assert (done["failed"], done["changed"], done["rolled_back"]) == (True, True, False)
    assert site.host.host_routes() == BOTH_STORES
    assert not list(site.journal.iterdir())
    wrong = site.task()
    assert "although the route is as it should be" in wrong["msg"]
    assert not site.task(verify=False).get("failed")


@pytest.mark.parametrize(
    ("imds", "outcome", "words"),
    [("foreign", "foreign", "without the interfaces"), ("another", "ok", "does not know the NIC")],
)
def test_another_machines_metadata_is_no_proof(site: Site, imds: str, outcome: str, words: str) -> None:
    site.host.imds = imds
    done = site.task()
    assert (done["failed"], done["rolled_back"], done["proof"]["outcome"]) == (True, True, outcome)
    assert words in done["msg"]


def test_absent(site: Site) -> None:
    site.task()
    done = site.task(state="absent")
    assert (done["changed"], site.host.host_routes()) == (True, [])
    assert not site.task(state="absent")["changed"]


def test_orphans_wait_for_the_proof(site: Site) -> None:
    """They could not be put back: New-NetRoute refuses an interface that is gone."""
    site.build(report([STATIC_DEFAULT], [GHOST]))
    site.task()
    names = [name for name, _parameters in site.host.changes()]
    asked = len(site.host.requests)
    assert names == ["New-NetRoute", "Remove-NetRoute"]
    assert asked == 2


def test_a_proven_repair_is_finished_and_never_taken_back(site: Site) -> None:
    site.build(report([STATIC_DEFAULT], [GHOST]))
    site.task()
    last = [name for name, _parameters in site.host.calls].index("Remove-NetRoute")
    site.build(report([STATIC_DEFAULT], [GHOST]))
    site.host.kill = last
    with pytest.raises(KilledError):
        site.task()
    assert (site.journal / "route_fix.txt").read_text().splitlines()[1] == "finish"
    site.host.failing = 0  # what can't be finished is planned anew, and no reason to stop
    done = site.task()
    assert (done.get("failed"), done["recovered"], done["verified"]) == (None, True, True)
    assert site.host.host_routes() == BOTH_STORES


def test_a_pair_that_is_spelled_in_two_ways_waits_for_the_proof(site: Site) -> None:
    """On-link in use, by an own address in store: New-NetRoute would write both alike."""
    other = {**ON_SECOND, "RouteMetric": 30}
    pair = [{**other, "NextHop": "0.0.0.0"}], [{**other, "NextHop": "10.0.2.10"}]
    site.build(report([STATIC_DEFAULT, *pair[0]], pair[1], **TWO_NICS))
    before = site.host.stores()
    site.host.imds = "silent"
    done = site.task()
    assert done["rolled_back"]
    assert {parameters["InterfaceIndex"] for _name, parameters in site.host.changes()} == {5}
    assert site.host.stores() == before
    site.host.imds = "answers"
    assert site.task()["verified"]
    assert site.host.host_routes() == BOTH_STORES


def test_a_loopback_trap_goes_with_its_stored_twin(site: Site) -> None:
    site.build(report([STATIC_DEFAULT, CLUSTER_ROUTE, *LOOPBACK_TWIN], OFF_SUBNET))
    done = site.task()
    assert done["verified"]
    assert [step["phase"] for step in done["plan"]] == ["repair", "cleanup"]  # one step for both
    assert site.host.host_routes() == BOTH_STORES


def test_what_registry_and_wmi_keep_is_compared(site: Site) -> None:
    site.build(report([STATIC_DEFAULT, WANTED], [WANTED]), registry=["169.254.169.254,255.255.255.255,10.9.9.9,1"])
    assert "leftover_registry_route" in [one["code"] for one in site.task(state="query")["findings"]]


def test_a_dhcp_route_in_place_and_two_nics(site: Site) -> None:
    site.build(report([DHCP_DEFAULT, DHCP_HOST], **TWO_NICS))
    done = site.task()
    assert (done["verified"], done["primary"]["interface"]) == (True, "Ethernet")


def test_a_vip_below_the_primary_address_is_named_and_left_alone(site: Site) -> None:
    site.build(LOW_VIP)
    done = site.task(primary_ip="10.0.1.10", fix_source=True)
    assert done["failed"]
    assert "cluster" in next(one for one in done["findings"] if one["code"] == "wrong_source_address")["remedy"]
    assert not site.host.changes()


# --- the module alone -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "check_mode", "words"),
    [
        (None, False, "action plugin"),
        ({}, False, "action plugin"),
        ({"mode": "guess"}, False, "action plugin"),
        ({"mode": "apply", "steps": []}, True, "check mode"),
        ({"mode": "apply", "steps": [{"phase": "repair", "do": [{"action": "format"}]}]}, False, "format"),
        ({"mode": "apply", "steps": ["remove"]}, False, "steps: "),
        ({"mode": "apply", "steps": [None]}, False, "steps: "),
        ({"mode": "apply", "steps": {"phase": "repair", "do": []}}, False, "steps: "),
        ({"mode": "apply", "steps": [{"phase": "repair", "do": {"action": "remove"}}]}, False, "do: "),
        ({"mode": "apply", "steps": [], "expect": "10.0.1.10"}, False, "expect: "),
        ({"mode": "apply", "steps": [], "expect": {}, "verify": "yes"}, False, "verify: "),
        ({"mode": "apply", "steps": [], "expect": {}, "rollback": "yes"}, False, "rollback: "),
    ],
)
def test_what_the_controller_does_not_ask(site: Site, request_: Any, check_mode: bool, words: str) -> None:
    done = site.module({"request": request_}, check_mode)
    assert done["failed"]
    assert words in done["msg"]
    assert not site.host.changes()


@pytest.mark.parametrize(
    "operation",
    [
        {"prefix": "0.0.0.0/0"},
        {"prefix": "169.254.0.0/16"},
        {"prefix": ""},
        {"next_hop": ""},
        {"interface_index": 0},
        {"store": "both", "action": "remove"},
        {"store": "persistent", "action": "add"},
        {"store": ""},
        {"action": "skip_as_source", "address": ""},
    ],
)
def test_no_operation_goes_beyond_the_host_route_of_imds(site: Site, operation: Row) -> None:
    whole = {"action": "remove", "prefix": IMDS, "interface_index": 5, "next_hop": "0.0.0.0", "metric": 1}
    step = {"phase": "repair", "do": [{**whole, "store": "active", **operation}], "undo": []}
    done = site.module({"request": {"mode": "apply", "steps": [step], "expect": {}}}, check_mode=False)
    assert "no such operation" in done["msg"]
    assert not site.host.calls


THERE, WORSE = [WANTED], [{**WANTED, "RouteMetric": 7}]


@pytest.mark.parametrize(
    ("active", "persistent", "operation", "count", "fine"),
    [
        (THERE, THERE, {"action": "add", "store": "both"}, 0, True),
        (THERE, [], {"action": "add", "store": "active"}, 0, True),
        ([], THERE, {"action": "add", "store": "active"}, 1, True),
        ([], [], {"action": "add", "store": "both"}, 1, True),
        ([{**WANTED, "InterfaceIndex": 7}], [], {"action": "add", "store": "active"}, 1, True),
        ([{**WANTED, "NextHop": "10.0.1.1"}], [], {"action": "add", "store": "active"}, 1, True),
        (THERE, [], {"action": "add", "store": "both"}, 1, False),
        ([], THERE, {"action": "add", "store": "both"}, 1, False),
        (THERE, WORSE, {"action": "add", "store": "both"}, 1, False),
        (WORSE, [], {"action": "add", "store": "active"}, 1, False),
        (THERE, [], {"action": "remove", "store": "persistent"}, 0, True),
        ([], THERE, {"action": "remove", "store": "active"}, 0, True),
        (THERE, [], {"action": "set_metric", "store": "persistent"}, 0, True),
        (WORSE, [], {"action": "set_metric", "store": "active"}, 1, True),
    ],
)
def test_an_operation_changes_what_is_not_yet_as_it_wants(
    site: Site, active: list[Row], persistent: list[Row], operation: Row, count: int, fine: bool
) -> None:
    site.build(report([STATIC_DEFAULT, *active], persistent))
    whole = {"prefix": IMDS, "interface_index": 5, "next_hop": "0.0.0.0", "metric": 1, **operation}
    steps = [{"phase": "repair", "do": [whole], "undo": []}]
    done = site.module({"request": {"mode": "apply", "steps": steps, "expect": {}}}, check_mode=False)
    assert len(site.host.changes()) == count
    assert (done["error"] == "") == fine


def test_what_somebody_else_made_meanwhile_is_no_failure(site: Site) -> None:
    site.host.failing, site.host.failure = 0, CmdletError("Windows System Error 87,New-NetRoute", "InvalidArgument")
    site.after_change(
        1, lambda: [site.host.report["routes"][store].append(WANTED) for store in ("active", "persistent")]
    )
    done = site.task()
    assert (done.get("failed"), done["verified"]) == (None, True)
    assert len(site.host.changes()) == 1


def test_what_went_by_itself_meanwhile_is_no_failure(site: Site) -> None:
    site.task()
    gone = CmdletError("CmdletizationQuery_NotFound_DestinationPrefix,Remove-NetRoute", "ObjectNotFound")
    site.host.failing, site.host.failure = 0, gone
    site.after_change(2, site.host.report["routes"]["active"].pop)
    done = site.task(state="absent")
    assert (done.get("failed"), done["changed"]) == (None, True)
    assert site.host.host_routes() == []


def test_without_a_look_at_the_table_nothing_is_begun(site: Site) -> None:
    site.before_applying = lambda: site.host.missing.add("Get-NetRoute")
    done = site.task()
    assert (done["failed"], done["changed"]) == (True, False)
    assert "Get-NetRoute" in done["msg"]
    assert not site.host.changes()


def test_bad_options_name_the_option(site: Site) -> None:
    done = site.module({"request": {"mode": "collect"}, "endpoint": "ftp://x"}, check_mode=False)
    assert done["msg"].startswith("endpoint: ")


def test_a_journal_that_is_none(site: Site) -> None:
    (site.journal / "route_fix.txt").write_text("imds.azure route fix\ntake back\nremove\t0.0.0.0/0\t5\n")
    done = site.task()
    assert done["failed"]
    assert "is not a journal of the route fix" in done["msg"]
    assert not site.host.changes()


def test_one_run_at_a_time(site: Site) -> None:
    site.core("hold_journal", journal=str(site.journal))
    done = site.task()
    site.core("release_journal")
    assert done["failed"]
    assert "under way on this host" in done["msg"]
    assert not site.host.changes()


def test_one_recovery_at_a_time(site: Site) -> None:
    (site.journal / "route_fix.txt").write_text(
        f"imds.azure route fix\ntake back\nremove\t{IMDS}\t5\t0.0.0.0\t1\tactive\t\t\n"
    )
    site.core("hold_journal", journal=str(site.journal))
    done = site.task()
    site.core("release_journal")
    assert "under way on this host" in done["msg"]
    assert not site.host.calls
    assert site.task()["recovered"]


def test_another_run_that_is_killed_in_between_is_taken_back_first(site: Site) -> None:
    site.before_applying = lambda: (site.journal / "route_fix.txt").write_text("imds.azure route fix\ntake back\n")
    done = site.task()
    assert "Run again." in done["msg"]
    assert not site.host.changes()
    site.before_applying = lambda: None
    assert site.task()["recovered"]
