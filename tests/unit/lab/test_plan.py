# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab makes of a topology: commands for ``ip``, the emulator's VM list, the inventory, the firmware tables."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imds.azure.tests.lab import fabric, inventory, spec, sysfs, vm
from ansible_collections.imds.azure.tests.lab.state import Place, birth, lab_dir

DOCUMENT: dict[str, Any] = {
    "vms": [
        {
            "name": "web",
            "nics": [
                {
                    "subnet": "10.1.0.0/24",
                    "secondary_addresses": ["10.1.0.9"],
                    "public_address": "20.0.0.1",
                    "mac": "00:0D:3A:AA:BB:CC",
                },
                {"subnet": "10.2.0.0/26", "reaches_imds": False},
            ],
            "profile": "zonal",
            "overrides": {"compute": {"zone": "3"}},
            "options": {"limiter": False},
            "groups": ["frontend"],
            "vars": {"ansible_python_interpreter": "/opt/python"},
        },
        {"name": "elsewhere", "chassis_asset_tag": False, "sshd": True, "groups": ["frontend"]},
    ]
}
WEB, ELSEWHERE = spec.parse(DOCUMENT).vms


def words(commands: list[list[str]]) -> list[str]:
    return [" ".join(command) for command in commands]


def test_a_vm_is_configured_as_by_dhcp() -> None:
    assert words(vm.configuration(WEB)) == [
        "link set lo up",
        "address add 10.1.0.4/24 broadcast + dev eth0 metric 100",
        "address add 10.1.0.9/24 broadcast + dev eth0 metric 100",
        "link set eth0 up",
        "route add default via 10.1.0.1 dev eth0 proto dhcp src 10.1.0.4 metric 100",
        "route add 168.63.129.16 via 10.1.0.1 dev eth0 proto dhcp src 10.1.0.4 metric 100",
        "route add 169.254.169.254 via 10.1.0.1 dev eth0 proto dhcp src 10.1.0.4 metric 100",
        "address add 10.2.0.4/26 broadcast + dev eth1 metric 200",
        "link set eth1 up",
    ]


def test_each_cable_ends_in_the_fabric() -> None:
    ends = [command[command.index("peer") + 2] for command in vm.cables(WEB, 7)]
    assert ends == [vm.fabric_link(WEB, 0), vm.fabric_link(WEB, 1)]
    assert all(command[-2:] == ["netns", "/proc/self/fd/7"] for command in vm.cables(WEB, 7))


def test_the_fabric_routes_back_to_every_address() -> None:
    commands = words(fabric.configuration(spec.parse(DOCUMENT)))
    for number, nic in enumerate(WEB.nics):
        link = vm.fabric_link(WEB, number)
        assert f"address add {nic.gateway}/32 dev {link}" in commands
        for address in nic.addresses:
            assert f"route add {address}/32 dev {link}" in commands


def test_rules_only_where_a_nic_shall_not_reach_imds() -> None:
    assert [line for line in words(fabric.configuration(spec.parse(DOCUMENT))) if line.startswith("rule")] == [
        f"rule add pref 5 iif {vm.fabric_link(WEB, 1)} to 169.254.169.254 blackhole",
        "rule add pref 10 lookup local",
        "rule del pref 0",
    ]
    assert "rule" not in str(fabric.configuration(spec.parse({"vms": [{"name": "a"}]})))


def test_imds_says_what_the_vm_has() -> None:
    entry = fabric.emulated(WEB)
    assert (entry["name"], entry["profile"], entry["options"]) == (
        "web",
        "zonal",
        {"shuffle_interfaces": True, "limiter": False},
    )
    assert entry["sources"] == ["10.1.0.4"]
    assert entry["secondary_addresses"] == ["10.1.0.9", "10.2.0.4"]
    assert entry["overrides"]["compute"] == {"vmId": WEB.product_uuid, "zone": "3"}
    first, second = entry["overrides"]["network"]["interface"]
    assert first["macAddress"] == "000D3AAABBCC"
    assert first["ipv4"] == {
        "ipAddress": [
            {"privateIpAddress": "10.1.0.4", "publicIpAddress": "20.0.0.1"},
            {"privateIpAddress": "10.1.0.9", "publicIpAddress": ""},
        ],
        "subnet": [{"address": "10.1.0.0", "prefix": "24"}],
    }
    assert second["ipv4"]["subnet"] == [{"address": "10.2.0.0", "prefix": "26"}]


