# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which file a task and gather_facts run: the .ps1 on Windows connections, the .py on all others.

Ansible itself decides, with its real connection and action plugins; only what it would talk to is played. Over winrm
and psrp nothing is, as the file is chosen before anything is sent: without their libraries they end there, with them at
a closed port.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.imds.azure.tests.scenarios import played_hosts

ROOT = Path(__file__).resolve().parents[3]
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py"))
RUNTIME = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())
ROUTES = RUNTIME["plugin_routing"]["modules"]
ROUTED = sorted(name[: -len(".ps1")] for name in ROUTES)
FACTS = "azure_imds_facts"

SECRET = {"ansible_user": "nobody", "ansible_password": "none"}
WINDOWS: dict[str, dict[str, Any]] = {
    "ssh-powershell": played_hosts.WINDOWS,
    "winrm": {"ansible_connection": "winrm", **SECRET},
    "psrp": {"ansible_connection": "psrp", **SECRET},
}
POSIX: dict[str, dict[str, Any]] = {"ssh": played_hosts.POSIX, "local": {"ansible_connection": "local"}}
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


@pytest.fixture
def certificate(tmp_path: Path) -> str:
    """Any that azure_imds_attest takes as an anchor, so that it asks the host."""
    pytest.importorskip("cryptography")
    from ansible_collections.imds.azure.tests.scenarios.attestation.authority import hierarchy

    path = tmp_path / "root.pem"
    path.write_bytes(hierarchy().old_root.pem)
    return str(path)


def choose(directory: Path, certificate: str) -> Chosen:
    """What Ansible chooses."""
    collection = directory / "ansible_collections" / "ansible" / "windows" / "plugins" / "modules"
    collection.mkdir(parents=True)
    (collection / "setup.ps1").write_text(SETUP)
    output = played_hosts.run_plays(
        directory, CONNECTIONS, [play(connection, certificate) for connection in CONNECTIONS]
    )
    found: Chosen = {connection: {} for connection in CONNECTIONS}
    at, task = "", ""
    for kind, text in re.findall(r"^(PLAY \[|TASK \[|Using module file )(.*?)(?:\] \*+)?$", output, re.MULTILINE):
        if kind == "PLAY [":
            at = text
        elif kind == "TASK [":
            task = text
            found[at][task] = []
        else:
            found[at][task].append(Path(text).name)
    assert all(set(files) == {*MODULES, "gather_facts"} for files in found.values()), output
    return found


def test_all_that_has_a_windows_form_is_routed() -> None:
    windows = {path.stem for path in (ROOT / "plugins" / "modules").glob("*.ps1")}
    assert {route["redirect"] for route in ROUTES.values()} == {f"imds.azure.{name}" for name in windows}
    assert windows == {f"{name}_windows" for name in ROUTED}
    assert {FACTS, "azure_imds_info", "azure_imds_attest"} <= set(ROUTED)


def test_the_action_group_holds_every_module() -> None:
    files = {path.stem for path in (ROOT / "plugins" / "modules").iterdir() if path.suffix in (".py", ".ps1")}
    assert sorted(files) == RUNTIME["action_groups"]["imds"]


def expected(connection: str) -> dict[str, list[str]]:
    windows = connection in WINDOWS
    tasks = {name: [f"{name}_windows.ps1" if windows and name in ROUTED else f"{name}.py"] for name in MODULES}
    gather = [f"{FACTS}_windows.ps1", "setup.ps1"] if windows else [f"{FACTS}.py", "setup.py"]
    if connection in ("winrm", "psrp"):
        # Without an answer it ends with the first; and with the one command that the task tries before its module.
        return {**tasks, FACTS: [], "gather_facts": gather[:1]}
    return {**tasks, "gather_facts": gather}


def test_the_connection_decides_which_file_is_run(tmp_path: Path, certificate: str) -> None:
    """One run for all: under ansible-test each test has a process of its own."""
    assert choose(tmp_path, certificate) == {connection: expected(connection) for connection in CONNECTIONS}
