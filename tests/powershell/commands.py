# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A PowerShell process that takes one command after the other, and action plugins whose host it is."""

from __future__ import annotations

import base64
import subprocess
import threading
from types import SimpleNamespace
from typing import Any

from ansible_collections.imds.azure.tests.powershell.session import LONGEST_RUN

# Text goes in and out as UTF-8 in Base64, a line for each command. An error is the command's output.
LOOP = """
while ($null -ne ($line = [Console]::In.ReadLine())) {
    $text = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($line))
    $said = try { & ([ScriptBlock]::Create($text)) } catch { "$_" }
    [Console]::Out.WriteLine([Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes($said -join "`n")))
}
"""


class Commands:
    """Context manager. ``sent``: the commands so far."""

    def __init__(self, pwsh: str) -> None:
        self.sent: list[str] = []
        self._process = subprocess.Popen(
            [pwsh, "-NoProfile", "-NonInteractive", "-Command", LOOP],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="ascii",
        )

    def __enter__(self) -> Commands:
        return self

    def __exit__(self, *_exception: object) -> None:
        with self._process:
            if self._process.stdin:
                self._process.stdin.close()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()

    def run(self, command: str) -> str:
        """What a command prints."""
        self.sent.append(command)
        watch = threading.Timer(LONGEST_RUN, self._process.kill)
        watch.start()
        try:
            assert self._process.stdin
            assert self._process.stdout
            self._process.stdin.write(base64.b64encode(command.encode()).decode() + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        finally:
            watch.cancel()
        assert line, "PowerShell ended in the middle of a command"
        return base64.b64decode(line).decode()


def plugin(run: Any, shell: str = "powershell", transport: str = "ssh") -> Any:
    """An action plugin, as far as it is used to send a command.

    :param run: what the host prints at a command
    """
    return SimpleNamespace(
        _connection=SimpleNamespace(_shell=SimpleNamespace(SHELL_FAMILY=shell), become=None, transport=transport),
        _low_level_execute_command=lambda command, **_more: {"stdout": run(command)},
    )
