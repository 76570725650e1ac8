# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses, prefixes, rules, options and Linux reports by tables of cases."""

from __future__ import annotations

import json
from typing import Any, Optional

import pytest
from ansible_collections.imds.azure.plugins.module_utils._routes import findings, ipv4, linux_report, lookup, model
from ansible_collections.imds.azure.plugins.module_utils._routes.candidates import Candidate, candidates
from ansible_collections.imds.azure.plugins.module_utils._routes.linux_report import read_linux_report
from ansible_collections.imds.azure.plugins.module_utils._routes.model import Address, Interface, Route, Rule, State
from ansible_collections.imds.azure.plugins.module_utils._routes.options import (
    RouteOptions,
    normalize_mac,
    parse_options,
)
from ansible_collections.imds.azure.plugins.module_utils._routes.primary import find_primary
from ansible_collections.imds.azure.plugins.module_utils._routes.reply import ImdsReply
from ansible_collections.imds.azure.plugins.plugin_utils._route_plan.evaluation import Evaluation
from ansible_collections.imds.azure.plugins.plugin_utils._route_plan.plan import plain_steps, plan
from ansible_collections.imds.azure.tests.scenarios.judged import findings_of, plan_of
from hypothesis import example, given
from hypothesis import strategies as st

IMDS = ipv4.IMDS


@given(st.integers(0, 0xFFFFFFFF), st.integers(0, 32))
def test_addresses_and_prefixes_round_trip(value: int, length: int) -> None:
    address = ipv4.text(value)
    assert ipv4.number(address) == value
    prefix = ipv4.make_prefix(address, length)
    assert ipv4.parse_prefix(prefix) == prefix
    assert ipv4.prefix_length(prefix) == length
    assert ipv4.covers(prefix, address)
    assert ipv4.mask_length(ipv4.text(0xFFFFFFFF << (32 - length) & 0xFFFFFFFF)) == length


@pytest.mark.parametrize(
    "text", ["", "1.2.3", "1.2.3.4.5", "1.2.3.256", "a.b.c.d", "::1", "1.2.3.-4", "1.2.3.٣", "1..2.3"]
)
def test_text_that_is_no_address(text: str) -> None:
    assert not ipv4.is_ipv4(text)
    assert not ipv4.covers("0.0.0.0/0", text)
    with pytest.raises(ValueError, match="not an IPv4 address"):
        ipv4.number(text)


@pytest.mark.parametrize("text", ["10.0.0.0/33", "10.0.0.0/x", "10.0.0.0/", "nonsense", "fe80::/64"])
def test_text_that_is_no_prefix(text: str) -> None:
    with pytest.raises(ValueError, match="not a"):
        ipv4.parse_prefix(text)


@pytest.mark.parametrize(
    ("rule", "source", "expected"),
    [
        (Rule(1), "", True),
        (Rule(1, destination="169.254.0.0/16"), "", True),
        (Rule(1, destination="10.0.0.0/8"), "", False),
        (Rule(1, destination="10.0.0.0/8", invert=True), "", True),
        (Rule(1, source="10.0.1.0/24"), "", False),
        (Rule(1, source="10.0.1.0/24"), "10.0.1.10", True),
        (Rule(1, fwmark="0x1"), "", False),
        (Rule(1, fwmark="0x1", invert=True), "", True),
        (Rule(1, fwmark="0x100/0xff"), "", True),
        (Rule(1, iif="lo"), "", True),
        (Rule(1, iif="eth0"), "", False),
        (Rule(1, oif="eth0"), "", False),
        (Rule(1, tos="0x10"), "", False),
        (Rule(1, unknown=("uid_start",)), "", None),
        (Rule(1, unknown=("uid_start",), invert=True), "", None),
        # An unknown selector does not matter where a known one already fails.
        (Rule(1, destination="10.0.0.0/8", unknown=("uid_start",)), "", False),
        (Rule(1, destination="10.0.0.0/8", unknown=("uid_start",), invert=True), "", True),
    ],
)
def test_rule_matches(rule: Rule, source: str, expected: Optional[bool]) -> None:
    assert lookup.rule_matches(rule, IMDS, source) is expected


def test_every_finding_can_be_said() -> None:
    class Words(dict[str, str]):
        def __missing__(self, key: str) -> str:
            return f"<{key}>"

    for code, (severity, message, remedy) in findings.TABLE.items():
        assert severity in ("ok", "warning", "error", "refusal"), code
        assert message.format_map(Words()).endswith((".", "<cause>", "<also>")), code
        assert remedy or severity == "ok" or code == "not_azure"


