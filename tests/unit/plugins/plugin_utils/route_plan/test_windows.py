# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows: reports of whole cases through diagnosis and plan, the steps carried out on a model of the cmdlets."""

from __future__ import annotations

import copy
from typing import Any, Optional

import pytest
from ansible_collections.imds.azure.plugins.module_utils._routes import ipv4, lookup, model
from ansible_collections.imds.azure.plugins.module_utils._routes.options import RouteOptions, parse_options
from ansible_collections.imds.azure.plugins.plugin_utils._route_plan.plan import Plan, plain_steps
from ansible_collections.imds.azure.plugins.plugin_utils._route_plan.windows_report import read_windows_report
from ansible_collections.imds.azure.tests.scenarios.judged import findings_of, plan_of
from hypothesis import example, given, settings
from hypothesis import strategies as st

IMDS = ipv4.IMDS_PREFIX
Row = dict[str, Any]


def route(prefix: str, index: int, next_hop: str = "0.0.0.0", metric: int = 256) -> Row:
    return {
        "DestinationPrefix": prefix,
        "InterfaceIndex": index,
        "NextHop": next_hop,
        "RouteMetric": metric,
        "Protocol": "NetMgmt",
    }


def address(text: str, length: int, index: int, origin: str = "Manual", skip: bool = False) -> Row:
    return {
        "IPAddress": text,
        "PrefixLength": length,
        "InterfaceIndex": index,
        "PrefixOrigin": origin,
        "SkipAsSource": skip,
        "AddressState": "Preferred",
    }


def nic(
    index: int, alias: str, metric: int = 10, dhcp: str = "Disabled", about: str = "Microsoft Hyper-V Network Adapter"
) -> Row:
    return {"index": index, "alias": alias, "metric": metric, "dhcp": dhcp, "about": about}


LOOPBACK = nic(1, "Loopback Pseudo-Interface 1", 75, about="")
ETHERNET = nic(5, "Ethernet")
ETHERNET_DHCP = nic(5, "Ethernet", dhcp="Enabled")
SECOND = nic(7, "Ethernet 2")
NETFT = nic(9, "Local Area Connection* 1", 15, about="Microsoft Failover Cluster Virtual Adapter")
VPN = nic(12, "Work", 5, about="WireGuard Tunnel")

OWN = address("10.0.1.10", 26, 5)
VIP = address("10.0.1.15", 26, 5)
STATIC_DEFAULT = route("0.0.0.0/0", 5, "10.0.1.1", 256)
DHCP_DEFAULT = route("0.0.0.0/0", 5, "10.0.1.1", 0)
WIRESERVER = route("168.63.129.16/32", 5, "10.0.1.1", 1)
DHCP_HOST = route(IMDS, 5, "10.0.1.1", 1)
CLUSTER_ROUTE = route("169.254.0.0/16", 9)
CLUSTER_ADDRESS = address("169.254.1.156", 16, 9, "WellKnown")
WANTED = route(IMDS, 5, metric=1)


def report(
    active: list[Row],
    persistent: Optional[list[Row]] = None,
    nics: tuple[Row, ...] = (ETHERNET,),
    addresses: tuple[Row, ...] = (OWN,),
    moving: tuple[Row, ...] = (),
    **more: object,
) -> Row:
    """``moving`` are addresses in use that are not stored."""
    nics = (LOOPBACK, *nics)
    return copy.deepcopy(
        {
            "routes": {"active": active, "persistent": persistent or []},
            "interfaces": [
                {
                    "InterfaceIndex": n["index"],
                    "InterfaceAlias": n["alias"],
                    "InterfaceMetric": n["metric"],
                    "Dhcp": n["dhcp"],
                }
                for n in nics
            ],
            "adapters": [
                {"InterfaceIndex": n["index"], "Name": n["alias"], "InterfaceDescription": n["about"], "Status": "Up"}
                for n in nics
                if n["about"]
            ],
            "addresses": {
                "active": [address("127.0.0.1", 8, 1, "WellKnown"), *addresses, *moving],
                "persistent": [row for row in addresses if row["PrefixOrigin"] == "Manual"],
            },
            "elevated": True,
            **more,
        }
    )


