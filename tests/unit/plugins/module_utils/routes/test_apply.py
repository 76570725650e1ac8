# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps, proof, rollback and journal, broken at every point."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, Optional

import pytest
from ansible_collections.imds.azure.plugins.module_utils._routes.host.apply import apply, recover
from ansible_collections.imds.azure.plugins.module_utils._routes.host.host import HostError
from ansible_collections.imds.azure.plugins.module_utils._routes.host.journal import PATH, Journal
from ansible_collections.imds.azure.tests.scenarios.linux_machine import Killed, Machine

FOREIGN = "169.254.169.254/32 dev eth1 proto static"
OTHER = "169.254.169.254/32 via 10.1.0.1 dev eth1 proto static metric 5"
WANTED = "169.254.169.254/32 via 10.0.0.1 dev eth0 proto static src 10.0.0.4 onlink"
ROW = {"dst": "169.254.169.254/32", "dev": "eth0", "gateway": "10.0.0.1"}
GOOD = {"verified": True, "detail": "HTTP 200"}
BAD = {"verified": False, "detail": "connect_timeout"}


def ip(verb: str, row: str) -> dict[str, Any]:
    return {"action": verb, "arguments": ["route", verb, *row.split()]}


def step(do: Any, undo: Any = None, phase: str = "repair") -> dict[str, Any]:
    undone = [] if undo is None else [undo]
    return {"action": do["action"], "target": "", "reason": "", "phase": phase, "do": [do], "undo": undone}


REPAIR = [
    step({"action": "persist", "route": ROW}, {"action": "unpersist"}),
    step(ip("replace", WANTED), ip("replace", FOREIGN)),
    step(ip("delete", OTHER), ip("append", OTHER)),
]
CLEANUP = [step(ip("delete", "203.0.113.9/32 dev eth9"), phase="cleanup")]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path, [FOREIGN, OTHER, "203.0.113.9/32 dev eth9"])


BEFORE = [FOREIGN, OTHER, "203.0.113.9/32 dev eth9"]
REPAIRED = [WANTED, "203.0.113.9/32 dev eth9"]


def is_as_before(machine: Machine) -> bool:
    return sorted(machine.rows) == sorted(BEFORE) and machine.kept is None


def test_a_proven_repair_is_kept_and_cleaned_up(machine: Machine) -> None:
    journal = Journal(machine.host)
    done = apply(CLEANUP + REPAIR, machine.operate, journal, lambda: GOOD)
    assert (done.kept, done.rolled_back, done.error, done.proof) == (True, False, "", GOOD)
    assert (machine.rows, machine.kept) == ([WANTED], ROW)
    assert [line.split()[0] for line in machine.log] == ["persist", "replace", "delete", "delete"]
    assert journal.load() is None


def test_without_a_proof_the_repair_is_undone_in_reverse_order(machine: Machine) -> None:
    done = apply(REPAIR + CLEANUP, machine.operate, Journal(machine.host), lambda: BAD)
    assert (done.kept, done.rolled_back, done.error) == (False, True, "connect_timeout")
    assert is_as_before(machine)
    assert [line.split()[0] for line in machine.log[3:]] == ["append", "replace", "unpersist"]
    assert Journal(machine.host).load() is None


def test_nobody_asks(machine: Machine) -> None:
    done = apply(REPAIR, machine.operate, Journal(machine.host))
    assert (done.kept, done.proof) == (True, None)
    assert machine.rows == REPAIRED


def test_rollback_can_be_turned_off_but_cleanup_does_not_happen(machine: Machine) -> None:
    done = apply(REPAIR + CLEANUP, machine.operate, Journal(machine.host), lambda: BAD, rollback=False)
    assert (done.kept, done.rolled_back, done.error) == (True, False, "connect_timeout")
    assert machine.rows == REPAIRED
    assert Journal(machine.host).load() is None


@pytest.mark.parametrize("verb", ["replace", "delete"])
def test_a_step_that_fails_takes_all_back_even_without_rollback(machine: Machine, verb: str) -> None:
    machine.broken = {verb: "RTNETLINK answers: Operation not permitted"}
    original = machine.run

    def broken_once(argv: Any) -> Any:
        answer = original(argv)
        if argv[2] in machine.broken:
            machine.broken = {}
        return answer

    machine.run = broken_once  # type: ignore[method-assign]
    machine.host = type(machine.host)(machine, Path(machine.host.root))
    done = apply(REPAIR, machine.operate, Journal(machine.host), lambda: GOOD, rollback=False)
    assert (done.kept, done.rolled_back) == (False, True)
    assert "Operation not permitted" in done.error
    assert is_as_before(machine)


def test_without_a_journal_of_it_nothing_is_cleaned_up(machine: Machine) -> None:
    journal = Journal(machine.host)

    def prove_and_fill_the_disk() -> Any:
        machine.full = True
        return GOOD

    done = apply(REPAIR + CLEANUP, machine.operate, journal, prove_and_fill_the_disk)
    assert (done.kept, done.rolled_back) == (True, False)
    assert "No space left on device" in done.error
    assert machine.rows == REPAIRED
    assert journal.load() is None


