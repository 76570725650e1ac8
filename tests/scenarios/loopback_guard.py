# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keeps tests on loopback.

Build hosts are often cloud VMs, where a real metadata service answers. A test that connects to anything but loopback
therefore fails, whatever the code under test makes of the error.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="session", autouse=True)
def _loopback_only() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex"):
            patch.setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))
        yield


def _guarded(method: Any) -> Any:
    def connect(self: socket.socket, address: Any) -> Any:
        host = address[0] if isinstance(address, tuple) else "127.0.0.1"  # no tuple: a socket file
        if not (host.startswith("127.") or host in ("::1", "localhost")):
            # Not an Exception, so that no handler takes it for a failed connection.
            pytest.fail(f"a unit test connects to {host}")
        return method(self, address)

    return connect