class Host:
    """What the cmdlets do to the two stores, as far as their documentation and real runs tell."""

    def __init__(self, given: Row) -> None:
        self.report = copy.deepcopy(given)

    def rows(self, store: str) -> list[Row]:
        rows: list[Row] = self.report["routes"][store]
        return rows

    def run(self, op: Row) -> None:
        if op["action"] == "skip_as_source":
            for row in [row for rows in self.report["addresses"].values() for row in rows]:
                if (row["IPAddress"], row["InterfaceIndex"]) == (op["address"], op["interface_index"]):
                    row["SkipAsSource"] = op["skip"]
            return
        new = route(op["prefix"], op["interface_index"], op["next_hop"], op["metric"])
        if op["action"] == "add":
            indexes = [row["InterfaceIndex"] for row in self.report["interfaces"]]
            stores = {"active": ["active"], "both": ["active", "persistent"]}[
                op["store"]
            ]  # never the persistent one alone
            assert new["InterfaceIndex"] in indexes, "Element not found"
            for store in stores:
                assert not self.find(store, new), "Windows System Error 87"
                self.rows(store).append(dict(new))
        for row in self.find(op["store"], new) if op["action"] in ("remove", "set_metric") else ():
            if op["action"] == "remove":
                self.rows(op["store"]).remove(row)
            else:
                row["RouteMetric"] = op["metric"]

    def find(self, store: str, wanted: Row) -> list[Row]:
        key = ("DestinationPrefix", "InterfaceIndex", "NextHop")
        return [row for row in self.rows(store) if all(row[k] == wanted[k] for k in key)]

    def stores(self) -> list[tuple[Any, ...]]:
        """Everything that may change, in no order: Windows' stores have none."""
        routes = [(store, *map(str, row.values())) for store in ("active", "persistent") for row in self.rows(store)]
        skips = [(row["IPAddress"], str(row["SkipAsSource"])) for row in self.report["addresses"]["active"]]
        return sorted(routes) + sorted(skips)


def planned(given: Row, options: RouteOptions = RouteOptions()) -> tuple[model.State, Plan]:  # noqa: B008 - immutable
    state = read_windows_report(given)
    return state, plan_of(state, options)


def codes(given: Row, options: RouteOptions = RouteOptions()) -> list[str]:  # noqa: B008 - immutable
    return [one.code for one in findings_of(read_windows_report(given), options)]


def host_rows(host: Host) -> list[tuple[str, int, str]]:
    return sorted(
        (store, row["InterfaceIndex"], row["NextHop"])
        for store in ("active", "persistent")
        for row in host.rows(store)
        if row["DestinationPrefix"] == IMDS
    )


BOTH_ON_LINK = [("active", 5, "0.0.0.0"), ("persistent", 5, "0.0.0.0")]

CLUSTER = report(
    [STATIC_DEFAULT, CLUSTER_ROUTE], nics=(ETHERNET, NETFT), addresses=(OWN, CLUSTER_ADDRESS), moving=(VIP,)
)
GHOST = route(IMDS, 33, "10.0.9.1", 1)
LOOPBACK_TWIN = [route(IMDS, 1, "192.168.9.1", 3)]
OFF_SUBNET = [route(IMDS, 5, "192.168.9.1", 3)]
ON_SECOND = route(IMDS, 7, "10.0.2.1", 1)
TWO_NICS: Row = {"nics": (ETHERNET, SECOND), "addresses": (OWN, address("10.0.2.10", 24, 7))}
LOWER = address("10.0.1.7", 26, 5)

