# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A port on loopback that answers no SYN for a while."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

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
