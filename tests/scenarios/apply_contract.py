# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What carrying out a repair guarantees on every system: kept if proven, else rolled back, whenever it is killed.

A test module makes a class of `ApplyContract` and overrides `subject` with a `Subject` of its system.
"""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest


class KilledError(BaseException):
    """The process is gone. Not an Exception, so that nothing tidies up after it."""


class Outcome(NamedTuple):
    """What a run says: whether the repair stands or was rolled back, what went wrong, and what could not be undone."""

    kept: bool
    rolled_back: bool
    error: str
    undo_errors: tuple[str, ...]


class Subject(ABC):
    """A model of one host whose route is broken, with a plan of several repair steps and at least one cleanup step.

    ``kill_at``: number of the piece of I/O that does not happen any more: the process is killed there instead.
    ``broken``: kinds of change (``do`` or ``undo``) that fail.
    """

    kill_at: int | None = None
    count = 0

    def __init__(self) -> None:
        self.broken: set[str] = set()

    def tick(self) -> None:
        """One piece of I/O; the model calls it before each."""
        if self.count == self.kill_at:
            raise KilledError
        self.count += 1

    @abstractmethod
    def repair(self, proven: bool, rollback: bool = True) -> Outcome:
        """Carry out the whole plan; ``proven`` is what the request to IMDS says."""

    @abstractmethod
    def do_nothing(self, proven: bool) -> Outcome:
        """Carry out a plan without steps."""

    @abstractmethod
    def recover(self) -> None:
        """What the next run does first."""

    @abstractmethod
    def is_as_before(self) -> bool:
        """Everything is as it was before the repair."""

    @abstractmethod
    def is_repaired(self) -> bool:
        """The repair stands, and nothing is cleaned up."""

    @abstractmethod
    def is_cleaned_up(self) -> bool:
        """The repair stands, and what only may go after the proof is gone."""

    @abstractmethod
    def is_unfinished(self) -> bool:
        """The journal says that there is something to roll back or to finish."""

    @abstractmethod
    def block_journal(self) -> None:
        """From now on the journal can't be written."""


class ApplyContract:
    """The tests. ``subject`` makes a fresh model in a directory that is its own."""

    def subject(self, place: Path) -> Subject:
        raise NotImplementedError

    def test_proven_repair_is_kept_and_cleaned_up(self, tmp_path: Path) -> None:
        subject = self.subject(tmp_path)
        assert subject.is_as_before()
        assert subject.repair(proven=True) == (True, False, "", ())
        assert subject.is_cleaned_up()
        assert not subject.is_unfinished()

    def test_unproven_repair_is_rolled_back(self, tmp_path: Path) -> None:
        subject = self.subject(tmp_path)
        done = subject.repair(proven=False)
        assert (done.kept, done.rolled_back, done.undo_errors) == (False, True, ())
        assert done.error
        assert subject.is_as_before()
        assert not subject.is_unfinished()

    def test_unproven_repair_stands_without_cleanup_where_rollback_is_off(self, tmp_path: Path) -> None:
        subject = self.subject(tmp_path)
        done = subject.repair(proven=False, rollback=False)
        assert (done.kept, done.rolled_back) == (True, False)
        assert done.error
        assert subject.is_repaired()
        assert not subject.is_unfinished()

    @pytest.mark.parametrize("rollback", [True, False])
    def test_failed_step_is_rolled_back_in_any_case(self, tmp_path: Path, rollback: bool) -> None:
        subject = self.subject(tmp_path)
        subject.broken = {"do"}
        done = subject.repair(proven=True, rollback=rollback)
        assert (done.kept, done.rolled_back) == (False, True)
        assert done.error
        assert subject.is_as_before()
        assert not subject.is_unfinished()

    def test_what_can_not_be_undone_is_left_to_the_next_run(self, tmp_path: Path) -> None:
        subject = self.subject(tmp_path)
        subject.broken = {"undo"}
        done = subject.repair(proven=False)
        assert (done.kept, done.rolled_back) == (False, False)
        assert done.undo_errors
        assert subject.is_unfinished()
        subject.broken = set()
        subject.recover()
        assert subject.is_as_before()
        assert not subject.is_unfinished()

    def test_plan_without_steps_touches_nothing(self, tmp_path: Path) -> None:
        for proven in (True, False):
            subject = self.subject(tmp_path / str(proven))
            done = subject.do_nothing(proven)
            assert (done.kept, done.rolled_back) == (True, False)
            assert bool(done.error) is not proven
            assert subject.is_as_before()
            assert not subject.is_unfinished()

    def test_without_a_journal_nothing_is_begun(self, tmp_path: Path) -> None:
        subject = self.subject(tmp_path)
        subject.block_journal()
        with contextlib.suppress(Exception):
            assert not subject.repair(proven=True).kept
        assert subject.is_as_before()

    @pytest.mark.parametrize("proven", [True, False])
    def test_killed_anywhere_the_next_run_restores_or_finishes(self, tmp_path: Path, proven: bool) -> None:
        total = self._pieces_of_io(tmp_path / "count", proven)
        assert total > 9
        for at in range(total):
            subject = self.subject(tmp_path / str(at))
            assert _killed(subject, at, lambda subject=subject: subject.repair(proven)), at  # type: ignore[misc]
            subject.recover()
            assert not subject.is_unfinished()
            assert subject.is_as_before() or (proven and subject.is_cleaned_up()), at

    def test_killed_while_recovering_the_run_after_it_restores(self, tmp_path: Path) -> None:
        total = self._pieces_of_io(tmp_path / "count", False)
        for first in range(total):
            for second in range(total):
                subject = self.subject(tmp_path / f"{first}-{second}")
                _killed(subject, first, lambda subject=subject: subject.repair(False))  # type: ignore[misc]
                killed = _killed(subject, second, subject.recover)
                subject.recover()
                assert subject.is_as_before(), (first, second)
                assert not subject.is_unfinished()
                if not killed:
                    break

    def _pieces_of_io(self, place: Path, proven: bool) -> int:
        subject = self.subject(place)
        subject.repair(proven)
        return subject.count


def _killed(subject: Subject, at: int, action: Callable[[], object]) -> bool:
    """Whether the action was killed, at that piece of I/O from now."""
    subject.kill_at = subject.count + at
    try:
        action()
    except KilledError:
        return True
    finally:
        subject.kill_at = None
    return False