def answered(address: str, interface: str = "") -> model.Asked:
    """IMDS answered this address: unbound, or only bound to an interface."""
    reply = ImdsReply("ok", "HTTP 200", address)
    silence = ImdsReply("connect_timeout", "connect_timeout: nothing")
    return model.Asked(silence, ((interface, address, reply),)) if interface else model.Asked(reply)


def linux_state(*routes: Route, **more: Any) -> State:
    return State(
        "linux",
        (
            Interface("lo", 1, kind="loopback"),
            Interface("eth0", 2, "00:0d:3a:00:00:01"),
            Interface("eth1", 3, "00:0d:3a:00:00:02"),
        ),
        (Address("10.0.1.10", 24, "eth0"), Address("10.0.2.10", 24, "eth1")),
        routes,
        **more,
    )


DEFAULT0 = Route(ipv4.DEFAULT_PREFIX, "eth0", "10.0.1.1", 100)
DEFAULT1 = Route(ipv4.DEFAULT_PREFIX, "eth1", "10.0.2.1", 50)
WIRESERVER1 = Route(ipv4.WIRESERVER_PREFIX, "eth1", "10.0.2.1")
HOST1_DHCP = Route(ipv4.IMDS_PREFIX, "eth1", "10.0.2.1", protocol="dhcp")


@pytest.mark.parametrize(
    ("state", "options", "expected"),
    [
        (linux_state(DEFAULT0), RouteOptions(), ("eth0", "10.0.1.10", "default_route")),
        (linux_state(DEFAULT0, DEFAULT1), RouteOptions(), ("eth1", "10.0.2.10", "default_route")),
        (linux_state(DEFAULT0, WIRESERVER1), RouteOptions(), ("eth1", "10.0.2.10", "dhcp_routes")),
        (linux_state(DEFAULT0, HOST1_DHCP), RouteOptions(), ("eth1", "10.0.2.10", "dhcp_routes")),
        (
            linux_state(DEFAULT0, HOST1_DHCP._replace(protocol="static")),
            RouteOptions(),
            ("eth0", "10.0.1.10", "default_route"),
        ),
        (
            linux_state(DEFAULT1, WIRESERVER1, imds=answered("10.0.1.10")),
            RouteOptions(),
            ("eth0", "10.0.1.10", "asked"),
        ),
        (
            linux_state(DEFAULT1, WIRESERVER1, imds=answered("10.0.1.10", "eth0")),
            RouteOptions(),
            ("eth0", "10.0.1.10", "asked"),
        ),
        (
            linux_state(DEFAULT1, imds=answered("10.0.1.10")),
            RouteOptions(interface="eth1"),
            ("eth1", "10.0.2.10", "option"),
        ),
        (linux_state(DEFAULT1), RouteOptions(mac_address="00:0d:3a:00:00:01"), ("eth0", "10.0.1.10", "option")),
        (linux_state(DEFAULT1), RouteOptions(primary_ip="10.0.1.10"), ("eth0", "10.0.1.10", "option")),
        (linux_state(Route(ipv4.DEFAULT_PREFIX, "eth0")), RouteOptions(), ("", "", "")),
        (linux_state(DEFAULT0, DEFAULT1._replace(metric=100)), RouteOptions(), ("", "", "")),
        # wire server routes on both: that rule does not yield exactly one, the next decides
        (
            linux_state(DEFAULT0, WIRESERVER1, WIRESERVER1._replace(interface="eth0")),
            RouteOptions(),
            ("eth0", "10.0.1.10", "default_route"),
        ),
    ],
)
def test_primary_nic(state: State, options: RouteOptions, expected: tuple[str, str, str]) -> None:
    found = find_primary(state, options)
    assert (found.name, found.address, found.rule) == expected
    assert bool(found.problems) == (not found.address)


@pytest.mark.parametrize("kind", ["tunnel", "virtual", "cluster", "loopback"])
def test_other_kinds_are_no_primary_nic(kind: str) -> None:
    state = linux_state(DEFAULT0, DEFAULT1)
    nics = [nic._replace(kind=kind) if nic.name == "eth1" else nic for nic in state.interfaces]
    assert find_primary(state._replace(interfaces=tuple(nics))).name == "eth0"


