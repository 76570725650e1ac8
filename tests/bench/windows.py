# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What facts of a Windows host cost: CPU of a whole task under PowerShell, controller and C# compiler included."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from ansible.release import __version__ as core_version

# A module that compiles what every C# module of Ansible compiles, and nothing else.
BASIC = """#!powershell
#AnsibleRequires -CSharpUtil Ansible.Basic
$module = [Ansible.Basic.AnsibleModule]::Create($args, @{ options = @{} })
$module.ExitJson()
"""

# Tasks of a play. What a play costs besides its tasks is the same in both.
TASKS = 3


def missing() -> str | None:
    """Why it can't be measured here, or None."""
    if not shutil.which("pwsh"):
        return "pwsh not found"
    if tuple(int(part) for part in core_version.split(".")[:2]) < (2, 21):
        return f"ansible-core {core_version} runs no PowerShell module on this system"
    return None


def facts_vs_basic(port: int, rounds: int) -> dict[str, float]:
    """Medians of some plays each, taken in turn: the task, which needs one command, and the module alone."""
    asked = {"endpoint": f"http://127.0.0.1:{port}", "detect": "force"}
    tasks: dict[str, dict[str, Any]] = {
        "basic": {"only_basic": {}},
        "facts": {"imds.azure.azure_imds_facts": asked},
        "module": {"imds.azure.azure_imds_facts_windows": asked},
    }
    spent: dict[str, list[float]] = {name: [] for name in tasks}
    with tempfile.TemporaryDirectory() as scratch:
        _set_up(Path(scratch))
        for _round in range(rounds):
            for name, task in tasks.items():
                spent[name].append(_cpu(Path(scratch), task))
    times = {name: median(values) for name, values in spent.items()}
    return {
        "facts_windows_vs_basic": times["facts"] / times["basic"],
        "facts_windows_module_vs_basic": times["module"] / times["basic"],
    }


def _set_up(scratch: Path) -> None:
    """A controller's directory, and a stand-in for ssh whose host has cmd for a shell, as Windows does by default."""
    (scratch / "library").mkdir()
    (scratch / "library" / "only_basic.ps1").write_text(BASIC)
    (scratch / "bin").mkdir()
    (scratch / "bin" / "powershell").symlink_to(str(shutil.which("pwsh")))
    (scratch / "ssh").write_text('#!/bin/sh\nfor command; do :; done\nexec sh -c "$command"\n')
    (scratch / "ssh").chmod(0o755)
    host = {
        "ansible_connection": "ssh",
        "ansible_ssh_executable": str(scratch / "ssh"),
        "ansible_shell_type": "cmd",
    }
    (scratch / "inventory.yml").write_text(json.dumps({"all": {"hosts": {"windows": host}}}))


def _cpu(scratch: Path, task: dict[str, Any]) -> float:
    """Seconds of CPU of a play with some tasks."""
    play = {"hosts": "all", "gather_facts": False, "tasks": [task] * TASKS}
    (scratch / "play.yml").write_text(json.dumps([play]))
    environment = {**os.environ, "PATH": f"{scratch / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        ["ansible-playbook", "-i", "inventory.yml", "play.yml"],
        cwd=scratch,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"the play failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
