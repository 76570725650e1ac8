# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real plays, by Ansible in a process of its own, with hosts that are played: whatever they get, they answer the same.

Ansible's loader changes how Python imports collections; hence the process.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

TREE = Path(__file__).resolve().parents[5]

# What a connection needs to be played; ssh and local are. What goes elsewhere ends at a closed port on loopback.
WINDOWS: dict[str, Any] = {"ansible_connection": "ssh", "ansible_shell_type": "powershell"}
POSIX: dict[str, Any] = {"ansible_connection": "ssh"}
NOTHING: dict[str, Any] = {"changed": False, "ansible_facts": {}}


def run_plays(
    directory: Path,
    hosts: dict[str, Any],
    plays: list[dict[str, Any]],
    answer: dict[str, Any] | None = None,
    environment: dict[str, str] | None = None,
) -> str:
    """What ansible-playbook -vvv prints.

    :param directory: an empty one; collections may lie in it
    :param hosts: name -> variables
    :param answer: what every module returns
    :param environment: more environment variables of the controller
    """
    (directory / "answer.json").write_text(json.dumps(answer or NOTHING))
    # A module comes on standard input. A script in a command of its own leaves that open, with nothing on it. Older
    # cores encode it; its first word is $mark.
    first = base64.b64encode("$mark=".encode("utf-16-le")).decode("ascii")
    read = f'case "$*" in *FromBase64String*|*"EncodedCommand {first}"*) ;; *) cat >/dev/null ;; esac'
    program = f'#!/bin/sh\n{read}\ncat "{directory / "answer.json"}"\n'
    for name in ("ssh", "python"):
        (directory / name).write_text(program)
        (directory / name).chmod(0o755)
    common = {
        "ansible_host": "127.0.0.1",
        "ansible_port": 1,
        "ansible_timeout": 3,
        "ansible_pipelining": True,
        "ansible_python_interpreter": str(directory / "python"),
        "ansible_ssh_executable": str(directory / "ssh"),
    }
    inventory = {"all": {"hosts": {name: {**common, **variables} for name, variables in hosts.items()}}}
    for name, content in (
        ("inventory.yml", json.dumps(inventory)),
        ("play.yml", json.dumps(plays)),
        ("ansible.cfg", ""),
    ):
        (directory / name).write_text(content)
    done = subprocess.run(
        [sys.executable, "-m", "ansible.cli.playbook", "-vvv", "-i", "inventory.yml", "play.yml"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
        cwd=directory,
        env={
            **{name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ},
            "LC_ALL": "C.UTF-8",
            "HOME": str(directory),
            "ANSIBLE_COLLECTIONS_PATH": f"{TREE}:{directory}",
            "ANSIBLE_CONFIG": "ansible.cfg",
            "ANSIBLE_NOCOLOR": "1",
            **(environment or {}),
        },
    )
    return done.stdout + done.stderr