# name -> (report, options, findings, rows of 169.254.169.254/32 afterwards)
REPAIRS: dict[str, tuple[Row, RouteOptions, list[str], list[tuple[str, int, str]]]] = {
    "failover_cluster": (CLUSTER, RouteOptions(), ["captured_by_cluster_adapter"], BOTH_ON_LINK),
    "failover_cluster_runtime_only": (
        CLUSTER,
        RouteOptions(persistent=False),
        ["captured_by_cluster_adapter"],
        [("active", 5, "0.0.0.0")],
    ),
    "failover_cluster_by_gateway": (
        CLUSTER,
        RouteOptions(next_hop="gateway"),
        ["captured_by_cluster_adapter"],
        [("active", 5, "10.0.1.1"), ("persistent", 5, "10.0.1.1")],
    ),
    "orphan": (
        report([STATIC_DEFAULT], [GHOST]),
        RouteOptions(),
        ["ok_via_default", "orphaned_persistent_route"],
        BOTH_ON_LINK,
    ),
    "orphan_beside_dhcp": (
        report(
            [DHCP_DEFAULT, WIRESERVER, DHCP_HOST],
            [GHOST],
            nics=(ETHERNET_DHCP,),
            addresses=(address("10.0.1.10", 26, 5, "Dhcp"),),
        ),
        RouteOptions(),
        ["ok", "orphaned_persistent_route"],
        [("active", 5, "10.0.1.1")],
    ),
    "loopback_trap": (
        report([STATIC_DEFAULT, *LOOPBACK_TWIN], OFF_SUBNET),
        RouteOptions(),
        ["host_route_bad_next_hop", "stale_persistent_route"],
        BOTH_ON_LINK,
    ),
    "off_subnet_active": (
        report([STATIC_DEFAULT, *OFF_SUBNET], OFF_SUBNET),
        RouteOptions(),
        ["host_route_bad_next_hop", "stale_persistent_route"],
        BOTH_ON_LINK,
    ),
    "static_on_wrong_nic": (
        report([STATIC_DEFAULT, ON_SECOND], [ON_SECOND], **TWO_NICS),
        RouteOptions(),
        ["host_route_wrong_interface", "stale_persistent_route"],
        BOTH_ON_LINK,
    ),
    "active_on_wrong_nic": (
        report([STATIC_DEFAULT, ON_SECOND], **TWO_NICS),
        RouteOptions(),
        ["host_route_wrong_interface"],
        BOTH_ON_LINK,
    ),
    "stored_on_wrong_nic": (
        report([STATIC_DEFAULT], [ON_SECOND], **TWO_NICS),
        RouteOptions(),
        ["ok_via_default", "stale_persistent_route"],
        BOTH_ON_LINK,
    ),
    "stores_differ_in_metric": (
        report([STATIC_DEFAULT, ON_SECOND], [{**ON_SECOND, "RouteMetric": 40}], **TWO_NICS),
        RouteOptions(),
        ["host_route_wrong_interface", "stale_persistent_route"],
        BOTH_ON_LINK,
    ),
    "duplicates": (
        report([STATIC_DEFAULT, WANTED, {**ON_SECOND, "RouteMetric": 0}], [WANTED], **TWO_NICS),
        RouteOptions(),
        ["host_route_wrong_interface", "duplicate_host_routes"],
        BOTH_ON_LINK,
    ),
    "active_only_on_static_nic": (report([STATIC_DEFAULT, WANTED]), RouteOptions(), ["ok"], BOTH_ON_LINK),
    "active_only_via_gateway": (
        report([STATIC_DEFAULT, DHCP_HOST]),
        RouteOptions(),
        ["ok"],
        [("active", 5, "10.0.1.1"), ("persistent", 5, "10.0.1.1")],
    ),
    "lost_its_active_twin": (
        report(
            [STATIC_DEFAULT, CLUSTER_ROUTE],
            [WANTED],
            nics=(ETHERNET, NETFT),
            addresses=(OWN, CLUSTER_ADDRESS),
            moving=(VIP,),
        ),
        RouteOptions(),
        ["captured_by_cluster_adapter"],
        BOTH_ON_LINK,
    ),
    "vpn_default": (
        report(
            [STATIC_DEFAULT, route("128.0.0.0/1", 12)],
            nics=(ETHERNET, VPN),
            addresses=(OWN, address("10.9.0.2", 24, 12)),
        ),
        RouteOptions(),
        ["captured_by_vpn"],
        BOTH_ON_LINK,
    ),
    "apipa_nic": (
        report(
            [STATIC_DEFAULT, route("169.254.0.0/16", 7)],
            nics=(ETHERNET, SECOND),
            addresses=(OWN, address("169.254.9.9", 16, 7, "WellKnown")),
        ),
        RouteOptions(),
        ["captured_by_apipa"],
        BOTH_ON_LINK,
    ),
    "lower_secondary": (
        report([STATIC_DEFAULT, WANTED], [WANTED], addresses=(OWN, LOWER)),
        RouteOptions(primary_ip="10.0.1.10", fix_source=True),
        ["wrong_source_address"],
        BOTH_ON_LINK,
    ),
    "lower_secondary_and_no_route": (
        report([STATIC_DEFAULT], addresses=(OWN, LOWER)),
        RouteOptions(primary_ip="10.0.1.10", fix_source=True),
        ["wrong_source_address"],
        BOTH_ON_LINK,
    ),
}

