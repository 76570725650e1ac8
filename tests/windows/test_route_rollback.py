# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the route fix on Windows leaves where a step or the proof fails."""

from __future__ import annotations

import pytest
from ansible_collections.imds.azure.tests.scenarios.apply_contract import KilledError
from ansible_collections.imds.azure.tests.scenarios.windows_reports import (
    CLUSTER,
    ON_SECOND,
    REPAIRS,
    STATIC_DEFAULT,
    TWO_NICS,
    WANTED,
    report,
)
from ansible_collections.imds.azure.tests.windows.windows_site import BOTH_STORES, Site


@pytest.mark.parametrize("name", REPAIRS)
def test_a_silent_imds_means_back_to_what_was(site: Site, name: str) -> None:
    given, options, _codes, _rows = REPAIRS[name]
    site.build(given)
    before = site.host.stores()
    site.host.imds = "silent"
    done = site.repair(options)
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
def test_a_failure_at_each_step_leaves_all_as_it_was(site: Site, name: str) -> None:
    given, options, _codes, rows = REPAIRS[name]
    site.build(given)
    site.repair(options)
    count = len(site.host.changes())
    assert count
    for at in range(count):
        site.build(given)
        before = site.host.stores()
        site.host.failing = at
        done = site.repair(options)
        assert done["failed"]
        assert site.host.failure.record["message"].rstrip(".") in done["msg"]
        assert not site.host.needless
        if done["rolled_back"]:
            assert not done["changed"]
            assert site.host.stores() == before
        else:  # what comes after the proof can't be put back, and the repair is good without it
            assert (done["verified"], done["changed"]) == (True, True)
        assert not list(site.journal.iterdir())
        done = site.repair(options)
        assert [row[:3] for row in site.host.host_routes()] == rows


def test_the_undo_goes_backwards(site: Site) -> None:
    given, options, _codes, _rows = REPAIRS["static_on_wrong_nic"]
    site.build(given)
    site.host.imds = "silent"
    site.repair(options)
    calls = site.host.calls
    done = [(name, parameters["InterfaceIndex"]) for name, parameters in site.host.changes()]
    forth = [("Remove-NetRoute", 7), ("Remove-NetRoute", 7), ("New-NetRoute", 5)]
    back = [("Remove-NetRoute", 5), ("Remove-NetRoute", 5), ("New-NetRoute", 7)]
    assert done == [*forth, *back]
    site.build(given)
    site.host.imds = "silent"
    site.host.kill = [name for name, _parameters in calls].index("New-NetRoute") + 1
    with pytest.raises(KilledError):
        site.repair(options)
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


def test_rolled_back_is_not_yet_as_it_was(site: Site) -> None:
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
    assert "The repair was rolled back." in done["msg"]


def test_a_report_that_cannot_be_read_after_the_repair_hides_no_change(site: Site) -> None:
    site.after_change(1, lambda: site.host.missing.add("Get-NetIPAddress"))
    done = site.task()
    assert (done["failed"], done["changed"], done["verified"]) == (True, True, True)
    assert "can't be read" in done["msg"]
    assert site.host.host_routes() == BOTH_STORES


def test_an_undo_that_fails_is_tried_again_by_the_next_run(site: Site) -> None:
    given, options, _codes, rows = REPAIRS["static_on_wrong_nic"]
    site.build(given)
    site.host.failing, site.host.failures = 1, 99
    done = site.repair(options)
    assert done["failed"]
    assert "the next run tries again" in done["msg"]
    assert [file.name for file in site.journal.iterdir()] == ["route_fix.txt"]
    stuck = site.repair(options)
    assert stuck["failed"]
    assert "can't be rolled back" in stuck["msg"]
    site.host.failures = 0
    done = site.repair(options)
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


def test_without_a_look_at_the_table_nothing_is_begun(site: Site) -> None:
    site.before_applying = lambda: site.host.missing.add("Get-NetRoute")
    done = site.task()
    assert (done["failed"], done["changed"]) == (True, False)
    assert "Get-NetRoute" in done["msg"]
    assert not site.host.changes()


@pytest.mark.parametrize("store", ["active", "persistent"])
@pytest.mark.parametrize("gone", [False, True])
def test_a_route_that_somebody_sets_since_the_plan_survives(site: Site, store: str, gone: bool) -> None:
    given, options, _codes, _rows = REPAIRS["static_on_wrong_nic"]
    site.build(given)
    foreign = {**WANTED, "NextHop": "10.0.1.1", "RouteMetric": 5}
    rows = site.host.report["routes"][store]
    site.before_applying = lambda: rows.remove(ON_SECOND) if gone else rows.append(foreign)
    done = site.repair(options)
    assert (done["failed"], done["changed"]) == (True, False)
    assert "no longer those that were planned for" in done["msg"]
    assert not site.host.changes()
    assert gone or foreign in rows
    assert not list(site.journal.iterdir())


def test_another_prefix_or_order_is_no_reason_to_stop(site: Site) -> None:
    given, options, _codes, _rows = REPAIRS["static_on_wrong_nic"]
    site.build(given)
    rows = site.host.report["routes"]["active"]
    site.before_applying = lambda: [rows.reverse(), rows.append({**WANTED, "DestinationPrefix": "10.9.0.0/16"})]
    assert site.repair(options)["verified"]
