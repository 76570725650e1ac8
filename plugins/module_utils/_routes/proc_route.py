# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel's ``/proc/net/route``, for hosts whose ip lists no routes. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from . import ipv4
from .model import Route


def parse_proc_routes(text: str) -> Iterator[Route]:
    """``/proc/net/route``: addresses as little-endian hexadecimal; flags 1 up, 2 gateway, 0x200 reject."""
    for line in text.splitlines()[1:]:
        words = line.split()
        if len(words) < 8:
            continue
        try:
            destination, gateway, mask = (_little_endian(words[at]) for at in (1, 2, 7))
            flags, metric, length = int(words[3], 16), int(words[6]), ipv4.mask_length(mask)
        except ValueError:
            continue
        if not flags & 1:
            continue
        reject = bool(flags & 0x200)
        yield Route(
            ipv4.make_prefix(destination, length),
            "" if reject else words[0],
            gateway if flags & 2 else "",
            metric,
            "unreachable" if reject else "unicast",
            scope="global" if flags & 2 or reject else "link",
            opaque=("protocol", "source"),  # which this file does not tell
        )


def _little_endian(word: str) -> str:
    return ipv4.text(int.from_bytes(bytes.fromhex(word), "little"))
