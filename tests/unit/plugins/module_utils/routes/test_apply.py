# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps, proof, rollback and journal, broken at every point."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._routes.host.apply import apply, recover
from ansible_collections.imds.azure.plugins.module_utils._routes.host.host import HostError
from ansible_collections.imds.azure.plugins.module_utils._routes.host.journal import PATH, Journal
from ansible_collections.imds.azure.tests.scenarios.apply_contract import ApplyContract, KilledError, Outcome, Subject
from ansible_collections.imds.azure.tests.scenarios.linux_machine import Machine

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


class LinuxSubject(Subject):
    def __init__(self, place: Path) -> None:
        super().__init__()
        self.machine = Machine(place, BEFORE)
        self.machine.tick = self.tick  # type: ignore[method-assign]

    def repair(self, proven: bool, rollback: bool = True) -> Outcome:
        return self._apply(REPAIR + CLEANUP, proven, rollback)

    def do_nothing(self, proven: bool) -> Outcome:
        return self._apply([], proven)

    def _apply(self, steps: list[Any], proven: bool, rollback: bool = True) -> Outcome:
        proof = GOOD if proven else BAD
        done = apply(steps, self.operate, Journal(self.machine.host), lambda: proof, rollback)
        return Outcome(done.kept, done.rolled_back, done.error, done.undo_errors)

    def operate(self, operation: Any) -> None:
        undoing = operation in [op for step in REPAIR for op in step["undo"]]
        kind = "undo" if undoing else "do"
        # The second step of three, so that there is something to undo and something left undone.
        if kind in self.broken and operation["action"] == ("append" if undoing else "replace"):
            raise HostError(f"{kind}: Operation not permitted")
        self.machine.operate(operation)

    def recover(self) -> None:
        journal = Journal(self.machine.host)
        entry = journal.load()
        if entry:
            recover(entry, self.operate, journal)

    def is_as_before(self) -> bool:
        return is_as_before(self.machine)

    def is_repaired(self) -> bool:
        return (self.machine.rows, self.machine.kept) == (REPAIRED, ROW)

    def is_cleaned_up(self) -> bool:
        return (self.machine.rows, self.machine.kept) == ([WANTED], ROW)

    def is_unfinished(self) -> bool:
        return Journal(self.machine.host).load() is not None

    def block_journal(self) -> None:
        Path(self.machine.host.root).mkdir(exist_ok=True)
        Path(self.machine.host.root + "/var").write_text("a file where a directory has to be", encoding="ascii")


class TestLinux(ApplyContract):
    def subject(self, place: Path) -> Subject:
        return LinuxSubject(place)


def test_steps_are_done_in_order_and_undone_in_reverse(machine: Machine) -> None:
    apply(REPAIR + CLEANUP, machine.operate, Journal(machine.host), lambda: BAD)
    verbs = [line.split()[0] for line in machine.log]
    assert verbs == ["persist", "replace", "delete", "append", "replace", "unpersist"]
    proven = Machine(Path(machine.host.root), BEFORE)
    apply(CLEANUP + REPAIR, proven.operate, Journal(proven.host), lambda: GOOD)
    assert [line.split()[0] for line in proven.log] == ["persist", "replace", "delete", "delete"]


def test_repair_without_a_proof_is_kept_where_nobody_asks(machine: Machine) -> None:
    done = apply(REPAIR, machine.operate, Journal(machine.host))
    assert (done.kept, done.proof) == (True, None)
    assert machine.rows == REPAIRED


def test_cleanup_waits_where_the_journal_can_not_be_written(machine: Machine) -> None:
    journal = Journal(machine.host)

    def prove_and_fill_the_disk() -> Any:
        machine.full = True
        return GOOD

    done = apply(REPAIR + CLEANUP, machine.operate, journal, prove_and_fill_the_disk)
    assert (done.kept, done.rolled_back) == (True, False)
    assert "No space left on device" in done.error
    assert machine.rows == REPAIRED
    assert journal.load() is None


def test_one_undo_that_fails_does_not_keep_the_others_from_it(machine: Machine) -> None:
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


def test_recovery_after_a_reboot_undoes_only_what_lasts(machine: Machine) -> None:
    boot = Path(machine.host.root + "/proc/sys/kernel/random/boot_id")
    boot.parent.mkdir(parents=True)
    boot.write_text("first\n", encoding="ascii")
    # KilledError while the proof is under way: all three steps are done.
    with pytest.raises(KilledError):
        apply(REPAIR, machine.operate, Journal(machine.host), _killed)
    boot.write_text("second\n", encoding="ascii")
    machine.rows = []
    entry = Journal(machine.host).load()
    assert entry
    assert recover(entry, machine.operate, Journal(machine.host)).rolled_back
    assert (machine.rows, machine.kept) == ([], None)


def _killed() -> dict[str, Any]:
    raise KilledError


def test_without_a_place_for_the_journal_nothing_is_done(machine: Machine) -> None:
    Path(machine.host.root + "/var").write_text("a file where a directory has to be", encoding="ascii")
    with pytest.raises(HostError, match=r"route_fix\.json"):
        apply(REPAIR, machine.operate, Journal(machine.host), lambda: GOOD)
    assert is_as_before(machine)
    assert machine.log == []


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"steps": []}', '{"steps": [], "started": 1}'])
def test_journal_that_can_not_be_understood_is_an_error(tmp_path: Path, text: str) -> None:
    host = Machine(tmp_path).host
    host.write(PATH, text, 0o600)
    with pytest.raises(HostError, match=r"route_fix\.json is not a journal"):
        Journal(host).load()


def test_second_run_at_the_same_time_is_refused(tmp_path: Path) -> None:
    journal = Journal(Machine(tmp_path).host)
    with journal.alone(), pytest.raises(HostError, match="under way"), journal.alone():
        pytest.fail("there are two")
    with journal.alone():
        pass
