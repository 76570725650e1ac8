# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the role azure_imds_maintenance in real plays, with IMDS and the hosts played by one action plugin."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

COLLECTION = Path(__file__).resolve().parents[3]
PLAYED = ("azure_imds_facts", "azure_imds_scheduled_events", "azure_imds_scheduled_events_info", "played_note")
DRAIN = [{"imds.azure.played_note": {"what": "drain", "fail": "{{ broken_drain | default([]) }}"}}]
RESUME = [{"imds.azure.played_note": {"what": "resume", "fail": "{{ broken_resume | default([]) }}"}}]

UNLESS_SAID = {
    "event_status": "Scheduled",
    "not_before": "2026-01-01T00:15:00Z",
    "seconds_left": 900,
    "event_source": "Platform",
    "duration": None,
}


class Played:
    """What a run did. log: [what, host, ...] in order; recap: host -> counts; output: all that was printed."""

    def __init__(self, output: str, world: dict[str, Any]) -> None:
        self.output = output
        self.log: list[list[Any]] = world["log"]
        rows = re.findall(r"^(\S+) +: (ok=.*)$", output.rpartition("PLAY RECAP")[2], re.MULTILINE)
        self.recap = {
            name: {key: int(count) for key, count in re.findall(r"(\w+)=(\d+)", counts)} for name, counts in rows
        }

    def of(self, what: str) -> list[str]:
        """The hosts on which this was done, in order."""
        return [host for each, host, *_rest in self.log if each == what]

    def failed(self) -> list[str]:
        return sorted(host for host, counts in self.recap.items() if counts["failed"] or counts["unreachable"])

    def most_out(self, hosts: list[str]) -> int:
        """How many of these hosts were out of service at the same time, at most: drained and not resumed."""
        out: set[str] = set()
        most = 0
        for what, host, *_rest in self.log:
            if host in hosts and what == "drain":
                out.add(host)
            if what == "resume":
                out.discard(host)
            most = max(most, len(out))
        return most


def run(
    directory: Path,
    plays: list[dict[str, Any]],
    hosts: dict[str, dict[str, Any]],
    events: list[dict[str, Any]],
    *arguments: str,
    forks: int = 5,
    **world: Any,
) -> Played:
    """Run plays.

    :param directory: an empty one
    :param hosts: name -> what the fake IMDS knows of it, and in ``vars`` its variables
    :param world: more of what the fake IMDS knows
    """
    overlay = directory / "ansible_collections" / "imds" / "azure"
    _overlay(overlay)
    (directory / "drain.yml").write_text(json.dumps(DRAIN))
    (directory / "resume.yml").write_text(json.dumps(RESUME))
    (directory / "play.yml").write_text(json.dumps(plays))
    (directory / "ansible.cfg").write_text("")
    inventory = {
        name: {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            **host.get("vars", {}),
        }
        for name, host in hosts.items()
    }
    (directory / "inventory.yml").write_text(json.dumps({"all": {"hosts": inventory}}))
    vms = {name: {"name": f"vm-{name}", **host} for name, host in hosts.items()}
    state = directory / "world.json"
    state.write_text(
        json.dumps({"log": [], "vms": vms, "events": [{**UNLESS_SAID, **event} for event in events], **world})
    )
    done = subprocess.run(
        [sys.executable, "-m", "ansible.cli.playbook", "-i", "inventory.yml", *(arguments or ["play.yml"])],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        stdin=subprocess.DEVNULL,
        cwd=directory,
        env={
            **{name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ},
            "LC_ALL": "C.UTF-8",
            "HOME": str(directory),
            "ANSIBLE_COLLECTIONS_PATH": str(directory),
            "ANSIBLE_CONFIG": "ansible.cfg",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_FORKS": str(forks),
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
            "PLAYED_IMDS": str(state),
        },
    )
    return Played(done.stdout + done.stderr, json.loads(state.read_text()))


def _overlay(overlay: Path) -> None:
    """The collection, with the played modules in place of its own."""
    (overlay / "plugins" / "action").mkdir(parents=True)
    for name in ("roles", "playbooks", "meta"):
        (overlay / name).symlink_to(COLLECTION / name)
    for name in ("filter", "module_utils", "plugin_utils", "modules"):
        (overlay / "plugins" / name).symlink_to(COLLECTION / "plugins" / name)
    for name in PLAYED:
        (overlay / "plugins" / "action" / f"{name}.py").symlink_to(Path(__file__).parent / "fake_imds.py")
