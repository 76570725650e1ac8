# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""From IMDS to the playbook: the emulator, the watcher, its post, ansible-rulebook with our source and our rulebook."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ansible_collections.imds.azure.tests.scenarios import running_emulator, watcher_program

PROGRAM = os.environ.get("IMDS_RULEBOOK", "")
TREE = Path(__file__).resolve().parents[5]
TOKEN = "t0ken"
# Seconds; Java starts slowly, and so does Ansible.
PATIENCE = 60.0

pytestmark = pytest.mark.skipif(
    not PROGRAM, reason="IMDS_RULEBOOK does not name ansible-rulebook; nox -s rulebook does"
)

PLAYBOOK = """
- name: Note
  hosts: all
  gather_facts: false
  tasks:
    - name: Write down what this host was told
      ansible.builtin.copy:
        content: "{{ azure_event.event_id }} {{ azure_event.event_type }} {{ azure_event.seconds_left }}"
        dest: "{{ notes }}/{{ inventory_hostname }}-{{ azure_event_phase }}"
        mode: "0644"
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def until(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert process.poll() is None, "ansible-rulebook has ended"
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Rules:
    """ansible-rulebook with the rulebook of the collection, in a folder with an inventory and a playbook."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, "notes": str(folder)}
        hosts = dict.fromkeys(("vm1", "vm2"), local)
        variables = {
            "azure_events_listen": f"127.0.0.1:{port}",
            "azure_events_token": TOKEN,
            "azure_events_playbook": "note.yml",
        }
        for name, content in (
            ("inventory.yml", json.dumps({"all": {"hosts": hosts}})),
            ("vars.yml", json.dumps(variables)),
            ("note.yml", PLAYBOOK),
        ):
            (folder / name).write_text(content, encoding="utf-8")

    @contextmanager
    def run(self) -> Iterator[subprocess.Popen[str]]:
        """Run it; its output goes to the file `output`."""
        command = [
            PROGRAM,
            "--rulebook",
            "imds.azure.scheduled_events",
            "--inventory",
            "inventory.yml",
            "--vars",
            "vars.yml",
        ]
        environment = {
            **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
            "ANSIBLE_COLLECTIONS_PATH": str(TREE),
            "HOME": str(self.folder),
        }
        with (self.folder / "output").open("w", encoding="utf-8") as output:
            process = subprocess.Popen(
                command, cwd=self.folder, env=environment, stdout=output, stderr=output, text=True
            )
            try:
                until(lambda: listens(self.port), process)
                yield process
            finally:
                process.terminate()
                process.wait(PATIENCE)

    def said(self) -> str:
        return (self.folder / "output").read_text(encoding="utf-8")

    def note(self, host: str, phase: str) -> str:
        """What the playbook wrote, empty before."""
        file = self.folder / f"{host}-{phase}"
        return file.read_text(encoding="utf-8") if file.exists() else ""


def test_from_imds_to_the_playbook(tmp_path: Path) -> None:
    port = free_port()
    rules = Rules(tmp_path, port)
    (tmp_path / "token").write_text(TOKEN, encoding="ascii")
    with running_emulator.start([{"name": "vm1"}], limiter=False) as emulator, rules.run() as process:
        post = [*watcher_program.COMMAND, "post", f"http://127.0.0.1:{port}/", "--token-file", f"{tmp_path}/token"]
        config = {
            "command": post,
            "state_file": str(tmp_path / "state.json"),
            "endpoint": emulator.url,
            "detect": "force",
            "interval": 0.1,
        }
        (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")

        def watch() -> None:
            """A watcher that looks a few times, posts what it sees, and ends."""
            command = [*watcher_program.COMMAND, str(tmp_path / "config.json"), "--polls", "3"]
            subprocess.run(command, timeout=60, check=True, capture_output=True)

        (planned,) = emulator.control("POST", "/events", {"type": "Redeploy"})[1]
        watch()
        until(lambda: rules.note("vm1", "new") != "", process)
        assert rules.note("vm1", "new").split()[:2] == [planned["id"], "Redeploy"]

        emulator.control("POST", "/clock", {"advance": 600})
        watch()
        until(lambda: "'started'" in rules.said(), process)
        emulator.control("POST", "/clock", {"advance": 600})
        watch()
        until(lambda: rules.note("vm1", "gone") != "", process)
        assert rules.note("vm1", "gone").startswith(planned["id"])
    # Only the host that the event is about.
    assert not list(tmp_path.glob("vm2-*"))
