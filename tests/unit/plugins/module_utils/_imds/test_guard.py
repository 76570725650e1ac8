# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guard of conftest.py: without it a careless test might reach a real metadata service."""

from __future__ import annotations

import socket
from typing import Any, Callable

import pytest


def _connect(address: tuple[str, int]) -> None:
    with socket.socket() as connection:
        connection.connect(address)


def _connect_ex(address: tuple[str, int]) -> None:
    with socket.socket() as connection:
        connection.connect_ex(address)


@pytest.mark.parametrize("connect", [_connect, _connect_ex, socket.create_connection], ids=lambda item: item.__name__)
def test_nothing_but_loopback_is_reached(connect: Callable[..., Any]) -> None:
    host = "192.0.2.1"  # reserved for documentation, in case that the guard is gone
    with pytest.raises(pytest.fail.Exception, match=host):
        connect((host, 80))
