# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role of the event watcher on Windows hosts: Mono compiles the program, and stand-ins keep the scheduled task."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.imds.azure.tests.powershell.plays import Controller
from ansible_collections.imds.azure.tests.powershell.shell import LEAN, PLUGINS, pwsh

ROLE_NAME = "imds.azure.azure_imds_event_watcher"
ROLE = PLUGINS.parent / "roles" / "azure_imds_event_watcher"
CMDLETS = Path(__file__).parent / "cmdlets"
# Compiles as csc.exe does. What it makes starts by itself, as on Windows.
COMPILER = """#!/bin/sh
for word; do case $word in -out:*) out=${word#-out:} ;; esac; done
mcs "$@" && mv "$out" "$out.mono" && printf '#!/bin/sh\\nexec mono "%s.kept" "$@"\\n' "$out" > "$out" &&
mv "$out.mono" "$out.kept" && chmod 755 "$out"
"""
# Copies to the only host that there is, which is this machine.
COPIER = """#!/bin/sh
for word; do from=$to; to=$word; done
cp "$from" "$(printf '%s' "${to#*]:}" | tr -d "'\\"" | tr '\\\\' /)"
"""

pytestmark = pytest.mark.skipif(not shutil.which("mcs"), reason="mcs not found: nothing compiles the program")


class WindowsHost:
    """A host with a compiler, and without a scheduled task."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.directory = folder / "watcher"
        self.task_file = folder / "task.json"
        compiler = folder / "system" / "Microsoft.NET" / "Framework64" / "v4.0.30319" / "csc.exe"
        compiler.parent.mkdir(parents=True)
        compiler.write_text(COMPILER, encoding="ascii")
        compiler.chmod(0o755)
        self.environment = {
            "SystemRoot": str(folder / "system"),
            "PSModulePath": str(CMDLETS),
            "STAND_IN_TASK": str(self.task_file),
        }

    def script(self, **given: Any) -> str:
        """The script of the role, for these variables."""
        loader = DataLoader()
        known: dict[str, Any] = {"role_path": str(ROLE), "ansible_facts": {"python": {"executable": ""}}}
        for part in ("defaults", "vars"):
            known.update(loader.load_from_file(str(ROLE / part / "main.yml"), trusted_as_template=True))
        given = {"directory": str(self.directory), "command": ["/drain.exe", "--now"], **given}
        known.update({f"azure_imds_event_watcher_{name}": value for name, value in given.items()})
        text = (ROLE / "templates" / "install.ps1.j2").read_text(encoding="utf-8")
        source = self.folder / "template.json"
        source.write_text(json.dumps({"script": text}), encoding="utf-8")
        template = loader.load_from_file(str(source), cache="none", trusted_as_template=True)["script"]
        return str(Templar(loader, variables=known).template(template))

    def run(self, **given: Any) -> dict[str, Any]:
        """The result of the script."""
        file = self.folder / "install.ps1"
        file.write_text(self.script(**given), encoding="utf-8")
        done = subprocess.run(
            [pwsh(), "-NoProfile", "-NonInteractive", "-File", str(file)],
            env={**os.environ, **LEAN, **self.environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return result

    @property
    def task(self) -> dict[str, Any]:
        task: dict[str, Any] = json.loads(self.task_file.read_text(encoding="utf-8"))
        return task

    @property
    def config(self) -> dict[str, Any]:
        config: dict[str, Any] = json.loads((self.directory / "config.json").read_text(encoding="utf-8"))
        return config


@pytest.fixture
def host(tmp_path: Path) -> WindowsHost:
    return WindowsHost(tmp_path)


CHANGED, UNCHANGED = {"changed": True}, {"changed": False}


def test_from_installation_to_removal(host: WindowsHost) -> None:
    assert host.run() == CHANGED
    assert host.run() == UNCHANGED
    assert host.config["command"] == ["/drain.exe", "--now"]
    assert host.config["state_file"] == f"{host.directory}/state/state.json"
    assert host.task["State"] == "Running"
    program, config = f'"{host.directory}/watcher.exe"', f'"{host.directory}/config.json"'
    assert host.task["Action"] == {"Execute": program, "Argument": config}
    assert host.task["Trigger"] == {"AtStartup": True}
    assert host.task["Principal"]["UserId"] == "S-1-5-18"
    assert host.task["Settings"]["ExecutionTimeLimit"] == 0

    # What is refused leaves all as it was.
    refused = host.run(command=["drain.exe"])
    assert refused == {"failed": True, "msg": "command: 'drain.exe' is not an absolute path"}
    assert host.config["command"] == ["/drain.exe", "--now"]
    assert host.task["State"] == "Running"

    assert host.run(command=["/drain.exe"], phases=["new"]) == CHANGED
    assert (host.config["command"], host.config["phases"]) == (["/drain.exe"], ["new"])

    for kept in host.directory.glob("*.kept"):  # of the compiler that stands in
        kept.unlink()
    assert host.run(state="absent") == CHANGED
    assert not host.directory.exists()
    assert not host.task_file.exists()


def test_what_is_not_its_own_is_left_alone(host: WindowsHost) -> None:
    host.directory.mkdir()
    (host.directory / "precious").write_text("", encoding="ascii")
    assert "has other content (precious)" in host.run()["msg"]
    assert host.run(state="absent") == UNCHANGED

    foreign = {"TaskName": "azure-imds-event-watcher", "Description": "somebody else's", "State": "Running"}
    host.task_file.write_text(json.dumps(foreign), encoding="utf-8")
    assert "did not register it" in host.run(directory=str(host.folder / "fresh"))["msg"]
    assert "did not register it" in host.run(state="absent")["msg"]
    assert host.task == foreign
    assert [file.name for file in host.directory.iterdir()] == ["precious"]


def test_the_role(controller: Controller, host: WindowsHost) -> None:
    """Ansible sends the script and reads its result."""
    copier = host.folder / "scp"
    copier.write_text(COPIER, encoding="ascii")
    copier.chmod(0o755)
    connection = {
        **controller.windows(host.environment, "powershell"),
        "ansible_remote_tmp": str(host.folder / "remote"),
        "ansible_ssh_transfer_method": "scp",
        "ansible_scp_executable": str(copier),
    }
    given = {"directory": str(host.directory), "command": ["drain.exe"]}
    role = {"role": ROLE_NAME, **{f"azure_imds_event_watcher_{name}": value for name, value in given.items()}}
    found = controller.play({"windows": connection}, [{"hosts": "all", "gather_facts": False, "roles": [role]}])
    by_task = {name.partition(" : ")[2]: result for (_host, name), result in found.items()}
    assert by_task["Run it"]["rc"] == 0
    assert by_task["Say why it failed"]["msg"] == "command: 'drain.exe' is not an absolute path"
    assert not Path(by_task["Make room for the script on the controller"]["path"]).exists()
