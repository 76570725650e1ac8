# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A POSIX host for action plugins: its commands run here, in a shell of their own; its modules are played."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from ansible.parsing.dataloader import DataLoader

INTERPRETER = {"ansible_python_interpreter": sys.executable}
MODULE_RESULT = {"changed": False, "by": "module"}


class QuickHost:
    """What an action plugin knows of task and host; all of it may be changed.

    commands: each command that was run, with its standard input; said: the lines of -vvv; modules: the arguments of
    each module run.
    """

    def __init__(self, action: Any, called: str, **options: Any) -> None:
        self.action = action
        self.commands: list[tuple[str, bytes | None]] = []
        self.said: list[str] = []
        self.modules: list[Any] = []
        self.run_module: Callable[[Any], dict[str, Any]] = lambda _arguments: dict(MODULE_RESULT)
        self.output: str | None = None
        self.shell = "/bin/sh"
        self.environment: dict[str, str] | None = None
        self.pipelining = False
        self.task_vars: dict[str, Any] = {**INTERPRETER, "inventory_hostname": "web-1"}
        self.task = SimpleNamespace(
            action=called,
            args=options,
            async_val=0,
            check_mode=False,
            delegate_to=None,
            environment=[],
            get_search_path=lambda: ["/"],
        )
        self.connection = SimpleNamespace(
            _shell=SimpleNamespace(tmpdir=None, SHELL_FAMILY="sh"),
            transport="ssh",
            become=None,
            has_pipelining=True,
            get_option=lambda name: {"pipelining": self.pipelining}[name],
        )

    def become(self, method: str) -> None:
        self.connection.become = SimpleNamespace(name=method)

    def run(self) -> dict[str, Any]:
        """The task's result."""
        plugin = self.action.ActionModule(self.task, self.connection, SimpleNamespace(), DataLoader(), None, None)
        plugin._templar = SimpleNamespace(template=lambda value: value)
        plugin._display = SimpleNamespace(vvv=lambda text, host: self.said.append(f"<{host}> {text}"))
        plugin._low_level_execute_command = self._execute_command
        plugin._execute_module = self._execute_module
        result: dict[str, Any] = plugin.run(task_vars=self.task_vars)
        json.dumps(result)
        return result

    def _execute_command(self, command: str, in_data: bytes | None = None) -> dict[str, Any]:
        self.commands.append((command, in_data))
        if self.output is not None:
            return {"rc": 0, "stdout": self.output, "stderr": ""}
        assert "//127.0.0.1" in command, "this would leave the machine"
        done = subprocess.run(
            [self.shell, "-c", command],
            input=in_data,
            stdin=subprocess.DEVNULL if in_data is None else None,
            capture_output=True,
            timeout=60,
            check=False,
            env=self.environment,
        )
        return {"rc": done.returncode, "stdout": done.stdout.decode("utf-8", "replace"), "stderr": done.stderr.decode()}

    def _execute_module(self, _name: Any = None, arguments: Any = None, **_more: Any) -> dict[str, Any]:
        self.modules.append(arguments)
        return self.run_module(arguments)
