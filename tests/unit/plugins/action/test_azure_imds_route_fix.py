# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's part and the target's part together: the tables are a real kernel's, in a namespace of the test.

Nothing is sent: the request to IMDS is played.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.imds.azure.plugins.action import azure_imds_route_fix as action
from ansible_collections.imds.azure.plugins.module_utils._routes.host import probe
from ansible_collections.imds.azure.plugins.module_utils._routes.host.apply import apply
from ansible_collections.imds.azure.plugins.module_utils._routes.host.host import Host
from ansible_collections.imds.azure.plugins.module_utils._routes.host.journal import Journal
from ansible_collections.imds.azure.tests.scenarios import linux_states as scenarios
from ansible_collections.imds.azure.tests.scenarios import namespace, windows_reports
from ansible_collections.imds.azure.tests.scenarios.apply_contract import KilledError
from ansible_collections.imds.azure.tests.scenarios.linux_states import SCENARIOS, Scenario
from ansible_collections.imds.azure.tests.scenarios.linux_world import World
from ansible_collections.imds.azure.tests.scenarios.route_print_tables import CLUSTER, HEALTHY
from ansible_collections.imds.azure.tests.scenarios.windows_stores import Stores

WHY_NOT = namespace.refusal()
BROKEN = (*scenarios.NICS, scenarios.DEFAULT, "route add 169.254.169.254 dev eth1 proto static")
MAC = "00:0d:3a:00:00:01"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    if WHY_NOT:
        pytest.skip(WHY_NOT)
    with namespace.Namespace() as net:
        made = World(tmp_path, net)
        monkeypatch.setattr(probe, "prove", made.prove)
        yield made


def options_of(scenario: Scenario) -> dict[str, Any]:
    default = type(scenario.options)()._asdict()
    given = {name: value for name, value in scenario.options._asdict().items() if value != default[name]}
    return {**given, "persistent": False}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[one.name for one in SCENARIOS])
def test_every_state_ends_as_its_scenario_says(world: World, scenario: Scenario) -> None:
    world.build(*scenarios.NICS, *scenario.commands)
    before, options = world.table(), options_of(scenario)
    query = world.task(**{**options, "state": "query"})
    assert not query.get("failed")
    assert not query["changed"]
    assert query["findings"][0]["code"] == scenario.code
    predicted = world.task(check_mode=True, **options)
    assert world.table() == before
    done = world.task(**options)
    assert bool(predicted.get("failed")) == bool(done.get("failed"))
    assert predicted["changed"] == done["changed"]
    if scenario.outcome in (scenarios.SATISFIED, scenarios.REPAIRED):
        assert done["verified"], done
        assert done["changed"] == bool(done["plan"])
        assert done["winner"] == predicted["predicted_winner"]
        assert done["source"] == done["primary"]["ip"]
        after = world.table()
        again = world.task(**options)
        assert (again["changed"], again["plan"], world.table()) == (False, [], after)
    else:
        assert done["failed"]
        assert done["msg"].startswith("Nothing was changed. ")
        assert scenario.outcome in [one["code"] for one in done["findings"]]
        assert world.table() == before


def test_a_silent_imds_means_back_to_what_was(world: World) -> None:
    world.build(*BROKEN)
    before = world.table()
    world.silent = True
    done = world.task()
    assert done["failed"]
    assert (done["changed"], done["verified"], done["rolled_back"]) == (False, False, True)
    assert "connect_timeout" in done["msg"]
    assert "rolled back" in done["msg"]
    assert done["tables"]["before"] == done["tables"]["after"] != done["tables"]["tried"]
    assert world.table() == before
    kept = world.task(rollback=False)
    assert kept["failed"]
    assert (kept["changed"], kept["rolled_back"], kept["source"]) == (True, False, "10.0.1.10")


def test_a_right_route_and_a_silent_imds(world: World) -> None:
    world.build(*BROKEN)
    world.task()
    world.silent = True
    done = world.task()
    assert done["failed"]
    assert not done["changed"]
    assert "although the route is as it should be" in done["msg"]
    assert not world.task(verify=False).get("failed")


def test_a_step_that_is_refused(world: World) -> None:
    world.build(*BROKEN)
    before = world.table()
    world.fail = "replace"
    done = world.task()
    assert done["failed"]
    assert "Operation not permitted" in done["msg"]
    # The undo of a step that was begun uses the same verb here, so it is left for the next run.
    assert "next run tries again" in done["msg"]
    assert world.table() == before
    world.fail = ""
    assert world.task(check_mode=True)["warnings"]
    done = world.task()
    assert (done["recovered"], done["changed"], done["verified"]) == (True, True, True)


