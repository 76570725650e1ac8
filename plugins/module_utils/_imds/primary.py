# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of the interfaces that IMDS lists is the primary one. Pure; facts and route fix share it."""

from __future__ import annotations

from collections.abc import Sequence


def answered_interface(interfaces: Sequence[Sequence[str]], local_address: str | None) -> int | None:
    """The place of the interface that received the answer: IMDS answers only the primary one, and lists it anywhere.

    :param interfaces: the private IPv4 addresses of each interface, in IMDS' order
    :param local_address: the address that the answer was received on
    """
    for place, addresses in enumerate(interfaces):
        if local_address and local_address in addresses:
            return place
    return None
