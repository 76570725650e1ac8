# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Persistent forms: found by evidence, written, read back, removed; and read by the stacks' own tools."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._routes.host import persistence
from ansible_collections.imds.azure.plugins.module_utils._routes.host.host import Host, HostError
from ansible_collections.imds.azure.plugins.module_utils._routes.host.persist import networkmanager

PREFIX = "169.254.169.254/32"
GATEWAY = {"dst": PREFIX, "dev": "eth0", "prefsrc": "10.0.0.4", "gateway": "10.0.0.1", "flags": ["onlink"]}
ON_LINK = {"dst": PREFIX, "dev": "eth0", "prefsrc": "10.0.0.4", "scope": "link", "metric": 7}
ROWS = pytest.mark.parametrize("row", [GATEWAY, ON_LINK], ids=["gateway", "on-link"])
UUID = "5dfa0260-c0df-4a82-90ec-5c7af9351d65"

CLOUD_INIT = """network:
  version: 2
  {renderer}
  ethernets:
    nic-a:
      dhcp4: true
      match: {{macaddress: "00:0d:3a:00:00:01"}}
      set-name: eth0
"""


class Stage:
    """A root directory, and a stand-in for commands: netplan is the real one, nmcli an active profile in memory."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.profile = ""
        self.routes: list[str] = []
        self.log: list[tuple[str, ...]] = []
        self.refuse = ""
        self.host = Host(self.run, str(place))

    def put(self, path: str, text: str = "") -> None:
        file = Path(f"{self.place}{path}")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        file.chmod(0o600)

    def run(self, argv: Sequence[str]) -> tuple[int, str, str]:
        self.log.append(tuple(argv))
        if self.refuse and self.refuse in argv:
            return 1, "", "it does not like that"
        if argv[0] == "netplan" and shutil.which("netplan"):
            done = subprocess.run(list(argv), capture_output=True, text=True, check=False, timeout=60)
            return done.returncode, done.stdout, done.stderr
        if argv[0] == "nmcli" and self.profile:
            if "--active" in argv:
                return 0, f"lo:0-0:lo\neth0:{UUID}:{self.profile}\n", ""
            if "modify" in argv:
                self.routes = [entry for entry in argv[-1].split(", ") if entry]
                return 0, "", ""
            return 0, ", ".join(self.routes) + "\n", ""
        return 127, "", "not found"

    def networkd(self, file: str, state: str = "configured") -> None:
        self.put("/sys/class/net/eth0/ifindex", "2\n")
        self.put("/run/systemd/netif/links/2", f"ADMIN_STATE={state}\nOPER_STATE=routable\nNETWORK_FILE={file}\n")


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def networkd(stage: Stage) -> None:
    stage.networkd("/usr/lib/systemd/network/20-azure.network")


def netplan(stage: Stage) -> None:
    if not shutil.which("netplan"):
        pytest.skip("netplan is not installed")
    stage.networkd("/run/systemd/network/10-netplan-nic-a.network")
    stage.put("/etc/netplan/50-cloud-init.yaml", CLOUD_INIT.format(renderer="renderer: networkd"))


def netplan_on_networkmanager(stage: Stage) -> None:
    if not shutil.which("netplan"):
        pytest.skip("netplan is not installed")
    stage.profile = "netplan-nic-a"
    stage.put("/etc/netplan/50-cloud-init.yaml", CLOUD_INIT.format(renderer="renderer: NetworkManager"))


def network_manager(stage: Stage) -> None:
    stage.profile = "my\\: profile"
    stage.routes = ["10.9.0.0/16 10.0.0.2 5", "10.8.0.0/16 10.0.0.2"]


def ifupdown(stage: Stage) -> None:
    stage.put("/etc/network/if-up.d/other")
    stage.put("/run/network/interfaces.d/eth0", "# Azure's helper\nauto eth0\niface eth0 inet dhcp\n")


STACKS = pytest.mark.parametrize(
    ("build", "name"),
    [
        (networkd, "networkd"),
        (netplan, "netplan"),
        (netplan_on_networkmanager, "netplan"),
        (network_manager, "networkmanager"),
        (ifupdown, "ifupdown"),
    ],
)


@STACKS
@ROWS
def test_each_form_is_written_replaced_and_removed(stage: Stage, build: Any, name: str, row: dict[str, Any]) -> None:
    build(stage)
    assert persistence.find(stage.host, "eth0") == name
    assert persistence.find(stage.host, "eth0", name) == name
    assert persistence.find(stage.host, "eth7") == "none"
    assert persistence.stored_rows(stage.host, name, "eth0") == []
    others = list(stage.routes)
    persistence.write(stage.host, name, {**row, "prefsrc": "10.0.0.9"})
    for _twice in range(2):
        persistence.write(stage.host, name, row)
        assert persistence.stored_rows(stage.host, name, "eth0") == [row]
    for _twice in range(2):
        persistence.remove(stage.host, name, row)
        assert persistence.stored_rows(stage.host, name, "eth0") == []
    assert stage.routes == others
    assert not [path for path in stage.place.rglob("*imds-azure*") if path.is_file()]


@pytest.mark.parametrize(("build", "name"), [(networkd, "networkd"), (ifupdown, "ifupdown"), (netplan, "netplan")])
def test_a_file_changed_by_hand_holds_nothing_of_ours(stage: Stage, build: Any, name: str) -> None:
    build(stage)
    persistence.write(stage.host, name, GATEWAY)
    (file,) = (path for path in stage.place.rglob("*imds-azure*") if path.is_file())
    file.write_text(file.read_text(encoding="utf-8").replace("10.0.0.1", "10.0.0.3"), encoding="utf-8")
    # The comment and the rest changed alike: it is what that row makes.
    assert persistence.stored_rows(stage.host, name, "eth0") == [{**GATEWAY, "gateway": "10.0.0.3"}]
    file.write_text(file.read_text(encoding="utf-8") + "# and more\n", encoding="utf-8")
    assert persistence.stored_rows(stage.host, name, "eth0") == []


def test_no_stack_is_found_without_evidence(stage: Stage) -> None:
    assert persistence.find(stage.host, "eth0") == "none"
    assert persistence.stored_rows(stage.host, "none", "eth0") is None
    with pytest.raises(HostError, match="no network stack"):
        persistence.write(stage.host, "none", GATEWAY)


@pytest.mark.parametrize("name", persistence.STACKS)
def test_a_stack_that_does_not_configure_the_nic(stage: Stage, name: str) -> None:
    with pytest.raises(HostError, match=f"persistence_backend: {name} does not configure eth0"):
        persistence.find(stage.host, "eth0", name)
    with pytest.raises(HostError):
        persistence.write(stage.host, name, GATEWAY)
    assert list(stage.place.iterdir()) == []


def test_the_user_may_want_none(stage: Stage) -> None:
    networkd(stage)
    assert persistence.find(stage.host, "eth0", "none") == "none"


def test_networkd_that_leaves_the_nic_alone(stage: Stage) -> None:
    stage.networkd("/etc/systemd/network/a.network", state="unmanaged")
    assert persistence.find(stage.host, "eth0") == "none"


# --- the stacks' own tools ------------------------------------------------------------------------------------------


def test_netplan_adds_to_what_cloud_init_wrote(stage: Stage) -> None:
    netplan(stage)
    persistence.write(stage.host, "netplan", GATEWAY)
    unit = (stage.place / "run/systemd/network/10-netplan-nic-a.network").read_text(encoding="utf-8")
    assert "DHCP=ipv4" in unit
    section = unit.split("[Route]")[1].split("[")[0].split()
    assert sorted(section) == sorted(
        [f"Destination={PREFIX}", "Gateway=10.0.0.1", "GatewayOnLink=true", "PreferredSource=10.0.0.4"]
    )
    persistence.remove(stage.host, "netplan", GATEWAY)
    unit = (stage.place / "run/systemd/network/10-netplan-nic-a.network").read_text(encoding="utf-8")
    assert "[Route]" not in unit


def test_netplan_for_networkmanager(stage: Stage) -> None:
    netplan_on_networkmanager(stage)
    persistence.write(stage.host, "netplan", GATEWAY)
    (file,) = (stage.place / "run/NetworkManager/system-connections").iterdir()
    text = file.read_text(encoding="utf-8")
    assert f"route1={PREFIX},10.0.0.1" in text
    assert "onlink=true" in text


def test_a_file_that_netplan_refuses_is_not_put_in_place(stage: Stage) -> None:
    netplan(stage)
    with pytest.raises(HostError, match="netplan generate"):
        persistence.write(stage.host, "netplan", {**GATEWAY, "gateway": "nonsense"})
    assert os.listdir(stage.place / "etc/netplan") == ["50-cloud-init.yaml"]


def test_a_refused_file_leaves_the_old_one(stage: Stage) -> None:
    netplan(stage)
    persistence.write(stage.host, "netplan", GATEWAY)
    stage.refuse = stage.host.root
    with pytest.raises(HostError, match="it does not like that"):
        persistence.write(stage.host, "netplan", ON_LINK)
    assert persistence.stored_rows(stage.host, "netplan", "eth0") == [GATEWAY]


@ROWS
def test_nmcli_takes_the_entry(stage: Stage, row: dict[str, Any]) -> None:
    if not shutil.which("nmcli"):
        pytest.skip("nmcli is not installed")
    entry = networkmanager.render(row)
    assert networkmanager.parse(entry, "eth0") == row
    connection = ["connection", "add", "type", "ethernet", "con-name", "a", "ifname", "eth0", "ipv4.method", "auto"]
    done = subprocess.run(
        ["nmcli", "--offline", *connection, "ipv4.routes", f"10.9.0.0/16 10.0.0.2 5, {entry}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    keyfile = configparser.ConfigParser()
    keyfile.read_string(done.stdout)
    numbers = [name for name, value in keyfile["ipv4"].items() if value.startswith(PREFIX)]
    options = keyfile["ipv4"][f"{numbers[0]}_options"].split(",")
    assert len(numbers) == 1
    assert "src=10.0.0.4" in options
    assert ("onlink=true" in options) == (row is GATEWAY)
    assert ("10.0.0.1" in keyfile["ipv4"][numbers[0]]) == (row is GATEWAY)
    del stage


@ROWS
@pytest.mark.parametrize(
    ("interface", "family", "runs"),
    [("eth0", "inet", True), ("eth0", None, True), ("eth0", "inet6", False), ("eth1", "inet", False)],
)
def test_the_ifupdown_script_runs_for_its_nic_only(
    stage: Stage, row: dict[str, Any], interface: str, family: Any, runs: bool
) -> None:
    ifupdown(stage)
    persistence.write(stage.host, "ifupdown", row)
    stage.put("/bin/ip", '#!/bin/sh\necho "$@"\n')
    os.chmod(stage.place / "bin/ip", 0o755)
    environment = {"PATH": f"{stage.place}/bin:/usr/bin:/bin", "IFACE": interface}
    environment.update({"ADDRFAM": family} if family else {})
    script = stage.place / "etc/network/if-up.d/imds-azure-route"
    done = subprocess.run([str(script)], env=environment, capture_output=True, text=True, check=True, timeout=60)
    words = done.stdout.split()
    assert words[:3] == (["route", "replace", PREFIX] if runs else [])
    assert ("via" in words) == (runs and row is GATEWAY)
    assert ("src" in words) == runs
