# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``relay.py ADDRESS PORT``: standard input and output to a TCP port and back, as netcat would. Runs inside a member.

The controller is in no network of the lab; this is how ssh and the emulator's control endpoint are reached.
"""

from __future__ import annotations

import os
import selectors
import socket
import sys

_CHUNK = 65536


def relay(connection: socket.socket) -> None:
    """Carry bytes both ways until the peer closes; the end of standard input is passed on to it."""
    with selectors.DefaultSelector() as selector:
        selector.register(0, selectors.EVENT_READ)
        selector.register(connection, selectors.EVENT_READ)
        while True:
            for key, _ignored in selector.select():
                if key.fileobj is connection:
                    data = connection.recv(_CHUNK)
                    if not data:
                        return
                    _write(data)
                else:
                    data = os.read(0, _CHUNK)
                    if data:
                        connection.sendall(data)
                    else:
                        selector.unregister(0)
                        connection.shutdown(socket.SHUT_WR)


def _write(data: bytes) -> None:
    while data:
        data = data[os.write(1, data) :]


if __name__ == "__main__":
    try:
        with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=10) as tcp:
            tcp.settimeout(None)
            relay(tcp)
    except OSError as problem:
        sys.exit(f"relay: {problem}")
