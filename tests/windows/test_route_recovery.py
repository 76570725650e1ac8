# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""After a run of the route fix on Windows was killed: the journal, and what the next run makes of it."""

from __future__ import annotations

import pytest
from ansible_collections.imds.azure.tests.scenarios.apply_contract import KilledError
from ansible_collections.imds.azure.tests.scenarios.windows_reports import (
    CLUSTER,
    GHOST,
    IMDS,
    REPAIRS,
    STATIC_DEFAULT,
    report,
)
from ansible_collections.imds.azure.tests.windows.windows_host import MAC, MUTATIONS
from ansible_collections.imds.azure.tests.windows.windows_site import BOTH_STORES, Site

ADD = {"prefix": IMDS, "interface_index": 5, "next_hop": "0.0.0.0", "metric": 1}
STEP = {
    "phase": "repair",
    "do": [{"action": "add", "store": "both", **ADD}],
    "undo": [{"action": "remove", "store": store, **ADD} for store in ("active", "persistent")],
}
EXPECT = {"address": "10.0.1.10", "mac": MAC}
APPLY = {
    "request": {"mode": "apply", "steps": [STEP], "expect": EXPECT, "verify": True, "rollback": True, "retries": 0}
}


@pytest.mark.parametrize("name", REPAIRS)
def test_killed_at_every_call_the_next_run_converges(site: Site, name: str) -> None:
    given, options, _codes, rows = REPAIRS[name]
    site.build(given)
    site.repair(options)
    changes = [at for at, call in enumerate(site.host.calls) if call[0] in MUTATIONS]
    recovered = set()
    for at in range(changes[0], changes[-1] + 10):
        site.build(given)
        site.host.kill = at
        with pytest.raises(KilledError):
            site.repair(options)
        unfinished = bool(list(site.journal.iterdir()))
        done = site.repair(options)
        assert not done.get("failed"), done["msg"]
        assert done["recovered"] == unfinished
        assert done["verified"]
        assert not site.host.needless
        assert [row[:3] for row in site.host.host_routes()] == rows
        assert not list(site.journal.iterdir())
        recovered.add(unfinished)
    assert recovered == {True, False}


@pytest.mark.parametrize("name", REPAIRS)
def test_what_a_killed_run_began_is_rolled_back_wholly(site: Site, name: str) -> None:
    """By the recovery alone: the plan that follows it would hide what is left."""
    given, options, _codes, _rows = REPAIRS[name]
    site.build(given)
    before = site.host.stores()
    site.repair(options)
    changes = [at for at, call in enumerate(site.host.calls) if call[0] in MUTATIONS]
    for at in range(changes[0], changes[-1] + 2):
        site.build(given)
        site.host.kill = at
        with pytest.raises(KilledError):
            site.repair(options)
        if "roll back" in (site.journal / "route_fix.txt").read_text():
            site.recover()
            assert site.host.stores() == before
        site.recover()
        assert not list(site.journal.iterdir())


def test_a_journal_that_cannot_be_written_any_more_ends_the_repair(site: Site) -> None:
    given, options, _codes, rows = REPAIRS["static_on_wrong_nic"]
    site.build(given)
    before = site.host.stores()
    site.after_change(1, (site.journal / "route_fix.txt.new").mkdir)
    done = site.repair(options)
    assert "A step failed" in done["msg"]
    assert (done["failed"], done["rolled_back"], done["changed"]) == (True, True, False)
    assert site.host.stores() == before
    (site.journal / "route_fix.txt.new").rmdir()
    assert not list(site.journal.iterdir())
    assert site.repair(options)["verified"]
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


def test_what_was_recovered_is_told_whatever_follows(site: Site) -> None:
    given, options, _codes, _rows = REPAIRS["static_on_wrong_nic"]
    for trouble in ("the proof", "the report", "the steps"):
        site.build(given)
        site.host.kill = 20
        with pytest.raises(KilledError):
            site.repair(options)
        assert list(site.journal.iterdir())
        if trouble == "the proof":
            site.host.imds = "silent"
        elif trouble == "the report":
            site.host.missing.add("Get-NetIPAddress")
        else:
            site.before_applying = lambda: site.core("hold_journal", journal=str(site.journal))
        done = site.repair(options)
        assert (done["failed"], done["recovered"], done["changed"]) == (True, True, True), trouble
    site.core("release_journal")


def test_what_a_killed_run_left_is_told_and_not_touched_in_check_mode(site: Site) -> None:
    given, options, _codes, _rows = REPAIRS["static_on_wrong_nic"]
    site.build(given)
    site.host.failing, site.host.failures = 1, 99
    site.repair(options)
    half_done, count = site.host.stores(), len(site.host.changes())
    for told in (site.repair(options, check_mode=True), site.repair(options._replace(state="query"))):
        assert told["warnings"] == ["An earlier run was killed. The next one rolls back what it began."]
        assert not told.get("failed")
    assert (site.host.stores(), len(site.host.changes())) == (half_done, count)


def test_check_mode_counts_what_the_next_run_rolls_back(site: Site) -> None:
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


def test_a_proven_repair_is_finished_and_never_rolled_back(site: Site) -> None:
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


