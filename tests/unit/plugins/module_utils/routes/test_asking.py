# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking for the primary NIC: the order, the pace, when it stops, and who is a candidate."""

from __future__ import annotations

import threading
from typing import Optional

import pytest
from ansible_collections.imds.azure.plugins.module_utils._routes.candidates import MOST, Candidate, candidates
from ansible_collections.imds.azure.plugins.module_utils._routes.host.asking import DEADLINE, PACE, Requests, ask_around
from ansible_collections.imds.azure.plugins.module_utils._routes.host.probe import Way
from ansible_collections.imds.azure.plugins.module_utils._routes.model import Address, Interface, Route, State
from ansible_collections.imds.azure.plugins.module_utils._routes.options import RouteOptions
from ansible_collections.imds.azure.plugins.module_utils._routes.reply import AGENT, ImdsReply

FIRST, SECOND, THIRD = (Candidate(f"eth{number}", f"10.0.{number}.4") for number in range(3))
SILENCE = ImdsReply("connect_timeout", "connect_timeout: nothing")


class Fabric(Requests):
    """Answers one pair, at once. Its clock is turned by waiting.

    ``unbound``: reply to what other programs send; a silent request ends after ``patience`` seconds.
    """

    def __init__(self, pair: Optional[Candidate], unbound: ImdsReply = SILENCE, patience: float = 2.0) -> None:
        super().__init__(Way())
        self.pair = pair
        self.unbound = unbound
        self.patience = patience
        self.now = 1000.0
        self.started: list[tuple[float, Optional[Candidate]]] = []
        self.pending: list[tuple[float, int, ImdsReply]] = []

    def clock(self) -> float:
        return self.now

    def start(self, number: int, candidate: Optional[Candidate], seconds: float) -> None:
        assert 0 < seconds <= DEADLINE
        self.started.append((self.now, candidate))
        reply = self.unbound
        if candidate:
            reply = ImdsReply("ok", "HTTP 200", candidate.address) if candidate == self.pair else SILENCE
        after = self.patience if reply is SILENCE else 0.001
        self.pending.append((self.now + after, number, reply))

    def next_reply(self, seconds: float) -> Optional[tuple[int, ImdsReply]]:
        at, number, reply = min(self.pending, key=lambda entry: entry[0])
        if at > self.now + seconds:
            self.now += seconds
            return None
        self.now = max(self.now, at)
        self.pending.remove((at, number, reply))
        return number, reply


def test_answered_unbound_request_is_the_only_one() -> None:
    fabric = Fabric(FIRST, ImdsReply("ok", "HTTP 200", FIRST.address))
    found = ask_around(fabric, [FIRST, SECOND])
    assert found["unbound"]["outcome"] == "ok"
    assert (found["bound"], len(fabric.started)) == ([], 1)


def test_candidates_ask_in_turn_until_one_is_answered() -> None:
    fabric = Fabric(SECOND)
    found = ask_around(fabric, [FIRST, SECOND, THIRD])
    assert [candidate for _at, candidate in fabric.started] == [None, FIRST, SECOND]
    assert found["unbound"]["outcome"] == "connect_timeout"
    assert [(one["interface"], one["reply"]["outcome"]) for one in found["bound"]] == [("eth1", "ok")]


@pytest.mark.parametrize("delay", [0.0, 0.2, 1.0])
def test_a_request_that_starts_late_delays_the_next(delay: float) -> None:
    class Slow(Fabric):
        """A busy machine: starting takes a while."""

        def start(self, number: int, candidate: Optional[Candidate], seconds: float) -> None:
            super().start(number, candidate, seconds)
            self.now += delay if number == 0 else 0.0

    fabric = Slow(None)
    ask_around(fabric, [FIRST, SECOND, THIRD])
    starts = [at for at, _candidate in fabric.started]
    assert len(starts) == 4
    assert all(later - earlier >= PACE for earlier, later in zip(starts, starts[1:]))


def test_requests_overlap() -> None:
    fabric = Fabric(None, patience=2.0)
    found = ask_around(fabric, [FIRST, SECOND, THIRD])
    assert fabric.now == pytest.approx(1000.0 + 3 * PACE + 2.0)
    assert [one["reply"]["outcome"] for one in found["bound"]] == ["connect_timeout"] * 3


def test_one_deadline_covers_all_requests() -> None:
    fabric = Fabric(None, patience=60.0)
    found = ask_around(fabric, [FIRST, SECOND], deadline=0.6)
    assert fabric.now == pytest.approx(1000.6)
    assert [one["reply"]["outcome"] for one in (*found["bound"], {"reply": found["unbound"]})] == ["read_timeout"] * 3


@pytest.mark.parametrize("outcome", ["ok", "agent_refused"])
def test_behind_the_guest_agent_nobody_is_bound(outcome: str) -> None:
    fabric = Fabric(FIRST, ImdsReply(outcome, "HTTP 200", "127.0.0.1", peer=AGENT))
    assert (ask_around(fabric, [FIRST, SECOND])["bound"], len(fabric.started)) == ([], 1)


def test_threads_hand_over_their_replies_and_who_asked() -> None:
    asked: list[tuple[str, ...]] = []

    def ask(_way: Way, *bound: str) -> ImdsReply:
        asked.append(bound)
        return ImdsReply("ok", "HTTP 200", FIRST.address) if bound else SILENCE

    found = ask_around(Requests(Way(), ask), [FIRST], pace=0.0, deadline=60.0)
    assert sorted(asked) == [(), (FIRST.address, FIRST.interface)]
    assert [(one["interface"], one["reply"]["outcome"]) for one in found["bound"]] == [("eth0", "ok")]
    assert Requests(Way(), ask).next_reply(0.001) is None


def test_what_is_still_under_way_at_the_end_is_silence() -> None:
    release = threading.Event()

    def ask(_way: Way, *_bound: str) -> ImdsReply:
        release.wait(60)
        return SILENCE

    found = ask_around(Requests(Way(), ask), [FIRST], pace=0.0, deadline=0.05)
    release.set()
    assert {found["unbound"]["outcome"], *(one["reply"]["outcome"] for one in found["bound"])} == {"read_timeout"}


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
