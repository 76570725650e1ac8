# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is the primary NIC on Windows? Which pairs are asked from, in which order, and what is told of it."""

from __future__ import annotations

import copy
import json
from typing import Any, Optional

import pytest
from ansible_collections.imds.azure.plugins.module_utils._routes.candidates import candidates
from ansible_collections.imds.azure.plugins.module_utils._routes.options import RouteOptions
from ansible_collections.imds.azure.plugins.plugin_utils._route_plan.windows_report import read_windows_report
from ansible_collections.imds.azure.tests.scenarios.windows_reports import (
    CLUSTER,
    DHCP_VM,
    IMDS,
    REPAIRS,
    STATIC_DEFAULT,
    TWO_NICS,
    WANTED,
    report,
)
from ansible_collections.imds.azure.tests.windows.core import Core, encoded
from ansible_collections.imds.azure.tests.windows.windows_host import SERVER, Row
from ansible_collections.imds.azure.tests.windows.windows_site import Site

FIRST, SECOND, THIRD = "10.0.1.10", "10.0.2.10", "10.0.3.10"
CANDIDATES = [{"interface": index, "address": address} for index, address in ((5, FIRST), (7, SECOND), (9, THIRD))]
IMDS_PEER, AGENT = "169.254.169.254:80", "127.0.0.1:3080"


def answer(address: str, after: float, status: int = 200, peer: str = IMDS_PEER, server: Any = None) -> Row:
    nic = {"macAddress": "000D3A000005", "ipv4": {"ipAddress": [{"privateIpAddress": address}]}}
    body = encoded(json.dumps({"interface": [nic]}).encode() if status == 200 else b"")
    return {
        "status": status,
        "headers": SERVER if server is None else server,
        "body": body,
        "local_address": address,
        "peer": peer,
        "after": after,
    }


def silence(after: float = 3.0) -> Row:
    return {"kind": "read_timeout", "after": after}


def ask(core: Core, unbound: Row, *bound: Row, count: int = 3) -> Any:
    script = {"": unbound, **{one["address"]: said for one, said in zip(CANDIDATES, bound)}}
    return core("ask_around", candidates=CANDIDATES[:count], script=script)


def outcomes(found: Any) -> list[tuple[str, str]]:
    return [(one["address"], one["reply"]["outcome"]) for one in found["told"]["bound"]]


def test_where_the_unbound_request_is_answered_nobody_else_is_asked(core: Core) -> None:
    found = ask(core, answer(FIRST, 0.1))
    assert [source for source, _at in found["started"]] == [""]
    assert (found["answered"], found["told"]["unbound"]["outcome"], found["told"]["bound"]) == (FIRST, "ok", [])
    assert found["requests"] == [[None, 0, pytest.approx(4, abs=0.3)]]


def test_the_first_answer_ends_it(core: Core) -> None:
    found = ask(core, silence(), silence(), answer(SECOND, 0.1), silence())
    assert found["answered"] == SECOND
    assert ("10.0.2.10", "ok") in outcomes(found)
    assert [source for source, _at in found["started"]] == ["", FIRST, SECOND]
    # What other programs get is waited for all the same.
    assert [request[:2] for request in found["requests"]] == [[SECOND, 7], [None, 0]]
    assert found["seconds"] == pytest.approx(3, abs=0.1)


def test_requests_overlap_and_start_a_quarter_of_a_second_apart(core: Core) -> None:
    found = ask(core, silence(), silence(), silence(), silence())
    starts = [at for _source, at in found["started"]]
    assert len(starts) == 4
    assert all(0.25 <= later - earlier < 0.3 for earlier, later in zip(starts, starts[1:]))
    assert outcomes(found) == [(one["address"], "read_timeout") for one in CANDIDATES]
    assert found["answered"] is None


def test_all_of_it_ends_in_time(core: Core) -> None:
    found = ask(core, silence(99), silence(99), silence(99), silence(99))
    assert found["seconds"] == pytest.approx(4, abs=0.1)
    assert "no answer within 4 s" in found["told"]["unbound"]["detail"]
    assert [detail for _address, detail in outcomes(found)] == ["read_timeout"] * 3


def test_a_throttled_answer_tells_the_pair_as_well(core: Core) -> None:
    assert ask(core, silence(), answer(FIRST, 0.1, 429))["answered"] == FIRST


