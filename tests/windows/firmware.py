# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""SMBIOS tables for the tests, byte by byte as DMTF DSP0134 describes them."""

from __future__ import annotations

import struct
from typing import Optional


def structure(kind: int, formatted: bytes, *strings: bytes, handle: int = 0) -> bytes:
    """formatted: what follows the header of 4 bytes."""
    texts = b"".join(text + b"\x00" for text in strings) + b"\x00"
    return struct.pack("<BBH", kind, 4 + len(formatted), handle) + formatted + (texts if strings else b"\x00\x00")


def raw(structures: bytes, length: Optional[int] = None) -> bytes:
    """RawSMBIOSData: calling method, version 3.1, revision, length of what follows, and that."""
    return struct.pack("<BBBBI", 0, 3, 1, 0, len(structures) if length is None else length) + structures


END = structure(127, b"")


def table(*structures: bytes) -> bytes:
    return raw(b"".join(structures) + END)


def system(uuid: bytes, size: int = 27) -> bytes:
    """Type 1, as long as in SMBIOS 2.4 and newer unless told otherwise."""
    formatted = b"\x01\x02\x03\x04" + uuid + b"\x06\x00\x05"
    return structure(
        1, formatted[: size - 4], b"Microsoft", b"Virtual Machine", b"7.0", b"0000-0001", b"Virtual Machine"
    )


def enclosure(tag: bytes, number: int = 4, size: int = 22) -> bytes:
    """Type 3 with the asset tag as its fourth string."""
    formatted = bytes([1, 3, 2, 3, number]) + b"\x03\x03\x03\x03" + b"\x00" * 9
    return structure(3, formatted[: size - 4], b"Microsoft", b"7.0", b"0000-0002", tag)
