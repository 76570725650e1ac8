# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The route fix where rules would guess wrong, or where IMDS is silent, guarded or somebody else's.

IMDS lists the interfaces in any order here. Firewalls are set with nft, where there is one.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pytest

from .api import Lab
from .route_play import Results, everywhere, play, tables
from .route_states import DHCP, OTHER, STATIC, numbered

LOCKED = (
    "route add prohibit 169.254.169.254 proto static",
    "route add 169.254.169.254 dev eth0 scope link table 2147420181",
    "rule add fwmark 0x7fff0815 lookup 2147420181",
)
FILTER = """add table inet f
add chain inet f o { type filter hook output priority 0; }
add rule inet f o ip daddr 169.254.169.254 """
NAT = """add table ip n
add chain ip n o { type nat hook output priority -100; }
add rule ip n o ip daddr 169.254.169.254 tcp dport 80 dnat to 127.0.0.1:9
"""


# The accelerated half of eth0: the same MAC address, and a master.
VF = (
    "link add vf0 address {mac} type veth peer name vf1",
    "link add brx type bridge",
    "link set vf0 master brx",
    "address add 10.77.{n}.4/24 dev vf0 noprefixroute",
    "link set vf0 up",
)
VF_WORDS = "is only the accelerated half (VF) of eth0"
MAC = "00:0d:3a:77:00:{number:02x}"


class Observed(NamedTuple):
    """``code``: the headline of a query. ``repaired``: whether `present` repairs it; ``None``: it has nothing to do.

    ``nic``, ``rule``: the primary interface, and how it is known. ``words``: stand in the findings. ``nft``: rules.
    """

    code: str
    repaired: bool | None
    commands: tuple[str, ...] = ()
    nic: str = "eth0"
    rule: str = "asked"
    words: tuple[str, ...] = ()
    nft: str = ""
    primary: Mapping[str, Any] = STATIC
    options: Mapping[str, Any] = {}


STATES: Mapping[str, Observed] = {
    "shuffled": Observed("ok", None, primary=DHCP),
    "bridge": Observed(
        "ok_via_default",
        True,
        (
            "link add br0 type bridge",
            "link set eth0 master br0",
            "address del 10.77.{n}.4/24 dev eth0",
            "address add 10.77.{n}.4/24 dev br0",
            "link set br0 up",
            "route add default via 10.77.{n}.1 dev br0",
        ),
        nic="br0",
    ),
    "default-on-data-nic": Observed(
        "captured_by_other_interface", True, ("route del default", "route add default via 10.78.{n}.1 dev eth1")
    ),
    "dhcp-route-on-data-nic": Observed(
        "host_route_wrong_interface", True, (OTHER + " proto dhcp src 10.78.{n}.4 metric 100",)
    ),
    "static-wire-server": Observed("ok_via_default", True, ("route add 168.63.129.16 dev eth1 scope link",)),
    "two-addresses": Observed(
        "wrong_source_address",
        True,
        ("route change default via 10.77.{n}.1 dev eth0 src 10.77.{n}.9 metric 100",),
        primary={**STATIC, "secondary_addresses": ["10.77.{n}.9"]},
    ),
    "lease-lost": Observed(
        "primary_nic_link_local",
        False,
        ("route del default", "address flush dev eth0", "address add 169.254.7.7/16 dev eth0"),
        rule="",
        words=("Renew the lease",),
    ),
    "nic-down": Observed(
        "no_route",
        False,
        ("link set eth0 down",),
        nic="",
        rule="",
        words=("eth0", "is down", "ip link set dev eth0 up"),
    ),
    "other-nic-has-the-default": Observed(
        "silent_although_routed",
        False,
        ("link set eth0 down", "route add default via 10.78.{n}.1 dev eth1"),
        nic="eth1",
        rule="default_route",
        words=("ip link set dev eth0 up",),
    ),
    "second-nic-down": Observed("ok", None, ("link set eth1 down",), primary=DHCP),
    "l3mdev": Observed("ok", None, ("rule add pref 100 l3mdev",), primary=DHCP),
    "locked": Observed(
        "locked_by_systemd", False, LOCKED, rule="default_route", words=("systemd.imds.network=unlocked",)
    ),
    "locked-forced": Observed("locked_by_systemd", False, LOCKED, rule="default_route", options={"force": True}),
    "no-rules": Observed("rules_missing", False, ("rule flush",), words=("ip rule add pref 32766 lookup main",)),
    "vf": Observed("ok", None, VF, primary=DHCP, words=(VF_WORDS,)),
    "vf-without-address": Observed("ok", None, (*VF[:3], VF[4]), primary=DHCP),
    "vf-with-routes": Observed(
        "host_route_wrong_interface",
        True,
        (*VF, "route add 169.254.169.254 via 10.77.{n}.1 dev vf0 proto dhcp src 10.77.{n}.4 metric 50 onlink"),
        primary=DHCP,
        words=(VF_WORDS,),
    ),
    "silent": Observed("silent_although_routed", False, rule="dhcp_routes", primary={**DHCP, "reaches_imds": False}),
}
BY_DHCP: Mapping[str, Any] = {"rule": "dhcp_routes", "primary": DHCP}
SILENT = "silent_although_routed"
WITH_NFT: Mapping[str, Observed] = {
    "firewall-drops": Observed(SILENT, False, nft=FILTER + "drop\n", words=("nft:", "drop"), **BY_DHCP),
    "firewall-rejects": Observed(SILENT, False, nft=FILTER + "reject\n", words=("nft:", "reject"), **BY_DHCP),
    "redirected": Observed(SILENT, False, nft=NAT, words=("dnat to",), **BY_DHCP),
}
ALL = {**STATES, **(WITH_NFT if shutil.which("nft") else {})}