each_repair = pytest.mark.parametrize("name", REPAIRS)


@each_repair
def test_repair(name: str) -> None:
    given, options, expected, rows = REPAIRS[name]
    assert codes(given, options) == expected
    state, found = planned(given, options)
    host = Host(given)
    for step in plain_steps(state, found.steps):
        for op in step["do"]:
            host.run(op)
    assert host_rows(host) == rows
    after = read_windows_report(host.report)
    assert sorted(after.routes) == sorted(found.after.state.routes)
    assert sorted(after.persistent or ()) == sorted(found.after.state.persistent or ())
    winner = lookup.decide(after)
    assert winner.route
    assert (winner.route.prefix, winner.route.interface, winner.source) == (IMDS, "Ethernet", "10.0.1.10")
    assert found.predicted == {
        "prefix": IMDS,
        "interface": "Ethernet",
        "index": 5,
        "next_hop": winner.route.next_hop,
        "source": "10.0.1.10",
        "error": "",
    }
    again = plan_of(after, options)
    assert again.satisfied
    assert again.steps == ()


@each_repair
def test_what_comes_before_the_proof_is_undone_exactly_from_any_point(name: str) -> None:
    given, options, _codes, _rows = REPAIRS[name]
    state, found = planned(given, options)
    steps = plain_steps(state, found.steps)
    phases = [step["phase"] for step in steps]
    assert phases == sorted(phases, reverse=True)  # repair, then cleanup
    repair = [step for step in steps if step["phase"] == "repair"]
    assert all(step["undo"] for step in repair)
    ops = [(at, op) for at, step in enumerate(repair) for op in step["do"]]
    for done in range(1, len(ops) + 1):
        host = Host(given)
        before = host.stores()
        for _step, op in ops[:done]:
            host.run(op)
        for step in reversed(repair[: ops[done - 1][0] + 1]):
            for op in step["undo"]:
                host.run(op)
        assert host.stores() == before


@each_repair
def test_killed_between_operations_the_next_run_converges(name: str) -> None:
    given, options, _codes, _rows = REPAIRS[name]
    state, found = planned(given, options)
    ops = [op for step in plain_steps(state, found.steps) for op in step["do"]]
    for done in range(1, len(ops)):
        host = Host(given)
        for op in ops[:done]:
            host.run(op)
        state = read_windows_report(host.report)
        for step in plain_steps(state, plan_of(state, options).steps):
            for op in step["do"]:
                host.run(op)
        assert plan_of(read_windows_report(host.report), options).satisfied


