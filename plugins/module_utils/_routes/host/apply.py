# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out a plan's steps: do, prove, keep or roll back, all in one run. Only the order is decided here.

Steps of phase ``repair`` come before the proof and are undone in reverse order where it fails; steps of phase
``cleanup`` only follow a proof. What is begun is in the journal before it is done, so a run that is killed anywhere
is rolled back, or finished if it was proven, by `recover`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Callable, NamedTuple, Optional

from ..steps import AFTER_PROOF
from .host import DeviceGoneError, HostError
from .journal import Journal

Operation = Mapping[str, Any]
# Carries out one operation; HostError where it fails. Operations may be repeated.
Operate = Callable[[Operation], None]
# Asks IMDS; at least {"verified": bool, "detail": str}.
Prove = Callable[[], Mapping[str, Any]]

# What a reboot undoes by itself.
_RUNNING = ("replace", "append", "prepend", "delete")


class Outcome(NamedTuple):
    """``kept``: the repair stands. ``error``: why not, or what went wrong in spite of it. ``undo_errors``: what could
    not be rolled back; the journal then stays, and the next run tries again. ``proof`` is ``None`` where nobody asked.
    ``notes``: what was left as it is, because there is nothing to undo, or the journal's file that can't be removed.
    """

    kept: bool
    rolled_back: bool = False
    error: str = ""
    undo_errors: tuple[str, ...] = ()
    proof: Optional[Mapping[str, Any]] = None
    notes: tuple[str, ...] = ()


def apply(
    steps: Sequence[Mapping[str, Any]],
    operate: Operate,
    journal: Journal,
    prove: Optional[Prove] = None,
    rollback: bool = True,
    backend: str = "",
) -> Outcome:
    """Do the steps (plain, see `plan.plain_steps`) and the proof.

    :param prove: ``None``: keep without a proof
    :param rollback: whether a failed proof rolls the repair back; a failed step always does
    :raises HostError: where the journal can't be written; nothing was changed then
    """
    repair = [step for step in steps if step["phase"] != AFTER_PROOF]
    cleanup = [step for step in steps if step["phase"] == AFTER_PROOF]
    entry = {"steps": [*repair, *cleanup], "started": 0, "proven": False, "backend": backend, "boot": journal.boot()}
    if steps:
        journal.write(entry)
    try:
        for number, step in enumerate(repair, 1):
            entry["started"] = number
            journal.write(entry)
            _do(step["do"], operate)
    except HostError as error:
        return _roll_back(entry, operate, journal)._replace(error=str(error))
    proof = prove() if prove else None
    if proof is not None and proof.get("undecided"):
        return _close(journal, Outcome(kept=True, proof=proof), steps)
    if proof is not None and not proof["verified"]:
        if rollback and steps:
            return _roll_back(entry, operate, journal)._replace(error=str(proof["detail"]), proof=proof)
        return _close(journal, Outcome(kept=True, error=str(proof["detail"]), proof=proof), steps)
    return _finish(entry, operate, journal)._replace(proof=proof)


def recover(entry: Mapping[str, Any], operate: Operate, journal: Journal) -> Outcome:
    """Roll back what a killed run began, or finish what it had proven.

    :param entry: what `Journal.load` returned
    """
    rebooted = bool(entry.get("boot")) and entry["boot"] != journal.boot()

    def operate_if_lasting(operation: Operation) -> None:
        if not rebooted or operation["action"] not in _RUNNING:
            operate(operation)

    run = _finish if entry.get("proven") else _roll_back
    return run(dict(entry), operate_if_lasting, journal)


def _finish(entry: dict[str, Any], operate: Operate, journal: Journal) -> Outcome:
    steps = entry["steps"]
    if not steps:
        return Outcome(kept=True)
    errors = []
    cleanup = [step for step in steps if step["phase"] == AFTER_PROOF]
    try:
        if cleanup:
            journal.write({**entry, "proven": True})
    except HostError as error:
        # Without it a run that is killed now would be rolled back: the repair stands, the cleanup waits.
        errors.append(str(error))
        cleanup = []
    for step in cleanup:
        try:
            _do(step["do"], operate)
        except HostError as error:
            errors.append(str(error))
    return _close(journal, Outcome(kept=True, error="; ".join(errors)), steps)


def _roll_back(entry: dict[str, Any], operate: Operate, journal: Journal) -> Outcome:
    """Undo the begun steps, the last one first. One that can't be undone does not keep the others from it."""
    errors: list[str] = []
    notes: list[str] = []
    for step in reversed(entry["steps"][: entry["started"]]):
        for operation in step["undo"]:
            try:
                operate(operation)
            except DeviceGoneError as error:
                notes.append(f"Nothing to restore: {error}")
            except HostError as error:
                errors.append(str(error))
                break
    done = Outcome(kept=False, rolled_back=not errors, undo_errors=tuple(errors), notes=tuple(notes))
    return done if errors else _close(journal, done, entry["steps"])


def _close(journal: Journal, done: Outcome, steps: Sequence[Any]) -> Outcome:
    """The end: the journal goes. A repair stands, or is rolled back, even where its file can't be removed."""
    if not steps:
        return done
    try:
        left = journal.close()
    except HostError as error:
        left = f"{error}; the next run rolls the repair back" if done.kept else str(error)
    return done._replace(notes=(*done.notes, f"The journal could not be removed: {left}")) if left else done


def _do(operations: Sequence[Operation], operate: Operate) -> None:
    for operation in operations:
        operate(operation)