def test_second_function_with_the_same_mac_is_ignored() -> None:
    state = linux_state(DEFAULT0)
    twin = Interface("enP1s1", 9, "00:0d:3a:00:00:01", master="eth0")
    address = Address("10.0.1.10", 24, "enP1s1")
    state = state._replace(
        interfaces=(twin, *state.interfaces), addresses=(address, *state.addresses), imds=answered("10.0.1.10")
    )
    assert "address_on_vf" in [one.code for one in findings_of(state)]
    assert find_primary(state).name == "eth0"
    assert find_primary(state, RouteOptions(mac_address=twin.mac)).name == "eth0"


# As `ip -d -j address` shows an accelerated NIC: hv_netvsc makes its VF a port (IFF_SLAVE) of the synthetic device.
ACCELERATED = """[
{"ifindex": 1, "ifname": "lo", "flags": ["LOOPBACK", "UP", "LOWER_UP"], "mtu": 65536, "qdisc": "noqueue",
 "operstate": "UNKNOWN", "group": "default", "txqlen": 1000, "link_type": "loopback", "address": "00:00:00:00:00:00",
 "broadcast": "00:00:00:00:00:00", "promiscuity": 0, "min_mtu": 0, "max_mtu": 0, "num_tx_queues": 1,
 "addr_info": [{"family": "inet", "local": "127.0.0.1", "prefixlen": 8, "scope": "host", "label": "lo"}]},
{"ifindex": 2, "ifname": "eth0", "flags": ["BROADCAST", "MULTICAST", "UP", "LOWER_UP"], "mtu": 1500, "qdisc": "mq",
 "operstate": "UP", "group": "default", "txqlen": 1000, "link_type": "ether", "address": "00:0d:3a:00:00:01",
 "broadcast": "ff:ff:ff:ff:ff:ff", "promiscuity": 0, "min_mtu": 68, "max_mtu": 65521, "num_tx_queues": 64,
 "parentbus": "vmbus", "parentdev": "000d3a00-0001-000d-3a00-0001000d3a00",
 "addr_info": [{"family": "inet", "local": "10.0.1.10", "prefixlen": 24, "metric": 100, "broadcast": "10.0.1.255",
                "scope": "global", "dynamic": true, "label": "eth0", "valid_life_time": 4294967295}]},
{"ifindex": 3, "ifname": "enP30832s1", "flags": ["BROADCAST", "MULTICAST", "SLAVE", "UP", "LOWER_UP"], "mtu": 1500,
 "qdisc": "mq", %s "operstate": "UP", "group": "default", "txqlen": 1000, "link_type": "ether",
 "address": "00:0d:3a:00:00:01", "broadcast": "ff:ff:ff:ff:ff:ff", "promiscuity": 0, "min_mtu": 68, "max_mtu": 9978,
 "num_tx_queues": 64, "parentbus": "pci", "parentdev": "7870:00:02.0",
 "addr_info": [%s]}
]"""
ON_VF = '{"family": "inet", "local": "10.0.1.10", "prefixlen": 24, "scope": "global", "dynamic": true}'


@pytest.mark.parametrize("master", ['"master": "eth0",', ""], ids=["with its master", "by its flag alone"])
@pytest.mark.parametrize("address", ["", ON_VF], ids=["without an address", "with the address"])
def test_vf_of_an_accelerated_nic_is_never_the_primary_one(master: str, address: str) -> None:
    rows = [
        {"dst": "default", "gateway": "10.0.1.1", "dev": dev, "protocol": "dhcp", "prefsrc": "10.0.1.10", "metric": 100}
        for dev in (["enP30832s1"] if address else []) + ["eth0"]
    ]
    state = read_linux_report({"addresses": ACCELERATED % (master, address), "routes": rows})
    vf = next(nic for nic in state.interfaces if nic.name == "enP30832s1")
    assert (vf.up, bool(vf.master)) == (True, True)
    assert candidates(state) == [Candidate("eth0", "10.0.1.10")]
    assert find_primary(state).name == "eth0"
    assert find_primary(state, RouteOptions(mac_address=vf.mac)).name == "eth0"
    on_vf = [one for one in findings_of(state) if one.code == "address_on_vf"]
    assert [one.message for one in on_vf] == (
        ["enP30832s1 has 10.0.1.10, but is only the accelerated half (VF) of eth0, where they belong."]
        if address
        else []
    )


def linux_link(name: str, mac: str, *flags: str, kind: str = "", **more: Any) -> dict[str, Any]:
    linkinfo = {"info_kind": kind} if kind else {}
    return {"ifname": name, "ifindex": 9, "address": mac, "flags": list(flags), "linkinfo": linkinfo, **more}


