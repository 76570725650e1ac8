# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking for the primary NIC: the order, the pace, when it stops, and who is a candidate."""

from __future__ import annotations

import threading
import time
from typing import Any, Optional

import pytest
from ansible_collections.imds.azure.plugins.module_utils._routes.candidates import MOST, Candidate, candidates
from ansible_collections.imds.azure.plugins.module_utils._routes.host.asking import ask_around
from ansible_collections.imds.azure.plugins.module_utils._routes.host.probe import Way
from ansible_collections.imds.azure.plugins.module_utils._routes.model import Address, Interface, Route, State
from ansible_collections.imds.azure.plugins.module_utils._routes.options import RouteOptions
from ansible_collections.imds.azure.plugins.module_utils._routes.reply import AGENT, ImdsReply

PACE = 0.03
FIRST, SECOND, THIRD = (Candidate(f"eth{number}", f"10.0.{number}.4") for number in range(3))
SILENCE = ImdsReply("connect_timeout", "connect_timeout: nothing")


class Fabric:
    """Answers one pair. ``unbound``: reply to what other programs send; silent requests take ``patience`` seconds."""

    def __init__(self, pair: Optional[Candidate], unbound: ImdsReply = SILENCE, patience: float = 0.2) -> None:
        self.pair = pair
        self.unbound = unbound
        self.patience = patience
        self.started: list[tuple[float, Optional[str], Optional[str]]] = []
        self.lock = threading.Lock()

    def ask(self, _way: Way, source: Optional[str] = None, device: Optional[str] = None) -> ImdsReply:
        with self.lock:
            self.started.append((time.monotonic(), source, device))
        reply = self.unbound
        if source and device:
            answered = self.pair == Candidate(device, source)
            reply = ImdsReply("ok", "HTTP 200", source) if answered else SILENCE
        if reply is SILENCE:
            time.sleep(self.patience)
        return reply

    def around(self, *pairs: Candidate, deadline: float = 1.0) -> dict[str, Any]:
        return ask_around(Way(), pairs, self.ask, PACE, deadline)


def test_answered_unbound_request_is_the_only_one() -> None:
    fabric = Fabric(FIRST, ImdsReply("ok", "HTTP 200", FIRST.address))
    found = fabric.around(FIRST, SECOND)
    assert found["unbound"]["outcome"] == "ok"
    assert (found["bound"], len(fabric.started)) == ([], 1)


def test_candidates_ask_in_turn_until_one_is_answered() -> None:
    fabric = Fabric(SECOND)
    found = fabric.around(FIRST, SECOND, THIRD)
    assert [source for _at, source, _device in fabric.started] == [None, FIRST.address, SECOND.address]
    starts = [at for at, _source, _device in fabric.started]
    assert all(later - earlier >= PACE * 0.9 for earlier, later in zip(starts, starts[1:]))
    assert found["unbound"]["outcome"] == "connect_timeout"
    assert [(one["interface"], one["reply"]["outcome"]) for one in found["bound"]][-1] == ("eth1", "ok")


def test_requests_overlap() -> None:
    fabric = Fabric(None, patience=0.3)
    begin = time.monotonic()
    found = fabric.around(FIRST, SECOND, THIRD)
    assert time.monotonic() - begin < 0.3 * 3
    assert [one["reply"]["outcome"] for one in found["bound"]] == ["connect_timeout"] * 3


def test_one_deadline_covers_all_requests() -> None:
    fabric = Fabric(None, patience=2.0)
    begin = time.monotonic()
    found = fabric.around(FIRST, SECOND, deadline=0.2)
    assert time.monotonic() - begin < 1.0
    assert {found["unbound"]["outcome"], *(one["reply"]["outcome"] for one in found["bound"])} == {"read_timeout"}


@pytest.mark.parametrize("outcome", ["ok", "agent_refused"])
def test_behind_the_guest_agent_nobody_is_bound(outcome: str) -> None:
    fabric = Fabric(FIRST, ImdsReply(outcome, "HTTP 200", "127.0.0.1", peer=AGENT))
    assert (fabric.around(FIRST, SECOND)["bound"], len(fabric.started)) == ([], 1)


def state(*more: Interface, addresses: tuple[Address, ...] = (), routes: tuple[Route, ...] = ()) -> State:
    nics = [Interface(f"eth{number}", number + 2) for number in range(2)]
    own = [Address(f"10.0.{number}.4", 24, f"eth{number}") for number in range(2)]
    return State("linux", (Interface("lo", 1, kind="loopback"), *nics, *more), (*own, *addresses), routes)


def test_candidates_are_most_likely_first() -> None:
    default = Route("0.0.0.0/0", "eth1", "10.0.1.1")
    assert candidates(state()) == [FIRST, SECOND]
    assert candidates(state(routes=(default,))) == [SECOND, FIRST]
    learned = Route("168.63.129.16/32", "eth0", "10.0.0.1", protocol="dhcp")
    assert candidates(state(routes=(default, learned))) == [FIRST, SECOND]


def test_no_candidate_is_link_local_loopback_down_a_tunnel_or_a_port() -> None:
    more = (
        Interface("tun0", 5, kind="tunnel"),
        Interface("down", 6, up=False),
        Interface("vf", 7, master="eth0"),
        Interface("apipa", 8),
    )
    own = [Address(f"10.9.{number}.4", 24, name) for number, name in enumerate(("tun0", "down", "vf", "lo"))]
    found = candidates(state(*more, addresses=(*own, Address("169.254.1.1", 16, "apipa"))))
    assert found == [FIRST, SECOND]


def test_candidates_are_narrowed_down_by_options_and_limited() -> None:
    many = tuple(Address(f"10.0.0.{number}", 24, "eth0", secondary=True) for number in range(5, 30))
    assert len(candidates(state(addresses=many))) == MOST
    assert candidates(state(addresses=many))[0] == FIRST
    assert candidates(state(), RouteOptions(interface="eth1")) == [SECOND]
    assert candidates(state(), RouteOptions(primary_ip="10.0.0.4")) == [FIRST]