def test_a_journal_that_can_not_be_understood_is_put_aside(site: Site) -> None:
    """Else it would lock out every run; check mode only tells of it."""
    journal = site.journal / "route_fix.txt"
    broken = "imds.azure route fix\nroll back\nremove\t0.0.0.0/0\t5\n"
    for text in (broken, "", "imds.azure route fix\n", "something else\n", f"{broken}fi", "\0" * 99):
        journal.write_text(text)
        told = site.module({"request": {"mode": "collect"}}, check_mode=True)
        assert "is not a journal of the route fix" in told["warnings"][0]
        assert journal.read_text() == text
        done = site.module({"request": {"mode": "collect", "recover": True}}, check_mode=False)
        assert not done["recovered"]
        assert done["warnings"][1] == f"It was moved to {journal}.unreadable."
        assert not journal.exists()
        assert (site.journal / "route_fix.txt.unreadable").read_text() == text
    assert site.task()["verified"]


def test_what_a_living_run_has_begun_is_not_reported_as_left_behind(site: Site) -> None:
    (site.journal / "route_fix.txt").write_text("imds.azure route fix\nroll back\n")
    query = {"request": {"mode": "collect"}}
    assert site.module(query, check_mode=True)["report"]["unfinished"]
    site.core("hold_journal", journal=str(site.journal))
    assert not site.module(query, check_mode=True)["report"]["unfinished"]
    site.core("release_journal")


def test_one_run_at_a_time(site: Site) -> None:
    site.core("hold_journal", journal=str(site.journal))
    done = site.task()
    site.core("release_journal")
    assert done["failed"]
    assert "under way on this host" in done["msg"]
    assert not site.host.changes()


def test_one_recovery_at_a_time(site: Site) -> None:
    (site.journal / "route_fix.txt").write_text(
        f"imds.azure route fix\nroll back\nremove\t{IMDS}\t5\t0.0.0.0\t1\tactive\t\t\n"
    )
    site.core("hold_journal", journal=str(site.journal))
    done = site.task()
    site.core("release_journal")
    assert "under way on this host" in done["msg"]
    assert not site.host.calls
    assert site.task()["recovered"]


def test_another_run_that_is_killed_in_between_is_rolled_back_first(site: Site) -> None:
    site.before_applying = lambda: (site.journal / "route_fix.txt").write_text("imds.azure route fix\nroll back\n")
    done = site.task()
    assert "Run again." in done["msg"]
    assert not site.host.changes()
    site.before_applying = lambda: None
    assert site.task()["recovered"]


def test_a_file_that_a_scanner_holds_for_a_moment_is_tried_again(site: Site) -> None:
    site.hold_journal("append", "delete", sleeps=3)
    done = site.task()
    assert (done.get("failed"), done["verified"], done.get("warnings")) == (None, True, None)
    assert not list(site.journal.iterdir())


def test_a_finished_journal_that_can_not_be_deleted_is_a_warning(site: Site) -> None:
    """And the next run does not follow it."""
    site.hold_journal("delete")
    done = site.module(APPLY, check_mode=False)
    (warning,) = done["warnings"]
    assert "is finished, but can't be deleted" in warning
    assert (done["kept"], done["error"]) == (True, "")
    assert site.host.host_routes() == BOTH_STORES
    site.hold_journal()
    assert (site.journal / "route_fix.txt").read_text().endswith("\nfinished\n")
    again = site.task()
    assert (again["recovered"], again["changed"], again["verified"]) == (False, False, True)
    site.task(state="absent")
    assert not list(site.journal.iterdir())


def test_a_journal_that_can_neither_be_finished_nor_deleted_is_told(site: Site) -> None:
    site.hold_journal("append", "delete")
    done = site.module(APPLY, check_mode=False)
    site.hold_journal()
    assert done["kept"]
    assert "while it is there the next run undoes the repair" in done["error"]


def test_killed_while_the_journal_was_finished_it_still_counts(site: Site) -> None:
    whole = f"imds.azure route fix\nroll back\nremove\t{IMDS}\t5\t0.0.0.0\t1\tactive\t\t\n"
    for end, recovered in (("", True), ("fini", True), ("finished", True), ("finished\n", False)):
        (site.journal / "route_fix.txt").write_text(whole + end)
        done = site.module({"request": {"mode": "collect", "recover": True}}, check_mode=False)
        assert done["recovered"] == recovered, end


def test_a_temporary_file_of_a_killed_run_goes(site: Site) -> None:
    (site.journal / "route_fix.txt.new").write_text("imds.azure route fix\nro")
    assert site.task()["verified"]
    assert not list(site.journal.iterdir())


def test_where_the_interface_is_gone_there_is_nothing_to_restore(site: Site) -> None:
    given, options, _codes, _rows = REPAIRS["static_on_wrong_nic"]
    site.build(given)
    site.host.kill = 20
    with pytest.raises(KilledError):
        site.repair(options)
    assert "add" in (site.journal / "route_fix.txt").read_text()
    for rows in (site.host.report["interfaces"], *site.host.report["routes"].values()):
        rows[:] = [row for row in rows if row["InterfaceIndex"] != 7]
    done = site.module({"request": {"mode": "collect", "recover": True}}, check_mode=False)
    assert done["recovered"]
    assert done["warnings"] == ["Interface 7 no longer exists, so there is nothing to restore on it."]
    assert not list(site.journal.iterdir())