@pytest.mark.parametrize(
    ("link", "said"),
    [
        (linux_link("eth0", "00:0d:3a:00:00:01", "BROADCAST"), "eth0 (MAC address 00:0d:3a:00:00:01) is down"),
        (linux_link("eth0", "00:0d:3a:00:00:01", "UP", "NO-CARRIER"), "has no carrier"),
        (linux_link("eth0", "00:0d:3a:00:00:01", "UP", "LOWER_UP"), ""),
        (linux_link("bond0", "02:0d:3a:00:00:01"), ""),
        (linux_link("docker0", "00:0d:3a:00:00:01", kind="dummy"), ""),
        (linux_link("enP1s1", "00:0d:3a:00:00:01", "SLAVE", master="eth0"), ""),
    ],
)
def test_nic_that_is_down_is_named(link: dict[str, Any], said: str) -> None:
    state = read_linux_report({"addresses": [link], "routes": []})
    first, *rest = find_primary(state).problems
    assert (said in first.message) if said else not rest
    assert [one.code for one in rest] == (["no_default_route"] if said else [])
    if "is down" in said:
        assert "ip link set dev eth0 up" in first.remedy
        assert [one.code for one in find_primary(state, RouteOptions(interface="eth0")).problems] == ["nic_down"]
        removing = find_primary(state, RouteOptions(state="absent", interface="eth0"))
        assert [one.code for one in removing.problems] == ["primary_nic_link_local"]


def test_two_nics_with_one_mac_are_ambiguous() -> None:
    state = linux_state(DEFAULT0)
    nics = tuple(nic._replace(mac="00:0d:3a:00:00:01") for nic in state.interfaces)
    found = find_primary(state._replace(interfaces=nics), RouteOptions(mac_address="00:0d:3a:00:00:01"))
    assert [one.code for one in found.problems] == ["ambiguous_primary_nic"]


def test_dhcp_source_tells_the_primary_address() -> None:
    state = linux_state(DEFAULT0._replace(protocol="dhcp", source="10.0.1.10"))
    state = state._replace(addresses=(Address("10.0.1.7", 24, "eth0"), *state.addresses))
    assert find_primary(state).address == "10.0.1.10"


def test_the_systems_own_verdict_wins_over_ours() -> None:
    route = Route("", "eth1", "10.0.2.1")
    state = linux_state(
        DEFAULT0,
        DEFAULT1._replace(metric=200),
        kernel_verdict=model.RouteVerdict("unicast", route, "10.0.2.10", legs=(route,)),
    )
    assert [one.code for one in findings_of(state)] == ["captured_by_other_interface", "kernel_disagrees"]
    assert Evaluation(state).winner.route == DEFAULT1._replace(metric=200)


@pytest.mark.parametrize(
    ("more", "options", "code"),
    [
        ({"elevated": False}, RouteOptions(), "not_elevated"),
        ({"azure": False}, RouteOptions(), "not_azure"),
        ({"container": True}, RouteOptions(), "container"),
        ({"persistent": (), "persistence": ""}, RouteOptions(), "no_persistence_backend"),
        ({}, RouteOptions(interface="eth1", next_hop="gateway"), "no_gateway"),
    ],
)
def test_refusals_of_linux(more: dict[str, Any], options: RouteOptions, code: str) -> None:
    found = plan_of(linux_state(DEFAULT0, **more), options)
    assert [one.code for one in found.refusals] == [code]
    assert found.steps == ()


def test_satisfied_needs_no_rights() -> None:
    state = linux_state(
        DEFAULT0, Route(ipv4.IMDS_PREFIX, "eth0", "10.0.1.1", protocol="dhcp", source="10.0.1.10"), elevated=False
    )
    assert plan_of(state).satisfied


@pytest.mark.parametrize("persistence", ["none", "netplan"])
def test_without_a_network_stack_the_route_is_runtime_only_and_said_so(persistence: str) -> None:
    found = plan_of(linux_state(DEFAULT0, persistent=(), persistence=persistence))
    none = persistence == "none"
    assert [step.action for step in found.steps] == (["replace"] if none else ["persist", "replace"])
    assert [one.code for one in found.notes] == (["runtime_only"] if none else [])
    assert plan(found.after).satisfied


