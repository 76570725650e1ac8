# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A refusal that comes late, as Windows reports it: the reason is still that the connection was refused."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from ansible_collections.imds.azure.tests.windows.core import Core
from ansible_collections.imds.azure.tests.windows.csharp_get import csharp_get

Address = tuple[str, int]


@contextmanager
def busy_port() -> Iterator[tuple[Address, socket.socket]]:
    """A listener whose queue is full: the system drops each further SYN, and the client repeats it every second."""
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        yield full.getsockname(), full


@contextmanager
def later(seconds: float, port: socket.socket, accept: bool) -> Iterator[None]:
    """After a while, lengthen the listener's queue or close it."""
    timer = threading.Timer(seconds, (lambda: port.listen(8)) if accept else port.close)
    timer.start()
    try:
        yield
    finally:
        timer.join()


@pytest.mark.parametrize("limit", [0.3, 2.0])
def test_a_refusal_after_the_limit_is_a_refusal(core: Core, limit: float) -> None:
    with busy_port() as (address, port):  # noqa: SIM117
        with later(limit + 0.1, port, accept=False):
            started = time.monotonic()
            found = csharp_get(core, address, (limit, 10, 30))
            assert time.monotonic() - started > limit
    assert found["kind"] == "refused"


def test_a_connection_after_the_limit_is_too_late(core: Core) -> None:
    with busy_port() as (address, port):  # noqa: SIM117
        with later(0.4, port, accept=True):
            found = csharp_get(core, address, (0.3, 10, 30))
    assert (found["kind"], found["detail"]) == ("connect_timeout", "no connection within 0.3 s")


def test_no_refusal_is_awaited_beyond_the_deadline(core: Core) -> None:
    with busy_port() as (address, _port):
        started = time.monotonic()
        found = csharp_get(core, address, (0.3, 10, 0.6))
        elapsed = time.monotonic() - started
    assert found["kind"] == "connect_timeout"
    assert 0.5 < elapsed < 2