def test_what_can_not_be_undone_stays_in_the_journal(machine: Machine) -> None:
    machine.broken = {"append": "RTNETLINK answers: Operation not permitted"}
    done = apply(REPAIR, machine.operate, Journal(machine.host), lambda: BAD)
    assert (done.kept, done.rolled_back) == (False, False)
    assert "Operation not permitted" in done.undo_errors[0]
    # The others are undone all the same, and the next run does the rest.
    assert machine.rows == [FOREIGN, "203.0.113.9/32 dev eth9"]
    machine.broken = {}
    entry = Journal(machine.host).load()
    assert entry
    assert recover(entry, machine.operate, Journal(machine.host)).rolled_back
    assert is_as_before(machine)


def test_a_cleanup_that_fails_keeps_the_repair(machine: Machine) -> None:
    bad = step({"action": "nonsense", "arguments": []}, phase="cleanup")
    done = apply([*REPAIR, bad], machine.operate, Journal(machine.host), lambda: GOOD)
    assert done.kept
    assert "nonsense" in done.error
    assert machine.rows == REPAIRED


def test_no_steps_leave_no_trace(machine: Machine) -> None:
    for proof in (GOOD, BAD):
        done = apply([], machine.operate, Journal(machine.host), lambda proof=proof: proof)  # type: ignore[misc]
        assert (done.kept, done.rolled_back) == (True, False)
        assert bool(done.error) == (proof is BAD)
    assert machine.count == 0


def run_killed(machine: Machine, at: int, proof: dict[str, Any]) -> bool:
    """Whether it was killed at all."""
    machine.kill_at = machine.count + at
    try:
        apply(REPAIR + CLEANUP, machine.operate, Journal(machine.host), lambda: proof)
    except Killed:
        return True
    finally:
        machine.kill_at = None
    return False


def pieces_of_io(place: Path, proof: dict[str, Any]) -> int:
    machine = Machine(place, BEFORE)
    assert not run_killed(machine, 1000, proof)
    return machine.count


@pytest.mark.parametrize("proof", [GOOD, BAD], ids=["good", "bad"])
def test_killed_anywhere_the_next_run_restores_or_finishes(tmp_path: Path, proof: dict[str, Any]) -> None:
    total = pieces_of_io(tmp_path / "count", proof)
    assert total > 9
    for at in range(total):
        machine = Machine(tmp_path / str(at), BEFORE)
        assert run_killed(machine, at, proof)
        journal = Journal(machine.host)
        entry = journal.load()
        if entry:
            recover(entry, machine.operate, journal)
        finished = (machine.rows, machine.kept) == ([WANTED], ROW)
        assert finished or is_as_before(machine), at
        assert finished <= (proof is GOOD), at
        assert journal.load() is None


def test_killed_while_recovering(tmp_path: Path) -> None:
    total = pieces_of_io(tmp_path / "count", BAD)
    for first in range(total):
        for second in range(total):
            machine = Machine(tmp_path / f"{first}-{second}", BEFORE)
            run_killed(machine, first, BAD)
            journal = Journal(machine.host)
            machine.kill_at = machine.count + second
            with contextlib.suppress(Killed):
                recover(journal.load() or {"steps": [], "started": 0}, machine.operate, journal)
            machine.kill_at = None
            entry: Optional[dict[str, Any]] = journal.load()
            if entry:
                recover(entry, machine.operate, journal)
            assert is_as_before(machine), (first, second)


def test_after_a_reboot_only_what_lasts_is_taken_back(machine: Machine) -> None:
    boot = Path(machine.host.root + "/proc/sys/kernel/random/boot_id")
    boot.parent.mkdir(parents=True)
    boot.write_text("first\n", encoding="ascii")
    # Killed while the proof is under way: all three steps are done.
    with pytest.raises(Killed):
        apply(REPAIR, machine.operate, Journal(machine.host), _killed)
    boot.write_text("second\n", encoding="ascii")
    machine.rows = []
    entry = Journal(machine.host).load()
    assert entry
    assert recover(entry, machine.operate, Journal(machine.host)).rolled_back
    assert (machine.rows, machine.kept) == ([], None)


def _killed() -> dict[str, Any]:
    raise Killed


def test_without_a_place_for_the_journal_nothing_is_done(machine: Machine) -> None:
    Path(machine.host.root + "/var").write_text("a file where a directory has to be", encoding="ascii")
    with pytest.raises(HostError, match=r"route_fix\.json"):
        apply(REPAIR, machine.operate, Journal(machine.host), lambda: GOOD)
    assert is_as_before(machine)
    assert machine.log == []


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"steps": []}', '{"steps": [], "started": 1}'])
def test_a_journal_that_is_none(tmp_path: Path, text: str) -> None:
    host = Machine(tmp_path).host
    host.write(PATH, text, 0o600)
    with pytest.raises(HostError, match=r"route_fix\.json is not a journal"):
        Journal(host).load()


def test_two_runs_at_once(tmp_path: Path) -> None:
    journal = Journal(Machine(tmp_path).host)
    with journal.alone(), pytest.raises(HostError, match="under way"), journal.alone():
        pytest.fail("there are two")
    with journal.alone():
        pass
