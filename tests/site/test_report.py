# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of a fleet of 500 hosts, one of them hostile: written by the role, and used in a browser."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.imds.azure.tests.site.browser import look

HOSTILE = "</script><img src=x onerror=alert(1)>"
EVENT = {
    "event_id": "602d9444-d2cd-49c7-8624-8643e7171297",
    "event_type": "Reboot",
    "event_status": "Scheduled",
    "not_before": "2026-11-28T00:00:00Z",
    "seconds_left": 840,
    "description": "Virtual machine is going to be restarted as requested by authorized user.",
    "mine": True,
}
FINDING = {"code": "captured_by_apipa", "severity": "error", "message": "A link-local route captures it."}
UNREACHABLE = {"unreachable": True, "msg": "ssh: connect to host host-009 port 22: Connection timed out"}


def facts(number: int) -> dict[str, Any]:
    return {
        "available": True,
        "reason": "ok",
        "name": f"vm-{number}",
        "location": ("westeurope", "northeurope")[number % 2],
        "zone": (None, "1", "2", "3")[number % 4],
        "platform_fault_domain": number % 3,
        "vm_size": "Standard_D2s_v5",
        "image": {"publisher": "canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "24.04.202609010"},
        "private_ip": f"10.0.{number // 250}.{number % 250}",
        "tags": {"role": "db" if number % 5 == 0 else "web"},
    }


def answers(number: int) -> dict[str, Any]:
    """What tasks registered for a host: most are well, and a few are something else."""
    found = facts(number)
    if number == 7:
        found.update(name=HOSTILE, tags={"role": "web", HOSTILE: HOSTILE})
    if number == 13:
        found["tags"]["note"] = "zone-two"
    registered = {
        "facts": UNREACHABLE if number == 9 else {"ansible_facts": {"azure_imds": found}},
        "events": {"available": True, "events": [EVENT] if number == 3 else []},
        "attestation": {"verified": True, "identity_bound": True, "reason": "ok", "step": "done"},
        "route": {"findings": [FINDING] if number == 8 else [], "plan": []},
    }
    return {f"azure_imds_report_{name}": answer for name, answer in registered.items()}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the files that the role wrote."""
    folder = tmp_path_factory.mktemp("report")
    hosts = {f"host-{number:03}": answers(number) for number in range(500)}
    (folder / "inventory.json").write_text(json.dumps({"all": {"hosts": hosts}}))
    variables = {"ansible_python_interpreter": sys.executable, "azure_imds_report_directory": str(folder / "out")}
    play = {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "roles": [{"role": "imds.azure.azure_imds_report", "vars": variables}],
    }
    (folder / "play.yml").write_text(yaml.safe_dump([play]))
    command = ["ansible-playbook", "--inventory", "inventory.json", "play.yml"]
    done = subprocess.run(command, cwd=folder, env=dict(os.environ), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "out"


def test_page_is_used(report: Path, chromium: str, tmp_path: Path) -> None:
    """Search, filter by tag and state, sort, details: as they should be, and no script complains."""
    shutil.copy(report / "report.html", tmp_path / "index.html")
    assert look(chromium, tmp_path, "use_report.html").problems == []


def test_page_fits_a_phone_and_loads_nothing(report: Path, chromium: str, tmp_path: Path) -> None:
    shutil.copy(report / "report.html", tmp_path / "index.html")
    assert look(chromium, tmp_path).problems == []


def test_page_holds_each_host_once_and_hostile_text_as_data(report: Path) -> None:
    page = (report / "report.html").read_text()
    assert page.count("</script>") == 2, "those of the page itself"
    data = page.partition('id="fleet">')[2].partition("</script>")[0]
    assert [entry["host"] for entry in json.loads(data)] == [f"host-{number:03}" for number in range(500)]
    assert json.loads(data)[7]["name"] == HOSTILE


def test_tables_hold_the_same(report: Path) -> None:
    entries = json.loads((report / "report.json").read_text())
    with (report / "report.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["host"] for row in rows] == [entry["host"] for entry in entries]
    assert rows[9]["status"] == entries[9]["status"] == "unreachable"
    assert rows[3]["events.next.event_type"] == "Reboot"
    assert rows[8]["route.verdict"] == "faulty"


def test_only_the_owner_may_read_it(report: Path) -> None:
    assert [oct(file.stat().st_mode & 0o777) for file in sorted(report.iterdir())] == ["0o600"] * 3
