# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random route tables and rules: the brain's verdict against the kernel's, in batches inside one namespace each."""

from __future__ import annotations

import pytest
from ansible_collections.imds.azure.plugins.module_utils._routes import ipv4, linux_report, lookup, model
from ansible_collections.imds.azure.plugins.module_utils._routes.linux_report import read_linux_report
from ansible_collections.imds.azure.plugins.module_utils._routes.options import RouteOptions
from ansible_collections.imds.azure.plugins.plugin_utils._route_plan.plan import plain_steps
from ansible_collections.imds.azure.tests.scenarios.judged import plan_of
from ansible_collections.imds.azure.tests.scenarios.linux_states import NICS
from ansible_collections.imds.azure.tests.scenarios.namespace import Namespace, assert_agrees, kernel, refusal
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

NO_NAMESPACE = refusal()
pytestmark = pytest.mark.skipif(NO_NAMESPACE is not None, reason=str(NO_NAMESPACE))

TARGETS = (ipv4.IMDS, "168.63.129.16", "10.0.1.77", "8.8.8.8")
SOURCES = ("10.0.1.10", "10.0.2.10")

prefixes = st.sampled_from(
    (
        *("default", "0.0.0.0/1", "128.0.0.0/1", "169.254.0.0/16", "169.254.169.0/24", "169.254.169.254/32"),
        *("168.0.0.0/7", "168.63.129.16/32", "8.0.0.0/8", "10.0.0.0/8", "10.0.1.64/26"),
    )
)
ways = st.sampled_from(
    (
        *(
            "via 10.0.1.1 dev eth0",
            "via 10.0.1.99 dev eth0",
            "via 10.0.2.1 dev eth1",
            "dev eth0",
            "dev eth1",
            "dev tun0",
        ),
        *(
            "via 172.31.0.1 dev eth0 onlink",
            "via 10.0.5.1 dev eth0 onlink",
            "nexthop via 10.0.1.1 dev eth0 nexthop via 10.0.2.1 dev eth1 weight 3",
        ),
    )
)
tables = st.sampled_from(("main", "main", "main", "100", "101", "default"))
metrics = st.sampled_from(("", "metric 1", "metric 50", "metric 100"))
origins = st.sampled_from(("", "proto static", "proto dhcp"))
sources = st.sampled_from(("", "", "src 10.0.1.10", "src 10.0.1.15", "src 10.0.2.10"))


@st.composite
def routes(draw: st.DrawFn) -> str:
    verb = draw(st.sampled_from(("add", "append", "replace")))
    where = f"{draw(metrics)} table {draw(tables)} {draw(origins)}"
    kind = draw(st.sampled_from((*["unicast"] * 6, "unreachable", "prohibit", "blackhole", "throw", "local")))
    if kind == "local":
        return f"route {verb} local {draw(prefixes.filter(lambda prefix: prefix != 'default'))} dev lo table local"
    if kind != "unicast":
        return f"route {verb} {kind} {draw(prefixes)} {where}"
    way = draw(ways)
    source, legs = draw(sources), way.partition("nexthop")
    return f"route {verb} {draw(prefixes)} {where} {source} {legs[0]} {''.join(legs[1:])}"


@st.composite
def rules(draw: st.DrawFn) -> str:
    selectors = st.sampled_from(
        (
            *(
                "",
                "not",
                "from 10.0.1.10",
                "from 10.0.2.0/24",
                "to 169.254.0.0/16",
                "to 168.63.129.16",
                "not to 8.0.0.0/8",
            ),
            *(
                "fwmark 0x1",
                "not fwmark 0xca6c",
                "fwmark 0x0/0xff",
                "iif lo",
                "iif eth1",
                "oif eth0",
                "not from 10.0.0.0/8",
            ),
            *("not iif eth0", "not oif eth0", "tos 0x10", "from 0.0.0.0/8", "not from 10.0.1.10 to 169.254.169.254"),
        )
    )
    actions = st.sampled_from(
        (
            *("lookup main", "lookup 100", "lookup 101", "lookup main suppress_prefixlength 0", "lookup default"),
            *(
                "lookup main suppress_prefixlength 16",
                "lookup 100 suppress_prefixlength 31",
                "nop",
                "goto 32766",
                "goto 300",
            ),
            *("goto 31000", "unreachable", "prohibit", "blackhole"),
        )
    )
    return f"rule add priority {draw(st.integers(1, 30000))} {draw(selectors)} {draw(actions)}"