def test_imds_tells_region_zone_and_tags_of_the_topology() -> None:
    own = {"location": "northeurope", "zone": "2", "tags": {"role": "web", "rank": ""}}
    (vm,) = spec.parse({"vms": [{"name": "a", "product_uuid": WEB.product_uuid, **own}]}).vms
    assert fabric.emulated(vm)["overrides"]["compute"] == {
        "vmId": WEB.product_uuid,
        "location": "northeurope",
        "zone": "2",
        "tagsList": [{"name": "role", "value": "web"}, {"name": "rank", "value": ""}],
    }


def test_the_topology_has_the_last_word_on_the_document() -> None:
    document = {"vms": [{"name": "a", "overrides": {"compute": {"vmId": "x"}, "network": {"interface": []}}}]}
    overrides = fabric.emulated(spec.parse(document).vms[0])["overrides"]
    assert overrides == {"compute": {"vmId": "x"}, "network": {"interface": []}}


def test_firmware_tables_tell_azure_from_elsewhere() -> None:
    azure, other = sysfs.dmi(WEB), sysfs.dmi(ELSEWHERE)
    assert azure["chassis_asset_tag"] == ("7783-7084-3265-9085-8269-3286-77", 0o444)
    assert azure["product_uuid"] == (WEB.product_uuid, 0o400)
    assert azure["sys_vendor"][0] == "Microsoft Corporation"
    assert other["chassis_asset_tag"][0] == ""
    assert "Microsoft" not in str(other)


def test_the_inventory_lists_vms_by_group(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LAB_DIR", str(tmp_path))
    place = Place.named("one")
    groups = inventory.inventory(spec.parse(DOCUMENT), place)["all"]["children"]
    assert groups["frontend"] == {"hosts": {"web": {}, "elsewhere": {}}}
    web, elsewhere = groups["lab"]["hosts"]["web"], groups["lab"]["hosts"]["elsewhere"]
    assert (web["ansible_connection"], web["ansible_shell_executable"]) == ("local", f"{tmp_path}/one/shell/web")
    assert web["ansible_python_interpreter"] == "/opt/python"  # "vars" win
    assert elsewhere["ansible_connection"] == "ssh"
    assert f"{tmp_path}/one/shell/elsewhere" in elsewhere["ansible_ssh_common_args"]


HOME = "/home/user"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, f"{HOME}/.local/state/imds.azure/lab"),
        ({"XDG_STATE_HOME": "/var/state"}, "/var/state/imds.azure/lab"),
        ({"XDG_STATE_HOME": "relative"}, f"{HOME}/.local/state/imds.azure/lab"),
        ({"XDG_STATE_HOME": ""}, f"{HOME}/.local/state/imds.azure/lab"),
        ({"XDG_STATE_HOME": "/var/state", "LAB_DIR": "/srv/labs"}, "/srv/labs"),
    ],
)
def test_labs_are_kept_in_the_users_state_directory(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], expected: str
) -> None:
    for name in ("LAB_DIR", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"HOME": HOME, **environment}.items():
        monkeypatch.setenv(name, value)
    assert str(lab_dir()) == expected


def test_a_process_is_known_by_its_birth() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        born = birth(child.pid)
        assert born.isdigit()
        assert int(born) >= int(birth(os.getpid()))
        child.communicate(b"\n", timeout=10)
    assert birth(child.pid) == ""