def test_a_stale_form_of_ours_is_rewritten_and_forgotten_where_dhcp_serves() -> None:
    stale = Route(ipv4.IMDS_PREFIX, "eth1", "10.0.2.1", source="10.0.2.10")
    found = plan_of(linux_state(DEFAULT0, persistent=(stale,), persistence="netplan"))
    assert [step.action for step in found.steps] == ["persist", "replace"]
    assert found.steps[0].undo[0].route == stale
    by_dhcp = Route(ipv4.IMDS_PREFIX, "eth0", "10.0.1.1", protocol="dhcp", source="10.0.1.10")
    found = plan_of(
        linux_state(DEFAULT0, by_dhcp, persistent=(stale,), persistence="netplan"), RouteOptions(interface="eth0")
    )
    assert [step.action for step in found.steps] == ["unpersist"]
    assert plan_of(found.after.state, RouteOptions(interface="eth0")).satisfied


def test_a_row_that_could_not_be_put_back_is_not_removed() -> None:
    odd = Route(ipv4.IMDS_PREFIX, "eth1", "10.0.2.1", protocol="static", opaque=("mtu",))
    assert [one.code for one in plan_of(linux_state(DEFAULT0, odd), RouteOptions(interface="eth0")).refusals] == [
        "protected_host_route"
    ]


