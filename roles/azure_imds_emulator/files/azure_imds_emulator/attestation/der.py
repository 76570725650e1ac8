# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes DER (ITU-T X.690): the few types that certificates and signed data are made of. Pure."""

from __future__ import annotations

import time

NULL = b"\x05\x00"
TRUE = b"\x01\x01\xff"


def element(tag: int, *parts: bytes) -> bytes:
    """Tag, length and content."""
    content = b"".join(parts)
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    size = (length.bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + length.to_bytes(size, "big") + content


def sequence(*parts: bytes) -> bytes:
    """SEQUENCE, and SEQUENCE OF."""
    return element(0x30, *parts)


def set_of(*parts: bytes, tag: int = 0x31) -> bytes:
    """SET OF: DER wants the members sorted by their encoding."""
    return element(tag, *sorted(parts))


def explicit(number: int, *parts: bytes) -> bytes:
    """A context-specific tag around whole elements."""
    return element(0xA0 | number, *parts)


def integer(value: int) -> bytes:
    """INTEGER, not negative."""
    return element(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def octets(value: bytes) -> bytes:
    """OCTET STRING."""
    return element(0x04, value)


def bits(value: bytes) -> bytes:
    """BIT STRING of whole bytes."""
    return element(0x03, b"\0", value)


def flags(*numbers: int) -> bytes:
    """BIT STRING of named bits (below 8): no trailing zeros."""
    return element(0x03, bytes([7 - max(numbers), sum(0x80 >> number for number in numbers)]))


def printable(text: str) -> bytes:
    """PrintableString."""
    return element(0x13, text.encode("ascii"))


def oid(dotted: str) -> bytes:
    """OBJECT IDENTIFIER."""
    first, second, *rest = map(int, dotted.split("."))
    return element(0x06, *(_base128(arc) for arc in (first * 40 + second, *rest)))


def moment(unix_time: int) -> bytes:
    """Time as certificates write it: UTCTime up to 2049, GeneralizedTime after that (RFC 5280, 4.1.2.5)."""
    text = time.strftime("%Y%m%d%H%M%SZ", time.gmtime(unix_time))
    return element(0x17, text[2:].encode()) if text < "2050" else element(0x18, text.encode())


def _base128(value: int) -> bytes:
    digits = [value & 0x7F]
    while value > 0x7F:
        value >>= 7
        digits.append(value & 0x7F | 0x80)
    return bytes(reversed(digits))
