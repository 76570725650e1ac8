# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The route fix on Windows, whole: the action plugin, the C# side under Mono, and a model of the cmdlets.

Only _ImdsRoutes.psm1, which hands the calls to PowerShell, is left out; test_powershell.py reads it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml
from ansible_collections.imds.azure.plugins.action import azure_imds_route_fix as action
from ansible_collections.imds.azure.plugins.module_utils._route_fix import argument_spec
from ansible_collections.imds.azure.plugins.module_utils._routes.options import RouteOptions
from ansible_collections.imds.azure.plugins.modules import azure_imds_route_fix
from ansible_collections.imds.azure.tests.scenarios.apply_contract import KilledError
from ansible_collections.imds.azure.tests.scenarios.windows_reports import (
    BOTH_ON_LINK,
    CLUSTER,
)
from ansible_collections.imds.azure.tests.windows.core import Core, encoded
from ansible_collections.imds.azure.tests.windows.firmware import enclosure, system, table
from ansible_collections.imds.azure.tests.windows.windows_host import AZURE, MAC, Row, Windows

FIRMWARE = encoded(table(system(bytes(16)), enclosure(AZURE.encode())))
SIDECAR = Path(azure_imds_route_fix.__file__).with_name("azure_imds_route_fix_windows.yml")
DOCUMENTED = set(yaml.safe_load(SIDECAR.read_text())["RETURN"])
BOTH_STORES = [(*row, 1) for row in BOTH_ON_LINK]


class Site:
    """A controller and one Windows host."""

    def __init__(self, core: Core, journal: Path) -> None:
        self.core = core
        self.journal = journal
        self.host = Windows(CLUSTER)
        self.firmware: str | None = FIRMWARE
        self.files: dict[str, str | None] = {}
        self.before_applying: Callable[[], Any] = lambda: None

    def build(self, given: Row, **more: Any) -> None:
        self.host = Windows({**given, **more})
        for row in self.host.report["adapters"]:
            row.setdefault("MacAddress", MAC.upper().replace(":", "-") if row["InterfaceIndex"] == 5 else "")
        self.journal.mkdir(exist_ok=True)

    def after_change(self, number: int, happening: Callable[[], Any]) -> None:
        answer = self.host.answer

        def answer_and_more(name: str, parameters: Row) -> Row:
            before = len(self.host.changes())
            answered = answer(name, parameters)
            if before < number == len(self.host.changes()):
                happening()
            return answered

        self.host.answer = answer_and_more  # type: ignore[method-assign]

    def hold_journal(self, *refused: str, sleeps: int = 0) -> None:
        """Another program has the journal open: it refuses to ``append`` or ``delete``, for so many of our sleeps."""
        self.core("hold_file", refused=list(refused), sleeps=sleeps)

    def module(self, arguments: Row, check_mode: bool) -> Row:
        """The .ps1 module: its loop, with the model for PowerShell."""
        if (arguments["request"] or {}).get("mode") == "apply":
            # A request of the test's own is for the routes there are.
            arguments = {**arguments, "request": {"digest": self.host.digest(), **arguments["request"]}}
            self.before_applying()
        defaults = {name: spec.get("default") for name, spec in argument_spec().items()}
        step = self._call(
            "route_start",
            params={**defaults, **arguments},
            check_mode=check_mode,
            firmware=self.firmware,
            files=self.files,
            journal=str(self.journal),
        )
        for _turn in range(1000):
            if "call" not in step:
                break
            try:
                answer = self.host.answer(step["call"], dict(step["parameters"]))
            except KilledError:
                self._call("route_drop")
                raise
            step = self._call("route_answer", **answer)
        warnings = {"warnings": step["warnings"]} if step["warnings"] else {}
        if step["failure"]:
            return {"failed": True, "msg": step["failure"], **warnings}
        assert set(step["result"]) - {"changed"} <= DOCUMENTED
        return {**step["result"], **warnings}

    def _call(self, name: str, **arguments: Any) -> Any:
        return self.core(name, asked=self._ask, **arguments)

    def _ask(self, request: Row) -> Row:
        answer = self.host.ask(request)
        if "body" in answer:
            body = answer["body"]
            answer["body"] = encoded((body if isinstance(body, str) else json.dumps(body)).encode())
        return answer

    def task(self, check_mode: bool = False, called: str = action.MODULE, **args: Any) -> Row:
        task = SimpleNamespace(args=args, action=called, async_val=0, check_mode=check_mode)
        connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir="there"))
        plugin = action.ActionModule(task, connection, SimpleNamespace(), None, None, None)

        def execute_module(name: str, module_args: Row, **_more: Any) -> Row:
            assert name == called
            return self.module(json.loads(json.dumps(module_args)), check_mode)

        plugin._execute_module = execute_module
        result: Row = plugin.run(task_vars={})
        return result

    def recover(self) -> None:
        done = self.module({"request": {"mode": "collect", "recover": True}}, check_mode=False)
        assert not done.get("failed"), done["msg"]

    def repair(self, options: RouteOptions = RouteOptions(), **more: Any) -> Row:  # noqa: B008 - immutable
        return self.task(**options_of(options), **more)


def options_of(options: RouteOptions) -> Row:
    return {name: value for name, value in options._asdict().items() if value not in ("", None)}