def test_plain_steps_are_json() -> None:
    state = linux_state(DEFAULT0, persistent=(), persistence="netplan")
    steps = plain_steps(state, plan_of(state).steps)
    assert json.loads(json.dumps(steps)) == [
        {**step, "do": list(step["do"]), "undo": list(step["undo"])} for step in steps
    ]
    assert steps[0]["do"] == [
        {
            "action": "persist",
            "route": {
                "dst": ipv4.IMDS_PREFIX,
                "dev": "eth0",
                "gateway": "10.0.1.1",
                "prefsrc": "10.0.1.10",
                "flags": ["onlink"],
            },
        }
    ]
    assert steps[1]["do"][0]["arguments"] == (
        [
            "route",
            "replace",
            "169.254.169.254/32",
            "via",
            "10.0.1.1",
            "dev",
            "eth0",
            "proto",
            "static",
            "src",
            "10.0.1.10",
            "onlink",
        ]
    )
    assert steps[1]["undo"][0]["arguments"][:2] == ["route", "delete"]


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"state": "gone"}, "state"),
        ({"primary_ip": "10.0.0"}, "primary_ip"),
        ({"next_hop": "somewhere"}, "next_hop"),
        ({"mac_address": "00:0d:3a"}, "mac_address"),
    ],
)
def test_bad_options_are_named(options: dict[str, str], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        parse_options(options)


def test_options_have_defaults() -> None:
    options = parse_options({"state": "query", "mac_address": "00-0D-3A-11-22-33", "interface": None, "unrelated": 1})
    assert options == RouteOptions(state="query", mac_address="00:0d:3a:11:22:33")
    assert normalize_mac("000d.3a11.2233") == "00:0d:3a:11:22:33"
    assert normalize_mac(None) == ""


BUSYBOX: dict[str, Any] = {
    "addresses": (
        "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue \n"
        "    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n"
        "    inet 127.0.0.1/8 scope host lo\n       valid_lft forever preferred_lft forever\n"
        "2: eth0@if3: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue \n"
        "    link/ether 00:0d:3a:00:00:01 brd ff:ff:ff:ff:ff:ff\n"
        "    inet 10.0.1.10/24 scope global eth0\n    inet6 fe80::1/64 scope link \n"
    ),
    "routes": "default via 10.0.1.1 dev eth0 \n10.0.1.0/24 dev eth0 scope link  src 10.0.1.10 \n",
    "rules": "0:\tfrom all lookup local \n32766:\tfrom all lookup main \n32767:\tfrom all lookup default \n",
    "route_get": {"rc": 0, "stdout": "169.254.169.254 via 10.0.1.1 dev eth0  src 10.0.1.10 \n", "stderr": ""},
}


def test_busybox_report_is_read() -> None:
    state = read_linux_report(BUSYBOX)
    assert state.rules == model.DEFAULT_RULES
    assert [one.code for one in findings_of(state)] == ["ok_via_default"]
    assert plan_of(state).steps
    assert read_linux_report({**BUSYBOX, "rules": None}).rules is None


@pytest.mark.parametrize(("said", "kind"), [(words, kind) for kind, words in model.ERRORS.items()])
def test_route_get_errors(said: str, kind: str) -> None:
    verdict = linux_report.parse_route_get({"rc": 2, "stdout": "", "stderr": f"RTNETLINK answers: {said}\n"})
    assert verdict
    assert verdict.kind == kind


def test_route_get_in_unknown_words_is_no_verdict() -> None:
    assert (
        linux_report.parse_route_get({"rc": 2, "stdout": "", "stderr": "RTNETLINK answers: something else\n"}) is None
    )
    assert linux_report.parse_route_get(None) is None


@pytest.mark.parametrize(
    "report", [{}, {"addresses": ""}, {"addresses": "[", "routes": "[]"}, {"addresses": "usage: ip"}]
)
def test_reports_that_cannot_be_read(report: dict[str, str]) -> None:
    with pytest.raises(model.ReportError, match="addresses"):
        read_linux_report(report)


WORDS = st.sampled_from(
    (
        *(
            "default",
            "169.254.169.254",
            "10.0.1.0/24",
            "10.0.0.0/99",
            "via",
            "dev",
            "eth0",
            "metric",
            "7",
            "src",
            "nexthop",
        ),
        *(
            "unreachable",
            "inet",
            "inet6",
            "10.0.1.10/24",
            "scope",
            "peer",
            "9:",
            "9: eth9: <UP>",
            "link/ether",
            "\n",
            "\n    ",
        ),
        *(
            "from",
            "to",
            "all",
            "not",
            "fwmark",
            "0x1/0xff",
            "lookup",
            "main",
            "goto",
            "suppress_prefixlength",
            "7:",
            "\n7:",
            "x",
        ),
    )
)
TEXTS = st.lists(st.one_of(WORDS, WORDS, st.text(max_size=5)), max_size=30).map(" ".join)


@given(TEXTS, TEXTS, TEXTS)
@example("inet scope", "", "")
@example("inet peer", "", "")
@example("inet 10.0.1.10/24 scope", "", "")
def test_text_garbage_is_read_or_refused_clearly(addresses: str, routes: str, rules: str) -> None:
    try:
        state = read_linux_report(
            {"addresses": str(BUSYBOX["addresses"]) + addresses, "routes": routes, "rules": rules}
        )
    except model.ReportError:
        return
    assert findings_of(state)
    found = plan_of(state)
    assert found.steps or found.refusals or found.satisfied


@pytest.mark.parametrize(
    ("link", "kind"),
    [
        ({"ifname": "lo", "flags": ["LOOPBACK"]}, "loopback"),
        ({"ifname": "eth0", "link_type": "ether"}, "ethernet"),
        ({"ifname": "azure0", "linkinfo": {"info_kind": "bridge"}}, "virtual"),
        ({"ifname": "br-ex", "linkinfo": {"info_kind": "openvswitch"}}, "ethernet"),
        ({"ifname": "wg0", "link_type": "none", "linkinfo": {"info_kind": "wireguard"}}, "tunnel"),
        ({"ifname": "ppp0", "link_type": "ppp", "flags": ["POINTOPOINT"]}, "tunnel"),
        ({"ifname": "nodelocaldns", "linkinfo": {"info_kind": "dummy"}}, "virtual"),
    ],
)
def test_kinds_of_linux_interfaces(link: dict[str, Any], kind: str) -> None:
    (interface,) = read_linux_report({"addresses": [link]}).interfaces
    assert interface.kind == kind


@pytest.mark.parametrize(
    ("port", "kind"),
    [
        ({"address": "00:0d:3a:12:34:56"}, "ethernet"),
        ({"address": "02:42:ac:11:00:02", "linkinfo": {"info_kind": "bond"}}, "ethernet"),
        ({"address": "fe:54:00:12:34:56", "linkinfo": {"info_kind": "tun"}}, "virtual"),
        ({"address": "02:42:ac:11:00:02", "linkinfo": {"info_kind": "veth"}}, "virtual"),
    ],
)
@pytest.mark.parametrize("name", ["br0", "docker0", "azure0"])
def test_bridge_is_told_by_its_ports_not_by_its_name(name: str, port: dict[str, Any], kind: str) -> None:
    bridge = {"ifname": name, "linkinfo": {"info_kind": "bridge"}}
    links = [bridge, {"ifname": "port0", "master": name, **port}]
    state = read_linux_report({"addresses": links})
    assert [nic.kind for nic in state.interfaces if nic.name == name] == [kind]
    assert [nic.master for nic in state.interfaces] == ["", name]
