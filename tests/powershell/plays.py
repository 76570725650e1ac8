# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plays whose Windows hosts are real PowerShell: all of Ansible, its exec wrapper included, but for the program ssh.

One run of a module takes some 3 s of CPU, so a test puts all of its cases into one play: a host for each.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible.release import __version__ as core_version
from ansible_collections.imds.azure.tests.powershell.shell import LEAN, TREE, pwsh

HERE = Path(__file__).parent
Result = dict[str, Any]

# The first that runs .ps1 modules elsewhere than on Windows.
CORE = (2, 21)
FORKS = 4
LONGEST_PLAY = 550

# What an SSH server does for a user whose default shell is PowerShell, and for one whose default shell runs a command
# line as it stands, as cmd does with one that holds nothing but words.
_BY_POWERSHELL = 'exec powershell -NoProfile -NonInteractive -Command "$command"'
_BY_CMD = 'exec sh -c "$command"'


class Controller:
    """Where plays are run. ``directory``: an empty one."""

    def __init__(self, directory: Path) -> None:
        if tuple(int(part) for part in core_version.split(".")[:2]) < CORE:
            pytest.skip(f"ansible-core {core_version}: 2.21 is the first that runs .ps1 modules on this system")
        self.directory = directory
        programs = directory / "bin"
        programs.mkdir()
        # The name by which Ansible starts it on a Windows host.
        (programs / "powershell").symlink_to(pwsh())
        self._path = f"{programs}{os.pathsep}{os.environ['PATH']}"
        self.module_runs = directory / "module_runs"

    def windows(
        self, environment: Mapping[str, str] | None = None, shell: str = "cmd", enter: Sequence[str] = ()
    ) -> dict[str, Any]:
        """The variables of a Windows host.

        :param environment: of its user, besides the controller's
        :param shell: the shell type, cmd or powershell
        :param enter: the command in front of all that is run there
        """
        number = len(list(self.directory.glob("ssh-*")))
        program = self.directory / f"ssh-{number}"
        run = (_BY_POWERSHELL if shell == "powershell" else _BY_CMD).replace("exec", f"exec {' '.join(enter)}")
        settings = "".join(f"export {name}='{value}'\n" for name, value in (environment or {}).items())
        program.write_text(f"#!/bin/sh\n{settings}echo run >>'{self.module_runs}'\nfor command; do :; done\n{run}\n")
        program.chmod(0o755)
        return {
            "ansible_connection": "ssh",
            "ansible_host": "127.0.0.1",
            "ansible_ssh_executable": str(program),
            "ansible_shell_type": shell,
        }

    @staticmethod
    def linux() -> dict[str, Any]:
        """The variables of a host that runs the Python modules."""
        return {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}

    def play(
        self, hosts: Mapping[str, Mapping[str, Any]], plays: Sequence[Mapping[str, Any]]
    ) -> dict[tuple[str, str], Result]:
        """(host, name of the task) -> what it returned; a task that fails ends its host's play.

        :param hosts: name -> variables
        """
        results = self.directory / "results"
        results.write_text("")
        self.module_runs.write_text("")
        (self.directory / "inventory.yml").write_text(json.dumps({"all": {"hosts": hosts}}))
        (self.directory / "play.yml").write_text(json.dumps(plays))
        (self.directory / "ansible.cfg").write_text("")
        done = subprocess.run(
            [sys.executable, "-m", "ansible.cli.playbook", "-i", "inventory.yml", "play.yml"],
            capture_output=True,
            text=True,
            timeout=LONGEST_PLAY,
            check=False,
            stdin=subprocess.DEVNULL,
            cwd=self.directory,
            env={
                **{name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")},
                **LEAN,
                "PATH": self._path,
                "LC_ALL": "C.UTF-8",
                "HOME": str(self.directory),
                "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callback_plugins"),
                "ANSIBLE_CALLBACKS_ENABLED": "task_results",
                "ANSIBLE_COLLECTIONS_PATH": f"{TREE}{os.pathsep}{self.directory}",
                "ANSIBLE_CONFIG": "ansible.cfg",
                "ANSIBLE_FORKS": str(FORKS),
                "ANSIBLE_NOCOLOR": "1",
                "TASK_RESULTS": str(results),
            },
        )
        found = {}
        for line in results.read_text(encoding="utf-8").splitlines():
            host, task, result = json.loads(line)
            found[host, task] = result
        # 0: all well, 2: a task failed, 4: a host was not reached.
        assert done.returncode in (0, 2), done.stdout + done.stderr
        assert found, done.stdout + done.stderr
        return found

    def runs(self) -> int:
        """How many commands the Windows hosts of the last play were sent: one for each run of a module."""
        return len(self.module_runs.read_text().splitlines())