def test_killed_at_every_command(world: World) -> None:
    world.build(*BROKEN)
    before = world.table()
    killed = 0
    for at in range(60):
        # The commands of collecting and of applying alike.
        world.kill = at
        try:
            world.task()
        except KilledError:
            killed += 1
        else:
            break
        finally:
            world.kill = None
        done = world.task()
        assert not done.get("failed"), (at, done)
        assert done["verified"]
        assert world.task(state="absent")["changed"]
        world.build("route add 169.254.169.254 dev eth1 proto static")
        assert world.table() == before, at
    assert 10 < killed < 60


def test_absent_removes_exactly_what_present_set(world: World) -> None:
    world.build(*scenarios.NICS, scenarios.DEFAULT)
    before = world.table()
    assert not world.task(state="absent")["changed"]
    world.task()
    assert world.table() != before
    assert world.task(state="absent", check_mode=True)["changed"]
    assert world.task(state="absent")["changed"]
    assert world.table() == before


def test_diff_shows_winner_and_host_routes(world: World) -> None:
    world.build(*BROKEN)
    foretold, done = world.task(check_mode=True)["diff"], world.task()["diff"]
    assert foretold == done
    assert "eth1" in done["before"]
    assert done["after"].splitlines() == [
        "winner      169.254.169.254/32 via 10.0.1.1 on eth0 from 10.0.1.10",
        "main        169.254.169.254/32 via 10.0.1.1 on eth0 from 10.0.1.10 metric 0",
    ]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"interface": "eth7"}, "No interface fits eth7. There are: "),
        ({"mac_address": MAC}, f"No interface fits {MAC}"),
        ({"interface": "eth0", "primary_ip": "10.0.1.77"}, "10.0.1.77 is not an address of eth0, which has: 10.0.1.10"),
        ({"next_hop": "192.0.2.1"}, "192.0.2.1 is in no subnet of eth0"),
        ({"persistence_backend": "netplan"}, "netplan does not configure eth0"),
    ],
)
def test_options_that_fit_nothing_on_the_host_fail(world: World, options: dict[str, Any], says: str) -> None:
    world.build(*BROKEN)
    before = world.table()
    done = world.task(**options)
    assert done["failed"]
    assert says in done["msg"]
    assert world.table() == before
    assert [call["mode"] for call in world.calls] == ["collect"]


@pytest.mark.parametrize(
    ("path", "text", "says"),
    [
        ("/.dockerenv", "", "container"),
        ("/proc/self/status", "CapEff:\t0000000000000000\n", "root or CAP_NET_ADMIN"),
    ],
)
def test_places_where_nothing_may_be_changed(world: World, path: str, text: str, says: str) -> None:
    world.build(*BROKEN)
    before = world.table()
    file = Path(world.host.root + path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="ascii")
    for check_mode in (True, False):
        done = world.task(check_mode=check_mode)
        assert done["failed"]
        assert says in done["msg"]
    assert not world.task(state="query").get("failed")
    assert world.table() == before


def test_off_azure_nothing_is_repaired(world: World) -> None:
    world.build(*BROKEN)
    world.azure = False
    assert "not an Azure VM" in world.task()["msg"]
    assert not world.task(state="query").get("failed")
    assert world.task(force=True)["changed"]


def test_host_without_ip_fails(world: World) -> None:
    world.net.ip = None  # type: ignore[method-assign, assignment]
    world.fail = "ip"
    done = world.task()
    assert done["failed"]
    assert "is there an ip command" in done["msg"]


def test_fail_on_findings_fails_on_errors_only(world: World) -> None:
    world.build(*BROKEN)
    assert not world.task(state="query").get("failed")
    done = world.task(state="query", fail_on_findings=True)
    assert done["failed"]
    assert "eth1" in done["msg"]
    world.task()
    assert not world.task(state="query", fail_on_findings=True).get("failed")


# --- a Windows host, played --------------------------------------------------------------------------------------


class WindowsWorld(World):
    """What the Windows side does: the same two requests, operations carried out by stand-ins of the cmdlets."""

    def __init__(self, place: Path, host: Stores) -> None:
        self.windows = host
        self.journal = Journal(Host(lambda _argv: (127, "", ""), str(place)))
        self.calls = []
        self.silent = False

    def report(self) -> dict[str, Any]:
        return {**self.windows.report, "system": "windows", "azure": True}

    def module(self, arguments: dict[str, Any]) -> dict[str, Any]:
        request = arguments["request"]
        self.calls.append(request)
        if request["mode"] == "collect":
            return {"report": self.report(), "recovered": False}
        before = self.windows.stores()
        proof = {"verified": not self.silent, "outcome": "ok", "detail": "it is", "local_address": "", "tries": 1}
        done = apply(
            request["steps"], lambda one: self.windows.run(dict(one)), self.journal, lambda: proof, request["rollback"]
        )
        restored = done.rolled_back and self.windows.stores() == before
        tables: dict[str, list[str]] = {"before": [], "tried": [], "after": []}
        return {**done._asdict(), "restored": restored, "tables": tables, "report": self.report()}


