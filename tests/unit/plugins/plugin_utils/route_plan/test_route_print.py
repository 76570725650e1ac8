# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`route print` in any language: the documentation's two tables, made-up ones, and garbage."""

from __future__ import annotations

import pytest
from ansible_collections.imds.azure.plugins.action.azure_imds_route_fix import analyze
from ansible_collections.imds.azure.plugins.module_utils._routes import ipv4, lookup, model
from ansible_collections.imds.azure.plugins.module_utils._routes.options import RouteOptions
from ansible_collections.imds.azure.plugins.plugin_utils._route_plan.evaluation import Evaluation, describe
from ansible_collections.imds.azure.plugins.plugin_utils._route_plan.plan import plan
from ansible_collections.imds.azure.plugins.plugin_utils._route_plan.route_print import parse_route_print
from ansible_collections.imds.azure.tests.scenarios.judged import findings_of, headline_of, plan_of
from ansible_collections.imds.azure.tests.scenarios.route_print_tables import CLUSTER, HEALTHY
from hypothesis import given, settings
from hypothesis import strategies as st

ON_LINK = ("On-link", "Auf Verbindung", "En vínculo", "リンク上", "在链路上", "?? ?????")
NONE = ("None", "Keine", "Ninguno", "なし", "Отсутствует")
DEFAULT = ("Default", "Standard", "默认", "По умолчанию")

each_language = pytest.mark.parametrize("on_link", ON_LINK)


@each_language
def test_the_documentations_healthy_table(on_link: str) -> None:
    state = parse_route_print(HEALTHY.format(on_link=on_link))
    found = Evaluation(state)
    assert [one.code for one in findings_of(state)] == ["ok"]
    assert describe(found.winner) == "169.254.169.254/32 via 172.16.69.1 on 172.16.69.7 from 172.16.69.7"
    assert plan_of(state).satisfied


@each_language
def test_the_documentations_failover_cluster(on_link: str) -> None:
    state = parse_route_print(CLUSTER.format(on_link=on_link))
    found = Evaluation(state)
    assert [one.code for one in findings_of(state)] == ["captured_by_cluster_adapter"]
    assert describe(found.winner) == "169.254.0.0/16 on-link on 169.254.1.156 from 169.254.1.156"
    assert (found.primary.name, found.primary.address) == ("10.0.1.10", "10.0.1.10")
    assert "configured statically" in findings_of(state)[0].message
    assert "10.0.1.10" in findings_of(state)[0].remedy
    repair = plan_of(state)
    assert [(step.action, step.target) for step in repair.steps] == [
        ("add", "169.254.169.254/32 on-link on 10.0.1.10, metric 1, active and persistent")
    ]
    assert (repair.predicted["prefix"], repair.predicted["source"]) == ("169.254.169.254/32", "10.0.1.10")
    assert plan(repair.after).satisfied


@pytest.mark.parametrize("codec", ["cp850", "cp866", "gbk", "shift-jis", "utf-8"])
def test_bytes_in_any_code_page(codec: str) -> None:
    text = CLUSTER.replace("{on_link}", "{on_link} é 默认 По")
    report = text.encode(codec, "replace")
    assert headline_of(parse_route_print(report)) == "captured_by_cluster_adapter"


def test_adapter_list_tells_the_cluster() -> None:
    """Without a VIP the bare table can't tell a cluster from a NIC without an address; the list of adapters can."""
    bare = "\n".join(line for line in CLUSTER.format(on_link="On-link").splitlines() if "10.0.1.15" not in line)
    assert headline_of(parse_route_print(bare)) == "captured_by_apipa"
    adapters = (
        "  8...00 0d 3a 11 22 33 ......Microsoft Hyper-V Network Adapter\n {}\n  1.............Software Loopback\n"
    )
    cluster = adapters.format(" 14 ...02 9a 0a 5b 98 1f ......Microsoft Failover Cluster Virtual Adapter")
    assert headline_of(parse_route_print(cluster + bare)) == "captured_by_cluster_adapter"
    assert (
        headline_of(parse_route_print(adapters.format("") + CLUSTER.format(on_link="On-link"))) == "captured_by_apipa"
    )


@pytest.mark.parametrize("default", DEFAULT)
@pytest.mark.parametrize("on_link", ["10.0.1.10", *ON_LINK])
def test_persistent_rows(default: str, on_link: str) -> None:
    text = (
        CLUSTER.format(on_link="On-link")
        + f"  169.254.169.254  255.255.255.255  {on_link}  1\n  10.8.0.0  255.252.0.0  10.0.1.1  {default}\n"
    )
    state = parse_route_print(text)
    assert state.persistent
    assert [(row.prefix, row.metric) for row in state.persistent] == [("169.254.169.254/32", 1), ("10.8.0.0/14", 256)]
    assert [one.code for one in findings_of(state)] == ["captured_by_cluster_adapter"]


