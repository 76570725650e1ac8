# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The queue of the throttled, with the kernel's own sockets and a clock that stands still."""

from __future__ import annotations

import os
import socket
import sys

import pytest
from ansible_collections.imds.azure.plugins.module_utils._imds import client as client_module
from ansible_collections.imds.azure.plugins.module_utils._imds import transport, turn
from ansible_collections.imds.azure.plugins.module_utils._imds.client import Client
from ansible_collections.imds.azure.plugins.module_utils._imds.options import Settings
from ansible_collections.imds.azure.plugins.module_utils._imds.reasons import ImdsError
from ansible_collections.imds.azure.tests.scenarios.imds.world import OK, World, said

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has names of sockets that are no files")

THROTTLED = said(429, b"Too many requests")


@pytest.fixture(autouse=True)
def _own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs beside this test has another queue."""
    monkeypatch.setattr(turn, "PREFIX", f"\0test {os.getpid()}")


def new(sleeps: list[float], port: int = 80) -> turn.Turn:
    return turn.Turn(("169.254.169.254", port), sleeps.append)


def test_nobody_ahead() -> None:
    sleeps: list[float] = []
    mine = new(sleeps)
    assert mine.wait(10) == 0
    assert (mine.held, sleeps) == (True, [])


def test_the_next_one_waits_until_the_turn_is_left() -> None:
    first = new([])
    first.wait(10)
    looks: list[float] = []

    def sleep(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 3:
            first.leave()

    second = turn.Turn(("169.254.169.254", 80), sleep)
    assert second.wait(10) == pytest.approx(sum(looks))
    assert (len(looks), first.held, second.held) == (3, False, True)
    assert all(0.02 <= look <= 0.1 for look in looks)


def test_waiting_ends_at_the_limit() -> None:
    first, second = new([]), new([])
    first.wait(10)
    assert 1 <= second.wait(1) < 1.1
    assert not second.held
    assert second.wait(0) == second.wait(-3) == 0, "no time, no look"


def test_each_endpoint_has_its_own() -> None:
    first, second = new([]), new([], 8080)
    assert (first.wait(1), second.wait(1)) == (0, 0)
    assert first.held
    assert second.held


def test_a_process_that_ends_leaves() -> None:
    gone = new([])
    gone.wait(1)
    del gone
    assert new([]).wait(1) == 0


def forbidden(*_arguments: int) -> None:
    raise PermissionError


@pytest.mark.parametrize("broken", ["platform", "sandbox", "name"])
def test_where_there_are_no_such_names_nobody_waits(monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    holder = new([])
    holder.wait(1)
    if broken == "platform":
        monkeypatch.setattr(sys, "platform", "freebsd14")
    elif broken == "sandbox":
        monkeypatch.setattr(socket, "socket", forbidden)
    else:
        monkeypatch.setattr(turn, "PREFIX", "/nowhere/at/all")
    mine = new([])
    assert mine.wait(10) == 0
    assert not mine.held


def client(world: World, monkeypatch: pytest.MonkeyPatch) -> Client:
    """One that takes turns, though it talks to a scripted IMDS."""
    get = world.get
    monkeypatch.setattr(transport, "get", get)
    return Client(Settings(), get=get, clock=world.clock, sleep=world.sleep)


def test_who_is_throttled_behind_another_asks_again_at_the_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World([THROTTLED, OK])
    holder = new([])
    holder.wait(1)
    slept = world.sleep

    def sleep(seconds: float) -> None:
        slept(seconds)
        if len(world.sleeps) == 4:
            holder.leave()

    monkeypatch.setattr(world, "sleep", sleep)
    mine = client(world, monkeypatch)
    mine.instance()
    *looks, pace = world.sleeps
    assert len(looks) == 4
    assert pace == pytest.approx(client_module.PACE)
    assert mine.attempts[0]["wait"] == pytest.approx(sum(looks))
    assert new([]).wait(1) == 0, "who has an answer leaves"


def test_who_is_first_waits_as_the_table_says_and_lets_others_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World([THROTTLED, THROTTLED, OK])
    slept = world.sleep
    others: list[float] = []

    def sleep(seconds: float) -> None:
        slept(seconds)
        others.append(new([]).wait(0.5))

    monkeypatch.setattr(world, "sleep", sleep)
    client(world, monkeypatch).instance()
    assert [1 <= wait <= 1.25 for wait in world.sleeps[:1]] == [True]
    assert all(waited >= 0.5 for waited in others)
    assert new([]).wait(1) == 0


def test_who_never_gets_the_turn_asks_once_more_before_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one ahead may have been stopped."""
    holder = new([])
    holder.wait(1)
    world = World([THROTTLED, OK])
    started = world.clock()
    client(world, monkeypatch).instance()
    assert 25 <= world.clock() - started < 30


def test_who_gives_up_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World([THROTTLED])
    with pytest.raises(ImdsError):
        client(world, monkeypatch).instance()
    assert new([]).wait(1) == 0
