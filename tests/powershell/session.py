# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A PowerShell process that runs the .ps1 modules, many times: Ansible.Basic and all of ours, but not the exec wrapper.

A run costs some 50 ms here, and 3 s of CPU through Ansible, most of which is the C# compiler.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ansible
from ansible_collections.imds.azure.tests.powershell.shell import LEAN, PLUGINS

POWERSHELL = Path(ansible.__file__).parent / "module_utils"
SCRIPT = Path(__file__).with_name("Session.ps1")
LONGEST_RUN = 120.0


class EndedError(Exception):
    """The process ended in the middle of a run."""


class Session:
    """Context manager. ``enter``: the command in front of PowerShell, such as one that enters a namespace."""

    def __init__(
        self, pwsh: str, directory: Path, enter: Sequence[str] = (), environment: Mapping[str, str] | None = None
    ) -> None:
        self._directory = directory
        basic = POWERSHELL / "csharp" / "Ansible.Basic.cs"
        manifest = {
            "add_type": str(POWERSHELL / "powershell" / "Ansible.ModuleUtils.AddType.psm1"),
            "csharp": [str(basic), *map(str, sorted((PLUGINS / "module_utils").glob("_Imds*.cs")))],
            "powershell": [str(path) for path in sorted((PLUGINS / "module_utils").glob("_Imds*.psm1"))],
        }
        (directory / "manifest.json").write_text(json.dumps(manifest))
        options = ("-NoProfile", "-NonInteractive", "-File", str(SCRIPT), str(directory / "manifest.json"))
        self._process = subprocess.Popen(
            [*enter, pwsh, *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**(os.environ if environment is None else environment), **LEAN},
            encoding="utf-8",
        )

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_exception: object) -> None:
        with self._process:
            if self._process.stdin:
                self._process.stdin.close()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()

    def run(
        self, module: str, arguments: Mapping[str, Any], check_mode: bool = False, culture: str = ""
    ) -> dict[str, Any]:
        """What the module returns; an exception fails the test.

        :param arguments: without those that are null, as Ansible hands them over
        :raises EndedError: where the process does not outlive it
        """
        file = self._directory / "arguments.json"
        file.write_text(json.dumps({"ANSIBLE_MODULE_ARGS": {**arguments, "_ansible_check_mode": check_mode}}))
        call = {"module": str(PLUGINS / "modules" / f"{module}.ps1"), "arguments": str(file), "culture": culture}
        watch = threading.Timer(LONGEST_RUN, self._process.kill)
        watch.start()
        try:
            assert self._process.stdin
            assert self._process.stdout
            self._process.stdin.write(json.dumps(call) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        finally:
            watch.cancel()
        if not line:
            raise EndedError
        result: dict[str, Any] = json.loads(line)
        assert "exception" not in result, result["exception"]
        return result
