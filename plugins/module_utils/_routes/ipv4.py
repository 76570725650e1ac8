# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""IPv4 addresses and prefixes as text, and the few that matter here. Pure.

Addresses are dotted text, prefixes canonical text with a length (``0.0.0.0/0``, ``169.254.169.254/32``).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Optional

IMDS = "169.254.169.254"
IMDS_PREFIX = "169.254.169.254/32"
WIRESERVER_PREFIX = "168.63.129.16/32"
DEFAULT_PREFIX = "0.0.0.0/0"
LINK_LOCAL_PREFIX = "169.254.0.0/16"
LOOPBACK_PREFIX = "127.0.0.0/8"


@lru_cache(maxsize=4096)
def number(address: str) -> int:
    """The address as an integer. ValueError where it is not dotted IPv4 text."""
    parts = address.split(".")
    if len(parts) != 4 or not all(part.isascii() and part.isdigit() and int(part) < 256 for part in parts):
        raise ValueError(f"not an IPv4 address: {address!r}")
    value = 0
    for part in parts:
        value = value << 8 | int(part)
    return value


def is_ipv4(address: str) -> bool:
    """Whether the text is a dotted IPv4 address."""
    return _number_or_none(address) is not None


def text(value: int) -> str:
    """An integer as dotted text."""
    return ".".join(str(value >> shift & 255) for shift in (24, 16, 8, 0))


def make_prefix(address: str, length: int) -> str:
    """The canonical prefix that holds ``address``: host bits cleared. ValueError for a bad address or length."""
    if not 0 <= length <= 32:
        raise ValueError(f"not a prefix length: {length}")
    return f"{text(number(address) & _mask(length))}/{length}"


def parse_prefix(value: str) -> str:
    """``default``, ``all``, ``10.0.0.1`` or ``10.0.0.0/8`` in canonical form. ValueError for anything else."""
    if value in ("default", "all", "any"):
        return DEFAULT_PREFIX
    address, slash, length = value.partition("/")
    if slash and not (length.isascii() and length.isdigit()):
        raise ValueError(f"not a prefix: {value!r}")
    return make_prefix(address, int(length) if slash else 32)


def mask_length(mask: str) -> int:
    """Length of a netmask. ValueError where its ones are not at the left."""
    value = number(mask)
    length = bin(value).count("1")
    if _mask(length) != value:
        raise ValueError(f"not a netmask: {mask!r}")
    return length


@lru_cache(maxsize=4096)
def prefix_length(prefix: str) -> int:
    """The number after the slash."""
    return int(prefix.partition("/")[2])


def covers(prefix: str, address: str) -> bool:
    """Whether the prefix contains the address; false for text that is no IPv4 address (an IPv6 next hop)."""
    network, mask = _parsed(prefix)
    own = _number_or_none(address)
    return own is not None and (network ^ own) & mask == 0


def common_bits(first: str, second: str) -> int:
    """How many leading bits two addresses share."""
    return 32 - (number(first) ^ number(second)).bit_length()


@lru_cache(maxsize=4096)
def _parsed(prefix: str) -> tuple[int, int]:
    """Network and mask of a canonical prefix as integers."""
    network, _slash, length = prefix.partition("/")
    return number(network), _mask(int(length))


@lru_cache(maxsize=4096)
def _number_or_none(address: str) -> Optional[int]:
    try:
        return number(address)
    except ValueError:
        return None


def _mask(length: int) -> int:
    return 0xFFFFFFFF << (32 - length) & 0xFFFFFFFF