def _vm(name: str, number: int) -> dict[str, Any]:
    state = ALL[name]
    mac = MAC.format(number=number)
    commands = [command.replace("{mac}", mac).split() for command in state.commands]
    variables = {"route_options": {"persistent": False, "verify_retries": 0, **state.options}}
    document = {"name": name, "nics": [{**state.primary, "mac": mac}, {}], "ip": commands, "vars": variables}
    return dict(numbered(document, number))


class Seen(NamedTuple):
    before: dict[str, str]
    query: Results
    present: Results
    after: dict[str, str]


@pytest.fixture(scope="module")
def seen(lab: Lab) -> Iterator[Seen]:
    assert lab.place.alive()  # this machine allows labs
    with Lab({"vms": [_vm(name, number) for number, name in enumerate(ALL)]}) as fleet:
        for name, state in ALL.items():
            if state.nft:
                fleet.run(name, ["nft", "-f", "-"], stdin=state.nft, check=True)
        before = everywhere(fleet, tables)
        done = play(fleet, {"query": {"state": "query"}, "present": {}})
        yield Seen(before, {"": done["query"]}, {"": done["present"]}, everywhere(fleet, tables))


each_state = pytest.mark.parametrize("name", ALL)


@each_state
def test_query_says_what_is_observed(seen: Seen, name: str) -> None:
    state, result = ALL[name], seen.query[""][name]
    assert not result.get("failed"), result
    assert result["findings"][0]["code"] == state.code, result["findings"]
    assert (result["primary"]["interface"], result["primary"]["rule"]) == (state.nic, state.rule)
    said = " ".join(f"{one['message']} {one['remedy']}" for one in result["findings"])
    for words in state.words:
        assert words in said


@each_state
def test_present_repairs_what_can_be_proven_and_leaves_the_rest(seen: Seen, name: str) -> None:
    state, result = ALL[name], seen.present[""][name]
    if state.repaired:
        assert not result.get("failed"), result
        assert (result["changed"], result["verified"]) == (True, True)
        assert result["winner"]["interface"] == state.nic
        return
    assert not result["changed"]
    assert seen.after[name] == seen.before[name]
    assert bool(result.get("failed")) is (state.repaired is False), result


def test_nothing_silent_is_called_ok(seen: Seen) -> None:
    for name, result in seen.query[""].items():
        codes = [one["code"] for one in result["findings"]]
        assert result["verified"] or not {"ok", "ok_via_default"} & set(codes), name
