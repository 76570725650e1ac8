# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guide "Groups at inventory time", followed to the letter: its files, its commands, its output."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.imds.azure.tests.scenarios.guide import Guide
from ansible_collections.imds.azure.tests.scenarios.running_emulator import start

GUIDE = Guide("inventory_groups")
GATHER, GRAPH, SITE, LIMITED = GUIDE.commands()
# Names as in the guide's inventory, and one VM without zone and tags; case and blanks as people type them.
VMS: dict[str, dict[str, Any]] = {
    "web1": {"zone": "1", "tagsList": [{"name": "role", "value": "web"}]},
    "web2": {"zone": "2", "tagsList": [{"name": "role", "value": "Web"}]},
    "db1": {"zone": "3", "tagsList": [{"name": "role", "value": "db"}]},
    "plain": {"zone": "", "tagsList": [], "location": "northeurope", "securityProfile": {"securityType": ""}},
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the guide's files. Its hosts are emulated VMs."""
    folder = tmp_path_factory.mktemp("project")
    GUIDE.write_files(folder)
    with ExitStack() as stack:
        for name, compute in VMS.items():
            emulator = stack.enter_context(start([{"name": name, "overrides": {"compute": compute}}]))
            variables = {"azure_imds_endpoint": emulator.url, "azure_imds_detect": "force"}
            write_variables(folder, name, variables)
        yield folder


def write_variables(folder: Path, host: str, variables: dict[str, str]) -> None:
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    file = folder / "inventory" / "host_vars" / f"{host}.yml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(yaml.safe_dump({**local, **variables}))


def run(command: str, folder: Path) -> str:
    environment = {**os.environ, "ANSIBLE_NOCOWS": "1", "ANSIBLE_CONFIG": str(folder / "ansible.cfg")}
    done = subprocess.run(
        command, shell=True, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_guide(project: Path) -> None:
    before = run(GRAPH, project)
    assert "azure_zone" not in before
    run(GATHER, project)
    assert run(GRAPH, project) == GUIDE.outputs()[0]
    for command in (SITE, LIMITED):
        output = run(command, project)
        assert "web1 is web1" in output
        assert "web2" not in output


def test_missing_facts_make_no_groups(project: Path) -> None:
    """A VM without zone and tags, a host that is not an Azure VM, and one that the cache does not know."""
    write_variables(project, "elsewhere", {"azure_imds_chassis_asset_tag": "elsewhere"})
    (project / "inventory" / "0-more").write_text("plain\nelsewhere\n")
    run(f"{GATHER} --limit plain,elsewhere", project)
    (project / "inventory" / "0-yet-more").write_text("unknown\n")
    inventory = json.loads(run("ansible-inventory --list", project))
    groups = {name: set(content.get("hosts", [])) for name, content in inventory.items()}
    assert {name for name, hosts in groups.items() if "plain" in hosts} == {"azure_location_northeurope"}
    assert groups["ungrouped"] == {"elsewhere", "unknown"}
