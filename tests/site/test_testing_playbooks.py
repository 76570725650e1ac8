# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guide "Test your playbooks without Azure", followed to the letter: its files and its commands, in their order."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
from ansible_collections.imds.azure.tests.scenarios.guide import Guide

COLLECTION = Path(__file__).parents[2]
GUIDE = Guide("testing_playbooks")
COMMANDS = GUIDE.commands()
# The parts of the guide, by their first commands.
LAB = COMMANDS.index("mkdir -p ~/.local/bin")
MOLECULE = COMMANDS.index("python3 -m pip install molecule")
NO_LAB = 77


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's home, where the collection is installed."""
    folder = tmp_path_factory.mktemp("home")
    installed = folder / ".ansible" / "collections" / "ansible_collections" / "imds" / "azure"
    shutil.copytree(COLLECTION, installed, ignore=shutil.ignore_patterns("output", ".git", "__pycache__"))
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    GUIDE.write_files(tmp_path)
    return tmp_path


def run(commands: list[str], home: Path, folder: Path) -> str:
    """The output of commands that one shell runs, each of which has to succeed."""
    unset = ("ANSIBLE_COLLECTIONS_PATH", "XDG_STATE_HOME", "LAB_DIR", "PYTHONPATH")
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    environment.update(HOME=str(home), ANSIBLE_NOCOWS="1", ANSIBLE_NOCOLOR="1", NO_COLOR="1")
    done = subprocess.run(
        ["bash", "-exc", "\n".join(commands)],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )
    if done.returncode == NO_LAB:
        pytest.skip(done.stdout.splitlines()[-1])
    assert done.returncode == 0, done.stdout
    return done.stdout


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_emulator(home: Path, project: Path) -> None:
    """On ports that are free here, instead of those in the guide."""
    ports = {"8169": str(free_port()), "8254": str(free_port())}
    commands = COMMANDS[:LAB]
    inventory = (project / "emulated.yml").read_text(encoding="utf-8")
    for port, free in ports.items():
        commands = [command.replace(port, free) for command in commands]
        inventory = inventory.replace(port, free)
    (project / "emulated.yml").write_text(inventory, encoding="utf-8")
    assert "changed=1 " in run(commands, home, project)
    assert (project / "web.conf").read_text(encoding="utf-8") == "zone 2\n"


def test_lab(home: Path, project: Path) -> None:
    output = run(COMMANDS[LAB:MOLECULE], home, project)
    for line in GUIDE.outputs()[0].splitlines():
        assert line in output
    assert "+ lab exec demo web1 -- cat /etc/web.conf\nzone 1\n" in output
    assert "+ lab exec demo web1 -- cat /etc/db-password\nfor tests only" in output
    assert '"name":"id-web"' in output
    (requests,) = [json.loads(line.partition("]+ ")[0] + "]") for line in output.splitlines() if '"query"' in line]
    assert [request["status"] for request in requests] == [429, 200]


def test_molecule(home: Path, project: Path) -> None:
    path = [command for command in COMMANDS[LAB:MOLECULE] if ".local/bin" in command]
    output = run([*path, "lab run three.json -- true", *COMMANDS[MOLECULE + 1 :]], home, project)
    assert "Molecule executed 1 scenario (1 successful)" in output