@pytest.mark.parametrize("silent", [False, True])
def test_failover_cluster_is_repaired(tmp_path: Path, silent: bool) -> None:
    given = windows_reports.report(
        [windows_reports.STATIC_DEFAULT, windows_reports.CLUSTER_ROUTE],
        nics=(windows_reports.ETHERNET, windows_reports.NETFT),
        moving=(windows_reports.CLUSTER_ADDRESS,),
    )
    world = WindowsWorld(tmp_path, Stores(given))
    world.silent = silent
    before = world.windows.stores()
    predicted = world.task(check_mode=True)
    assert predicted["findings"][0]["code"] == "captured_by_cluster_adapter"
    done = world.task()
    assert done["verified"] is not silent
    assert done["rolled_back"] is silent
    assert done["changed"] is not silent
    if silent:
        assert done["failed"]
        assert world.windows.stores() == before
        return
    assert done["winner"] == predicted["predicted_winner"]
    assert {row["store"] for row in done["host_routes"]} == {"active", "persistent"}
    assert not world.task()["changed"]


# --- without a host -------------------------------------------------------------------------------------------------


class Nobody(World):
    def __init__(self) -> None:
        pass

    def module(self, arguments: dict[str, Any]) -> dict[str, Any]:
        pytest.fail(f"the host is contacted: {arguments}")


@pytest.mark.parametrize("state", ["query", "present"])
def test_a_printed_table_is_analysed_here(state: str) -> None:
    healthy = Nobody().task(route_print=HEALTHY.format(on_link="On-link"), state=state)
    assert [one["code"] for one in healthy["findings"]] == ["ok"]
    cluster = Nobody().task(route_print=CLUSTER.format(on_link="Auf Verbindung"), state=state)
    assert not cluster.get("failed")
    assert cluster["findings"][0]["code"] == "captured_by_cluster_adapter"
    assert (cluster["winner"]["prefix"], cluster["winner"]["interface"]) == ("169.254.0.0/16", "169.254.1.156")
    assert cluster["predicted_winner"]["interface"] == "10.0.1.10"
    assert Nobody().task(route_print=CLUSTER.format(on_link="x"), fail_on_findings=True)["failed"]


def test_printed_text_without_routes_fails() -> None:
    done = Nobody().task(route_print="nothing of the kind")
    assert done["failed"]
    assert "route_print" in done["msg"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"state": "there"}, "state"),
        ({"primary_ip": "10.0.0"}, "primary_ip"),
        ({"mac_address": "00:0d"}, "mac_address"),
        ({"next_hop": "somewhere"}, "next_hop"),
        ({"persistence_backend": "wicked"}, "persistence_backend"),
        ({"verify_timeout": 0}, "verify_timeout"),
        ({"verify_timeout": 61}, "verify_timeout"),
        ({"verify_retries": -1}, "verify_retries"),
        ({"verify_retries": 11}, "verify_retries"),
        ({"connect_timeout": -1}, "connect_timeout"),
        ({"endpoint": "http://example.com"}, "endpoint"),
        ({"request": {"mode": "apply"}}, "request"),
        ({"no_such_option": 1}, "no_such_option"),
    ],
)
def test_bad_options_are_named_before_anybody_is_asked(options: dict[str, Any], says: str) -> None:
    with pytest.raises(AnsibleActionFail, match=says):
        Nobody().task(**options)


@pytest.mark.parametrize(
    "answer",
    [
        {"failed": True, "msg": "MODULE FAILURE", "rc": 1},
        {"unreachable": True, "msg": "gone"},
        {},
        {"report": {"system": "beos"}},
        {"report": {"system": "linux", "addresses": "["}},
    ],
)
def test_a_host_that_answers_nonsense(answer: dict[str, Any]) -> None:
    class Nonsense(Nobody):
        def module(self, arguments: dict[str, Any]) -> dict[str, Any]:
            del arguments
            return answer

    task = SimpleNamespace(args={}, action=action.MODULE, async_val=0, check_mode=False)
    plugin = action.ActionModule(
        task, SimpleNamespace(_shell=SimpleNamespace(tmpdir="x")), SimpleNamespace(), *[None] * 3
    )
    plugin._execute_module = lambda *_arguments, **_more: answer
    done = plugin.run(task_vars={})
    assert done["failed"]
    assert not done["changed"]
    assert done["msg"]