def test_stale_persistent_row() -> None:
    text = (
        HEALTHY.format(on_link="On-link")
        + "172.16.69.0 255.255.255.0 On-link 172.16.69.7 266\n169.254.169.254 255.255.255.255 10.3.3.1 3\n"
    )
    assert [one.code for one in findings_of(parse_route_print(text))] == ["ok", "stale_persistent_route"]


def test_loopback_trap() -> None:
    text = CLUSTER.format(on_link="On-link") + "169.254.169.254 255.255.255.255 192.168.1.1 127.0.0.1 78\n"
    assert headline_of(parse_route_print(text)) == "host_route_bad_next_hop"


def test_two_link_local_nics_the_lower_metric_wins() -> None:
    text = (
        "0.0.0.0 0.0.0.0 10.0.1.1 10.0.1.10 25\n"
        "169.254.0.0 255.255.0.0 On-link 169.254.3.3 291\n"
        "169.254.0.0 255.255.0.0 On-link 169.254.4.4 281\n"
    )
    winner = lookup.decide(parse_route_print(text))
    assert winner.route
    assert (winner.route.interface, winner.route.metric) == ("169.254.4.4", 281)


def test_ipv6_rows_and_bad_rows_are_passed_over() -> None:
    text = (
        " 16    266 2001:db8::/64            On-link\n"
        "999.1.1.1 255.255.255.255 On-link 10.0.1.10 1\n"
        "10.0.0.0 255.0.255.0 On-link 10.0.1.10 1\n"
        "10.0.0.0 255.0.0.0 On-link 300.0.1.10 1\n"
    )
    state = parse_route_print(text)
    assert state.routes == ()
    assert state.persistent is None
    assert headline_of(state) == "no_route"


@pytest.mark.parametrize(
    ("row", "hop", "metric"),
    [
        ("10.0.1.1 5", "10.0.1.1", 5),
        ("Auf Verbindung 5", "", 5),
        ("Auf Verbindung Standard", "", 256),
        ("10.0.1.1 Par d\u00e9faut", "10.0.1.1", 256),
        ("10.0.1.1 \u00b2", "10.0.1.1", 256),
    ],
)
def test_hop_and_metric_of_a_persistent_row(row: str, hop: str, metric: int) -> None:
    state = parse_route_print(f"169.254.169.254 255.255.255.255 {row}\r\n")
    assert state.persistent
    assert [(one.next_hop, one.metric) for one in state.persistent] == [(hop, metric)]


def test_a_table_beyond_any_hosts_is_refused() -> None:
    row = "10.0.0.0 255.0.0.0 On-link 10.0.1.10 1\n"
    for text in (row * 2100, "0" * 600_000):
        result = analyze({"route_print": text, "fail_on_findings": False}, RouteOptions())
        assert result["failed"] is True
        assert result["msg"].startswith("route_print: ")


addresses = st.integers(0, 0xFFFFFFFF).map(ipv4.text)


@st.composite
def printed_rows(draw: st.DrawFn) -> tuple[str, model.Route]:
    interface, length, metric = draw(addresses), draw(st.integers(0, 32)), draw(st.integers(0, 9999))
    prefix = ipv4.make_prefix(draw(addresses), length)
    hop = draw(st.one_of(st.just(""), addresses.filter(lambda text: text not in ("0.0.0.0", interface))))
    mask = ipv4.text(0xFFFFFFFF << (32 - length) & 0xFFFFFFFF)
    fields = (prefix.partition("/")[0], mask, hop or draw(st.sampled_from(ON_LINK)), interface, str(metric))
    return draw(st.sampled_from(("  ", "      "))).join(("", *fields)), model.Route(
        prefix, interface, hop, metric, table="active"
    )


@given(st.lists(printed_rows(), max_size=12))
@settings(deadline=None, database=None)
def test_round_trip(rows: list[tuple[str, model.Route]]) -> None:
    state = parse_route_print("\r\n".join(line for line, _route in rows))
    assert list(state.routes) == [route for _line, route in rows]
    assert {route.interface for route in state.routes} == {nic.name for nic in state.interfaces}


pieces = st.one_of(
    addresses,
    st.sampled_from(
        (
            "255.255.255.255",
            "0.0.0.0",
            "10.0.1.10",
            "169.254.169.254",
            "On-link",
            "\n",
            "\n",
            "====",
            " ",
            "1",
            "4294967296",
        )
    ),
    st.text(max_size=8),
)


@given(st.lists(pieces, max_size=60).map(" ".join))
@settings(deadline=None, database=None)
def test_garbage_never_crashes(text: str) -> None:
    for report in (text, text.encode("utf-8", "replace"), text.encode("utf-16", "replace")):
        state = parse_route_print(report)
        assert findings_of(state)
        assert plan_of(state).refusals or plan_of(state).steps or plan_of(state).satisfied


@given(st.binary(max_size=300))
@settings(deadline=None, database=None)
def test_bytes_never_crash(report: bytes) -> None:
    assert findings_of(parse_route_print(report))
