# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the Windows module costs: CPU of a whole task under PowerShell, controller and C# compiler included."""

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
    """Medians of some plays each, taken in turn."""
    facts = {"imds.azure.azure_imds_facts_windows": {"endpoint": f"http://127.0.0.1:{port}", "detect": "force"}}
    spent: dict[str, list[float]] = {"basic": [], "facts": []}
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "library").mkdir()
        (Path(scratch) / "library" / "only_basic.ps1").write_text(BASIC)
        for _round in range(rounds):
            for name, task in (("basic", {"only_basic": {}}), ("facts", facts)):
                spent[name].append(_cpu(Path(scratch), task))
    return {"facts_windows_vs_basic": median(spent["facts"]) / median(spent["basic"])}


def _cpu(scratch: Path, task: dict[str, Any]) -> float:
    """Seconds of CPU of a play with some tasks."""
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [task] * TASKS}
    (scratch / "play.yml").write_text(json.dumps([play]))
    command = ["ansible-playbook", "-i", "localhost,", "-e", f"ansible_pwsh_interpreter={shutil.which('pwsh')}"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [*command, "play.yml"], cwd=scratch, env=os.environ, capture_output=True, text=True, check=False
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"the play failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
