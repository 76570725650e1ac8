# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role of the watcher makes of its variables: the configuration, the command line, the unit."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.imds.azure.plugins.module_utils._watcher import settings

ROLE = Path(__file__).parents[3] / "roles" / "azure_imds_event_watcher"
FACTS = {"python": {"executable": "/usr/bin/python3"}, "service_mgr": "systemd"}


def variables(**given: Any) -> dict[str, Any]:
    loader = DataLoader()
    found: dict[str, Any] = {"ansible_facts": FACTS}
    for folder in ("defaults", "vars"):
        found.update(loader.load_from_file(str(ROLE / folder / "main.yml"), trusted_as_template=True))
    return {**found, **{f"azure_imds_event_watcher_{name}": value for name, value in given.items()}}


def rendered(name: str, **given: Any) -> Any:
    known = variables(**given)
    return Templar(DataLoader(), variables=known).template(known[f"__azure_imds_event_watcher_{name}"])


def configuration(**given: Any) -> settings.WatcherSettings:
    """The configuration that the role writes, as the watcher reads it."""
    return settings.parse(json.dumps(rendered("config", **given)))


def test_the_defaults_of_the_role_are_those_of_the_watcher() -> None:
    ours = configuration(command=["/bin/true"])
    least = {"command": ["/bin/true"], "state_file": "/var/lib/azure-imds-event-watcher/state.json"}
    theirs = settings.parse(json.dumps(least))
    assert vars(ours)["_checked"] == vars(theirs)["_checked"]
    assert vars(ours.selection) == vars(theirs.selection)
    assert vars(ours.imds) == vars(theirs.imds)


def test_every_variable_arrives() -> None:
    found = configuration(
        command=["/bin/echo", "{{ 1 + 1 }}", "it's"],
        phases=["updated"],
        event_types=["Preempt"],
        sources=["User"],
        mine=False,
        interval=2,
        longest_wait=20,
        command_timeout=30,
        stop_timeout=5,
        api_version="newest",
        detect="force",
        endpoint="http://127.0.0.1:8169",
        unit="other",
    )
    assert found.command == ["/bin/echo", "{{ 1 + 1 }}", "it's"]
    assert found.phases == ["updated"]
    assert (found.selection.event_types, found.selection.sources, found.selection.mine) == (
        ["Preempt"],
        ["User"],
        False,
    )
    assert (found.interval, found.longest_wait, found.command_timeout, found.stop_timeout) == (2, 20, 30, 5)
    assert (found.api_version, found.imds.detect, found.imds.address) == ("newest", "force", ("127.0.0.1", 8169))
    assert found.state_file == "/var/lib/other/state.json"


def test_variables_from_a_command_line_are_strings() -> None:
    given = {"phases": "new, gone", "event_types": "Preempt,Terminate", "mine": "false", "interval": "2"}
    found = configuration(command="/bin/true", **given)
    assert found.command == ["/bin/true"]
    assert found.phases == ["new", "gone"]
    assert found.selection.event_types == ["Preempt", "Terminate"]
    assert not found.selection.mine
    assert found.interval == 2


def test_a_post_instead_of_a_command() -> None:
    found = configuration(post_url="https://eda:5020/", post_token="t", post_ca_file="/etc/ca.pem")
    directory = "/opt/azure-imds-event-watcher"
    start = ["/usr/bin/python3", "-IS", f"{directory}/program"]
    options = ["--token-file", f"{directory}/token", "--ca-file", "/etc/ca.pem"]
    assert found.command == [*start, "post", "https://eda:5020/", *options]


@pytest.mark.parametrize(
    ("given", "windows"),
    [
        ({}, False),
        ({"ansible_connection": "local"}, False),
        ({"ansible_connection": "winrm"}, True),
        ({"ansible_connection": "ansible.builtin.psrp"}, True),
        ({"ansible_connection": "ssh", "ansible_shell_type": "powershell"}, True),
    ],
    ids=str,
)
def test_windows_hosts_are_known_by_their_connection(given: dict[str, str], windows: bool) -> None:
    known = {**variables(), **given}
    found = Templar(DataLoader(), variables=known).template(known["__azure_imds_event_watcher_windows"])
    assert found is windows


@pytest.mark.parametrize(
    ("given", "directory"),
    [({}, r"C:\Program Files\azure-imds-event-watcher"), ({"directory": r"D:\watcher"}, r"D:\watcher")],
    ids=["default", "chosen"],
)
def test_places_on_windows_hosts(given: dict[str, str], directory: str) -> None:
    assert rendered("windows_directory", **given) == directory
    config = rendered("windows_config", command=[r"C:\drain.exe"], **given)
    assert config["state_file"] == f"{directory}/state/state.json"
    assert config["command"] == [r"C:\drain.exe"]


def test_every_option_has_its_default_in_the_argument_spec() -> None:
    spec = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    options = spec["argument_specs"]["main"]["options"]
    defaults = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text(encoding="utf-8"))
    assert {name: option["default"] for name, option in options.items() if "default" in option} == defaults
    readme = (ROLE / "README.md").read_text(encoding="utf-8")
    assert [name for name in options if f"| `{name}` |" not in readme] == []


def unit(folder: Path, **given: Any) -> Path:
    """The file of the unit."""
    text = (ROLE / "templates" / "unit.service.j2").read_text(encoding="utf-8")
    source = folder / "unit.json"
    source.write_text(json.dumps({"unit": text}), encoding="utf-8")
    template = DataLoader().load_from_file(str(source), trusted_as_template=True)["unit"]
    file = folder / "watcher.service"
    file.write_text(Templar(DataLoader(), variables=variables(**given)).template(template), encoding="utf-8")
    return file


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
@pytest.mark.parametrize("sandbox", [True, False])
def test_systemd_understands_the_unit(tmp_path: Path, sandbox: bool) -> None:
    directory = tmp_path / "watcher 100%"
    file = unit(tmp_path, directory=str(directory), sandbox=sandbox)
    (line,) = [line for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("ExecStart=")]
    assert f'"-IS" "{tmp_path}/watcher 100%%/program"' in line
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(file)], capture_output=True, text=True, timeout=60, check=False
    )
    # It also looks at other units of this machine, about which it may have something to say.
    assert [line for line in done.stderr.splitlines() if "watcher.service" in line] == []


@pytest.mark.parametrize("sandbox", [True, "true", False, "no"])
def test_the_sandbox_is_a_choice(tmp_path: Path, sandbox: Any) -> None:
    text = unit(tmp_path, sandbox=sandbox).read_text(encoding="utf-8")
    assert ("ProtectSystem=" in text) == (sandbox in (True, "true"))
    assert "KillMode=mixed" in text


def test_stopping_leaves_commands_their_time(tmp_path: Path) -> None:
    """systemd must wait longer than the watcher does, and than the kill of a command takes."""
    assert "TimeoutStopSec=151" in unit(tmp_path, stop_timeout=120.5).read_text(encoding="utf-8")
