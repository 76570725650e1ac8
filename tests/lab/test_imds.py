# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""IMDS answers only the primary address of the primary NIC, and tells what the VM has. Route faults are real ones."""

from __future__ import annotations

from typing import Any

import pytest

from .api import Lab
from .asking import ANSWER, AT_ONCE, NO_CONNECTION, SILENCE, TIMED_OUT, ask, ending
from .state import HERE

IMDS = "169.254.169.254"


def test_each_vm_gets_its_own_document(lab: Lab) -> None:
    for vm in ("web", "db"):
        reply = ask(lab, vm)
        assert reply.status == 200
        assert reply.document["compute"]["name"] == vm
    assert ask(lab, "db").document["compute"]["osType"] == "Windows"


def test_the_document_has_the_vms_hardware(lab: Lab) -> None:
    document = ask(lab, "web").document
    uuid = lab.run("web", ["cat", "/sys/class/dmi/id/product_uuid"], check=True).stdout.strip()
    assert document["compute"]["vmId"] == uuid
    interfaces = {interface["macAddress"]: interface for interface in document["network"]["interface"]}
    macs = [
        lab.run("web", ["cat", f"/sys/class/net/eth{number}/address"], check=True).stdout.strip()
        for number in range(len(interfaces))
    ]
    assert set(interfaces) == {mac.replace(":", "").upper() for mac in macs}
    second = interfaces[macs[1].replace(":", "").upper()]
    assert second["ipv4"]["ipAddress"] == [{"privateIpAddress": "10.78.0.4", "publicIpAddress": ""}]


def test_a_secondary_address_connects_and_gets_no_answer(lab: Lab) -> None:
    reply = ask(lab, "web", "--interface", "10.99.0.9")
    assert (reply.exit_code, reply.connected, reply.body) == (TIMED_OUT, True, "")


def test_an_address_of_another_nic_does_not_even_connect(lab: Lab) -> None:
    """Its packets leave by the primary NIC, whose cable takes none from foreign addresses."""
    reply = ask(lab, "web", "--interface", "10.78.0.4")
    assert (reply.exit_code, reply.connected) == (TIMED_OUT, False)


def test_a_host_elsewhere_gets_no_answer(lab: Lab) -> None:
    assert ask(lab, "elsewhere").exit_code == TIMED_OUT


def test_vms_of_one_subnet_reach_each_other(lab: Lab) -> None:
    relay = "import socket; s = socket.create_server(('', 7)); s.settimeout(5); s.accept()[0].sendall(b'hello')"
    listener = ["sh", "-c", f'/usr/bin/python3 -c "{relay}" >/dev/null 2>&1 & sleep 0.3']
    lab.run("db", listener, check=True)
    address = lab.run("db", ["hostname", "-i"], check=True).stdout.strip()
    done = lab.run("web", ["/usr/bin/python3", "-S", "-E", str(HERE / "relay.py"), address, "7"])
    assert done.stdout == "hello", done.stderr


