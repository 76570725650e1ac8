# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The queue of the throttled: among this VM's processes that were throttled, one at a time asks again.

IMDS limits the requests of a VM, not of a process, so processes that each wait on their own keep throttling each other.
The turn is a name in Linux' abstract namespace for sockets, which the kernel gives to one process, and to another one
when that process has ended, however it ended. Nothing is written, and the name belongs to the network namespace, as the
route to IMDS does. Where there is no such namespace, the processes wait on their own.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
from typing import Callable

PREFIX = "\0imds.azure"
# Seconds between two looks at whether it is our turn, at random in between, so that none looks always too late.
_LOOKS = (0.02, 0.1)
# How many seconds before its deadline a process asks out of turn: whoever has it may have been stopped.
RESERVE = 5.0


class Turn:
    """The turn at one endpoint. Its times are in seconds.

    :param address: the endpoint's IP address and port
    :param alone: do not look at other processes
    """

    def __init__(self, address: tuple[str, int], sleep: Callable[[float], None], alone: bool = False) -> None:
        self._alone = alone
        self._name = f"{PREFIX} {address[0]}:{address[1]}".encode()
        self._sleep = sleep
        self._socket: socket.socket | None = None

    @property
    def held(self) -> bool:
        """Whether it is our turn."""
        return self._socket is not None

    def wait(self, limit: float) -> float:
        """Wait until it is our turn, at most that long. Returns how long that took: 0 if nobody was ahead of us."""
        waited = 0.0
        while waited < limit and self._is_taken():
            look = _LOOKS[0] + (_LOOKS[1] - _LOOKS[0]) * os.urandom(1)[0] / 255
            self._sleep(look)
            waited += look
        return waited

    def leave(self) -> None:
        """Let the next one ask."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _is_taken(self) -> bool:
        """Whether another process has the turn. If none has, it is ours, as far as the system knows of turns."""
        if self._alone or sys.platform != "linux":
            return False
        try:
            taking = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        except OSError:  # a sandbox without Unix sockets
            return False
        try:
            taking.bind(self._name)
        except OSError as error:
            taking.close()
            return error.errno == errno.EADDRINUSE
        self._socket = taking
        return False
