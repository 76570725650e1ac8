# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two things that a target is asked for, and the words in which the controller asks. The Windows side has the same.

``{"mode": "collect", "recover": bool}`` -> ``{"report", "recovered"}``. With ``recover``, what a killed run left is
rolled back or finished first; without, ``report["unfinished"]`` says so.

``{"mode": "apply", "steps": [..], "expect": {"address", "mac"}, "backend", "verify": bool, "rollback": bool,
"retries": int}`` -> ``{"kept", "rolled_back", "error", "undo_errors", "proof", "restored", "tables", "report"}``.
``restored``: after a rollback, whether the host routes are exactly what they were. ``tables``: the host routes as the
system prints them, lists of lines, ``before`` the steps, as they were ``tried``, and ``after`` all. ``report`` is
collected at the end.

``report`` is what `read_linux_report` reads, with ``system``, ``imds`` (a `reply.ImdsReply` as a dictionary, null where
nobody was asked) and ``unfinished``. ``proof`` is what `probe.prove` returns; the rest is `apply.Outcome`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple, Optional

from .. import ipv4, linux_report
from ..options import RouteOptions
from . import probe
from .apply import Outcome, apply, recover
from .collect import collect
from .host import Host, HostError
from .journal import Journal
from .operations import operate


class LinuxTarget(NamedTuple):
    """One host and what the task says about it. ``azure``: the firmware's word; ``send``: whether IMDS may be asked."""

    host: Host
    options: RouteOptions
    backend: str
    way: probe.Way
    azure: Optional[bool]
    send: bool

    def collect(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """
        :raises HostError: where a killed run can't be rolled back
        :raises ReportError: where the host's tables can't be read
        """
        journal = Journal(self.host)
        unfinished = journal.load() is not None
        recovered = unfinished and bool(request.get("recover"))
        if recovered:
            with journal.alone():
                self._recover(journal)
        return {"report": {**self._report(), "unfinished": unfinished and not recovered}, "recovered": recovered}

    def _recover(self, journal: Journal) -> None:
        entry = journal.load()
        if entry is None:
            return  # another run was faster
        done = recover(entry, partial(operate, self.host, str(entry.get("backend"))), journal)
        if done.undo_errors:
            raise HostError(
                f"An earlier run was killed, and what it began can't be rolled back: {'; '.join(done.undo_errors)}. "
                f"Its steps stand in {journal.path}."
            )

    def apply(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """
        :raises HostError: where nothing could be begun
        """
        if not request["steps"]:
            return self._apply(request)
        with Journal(self.host).alone():
            return self._apply(request)

    def _apply(self, request: Mapping[str, Any]) -> dict[str, Any]:
        before = self._host_routes()
        tried: list[str] = []

        def prove() -> dict[str, Any]:
            tried.extend(self._host_routes())
            return probe.prove(self.way, request["expect"], request["retries"])

        journal = Journal(self.host)
        if journal.load() is not None:
            raise HostError(f"An earlier run was killed just now, see {journal.path}. Run again.")
        done: Outcome = apply(
            request["steps"],
            partial(operate, self.host, request["backend"]),
            journal,
            prove if request["verify"] else None,
            request["rollback"],
            request["backend"],
        )
        after = self._host_routes()
        return {
            **done._asdict(),
            "restored": done.rolled_back and after == before,
            "tables": {"before": before, "tried": tried, "after": after},
            "report": {**self._report(quiet=True), "unfinished": bool(done.undo_errors)},
        }

    def _report(self, quiet: bool = False) -> dict[str, Any]:
        ask = partial(probe.ask, self.way) if self.send and not quiet else None
        return collect(self.host, self.options, self.backend, self.azure, ask)

    def _host_routes(self) -> list[str]:
        """The rows for IMDS in all tables, as ip prints them."""
        argv = [word for word in linux_report.COMMANDS["routes"] if word not in ("-j", "-d")]
        lines = self.host.run(argv)[1].splitlines()
        return [" ".join(line.split()) for line in lines if ipv4.IMDS in line]
