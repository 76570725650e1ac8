# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two things that a target is asked for, and the words in which the controller asks. The Windows side has the same.

``{"mode": "collect", "recover": bool, "ask": bool}`` -> ``{"report", "recovered", "notes"}``. ``ask``, true unless
given: whether IMDS is asked where it may be. With ``recover``, what a killed run
left is rolled back or finished first; without, ``report["unfinished"]`` says so, unless that run is still alive.

``{"mode": "apply", "steps": [..], "expect": {"address", "mac", "interface"}, "digest": report["digest"], "backend",
"verify": bool, "rollback": bool, "retries": int}`` -> ``{"kept", "rolled_back", "error", "undo_errors", "notes",
"proof", "restored", "tables", "report"}``. Under its lock, the host compares its routes to IMDS with the digest, and
changes nothing where they differ. ``restored``: after a rollback, whether the host routes are exactly what they were.
``notes``: what the user should be warned of, lines.
``tables``: the host routes as the system prints them, lists of lines, ``before`` the steps, as they were ``tried``, and
``after`` all. ``report`` is collected at the end, and nobody is asked for it.

``report`` is what `read_linux_report` reads, with ``system`` and ``unfinished``. ``proof`` is what `probe.prove`
returns; the rest is `apply.Outcome`. The host judges only in order to keep or roll back: every verdict in the task's
result is the controller's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, Optional

from ..candidates import Candidate
from ..options import RouteOptions
from ..reply import as_plain, parse_reply
from . import persistence, probe
from .apply import Outcome, apply, recover
from .asking import PACE, Requests, ask_around
from .collect import collect
from .host import Host, HostError
from .journal import Journal
from .operations import operate
from .tables import digest, host_routes


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
        journal, notes = Journal(self.host), []
        try:
            unfinished = journal.load() is not None
        except HostError as error:
            unfinished = False
            notes.append(str(error))
            if request.get("recover"):
                with journal.alone():
                    notes.append(f"It was moved to {journal.set_aside()}.")
        recovered = unfinished and bool(request.get("recover"))
        if recovered:
            with journal.alone():
                notes += self._recover(journal)
        report = {
            **self._report(bool(request.get("ask", True))),
            "unfinished": unfinished and not recovered and not journal.in_use(),
        }
        return {"report": report, "recovered": recovered, "notes": notes}

    def _recover(self, journal: Journal) -> tuple[str, ...]:
        entry = journal.load()
        if entry is None:
            return ()  # another run was faster
        done = recover(entry, partial(operate, self.host, str(entry.get("backend"))), journal)
        if done.undo_errors:
            raise HostError(
                f"An earlier run was killed, and what it began can't be rolled back: {'; '.join(done.undo_errors)}. "
                f"Its steps stand in {journal.path}; to discard them, look at the routes and remove that file."
            )
        return done.notes

    def apply(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """
        :raises HostError: where nothing could be begun
        """
        if not request["steps"]:
            return self._apply(request)
        with Journal(self.host).alone():
            return self._apply(request)

    def _apply(self, request: Mapping[str, Any]) -> dict[str, Any]:
        before = host_routes(self.host)
        tried: list[str] = []

        def prove() -> dict[str, Any]:
            tried.extend(host_routes(self.host))
            return probe.prove(self.way, request["expect"], request["retries"])

        journal = Journal(self.host)
        if journal.load() is not None:
            raise HostError(f"An earlier run was killed just now, see {journal.path}. Run again.")
        if request["steps"]:
            self._require_same_routes(request, before)
        done: Outcome = apply(
            request["steps"],
            partial(operate, self.host, request["backend"]),
            journal,
            prove if request["verify"] else None,
            request["rollback"],
            request["backend"],
        )
        after = host_routes(self.host)
        return {
            **done._asdict(),
            "restored": done.rolled_back and after == before,
            "tables": {"before": before, "tried": tried, "after": after},
            "report": {**self._report(ask=False), "unfinished": bool(done.undo_errors)},
        }

    def _require_same_routes(self, request: Mapping[str, Any], rows: list[str]) -> None:
        """What somebody set since the plan was made must survive, so the plan is void.

        :raises HostError: where the host routes are no longer those that the plan was made for
        """
        backend = str(request["backend"])
        nic = str(request["expect"].get("interface") or "")
        stored = persistence.stored_rows(self.host, backend, nic) if backend and nic else None
        if request.get("digest") != digest(rows, stored):
            raise HostError(
                "Nothing was changed: the routes to IMDS are no longer those that were planned for. Run again."
            )

    def _report(self, ask: bool) -> dict[str, Any]:
        asking = self._ask_around if self.send and ask else None
        return collect(self.host, self.options, self.backend, self.azure, asking, self._identify)

    def _identify(self, reply: dict[str, Any], mac: str) -> dict[str, Any]:
        return as_plain(probe.with_vm_id(self.way, parse_reply(reply), mac, pause=PACE))

    def _ask_around(self, candidates: Sequence[Candidate]) -> dict[str, Any]:
        # No NIC leads to an emulator on the loopback interface.
        on_loopback = self.way.address[0].startswith("127.")
        return ask_around(Requests(self.way), [] if on_loopback else candidates)