@each_repair
def test_what_is_never_touched(name: str) -> None:
    given, options, _codes, _rows = REPAIRS[name]
    state, found = planned(given, options)
    for step in plain_steps(state, found.steps):
        for op in [*step["do"], *step["undo"]]:
            assert op["interface_index"] not in (9, 12)
            assert op.get("prefix", IMDS) == IMDS
            assert op.get("address") not in ("10.0.1.15", "169.254.1.156")
            assert op.get("store", "active") in ("active", "persistent", "both")


store_rows = st.lists(
    st.tuples(
        st.sampled_from((1, 5, 5, 7, 9, 12, 33)),
        st.sampled_from(("0.0.0.0", "10.0.1.1", "10.0.1.10", "10.0.2.1", "192.168.9.1")),
        st.integers(0, 30),
        st.sampled_from(("active", "persistent", "both")),
    ),
    max_size=4,
    unique_by=lambda row: row[:2],
)
option_sets = st.fixed_dictionaries(
    {
        "interface": st.just("Ethernet"),
        "primary_ip": st.just("10.0.1.10"),
        "next_hop": st.sampled_from(("auto", "on_link", "gateway", "10.0.1.10")),
        "persistent": st.booleans(),
        "remove_conflicting": st.sampled_from((None, True, False)),
        "fix_source": st.booleans(),
    }
).map(parse_options)


# Two stored rows that could both be the twin of one active row.
@example(
    [(1, "10.0.1.10", 0, "persistent"), (1, "0.0.0.0", 0, "both")], RouteOptions(interface="Ethernet"), False, False
)
# A stored row whose active twin is on-link and, on a NIC by DHCP, not stored under the same key.
@example(
    [(5, "0.0.0.0", 0, "active"), (5, "10.0.1.10", 0, "persistent")],
    RouteOptions(interface="Ethernet", primary_ip="10.0.1.10", next_hop="gateway", persistent=False),
    True,
    False,
)
@given(store_rows, option_sets, st.booleans(), st.booleans())
@settings(deadline=None, database=None, max_examples=300)
def test_any_stores(rows: list[tuple[int, str, int, str]], options: RouteOptions, dhcp: bool, lower: bool) -> None:
    """Whatever is there: nothing to do, a refusal, or a plan that keeps its word, can be undone and is final."""
    wide = [STATIC_DEFAULT, CLUSTER_ROUTE, route("0.0.0.0/1", 12)]
    made = [(route(IMDS, index, hop, metric), store) for index, hop, metric, store in rows]
    host = Host(
        report(
            [*wide, *(row for row, store in made if store != "persistent" and row["InterfaceIndex"] != 33)],
            [row for row, store in made if store != "active"],
            nics=(ETHERNET_DHCP if dhcp else ETHERNET, SECOND, NETFT, VPN),
            addresses=(OWN, CLUSTER_ADDRESS, address("10.0.2.10", 24, 7), *((LOWER,) if lower else ())),
            moving=(VIP,),
        )
    )
    before, (state, found) = host.stores(), planned(host.report, options)
    assert found.satisfied + bool(found.steps) + bool(found.refusals) == 1
    steps = plain_steps(state, found.steps)
    assert all(op["interface_index"] != 9 for step in steps for op in step["do"])
    for op in [op for step in steps if step["phase"] == "repair" for op in step["do"]]:
        host.run(op)
    winner = lookup.decide(read_windows_report(host.report))
    if found.steps:
        assert winner.route
        assert (winner.route.prefix, winner.route.interface, winner.source) == (IMDS, "Ethernet", "10.0.1.10")
    proven = copy.deepcopy(host)
    for op in [op for step in reversed(steps) for op in step["undo"]]:
        host.run(op)
    assert host.stores() == before
    for op in [op for step in steps if step["phase"] == "cleanup" for op in step["do"]]:
        proven.run(op)
    state, again = planned(proven.report, options)
    assert again.steps == ()
    assert again.satisfied or not found.steps
    assert sorted(state.routes) == sorted(found.after.state.routes)
    assert sorted(state.persistent or ()) == sorted(found.after.state.persistent or ())


