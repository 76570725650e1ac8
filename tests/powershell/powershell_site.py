# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A controller and one Windows host: real PowerShell with stand-in cmdlets over the model that the Mono tests use."""

from __future__ import annotations

import json
import os
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ansible_collections.imds.azure.plugins.action import azure_imds_route_fix as action
from ansible_collections.imds.azure.plugins.module_utils._routes.options import RouteOptions
from ansible_collections.imds.azure.tests.powershell.fabric import Fabric, Way
from ansible_collections.imds.azure.tests.scenarios.apply_contract import KilledError
from ansible_collections.imds.azure.tests.windows.windows_host import MAC, MUTATIONS, Row, Windows
from ansible_collections.imds.azure.tests.windows.windows_site import options_of

CMDLETS = Path(__file__).with_name("cmdlets")
TWIN = "azure_imds_route_fix_windows"

# Seconds: long enough for an answer on one machine, and no longer where none comes.
QUICK = {"verify_timeout": 0.5, "verify_retries": 0}

Module = Callable[[str, Row, bool], Row]


class Site:
    """``module``: runs a .ps1 module. ``runs``: the mode of each of its runs."""

    def __init__(self, fabric: Fabric, module: Module) -> None:
        self.fabric = fabric
        self.module = module
        self.host = Windows({})
        self.runs: list[str] = []

    def build(self, given: Row, imds: str = "answers") -> None:
        """Replace the host by another one, whose firmware can't be read: CIM tells the tag."""
        self.host = Windows(given)
        self.host.imds = imds
        for row in self.host.report["adapters"]:
            row.setdefault("MacAddress", MAC.upper().replace(":", "-") if row["InterfaceIndex"] == 5 else "")
        for left in self.fabric.journal.iterdir():
            left.unlink()
        self.update()

    def update(self) -> None:
        """Have the kernel take the way that the model takes."""
        row, source = self.host.way()
        answered = self.host.ask({"Source": self.host.primary})
        self.fabric.take(
            Way(
                source if row else "",
                row is not None and row["InterfaceIndex"] != self.host.index,
                self.host.primary,
                answered.get("status", 0),
                answered.get("body"),
            )
        )

    def answer(self, name: str, parameters: Row) -> Row:
        """For the stand-in cmdlets."""
        try:
            answered = self.host.answer(name, parameters)
        except KilledError:
            return {"kill": True}
        if name in MUTATIONS:
            self.update()
        return answered

    def task(self, check_mode: bool = False, **args: Any) -> Row:
        """The whole task."""

        def module(name: str, arguments: Row, checks: bool) -> Row:
            self.runs.append(arguments["request"]["mode"])
            return self.module(name, arguments, checks)

        return run_task(module, check_mode, **args)

    def repair(self, options: RouteOptions = RouteOptions(), **more: Any) -> Row:  # noqa: B008 - immutable
        return self.task(**{**QUICK, **options_of(options), **more})


def run_task(module: Module, check_mode: bool = False, **args: Any) -> Row:
    """The action plugin on the controller, and the module on the host."""
    task = SimpleNamespace(args=args, action=action.MODULE, async_val=0, check_mode=check_mode)
    connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir="there"))
    plugin = action.ActionModule(task, connection, SimpleNamespace(), None, None, None)

    def execute_module(_name: str, module_args: Row, **_more: Any) -> Row:
        return module(TWIN, {name: value for name, value in module_args.items() if value is not None}, check_mode)

    plugin._execute_module = execute_module
    result: Row = plugin.run(task_vars={})
    return result


@contextmanager
def model(site: Site, path: Path) -> Iterator[None]:
    """Answer the stand-in cmdlets on a socket file."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            call = json.loads(self.rfile.readline())
            try:
                answered = site.answer(call["name"], call["parameters"])
            except Exception as error:  # a call that the model can't take is the test's to tell
                answered = {"error": {"id": "Model", "category": "NotSpecified", "message": f"model: {error!r}"}}
            self.wfile.write(json.dumps(answered).encode() + b"\n")

    with socketserver.ThreadingUnixStreamServer(str(path), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield
        server.shutdown()


def environment(path: Path) -> dict[str, str]:
    """What a process needs to find the stand-in cmdlets."""
    return {**os.environ, "PSModulePath": str(CMDLETS), "IMDS_MODEL": str(path)}
