# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which file a task and gather_facts run: the .ps1 on Windows connections, the .py on all others.

Ansible itself decides, in a process of its own, with its real connection and action plugins. Only what it would talk to
is played: an ssh and a Python that swallow what they get and hand back a result. Over winrm and psrp nothing is played,
as the file is chosen before anything is sent; without their libraries they end there, with them at a closed port.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
TREE = ROOT.parents[2]
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py"))
ROUTES = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())["plugin_routing"]["modules"]
ROUTED = sorted(name[: -len(".ps1")] for name in ROUTES)
FACTS = "azure_imds_facts"

PLAYED = '#!/bin/sh\ncat >/dev/null\necho \'{"changed": false, "ansible_facts": {}}\'\n'
# Closed, on loopback.
NOWHERE = {"ansible_host": "127.0.0.1", "ansible_port": 1}
SECRET = {"ansible_user": "nobody", "ansible_password": "none"}
WINDOWS: dict[str, dict[str, Any]] = {
    "ssh-powershell": {"ansible_connection": "ssh", "ansible_shell_type": "powershell"},
    "winrm": {"ansible_connection": "winrm", **SECRET},
    "psrp": {"ansible_connection": "psrp", **SECRET},
}
POSIX: dict[str, dict[str, Any]] = {
    "ssh": {"ansible_connection": "ssh"},
    "local": {"ansible_connection": "local"},
}

CONNECTIONS = {**WINDOWS, **POSIX}

# Connection -> task -> the names of the files that were run.
Chosen = dict[str, dict[str, list[str]]]

IGNORED = {"ignore_errors": True, "ignore_unreachable": True}
# setup on Windows is of a collection that ansible-core does not bring: an empty one stands in.
SETUP = "#!powershell\n#AnsibleRequires -CSharpUtil Ansible.Basic\n"


def play(connection: str, anchor: str) -> dict[str, Any]:
    """A task for each module, then gather_facts."""
    attest = {"anchors": anchor, "builtin_anchors": False}
    tasks = [
        {"name": name, f"imds.azure.{name}": attest if name == "azure_imds_attest" else {}, **IGNORED}
        for name in MODULES
    ]
    gather = {"name": "gather_facts", "ansible.builtin.gather_facts": {"parallel": False}, **IGNORED}
    facts = {"ansible_facts_modules": [f"imds.azure.{FACTS}", "ansible.builtin.setup"]}
    return {
        "name": connection,
        "hosts": connection,
        "gather_facts": False,
        "vars": facts,
        "tasks": [*tasks, gather],
    }


def executable(path: Path, text: str) -> str:
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def certificate(tmp_path: Path) -> str:
    """Any that azure_imds_attest takes as an anchor, so that it asks the host."""
    pytest.importorskip("cryptography")
    from ansible_collections.imds.azure.tests.unit.plugins.plugin_utils.attestation.authority import hierarchy

    path = tmp_path / "root.pem"
    path.write_bytes(hierarchy().old_root.pem)
    return str(path)


def choose(directory: Path, certificate: str) -> Chosen:
    """What Ansible chooses."""
    collection = directory / "ansible_collections" / "ansible" / "windows" / "plugins" / "modules"
    collection.mkdir(parents=True)
    (collection / "setup.ps1").write_text(SETUP)
    common = {
        **NOWHERE,
        "ansible_pipelining": True,
        "ansible_python_interpreter": executable(directory / "python", PLAYED),
        "ansible_ssh_executable": executable(directory / "ssh", PLAYED),
    }
    hosts = {connection: {**common, **variables} for connection, variables in CONNECTIONS.items()}
    configuration, inventory, playbook = (directory / name for name in ("ansible.cfg", "inventory.yml", "play.yml"))
    configuration.touch()
    inventory.write_text(json.dumps({"all": {"hosts": hosts}}))
    playbook.write_text(json.dumps([play(connection, certificate) for connection in CONNECTIONS]))
    done = subprocess.run(
        [sys.executable, "-m", "ansible.cli.playbook", "-vvv", "-i", str(inventory), str(playbook)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
        env={
            **{name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ},
            "LC_ALL": "C.UTF-8",
            "HOME": str(directory),
            "ANSIBLE_COLLECTIONS_PATH": f"{TREE}:{directory}",
            "ANSIBLE_CONFIG": str(configuration),
            "ANSIBLE_NOCOLOR": "1",
        },
    )
    found: Chosen = {connection: {} for connection in CONNECTIONS}
    at, task = "", ""
    for kind, text in re.findall(r"^(PLAY \[|TASK \[|Using module file )(.*?)(?:\] \*+)?$", done.stdout, re.MULTILINE):
        if kind == "PLAY [":
            at = text
        elif kind == "TASK [":
            task = text
            found[at][task] = []
        else:
            found[at][task].append(Path(text).name)
    assert all(set(files) == {*MODULES, "gather_facts"} for files in found.values()), done.stdout + done.stderr
    return found


def test_all_that_has_a_windows_form_is_routed() -> None:
    windows = {path.stem for path in (ROOT / "plugins" / "modules").glob("*.ps1")}
    assert {route["redirect"] for route in ROUTES.values()} == {f"imds.azure.{name}" for name in windows}
    assert windows == {f"{name}_windows" for name in ROUTED}
    assert {FACTS, "azure_imds_info", "azure_imds_attest"} <= set(ROUTED)


def expected(connection: str) -> dict[str, list[str]]:
    windows = connection in WINDOWS
    tasks = {name: [f"{name}_windows.ps1" if windows and name in ROUTED else f"{name}.py"] for name in MODULES}
    gather = [f"{FACTS}_windows.ps1", "setup.ps1"] if windows else [f"{FACTS}.py", "setup.py"]
    # Without an answer it ends with the first.
    played = {"ansible_connection": "ssh"}.items() <= CONNECTIONS[connection].items() or not windows
    return {**tasks, "gather_facts": gather if played else gather[:1]}


def test_the_connection_decides_which_file_is_run(tmp_path: Path, certificate: str) -> None:
    """One run for all: under ansible-test each test has a process of its own."""
    assert choose(tmp_path, certificate) == {connection: expected(connection) for connection in CONNECTIONS}
