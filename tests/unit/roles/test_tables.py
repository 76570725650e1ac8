# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tables of the playbooks show what hosts say, and let none of it reach the terminal as it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

PLAYBOOKS = Path(__file__).parents[3] / "playbooks"
HOSTILE = "\x1b[2J\x9b2J\u202e"
SHOWN = "\\x1b[2J\\x9b2J\\u202e"

# Playbook -> what is known of a host that says HOSTILE wherever it can.
KNOWN: dict[str, dict[str, Any]] = {
    "gather": {
        "ansible_facts": {"azure_imds": dict.fromkeys(("name", "location", "zone", "vm_size", "reason"), HOSTILE)}
    },
    "attest": {
        "attestation": {
            "verified": False,
            "step": "identity",
            "reason": HOSTILE,
            "unverified": {"document": {"vm_id": HOSTILE}, "details": {"vm_id": HOSTILE, "found": HOSTILE}},
        }
    },
    "disks": {
        "ansible_facts": {
            "azure_imds": {
                "available": True,
                "storage": {
                    "os_disk": {"name": HOSTILE, "device": {"path": HOSTILE, "mounts": [{"path": HOSTILE}]}},
                    "data_disks": [],
                    "resource_disk": {"device": None},
                    "local_disks": [],
                    "contradictions": [{"message": HOSTILE}],
                },
                "meta": {"disks": {"message": HOSTILE}},
            }
        }
    },
    "maintenance": {
        "azure_imds_maintenance_seen": {
            "reason": HOSTILE,
            "events": [
                {
                    **dict.fromkeys(("event_type", "event_status", "event_source", "not_before"), HOSTILE),
                    "resources": [HOSTILE],
                    "seconds_left": None,
                    "duration": None,
                }
            ],
        }
    },
    "route_fix": {
        "azure_imds_route": {
            "findings": [{"code": HOSTILE, "severity": "error", "message": HOSTILE}],
            "primary": {"interface": HOSTILE, "ip": HOSTILE},
            "plan": [],
        }
    },
}


def tables() -> Iterator[tuple[str, dict[str, Any]]]:
    """(playbook, variables of the task) of each table."""
    for file in sorted(PLAYBOOKS.glob("*.yml")):
        for play in yaml.safe_load(file.read_text(encoding="utf-8")):
            for task in play.get("tasks", []):
                if "table" in task.get("vars", {}):
                    yield file.stem, task["vars"]


def test_every_table_is_tested() -> None:
    assert [name for name, _variables in tables()] == sorted(KNOWN)


@pytest.mark.parametrize(("name", "task"), list(tables()), ids=[name for name, _variables in tables()])
def test_a_hostile_host(name: str, task: dict[str, Any], tmp_path: Path) -> None:
    loader = DataLoader()
    file = tmp_path / "vars.yml"
    file.write_text(yaml.safe_dump(task), encoding="utf-8")
    variables = loader.load_from_file(str(file), trusted_as_template=True)
    hosts = {
        "ansible_play_hosts_all": ["host-1"],
        "ansible_play_hosts": ["host-1"],
        "hostvars": {"host-1": KNOWN[name]},
        "ansible_check_mode": False,
    }
    table = Templar(loader, variables={**variables, **hosts}).template(variables["table"])
    header, *rows = table.splitlines()
    assert header.startswith("HOST ")
    assert "host-1" in table
    assert SHOWN in table
    assert all(row.isprintable() for row in rows)