def test_what_imds_did_not_send_tells_nothing(core: Core) -> None:
    proxy = answer(FIRST, 0.1, 503, server={"server": "nginx"})
    found = ask(core, silence(), proxy, answer(SECOND, 0.1))
    assert found["answered"] == SECOND
    assert outcomes(found)[0] == (FIRST, "foreign")


@pytest.mark.parametrize(
    ("status", "server", "outcome"),
    [
        (200, SERVER, "ok"),
        (403, {}, "agent_refused"),
        (421, {}, "agent_refused"),
        (429, SERVER, "busy"),
        (502, {}, "agent_failed"),
    ],
)
def test_behind_the_guest_agent_nobody_is_bound(core: Core, status: int, server: Row, outcome: str) -> None:
    found = ask(core, answer("127.0.0.1", 0.1, status, AGENT, server))
    assert (found["told"]["unbound"]["outcome"], found["told"]["unbound"]["peer"]) == (outcome, AGENT)
    assert (found["answered"], len(found["started"])) == (None, 1)


def test_another_redirection_is_named_and_the_pairs_are_asked(core: Core) -> None:
    found = ask(core, answer("10.0.1.10", 0.1, peer="10.244.0.5:8181"), answer(FIRST, 0.1), count=1)
    unbound = found["told"]["unbound"]
    assert unbound["outcome"] == "redirected"
    assert "10.244.0.5:8181" in unbound["detail"]
    assert found["answered"] == FIRST


# --- which pairs ------------------------------------------------------------------------------------------------------


def asked_from(site: Site, **options: Any) -> list[tuple[int, str]]:
    """The pairs that a silent IMDS is asked from, in their order; by Python's own list it is the same."""
    site.host.imds = "silent"
    collected = site.module({"request": {"mode": "collect"}, **options}, check_mode=False)["report"]
    state = read_windows_report(collected)
    found = [(one["interface"], one["address"]) for one in collected["imds"]["bound"]]
    names = {nic.name: nic.ifindex for nic in state.interfaces}
    wanted = candidates(state, RouteOptions(**options))
    assert found == [(names[one.interface], one.address) for one in wanted]
    return found


@pytest.mark.parametrize("name", REPAIRS)
def test_the_pairs_are_those_of_the_twin(site: Site, name: str) -> None:
    site.build(REPAIRS[name][0])
    assert asked_from(site)


def test_a_cluster_address_comes_after_the_own_ones(site: Site) -> None:
    site.build(CLUSTER)
    assert asked_from(site) == [(5, "10.0.1.10"), (5, "10.0.1.15")]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"interface": "7"}, [(7, SECOND)]),
        ({"interface": "Ethernet"}, [(5, FIRST)]),
        ({"primary_ip": SECOND}, [(7, SECOND)]),
        ({"mac_address": "00:0d:3a:00:00:05"}, [(5, FIRST)]),
        ({"interface": "nobody"}, []),
    ],
)
def test_options_narrow_them_down(site: Site, options: Row, expected: list[tuple[int, str]]) -> None:
    site.build(report([STATIC_DEFAULT], **TWO_NICS))
    assert asked_from(site, **options) == expected


@pytest.mark.parametrize(
    ("part", "change", "left_out"),
    [
        ("interfaces", {"ConnectionState": "Disconnected"}, True),
        ("adapters", {"Status": "Disabled"}, True),
        ("adapters", {"InterfaceDescription": "WireGuard Tunnel"}, True),
        ("adapters", {"InterfaceType": 131}, True),
        ("adapters", {"InterfaceDescription": "Microsoft Failover Cluster Virtual Adapter"}, True),
        ("adapters", {"InterfaceDescription": "Microsoft KM-TEST Loopback Adapter"}, True),
        ("addresses", {"IPAddress": "169.254.3.4"}, True),
        ("addresses", {"AddressState": "Tentative"}, True),
        ("addresses", {"AddressState": 4}, False),
    ],
)
def test_what_may_not_be_the_primary_pair_is_left_out(site: Site, part: str, change: Row, left_out: bool) -> None:
    given = copy.deepcopy(report([STATIC_DEFAULT], **TWO_NICS))
    rows = given["addresses"]["active"] if part == "addresses" else given[part]
    for row in rows:
        if row["InterfaceIndex"] == 7:
            row.update(change)
    site.build(given)
    assert (7 in [index for index, _address in asked_from(site)]) is not left_out


