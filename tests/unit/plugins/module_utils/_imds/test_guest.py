# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._imds import fields, guest


class Net:
    """/sys/class/net and /proc/net, made of files."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.sys, self.proc = root / "sys" / "class" / "net", root / "proc"
        self.sys.mkdir(parents=True)
        self.proc.mkdir()

    def interface(self, name: str, mac: str, *entries: str, driver: str = "", flags: str = "0x1003") -> None:
        folder = self.sys / name
        folder.mkdir()
        (folder / "address").write_text(mac + "\n")
        (folder / "flags").write_text(flags + "\n")
        for entry in entries:
            (folder / entry).mkdir()
        if driver:
            (folder / "device").mkdir(exist_ok=True)
            (folder / "device" / "driver").symlink_to(f"../../../../bus/drivers/{driver}")

    def devices(self) -> dict[str, object]:
        return {mac: nic["device"] for mac, nic in self.nics().items()}

    def nics(self) -> dict[str, dict[str, object]]:
        return guest.nics(str(self.root))


@pytest.fixture
def net(monkeypatch: Any, tmp_path: Path) -> Net:
    net = Net(tmp_path)
    monkeypatch.setattr(guest, "_PROC", str(net.proc))
    return net


def test_devices_are_found_by_mac_address(net: Net) -> None:
    net.interface("lo", "00:00:00:00:00:00")
    net.interface("eth0", "00:0d:3a:00:00:01", "device")
    net.interface("eth1", "00:0d:3a:00:00:02", "device")
    net.interface("tun0", "")
    (net.sys / "bonding_masters").write_text("bond0\n")  # a file among the directories
    assert net.devices() == {"00:0d:3a:00:00:01": "eth0", "00:0d:3a:00:00:02": "eth1"}


def test_of_two_with_accelerated_networking_the_one_with_addresses_is_meant(net: Net) -> None:
    net.interface("enP1s1", "00:0d:3a:00:00:01", "device", "master")
    net.interface("eth0", "00:0d:3a:00:00:01", "device")
    net.interface("aaa", "00:0d:3a:00:00:01", "device", "master")
    assert net.devices() == {"00:0d:3a:00:00:01": "eth0"}


@pytest.mark.parametrize("virtual", ["br0", "eth0.5", "a"])
def test_what_stands_on_an_interface_is_not_meant(net: Net, virtual: str) -> None:
    net.interface(virtual, "00:0d:3a:00:00:01")
    net.interface("eth0", "00:0d:3a:00:00:01", "device")
    assert net.devices() == {"00:0d:3a:00:00:01": "eth0"}


MAC = "00:0d:3a:00:00:01"
SLAVE = "0x1803"
NICS: dict[str, tuple[list[dict[str, Any]], tuple[object, ...]]] = {
    "not accelerated": ([{"name": "eth0", "driver": "hv_netvsc"}], ("eth0", "hv_netvsc", False, None, None)),
    "a bonded VF": (
        [{"name": "eth0", "driver": "hv_netvsc"}, {"name": "aaa", "driver": "mlx5_core", "flags": SLAVE}],
        ("eth0", "hv_netvsc", True, "aaa", "mlx5_core"),
    ),
    "a VF that is not bonded, because it was just added": (
        [{"name": "eth0", "driver": "hv_netvsc"}, {"name": "aaa", "driver": "mlx4_core"}],
        ("eth0", "hv_netvsc", False, "aaa", "mlx4_core"),
    ),
    "MANA as a VF": (
        [{"name": "enP30832p0s0", "driver": "mana", "flags": SLAVE}, {"name": "eth0", "driver": "hv_netvsc"}],
        ("eth0", "hv_netvsc", True, "enP30832p0s0", "mana"),
    ),
    "MANA alone": ([{"name": "enp0", "driver": "mana"}], ("enp0", "mana", True, None, None)),
    "MANA below a bridge": (
        [{"name": "br0"}, {"name": "enp0", "driver": "mana"}],
        ("enp0", "mana", True, None, None),
    ),
    "a VLAN on an accelerated interface": (
        [
            {"name": "a.5"},
            {"name": "eth0", "driver": "hv_netvsc"},
            {"name": "enP1", "driver": "mlx5_core", "flags": SLAVE},
        ],
        ("eth0", "hv_netvsc", True, "enP1", "mlx5_core"),
    ),
    "a VF whose synthetic interface has no driver to be seen": (
        [{"name": "a", "driver": "mlx5_core", "flags": SLAVE}, {"name": "b"}],
        ("b", None, True, "a", "mlx5_core"),
    ),
    "flags that make no sense": (
        [{"name": "eth0", "driver": "hv_netvsc"}, {"name": "a", "driver": "mlx5_core", "flags": "x"}],
        ("eth0", "hv_netvsc", False, "a", "mlx5_core"),
    ),
}


@pytest.mark.parametrize("name", NICS)
def test_drivers_and_virtual_functions(net: Net, name: str) -> None:
    interfaces, expected = NICS[name]
    for interface in interfaces:
        net.interface(interface.pop("name"), MAC, **interface)
    assert net.nics() == {MAC: dict(zip(fields.NIC, expected))}


def test_without_files_nothing_is_known(net: Net) -> None:
    net.sys.rmdir()
    assert (net.nics(), guest.default_device(), guest.addresses()) == ({}, None, [])


HEAD = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"


@pytest.mark.parametrize(
    ("lines", "device"),
    [
        ([], None),
        (["eth0\t00000000\t0101010A\t0003\t0\t0\t100\t00000000\t0\t0\t0"], "eth0"),
        (
            [
                "eth1\t00000000\t0102010A\t0003\t0\t0\t200\t00000000\t0\t0\t0",
                "eth0\t00000000\t0101010A\t0003\t0\t0\t100\t00000000\t0\t0\t0",
            ],
            "eth0",
        ),
        # 1000 is more than 200
        (
            [
                "eth1\t00000000\t0102010A\t0003\t0\t0\t1000\t00000000\t0\t0\t0",
                "eth0\t00000000\t0101010A\t0003\t0\t0\t200\t00000000\t0\t0\t0",
            ],
            "eth0",
        ),
        (["eth0\t0000010A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0"], None),
        (["eth0\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0"], None),  # half of everything: 0.0.0.0/1
        (["eth0\t0000", ""], None),
    ],
)
def test_default_device(net: Net, lines: list[str], device: str | None) -> None:
    (net.proc / "route").write_text(HEAD + "".join(f"{line}\n" for line in lines))
    assert guest.default_device() == device


FIB_TRIE = """\
Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 10.1.0.0/24 2 0 2
        +-- 10.1.0.0/29 2 0 2
           |-- 10.1.0.0
              /24 link UNICAST
           |-- 10.1.0.4
              /32 host LOCAL
           |-- 10.1.0.5
              /32 host LOCAL
        |-- 10.1.0.255
           /32 link BROADCAST
     +-- 127.0.0.0/8 2 0 2
        |-- 127.0.0.1
           /32 host LOCAL
Local:
  +-- 0.0.0.0/0 3 0 5
           |-- 10.1.0.4
              /32 host LOCAL
"""


def test_the_hosts_own_addresses_are_listed(net: Net) -> None:
    (net.proc / "fib_trie").write_text(FIB_TRIE)
    assert guest.addresses() == ["10.1.0.4", "10.1.0.5"]