# State -> what is different from a healthy VM, and how asking IMDS ends.
TWO_NICS = [{"secondary_addresses": ["10.77.0.9"]}, {}]
STATIC = [{"azure_routes": False}, {}]
NO_WAY = [{"azure_routes": False, "default_route": False}, {}]
PRIMARY = ["via", "10.77.0.1", "dev", "eth0"]
WIREGUARD = [
    ["link", "add", "wg0", "type", "veth", "peer", "name", "wg1"],
    ["link", "set", "wg0", "up"],
    ["route", "add", "default", "dev", "wg0", "table", "51820"],
    ["rule", "add", "pref", "32764", "not", "fwmark", "0xca6c", "table", "51820"],
]
STATES: dict[str, tuple[dict[str, Any], str]] = {
    "healthy": ({"nics": TWO_NICS}, ANSWER),
    "default route only": ({"nics": STATIC}, ANSWER),
    "no route": ({"nics": NO_WAY}, AT_ONCE),
    "host route on-link": ({"nics": NO_WAY, "ip": [["route", "add", IMDS, "dev", "eth0"]]}, ANSWER),
    "zeroconf on the secondary NIC": (
        {"nics": STATIC, "ip": [["route", "add", "169.254.0.0/16", "dev", "eth1"]]},
        SILENCE,
    ),
    "cluster address on the secondary NIC": (
        {"nics": STATIC, "ip": [["address", "add", "169.254.1.156/16", "dev", "eth1"]]},
        NO_CONNECTION,
    ),
    "host route on the wrong NIC": (
        {"nics": STATIC, "ip": [["route", "add", IMDS, "via", "10.78.0.1", "dev", "eth1"]]},
        SILENCE,
    ),
    "wrong NIC that reaches nothing": (
        {
            "nics": [STATIC[0], {"reaches_imds": False}],
            "ip": [["route", "add", IMDS, "via", "10.78.0.1", "dev", "eth1"]],
        },
        NO_CONNECTION,
    ),
    "wrong NIC with the primary address": (
        {"nics": STATIC, "ip": [["route", "add", IMDS, "via", "10.78.0.1", "dev", "eth1", "src", "10.77.0.4"]]},
        NO_CONNECTION,
    ),
    "secondary address as source": (
        {"nics": TWO_NICS, "ip": [["route", "replace", IMDS, *PRIMARY, "src", "10.77.0.9", "metric", "1"]]},
        SILENCE,
    ),
    "duplicate, the wrong one wins": (
        {"nics": TWO_NICS, "ip": [["route", "add", IMDS, "via", "10.78.0.1", "dev", "eth1", "metric", "1"]]},
        SILENCE,
    ),
    "duplicate, the right one wins": (
        {"nics": TWO_NICS, "ip": [["route", "add", IMDS, "via", "10.78.0.1", "dev", "eth1", "metric", "900"]]},
        ANSWER,
    ),
    "unreachable": ({"nics": STATIC, "ip": [["route", "add", "unreachable", IMDS]]}, AT_ONCE),
    "blackhole": ({"nics": STATIC, "ip": [["route", "add", "blackhole", IMDS]]}, AT_ONCE),
    "prohibit": ({"nics": STATIC, "ip": [["route", "add", "prohibit", IMDS]]}, AT_ONCE),
    "address is local": ({"nics": STATIC, "ip": [["address", "add", f"{IMDS}/32", "dev", "lo"]]}, AT_ONCE),
    "policy rule to a dead end": (
        {
            "nics": TWO_NICS,
            "ip": [
                ["rule", "add", "to", IMDS, "table", "77"],
                ["route", "add", "unreachable", "default", "table", "77"],
            ],
        },
        AT_ONCE,
    ),
    "split default on the secondary NIC": (
        {
            "nics": STATIC,
            "ip": [["route", "add", half, "via", "10.78.0.1", "dev", "eth1"] for half in ("0.0.0.0/1", "128.0.0.0/1")],
        },
        SILENCE,
    ),
    "WireGuard takes everything": ({"nics": TWO_NICS, "ip": WIREGUARD}, NO_CONNECTION),
    "WireGuard with the main table's host routes first": (
        {
            "nics": TWO_NICS,
            "ip": [*WIREGUARD, ["rule", "add", "pref", "32763", "table", "main", "suppress_prefixlength", "0"]],
        },
        ANSWER,
    ),
    "every address its own table": (
        {
            "nics": TWO_NICS,
            "ip": [
                ["rule", "add", "pref", "30200", "from", "10.77.0.4", "table", "30200"],
                ["route", "add", "default", *PRIMARY, "table", "30200"],
            ],
        },
        ANSWER,
    ),
    "two legs to one place": (
        {"nics": NO_WAY, "ip": [["route", "add", IMDS, "nexthop", *PRIMARY, "nexthop", *PRIMARY, "weight", "2"]]},
        ANSWER,
    ),
}


@pytest.mark.parametrize(("state", "expected"), STATES.values(), ids=STATES)
@pytest.mark.usefixtures("lab")
def test_each_route_state_ends_as_in_the_field(state: dict[str, Any], expected: str) -> None:
    with Lab({"vms": [{"name": "vm", **state}]}) as broken:
        assert ending(broken, "vm") == expected


def test_faults_and_request_log(lab: Lab) -> None:
    lab.emulator.clear_requests()
    lab.emulator.faults({"path": "/metadata/instance", "status": 429, "count": 1, "vm": "web"})
    assert [ask(lab, "web").status for _ignored in range(2)] == [429, 200]
    log = lab.emulator.requests()
    assert [(entry["source"], entry["status"]) for entry in log] == [("10.99.0.4", 429), ("10.99.0.4", 200)]
    lab.emulator.clear_faults()
    assert lab.emulator.faults() == []


def test_the_vm_list_can_change(lab: Lab) -> None:
    before = lab.emulator.vms()
    try:
        lab.emulator.vms([{"name": "renamed", "sources": ["10.99.0.4"]}])
        assert ask(lab, "web").document["compute"]["name"] == "renamed"
    finally:
        lab.emulator.vms(before)
    assert ask(lab, "web").document["compute"]["name"] == "web"