def test_at_most_eight(site: Site) -> None:
    given = copy.deepcopy(CLUSTER)
    own = next(row for row in given["addresses"]["active"] if row["IPAddress"] == FIRST)
    given["addresses"]["active"] += [{**own, "IPAddress": f"10.0.1.{number}"} for number in range(30, 50)]
    site.build(given)
    assert len(asked_from(site)) == 8


def test_query_asks_once_where_all_is_well(site: Site) -> None:
    site.build(DHCP_VM)
    done = site.task(state="query")
    assert len(site.host.requests) == 1
    assert [one["code"] for one in done["findings"]] == ["ok"]


def test_nobody_is_asked_where_the_controller_says_so(site: Site) -> None:
    collected = site.module({"request": {"mode": "collect", "ask": False}}, check_mode=False)["report"]
    assert collected["imds"] is None
    assert not site.host.requests


# --- what is reported -------------------------------------------------------------------------------------------------


def test_only_rows_that_can_matter_are_reported(site: Site) -> None:
    many = [
        {**STATIC_DEFAULT, "DestinationPrefix": f"172.{16 + number // 256}.{number % 256}.0/24"}
        for number in range(3000)
    ]
    link_local = {**WANTED, "DestinationPrefix": "169.254.0.0/16"}
    site.build(report([*many, STATIC_DEFAULT, WANTED, link_local], [*many, WANTED]))
    collected = site.module({"request": {"mode": "collect"}}, check_mode=False)["report"]
    assert [row["DestinationPrefix"] for row in collected["routes"]["active"]] == ["0.0.0.0/0", IMDS, "169.254.0.0/16"]
    assert collected["routes"]["persistent"] == [WANTED]
    assert collected["counts"]["routes"] == 3003
    assert len(json.dumps(collected)) < 10_000


def test_a_small_host_reports_all_its_interfaces(site: Site) -> None:
    given = copy.deepcopy(report([STATIC_DEFAULT]))
    given["interfaces"].append({**given["interfaces"][0], "InterfaceIndex": 99, "InterfaceAlias": "Spare"})
    site.build(given)
    collected = site.module({"request": {"mode": "collect"}}, check_mode=False)["report"]
    assert 99 in [row["InterfaceIndex"] for row in collected["interfaces"]]


def test_of_many_interfaces_those_without_an_address_or_a_route_are_left_out(site: Site) -> None:
    given = copy.deepcopy(report([STATIC_DEFAULT]))
    given["interfaces"] += [{**given["interfaces"][0], "InterfaceIndex": 100 + number} for number in range(500)]
    site.build(given)
    collected = site.module({"request": {"mode": "collect"}}, check_mode=False)["report"]
    assert 100 not in [row["InterfaceIndex"] for row in collected["interfaces"]]
    assert collected["counts"]["interfaces"] > 500


def test_stored_names_that_do_not_matter_are_left_out(site: Site) -> None:
    names = [
        "169.254.169.254,255.255.255.255,10.9.9.9,1",
        "10.9.0.0,255.255.0.0,10.9.9.9,1",
        "nonsense",
        "0.0.0.0,0.0.0.0,10.0.1.1,1",
    ]
    site.build(report([STATIC_DEFAULT]), registry=names)
    collected = site.module({"request": {"mode": "collect"}}, check_mode=False)["report"]
    assert collected["persistent_route_values"] == [names[0], names[3]]


STATE = "WireServer Enforce - IMDS Enforce"
STATUS = {
    "proxyAgentStatus": {
        "keyLatchStatus": {
            "states": {"secureChannelState": "WireServer Enforce - IMDS Enforce", "imdsRuleId": "rule-7"}
        },
        "failedAuthenticateSummary": [
            {"userName": "web", "processFullPath": "C:\\\\agent.exe", "responseStatus": "403 Forbidden", "count": 3},
            {"processCmdLine": "curl"},
        ],
    }
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            json.dumps(STATUS),
            {
                "state": STATE,
                "rule_id": "rule-7",
                "refused": ["web, C:\\\\agent.exe: 403 Forbidden (3 times)", "unknown user, curl:  ( times)"],
            },
        ),
        (None, None),
        ("", None),
        ("[]", None),
        ('{"proxyAgentStatus": {}}', None),
        ("[" * 500, None),
    ],
)
def test_the_guest_agents_own_status(site: Site, text: Optional[str], expected: Optional[Row]) -> None:
    site.files = {"/WindowsAzure/ProxyAgent/Logs/status.json": text}
    collected = site.module({"request": {"mode": "collect"}}, check_mode=False)["report"]
    assert collected["guest_agent"] == expected