addresses = st.sampled_from(
    (
        *("address add 10.0.1.15/24 dev eth0", "address add 10.0.1.7/24 dev eth0", "address add 10.0.1.3/32 dev eth0"),
        *(
            "address add 192.168.7.1/24 dev eth0 scope link",
            "address del 10.0.1.10/24 dev eth0",
            "address add 8.8.8.8/32 dev lo",
        ),
        *("address add 169.254.3.4/16 dev eth1", "address add 10.9.0.1 peer 10.9.0.2 dev tun0", "link set eth1 down"),
        *(
            "address del 10.0.2.10/24 dev eth1",
            "address add 169.254.9.9/16 dev eth0 scope link",
            "address add 10.0.5.5/24 dev eth0",
            "link set peer0 down",
        ),
    )
)


@pytest.mark.parametrize("with_rules", [False, True], ids=["routes", "rules"])
def test_every_verdict_is_the_kernels(with_rules: bool) -> None:
    """No rule may exist in the first case: then the kernel keeps local and main in one table, in the other in two."""

    @given(
        changes=st.lists(addresses, max_size=3),
        table_rows=st.lists(routes(), max_size=10),
        rule_rows=st.lists(rules(), min_size=1, max_size=6) if with_rules else st.just([]),
    )
    @settings(
        max_examples=100,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    def agrees(changes: list[str], table_rows: list[str], rule_rows: list[str]) -> None:
        with Namespace() as host:
            host.ip(*NICS, "tuntap add dev tun0 mode tun", "link set tun0 up")
            # The kernel refuses some of them (no such source, same key); what it takes is what counts.
            host.ip("route add default via 10.0.1.1 dev eth0 metric 500", *changes, *table_rows, *rule_rows, force=True)
            state = read_linux_report(host.collect())
            assert_verdicts(host, state)
            if can_be_put_back(state):
                assert_plan_keeps_its_word(host, state)

    agrees()


def assert_verdicts(host: Namespace, state: model.State) -> None:
    own = {address.address for address in state.addresses}
    for target in TARGETS:
        for source in ("", *(one for one in SOURCES if one in own)):
            argv = ["ip", "-j", "route", "get", target, *(["from", source] if source else [])]
            theirs = linux_report.parse_route_get(host.run(argv))
            assert theirs is not None
            assert_agrees(lookup.decide(state, target, source), theirs)


def can_be_put_back(state: model.State) -> bool:
    """Whether the kernel would still take the routes that are there: their gateways are on-link by its rules."""
    hops = {row.next_hop for row in model.host_routes(state) if row.next_hop and not row.onlink}
    ways = [lookup.decide(state, hop) for hop in {*hops, *model.gateways_of(state, "eth0")}]
    on_link = all(way.kind == "unicast" and way.route and not way.route.next_hop for way in ways)
    return on_link and not any(rule.oif for rule in state.rules or ())


def assert_plan_keeps_its_word(host: Namespace, state: model.State) -> None:
    """Nothing to do, a refusal, or steps after which the kernel says what was foretold and which are undone exactly."""
    options = RouteOptions(interface="eth0", primary_ip="10.0.1.10")
    found = plan_of(state, options)
    assert found.satisfied + bool(found.steps) + bool(found.refusals) == 1
    before, steps = host.snapshot(), plain_steps(state, found.steps)
    for step in steps:
        host.apply(step["do"])
    if steps:
        theirs = kernel(host.collect())
        assert theirs.route
        predicted = (found.predicted[key] for key in ("interface", "next_hop", "source"))
        assert (theirs.route.interface, theirs.route.next_hop, theirs.source) == tuple(predicted)
        again = plan_of(read_linux_report(host.collect("10.0.1.10")), options)
        assert again.satisfied
    for step in reversed(steps):
        host.apply(step["undo"])
    assert host.snapshot() == before
