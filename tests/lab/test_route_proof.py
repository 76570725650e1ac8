# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The route fix where it does not go smoothly: no proof, a busy IMDS, a run that is killed; and the way back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from .api import Lab
from .asking import ANSWER, ending
from .route_play import Results, everywhere, play, tables
from .route_states import OTHER, STATIC, numbered

# Two host routes on the wrong NIC: one is replaced, the other one deleted.
BROKEN = (OTHER, OTHER + " metric 7")
# How IMDS answers -> whether that proves the route.
ANSWERS: dict[str, tuple[dict[str, Any], bool]] = {
    "dropped": ({"kind": "drop"}, False),
    "page": ({"kind": "html"}, False),
    "foreign": ({"kind": "body", "body": '{"interface": []}'}, False),
    "forbidden": ({"status": 403}, True),
    "proxy-busy": ({"status": 503, "headers": {"Via": "1.1 proxy"}}, False),
    "throttled": ({"status": 429}, True),
    "updating": ({"status": 410}, True),
    "server-error": ({"status": 503}, True),
}
KILLED = [f"killed-{number}-{when}" for number in (1, 2) for when in ("before", "after")]
JOURNAL = "/var/lib/imds.azure/route_fix.json"
# Stands before the real ip and ends the module, its grandparent, around one of the changes.
KILLER = """#!/bin/sh
real=$(PATH=/usr/sbin:/usr/bin:/sbin:/bin command -v ip)
case "$*" in
"route replace"* | "route delete"*) ;;
*) exec "$real" "$@" ;;
esac
echo change >>/root/changes
number=$(wc -l </root/changes)
read -r stat <"/proc/$PPID/stat"
set_parent() { parent=$2; }
set_parent ${stat##*) }
[ "$number $WHEN" = "NUMBER before" ] && kill -9 "$parent" && exit 1
"$real" "$@"
code=$?
[ "$number $WHEN" = "NUMBER after" ] && kill -9 "$parent"
exit $code
"""
NAMES = [*ANSWERS, "kept", *KILLED, "back", "stored"]


def _vm(name: str, number: int) -> dict[str, Any]:
    commands = [command.split() for command in BROKEN]
    options: dict[str, Any] = {"rollback": False} if name == "kept" else {}
    options.update({"persistence_backend": "ifupdown"} if name == "stored" else {})
    document = {"name": name, "nics": [STATIC, {}], "ip": commands, "vars": {"route_options": options}}
    return dict(numbered(document, number))


@pytest.fixture(scope="module")
def fleet(lab: Lab) -> Iterator[Lab]:
    assert lab.place.alive()  # this machine allows labs
    with Lab({"vms": [_vm(name, number) for number, name in enumerate(NAMES)]}) as running:
        for name, (fault, _proves) in {**ANSWERS, "kept": ANSWERS["dropped"]}.items():
            running.emulator.faults({"path": "/metadata/instance", "vm": name, **fault})
        for name in KILLED:
            _kind, number, when = name.split("-")
            script = KILLER.replace("NUMBER", number).replace("$WHEN", when)
            install = "cat >/usr/local/sbin/ip && chmod 755 /usr/local/sbin/ip"
            running.run(name, ["sh", "-c", install], stdin=script, check=True)
        interfaces = "auto eth0\niface eth0 inet static\n  address 10.77.{n}.4/24\n".replace(
            "{n}", str(NAMES.index("stored"))
        )
        install = "mkdir -p /etc/network/if-up.d && cat >/etc/network/interfaces"
        running.run("stored", ["sh", "-c", install], stdin=interfaces, check=True)
        yield running


@pytest.fixture(scope="module")
def before(fleet: Lab) -> dict[str, str]:
    return everywhere(fleet, tables)


@pytest.fixture(scope="module")
def first(fleet: Lab, before: dict[str, str]) -> Results:
    assert before
    return play(fleet, {"fix": {"diff": True}})


@pytest.mark.parametrize("name", [name for name, (_fault, proves) in ANSWERS.items() if not proves])
def test_without_a_proof_everything_is_put_back(fleet: Lab, before: dict[str, str], first: Results, name: str) -> None:
    result = first["fix"][name]
    assert result["failed"]
    assert result["rolled_back"]
    assert not result["verified"]
    assert not result["changed"]
    assert result["host_routes"]
    assert result["diff"]
    assert tables(fleet, name) == before[name]


@pytest.mark.parametrize("name", [name for name, (_fault, proves) in ANSWERS.items() if proves])
def test_a_busy_imds_proves_the_route(fleet: Lab, first: Results, name: str) -> None:
    result = first["fix"][name]
    assert not result.get("failed"), result
    assert result["changed"]
    assert result["verified"]
    fleet.emulator.clear_faults()
    assert ending(fleet, name) == ANSWER


def test_without_rollback_it_is_kept(fleet: Lab, first: Results) -> None:
    result = first["fix"]["kept"]
    assert result["failed"]
    assert result["changed"]
    assert not result["rolled_back"]
    assert "dev eth0" in fleet.run("kept", ["ip", "route", "get", "169.254.169.254"]).stdout


@pytest.fixture(scope="module")
def later(fleet: Lab, first: Results) -> Results:
    """The next run, in a world without faults; then the way back, twice."""
    assert first
    fleet.emulator.clear_faults()
    for name in KILLED:
        fleet.run(name, ["rm", "/usr/local/sbin/ip"], check=True)
    back = {"state": "absent", "when": "inventory_hostname in ['back', 'stored']"}
    return play(fleet, {"next": {}, "again": {}, "back": back, "back_again": back}, "all")


@pytest.mark.parametrize("name", KILLED)
def test_a_killed_run_is_taken_back_by_the_next_one(fleet: Lab, first: Results, later: Results, name: str) -> None:
    assert first["fix"][name]["failed"]
    assert len(fleet.run(name, ["cat", "/root/changes"]).stdout.splitlines()) == int(name.split("-")[1])
    result = later["next"][name]
    assert not result.get("failed"), result
    assert result["recovered"]
    assert result["verified"]
    assert [step["action"] for step in result["plan"]] == [step["action"] for step in first["fix"]["kept"]["plan"]]
    assert fleet.run(name, ["test", "-e", JOURNAL]).returncode == 1
    assert ending(fleet, name) == ANSWER


@pytest.mark.parametrize("name", NAMES)
def test_then_nothing_is_left_to_do(later: Results, name: str) -> None:
    result = later["again"][name]
    assert not result.get("failed"), result
    assert not result["changed"]


def test_the_way_back_leads_to_the_default_route(fleet: Lab, later: Results) -> None:
    for name in ("back", "stored"):
        assert later["back"][name]["changed"]
        assert not later["back_again"][name]["changed"]
        assert "169.254.169.254" not in tables(fleet, name)
        assert ending(fleet, name) == ANSWER


def test_the_route_is_stored_where_the_nic_is_configured(first: Results, later: Results) -> None:
    result = first["fix"]["stored"]
    assert not result.get("failed"), result
    assert result["persistence"] == "ifupdown"
    assert "persist" in [step["action"] for step in result["plan"]]
    assert "persistent" in [row["store"] for row in result["host_routes"]]
    assert "unpersist" in [step["action"] for step in later["back"]["stored"]["plan"]]


def test_where_nobody_stores_it_that_is_said(first: Results) -> None:
    result = first["fix"]["back"]
    assert result["persistence"] == "none"
    assert "runtime_only" in [one["code"] for one in result["findings"]]
