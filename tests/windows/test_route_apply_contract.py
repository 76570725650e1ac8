# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The contract of carrying out a repair, on a Windows host."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.imds.azure.tests.scenarios.apply_contract import ApplyContract, Outcome, Subject
from ansible_collections.imds.azure.tests.scenarios.windows_reports import (
    GHOST,
    IMDS,
    ON_SECOND,
    STATIC_DEFAULT,
    TWO_NICS,
    report,
)
from ansible_collections.imds.azure.tests.windows.core import Core
from ansible_collections.imds.azure.tests.windows.windows_host import MUTATIONS, CmdletError, Row
from ansible_collections.imds.azure.tests.windows.windows_site import BOTH_STORES, Site

GONE = int(GHOST["InterfaceIndex"])


def operation(action: str, index: int, next_hop: str, metric: int, store: str) -> Row:
    return {
        "action": action,
        "prefix": IMDS,
        "interface_index": index,
        "next_hop": next_hop,
        "metric": metric,
        "store": store,
    }


def removed(row: Row) -> list[Row]:
    key = (row["InterfaceIndex"], row["NextHop"], row["RouteMetric"])
    return [operation("remove", *key, store) for store in ("active", "persistent")]


def added(row: Row) -> list[Row]:
    return [operation("add", row["InterfaceIndex"], row["NextHop"], row["RouteMetric"], "both")]


OURS = {**ON_SECOND, "InterfaceIndex": 5, "NextHop": "0.0.0.0", "RouteMetric": 1}
STEPS = [
    {"phase": "repair", "do": removed(ON_SECOND), "undo": [*removed(ON_SECOND), *added(ON_SECOND)]},
    {"phase": "repair", "do": added(OURS), "undo": removed(OURS)},
    {"phase": "cleanup", "do": removed(GHOST)[1:], "undo": []},
]


class WindowsSubject(Subject):
    """A VM with two NICs: the route is on the second one, and a row of an interface that is gone is stored."""

    def __init__(self, core: Core, place: Path) -> None:
        super().__init__()
        place.mkdir(parents=True, exist_ok=True)
        self.site = Site(core, place / "imds.azure")
        self.site.build(report([STATIC_DEFAULT, ON_SECOND], [ON_SECOND, GHOST], **TWO_NICS))
        self._before = self.site.host.stores()
        self._answer = self.site.host.answer
        self.site.host.answer = self._ticking_answer  # type: ignore[method-assign]

    def _ticking_answer(self, name: str, parameters: Row) -> Row:
        """The request to IMDS is no piece of I/O here: to be killed in it is to be killed at the next call."""
        self.tick()
        if name in MUTATIONS and self._kind(name, parameters) in self.broken:
            return {"error": CmdletError(f"Windows System Error 1450,{name}", "NotSpecified").record}
        return self._answer(name, parameters)

    @staticmethod
    def _kind(name: str, parameters: Row) -> str:
        ours = parameters["InterfaceIndex"] == OURS["InterfaceIndex"]
        return "do" if (name == "New-NetRoute") == ours else "undo"

    def repair(self, proven: bool, rollback: bool = True) -> Outcome:
        return self._apply(STEPS, proven, rollback)

    def do_nothing(self, proven: bool) -> Outcome:
        return self._apply([], proven, True)

    def _apply(self, steps: list[Row], proven: bool, rollback: bool) -> Outcome:
        self.site.host.imds = "answers" if proven else "silent"
        if not steps and proven:  # the route there is leads to the second NIC
            self.site.host.primary, self.site.host.index = "10.0.2.10", 7
        expect = {"address": self.site.host.primary, "mac": ""}
        request = {"mode": "apply", "steps": steps, "expect": expect, "retries": 0, "verify": True}
        done = self.site.module({"request": {**request, "rollback": rollback}}, check_mode=False)
        if done.get("failed"):
            raise RuntimeError(done["msg"])
        return Outcome(done["kept"], done["rolled_back"], done["error"], tuple(done["undo_errors"]))

    def recover(self) -> None:
        self.site.recover()

    def is_as_before(self) -> bool:
        return self.site.host.stores() == self._before

    def is_repaired(self) -> bool:
        ghost = ("persistent", GONE, GHOST["NextHop"], GHOST["RouteMetric"])
        return self.site.host.host_routes() == sorted([*BOTH_STORES, ghost])

    def is_cleaned_up(self) -> bool:
        return self.site.host.host_routes() == BOTH_STORES

    def is_unfinished(self) -> bool:
        return bool(list(self.site.journal.glob("route_fix.txt")))

    def block_journal(self) -> None:
        (self.site.journal / "route_fix.txt.new").mkdir()


class TestWindowsApply(ApplyContract):
    @pytest.fixture(autouse=True)
    def _core(self, core: Core) -> None:
        self.core = core

    def subject(self, place: Path) -> Subject:
        return WindowsSubject(self.core, place)