DHCP_VM = report(
    [DHCP_DEFAULT, WIRESERVER, DHCP_HOST], nics=(ETHERNET_DHCP,), addresses=(address("10.0.1.10", 26, 5, "Dhcp"),)
)
VPN_HOST_ROUTE = report(
    [STATIC_DEFAULT, route(IMDS, 12, metric=0)], nics=(ETHERNET, VPN), addresses=(OWN, address("10.9.0.2", 24, 12))
)
LOW_VIP = report([STATIC_DEFAULT, WANTED], [WANTED], addresses=(OWN,), moving=(LOWER,))
CLUSTER_HOST_ROUTE = report(
    [STATIC_DEFAULT, CLUSTER_ROUTE, route(IMDS, 9, metric=0)],
    [route(IMDS, 9, metric=0)],
    nics=(ETHERNET, {**NETFT, "metric": 5}),
    addresses=(OWN, CLUSTER_ADDRESS),
)
# The loopback is so cheap here that its row wins until it is removed, and it could not be put back.
CHEAP_LOOPBACK = report([STATIC_DEFAULT, *LOOPBACK_TWIN], OFF_SUBNET, nics=({**ETHERNET, "metric": 90},))

REFUSALS: dict[str, tuple[Row, RouteOptions, str]] = {
    "vpn_host_route": (VPN_HOST_ROUTE, RouteOptions(), "foreign_host_route"),
    "host_route_on_cluster_adapter": (CLUSTER_HOST_ROUTE, RouteOptions(remove_conflicting=True), "foreign_host_route"),
    "lower_vip": (LOW_VIP, RouteOptions(fix_source=True), "wrong_source_address"),
    "lower_secondary_unasked": (
        report([STATIC_DEFAULT, WANTED], [WANTED], addresses=(OWN, LOWER)),
        RouteOptions(primary_ip="10.0.1.10"),
        "wrong_source_address",
    ),
    "two_addresses": (report([STATIC_DEFAULT], addresses=(OWN, LOWER)), RouteOptions(), "ambiguous_primary_ip"),
    "cheap_loopback": (CHEAP_LOOPBACK, RouteOptions(), "irreversible"),
    "wrong_nic_hands_off": (
        report([STATIC_DEFAULT, {**ON_SECOND, "RouteMetric": 0}], **TWO_NICS),
        RouteOptions(remove_conflicting=False),
        "foreign_host_route",
    ),
    "not_elevated": ({**CLUSTER, "elevated": False}, RouteOptions(), "not_elevated"),
    "not_azure": ({**CLUSTER, "azure": False}, RouteOptions(), "not_azure"),
    "compartments": ({**CLUSTER, "compartments": 2}, RouteOptions(), "compartments"),
    "imds_is_local": (
        report([STATIC_DEFAULT], addresses=(OWN, address("169.254.169.254", 32, 1))),
        RouteOptions(),
        "imds_address_is_local",
    ),
    "dhcp_failed": (
        report([route("169.254.0.0/16", 5)], addresses=(address("169.254.7.7", 16, 5, "WellKnown"),)),
        RouteOptions(interface="Ethernet"),
        "primary_nic_link_local",
    ),
    "no_default": (report([CLUSTER_ROUTE], nics=(ETHERNET, NETFT)), RouteOptions(), "no_default_route"),
    "two_defaults": (
        report([STATIC_DEFAULT, route("0.0.0.0/0", 7, "10.0.2.1")], **TWO_NICS),
        RouteOptions(),
        "ambiguous_primary_nic",
    ),
    "cluster_adapter_named": (CLUSTER, RouteOptions(interface="Local Area Connection* 1"), "no_such_interface"),
    "no_such_address": (CLUSTER, RouteOptions(interface="5", primary_ip="10.0.1.99"), "no_such_address"),
    "bad_next_hop": (CLUSTER, RouteOptions(next_hop="10.0.1.77"), "bad_next_hop"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals_plan_nothing(name: str) -> None:
    given, options, code = REFUSALS[name]
    state, found = planned(given, options)
    assert [one.code for one in found.refusals] == [code]
    assert all(one.severity == "refusal" and one.message and one.remedy for one in found.refusals)
    assert found.steps == ()
    assert not found.satisfied
    assert found.after.state == state


def test_elevation_that_is_unknown_does_not_refuse() -> None:
    _state, found = planned({**CLUSTER, "elevated": None})
    assert found.steps
    assert not found.refusals


def test_force_repairs_off_azure() -> None:
    _state, found = planned({**CLUSTER, "azure": False}, RouteOptions(force=True))
    assert found.steps


@pytest.mark.parametrize("next_hop", ["auto", "on_link", "gateway"])
def test_a_route_by_dhcp_is_left_alone(next_hop: str) -> None:
    """It would block New-NetRoute by its key, and it needs no persisting."""
    assert codes(DHCP_VM) == ["ok"]
    _state, found = planned(DHCP_VM, RouteOptions(next_hop=next_hop))
    assert found.satisfied
    _state, absent = planned(DHCP_VM, RouteOptions(state="absent", persistent=False))
    assert absent.steps == ()


@pytest.mark.parametrize("form", ["0.0.0.0", "10.0.1.10"])
def test_route_exe_form_is_accepted(form: str) -> None:
    """The documentation's remedy names the NIC's own address as gateway; the stores may show it either way."""
    stored = route(IMDS, 5, form, 1)
    _state, found = planned(report([STATIC_DEFAULT, route(IMDS, 5, metric=1)], [stored]))
    assert found.satisfied


def test_absent_removes_the_persistent_route_of_the_primary_nic_only() -> None:
    given = report([STATIC_DEFAULT, WANTED, ON_SECOND], [WANTED, ON_SECOND], **TWO_NICS)
    state, found = planned(given, RouteOptions(state="absent"))
    host = Host(given)
    before = host.stores()
    (step,) = plain_steps(state, found.steps)
    for op in step["do"]:
        host.run(op)
    assert host_rows(host) == [("active", 7, "10.0.2.1"), ("persistent", 7, "10.0.2.1")]
    for op in step["undo"]:
        host.run(op)
    assert host.stores() == before


def test_absent_leaves_an_active_only_route_unless_runtime_is_meant() -> None:
    given = report([STATIC_DEFAULT, WANTED])
    assert planned(given, RouteOptions(state="absent"))[1].satisfied
    assert len(planned(given, RouteOptions(state="absent", persistent=False))[1].steps) == 1


def test_vip_is_told_by_its_store() -> None:
    state = read_windows_report(CLUSTER)
    assert [a.address for a in state.addresses if a.virtual] == ["10.0.1.15"]
    unknown = read_windows_report(
        {**CLUSTER, "addresses": {"active": CLUSTER["addresses"]["active"], "persistent": None}}
    )
    assert not any(a.virtual for a in unknown.addresses)


def test_leftover_in_the_registry_is_reported() -> None:
    names = ["169.254.169.254,255.255.255.255,10.9.9.9,1", "10.0.0.0,255.0.0.0,10.0.1.1,1", "nonsense", "a,b,c,d"]
    given = {**report([STATIC_DEFAULT, WANTED], [WANTED]), "persistent_route_values": names}
    assert codes(given) == ["ok", "leftover_registry_route"]
    given["persistent_route_values"] = ["169.254.169.254,255.255.255.255,10.0.1.10,1"]
    assert codes(given) == ["ok"]


def find_route(index: int, next_hop: str, source: str) -> list[Row]:
    return [address(source, 26, index), route(IMDS, index, next_hop, 1)]


def test_the_systems_own_verdict_wins() -> None:
    given = {
        **report([STATIC_DEFAULT, WANTED], [WANTED], addresses=(OWN, LOWER)),
        "find_route": find_route(5, "0.0.0.0", "10.0.1.10"),
    }
    options = RouteOptions(primary_ip="10.0.1.10")
    assert codes(given, options) == ["ok", "kernel_disagrees"]
    given["find_route"] = list(reversed(find_route(5, "0.0.0.0", "10.0.1.7")))
    assert codes(given, options) == ["wrong_source_address"]


def test_source_choice_prefers_bits_in_common_with_the_next_hop_then_the_lowest() -> None:
    gateway = report([STATIC_DEFAULT, DHCP_HOST], addresses=(OWN, address("10.0.1.3", 26, 5), LOWER))
    assert lookup.decide(read_windows_report(gateway)).source == "10.0.1.3"
    on_link = report([STATIC_DEFAULT, WANTED], addresses=(address("172.16.0.4", 24, 5), OWN, LOWER))
    assert lookup.decide(read_windows_report(on_link)).source == "172.16.0.4"


def test_enumerations_as_numbers_single_objects_and_ghosts() -> None:
    given = report([STATIC_DEFAULT, WANTED], [WANTED])
    given["interfaces"][1].update(Dhcp=1, AddressFamily=2, ConnectionState=1)
    given["interfaces"].append(
        {"InterfaceIndex": 5, "InterfaceAlias": "Ethernet", "InterfaceMetric": 99, "AddressFamily": 23}
    )
    given["adapters"] = given["adapters"][0]
    given["routes"]["persistent"] = [{**WANTED, "InterfaceIndex": 40, "InterfaceAlias": None}]
    state = read_windows_report(given)
    ethernet = model.find_interface(state, "Ethernet")
    assert ethernet
    assert (ethernet.dhcp, ethernet.metric) == (True, 10)
    assert state.persistent
    ghost = model.find_interface(state, state.persistent[0].interface)
    assert ghost
    assert (ghost.ifindex, ghost.present) == (40, False)


@pytest.mark.parametrize(
    "part", ["adapters", "find_route", "persistent_route_values", "cluster_service", "elevated", "interfaces"]
)
def test_a_missing_part_is_survived(part: str) -> None:
    given = {**CLUSTER, part: None, "errors": [f"{part}: refused"]}
    assert read_windows_report(given).errors == (f"{part}: refused",)
    assert plan_of(read_windows_report(given)).steps


def test_cluster_adapter_without_its_description() -> None:
    assert codes({**CLUSTER, "adapters": None, "cluster_service": "Running"}) == ["captured_by_cluster_adapter"]
    assert codes({**CLUSTER, "adapters": None, "cluster_service": None}) == ["captured_by_apipa"]


@pytest.mark.parametrize("part", ["routes", "addresses"])
def test_without_netttcpip_the_error_says_so(part: str) -> None:
    with pytest.raises(model.ReportError, match="2012"):
        read_windows_report({**CLUSTER, part: {"active": None}, "errors": ["Get-NetRoute is not recognized"]})


def test_disconnected_nic_carries_nothing() -> None:
    given = report([STATIC_DEFAULT, route("0.0.0.0/0", 7, "10.0.2.1", 1)], **TWO_NICS)
    assert codes(given) == ["ok_via_default"] or lookup.decide(read_windows_report(given)).route
    given["adapters"][1]["Status"] = "Disconnected"
    winner = lookup.decide(read_windows_report(given))
    assert winner.route
    assert winner.route.interface == "Ethernet"
