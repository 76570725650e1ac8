# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A strict reader of DER (ITU-T X.690). Pure.

Accepted: definite lengths in their shortest form, tags of one byte, nothing after the end at any level,
strings in one piece, canonical BOOLEAN, INTEGER, BIT STRING, NULL and OBJECT IDENTIFIER, SETs in order.
Everything else, all that only BER allows included, raises :class:`DerError`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

BOOLEAN = 0x01
INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
NULL = 0x05
OBJECT_IDENTIFIER = 0x06
SEQUENCE = 0x30
SET = 0x31

_END_OF_CONTENTS = 0x00  # exists in BER only
_CONSTRUCTED = 0x20
_CLASS = 0xC0
_LONG_TAG = 0x1F
_MAX_DEPTH = 32
_MAX_NUMBER = 64  # bytes; serial numbers have at most 20

_ARCS = re.compile(rb"(?:(?!\x80)[\x80-\xff]*[\x00-\x7f])+")  # whole, and none with a leading zero digit


class DerError(ValueError):
    """The bytes are not DER, or not the type that was asked for."""


class Element:
    """One value: its tag byte, its content, and all its bytes as they stand in the source."""

    __slots__ = ("_body", "_data", "_end", "_parts", "_start", "tag")

    def __init__(self, tag: int, data: bytes, start: int, body: int, end: int, parts: list[Element] | None) -> None:
        self.tag = tag
        self._data = data
        self._start = start
        self._body = body
        self._end = end
        self._parts = parts

    @property
    def content(self) -> bytes:
        """The bytes after tag and length."""
        return self._data[self._body : self._end]

    @property
    def encoded(self) -> bytes:
        """Tag, length and content."""
        return self._data[self._start : self._end]

    @property
    def parts(self) -> list[Element]:
        """The values inside a constructed value.

        :raises DerError: the value is primitive.
        """
        if self._parts is None:
            raise DerError(f"a value with tag 0x{self.tag:02x} has no parts")
        return self._parts


def context(number: int) -> int:
    """The tag byte of the constructed context-specific tag ``[number]``."""
    return 0xA0 | number


def parse(data: bytes) -> Element:
    """The one value that ``data`` holds, checked down to its leaves.

    :raises DerError: also when a byte follows the value.
    """
    element = _parse_at(data, 0, len(data), 0)
    if element._end != len(data):
        raise DerError(f"{len(data) - element._end} bytes follow the value")
    return element


def check_order(elements: list[Element]) -> None:
    """Raise :class:`DerError` unless the members of a SET OF stand in DER's order."""
    if any(a.encoded > b.encoded for a, b in zip(elements, elements[1:])):
        raise DerError("a SET is not in order")


def integer(element: Element) -> int:
    """The value of an INTEGER."""
    return int.from_bytes(_short(_expect(element, INTEGER)), "big", signed=True)


def octets(element: Element) -> bytes:
    """The content of an OCTET STRING."""
    return _expect(element, OCTET_STRING).content


def oid(element: Element) -> str:
    """An OBJECT IDENTIFIER in dotted form."""
    arcs: list[int] = []
    value = 0
    for byte in _short(_expect(element, OBJECT_IDENTIFIER)):
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, [first, arcs[0] - 40 * first, *arcs[1:]]))


class Fields:
    """The parts of a constructed value, taken one after the other."""

    def __init__(self, element: Element, tag: int = SEQUENCE) -> None:
        self._rest = _expect(element, tag).parts[::-1]

    def take(self, tag: int) -> Element:
        """The next part, which must bear ``tag``."""
        if not self._rest:
            raise DerError(f"a part with tag 0x{tag:02x} is missing")
        return _expect(self._rest.pop(), tag)

    def take_if(self, tag: int) -> Element | None:
        """The next part if it bears ``tag``."""
        return self._rest.pop() if self._rest and self._rest[-1].tag == tag else None

    def end(self) -> None:
        """Raise :class:`DerError` if a part is left."""
        if self._rest:
            raise DerError(f"an unexpected part with tag 0x{self._rest[-1].tag:02x}")


def _expect(element: Element, tag: int) -> Element:
    if element.tag != tag:
        raise DerError(f"expected tag 0x{tag:02x}, found 0x{element.tag:02x}")
    return element


def _short(element: Element) -> bytes:
    """The content, unless it is so long that its arithmetic would take time."""
    if not 1 <= len(element.content) <= _MAX_NUMBER:
        raise DerError(f"a number or identifier of {len(element.content)} bytes")
    return element.content


def _parse_at(data: bytes, start: int, limit: int, depth: int) -> Element:
    """The value that begins at ``start`` and ends at ``limit`` at the latest."""
    if limit - start < 2:
        raise DerError("the value is cut off")
    tag, length = data[start], data[start + 1]
    if tag & _LONG_TAG == _LONG_TAG:
        raise DerError("a tag of more than one byte")
    body = start + 2
    if length & 0x80:
        size = length & 0x7F
        if not 1 <= size <= 4:
            raise DerError("an indefinite or oversized length")
        body += size
        length = int.from_bytes(data[start + 2 : body], "big")
        if body > limit or length < 0x80 or length >> 8 * (size - 1) == 0:
            raise DerError("a length that is cut off or not in its shortest form")
    end = body + length
    if end > limit:
        raise DerError("the value is cut off")
    parts = _parse_parts(data, body, end, depth + 1) if tag & _CONSTRUCTED else None
    element = Element(tag, data, start, body, end, parts)
    if not tag & _CLASS:
        _check_universal(element)
    return element


def _parse_parts(data: bytes, start: int, end: int, depth: int) -> list[Element]:
    if depth > _MAX_DEPTH:
        raise DerError("values are nested too deeply")
    parts = []
    while start < end:
        part = _parse_at(data, start, end, depth)
        parts.append(part)
        start = part._end
    return parts


def _check_universal(element: Element) -> None:
    """The rules of single universal types. Only SEQUENCE and SET may be constructed, and they must be."""
    tag = element.tag
    if (tag & _CONSTRUCTED != 0) != (tag | _CONSTRUCTED in (SEQUENCE, SET)):
        raise DerError(f"tag 0x{tag:02x} in a form that DER does not allow")
    if tag == SET:
        check_order(element.parts)
        return
    is_canonical = _CANONICAL.get(tag)
    if is_canonical and not is_canonical(element.content):
        raise DerError(f"a value with tag 0x{tag:02x} is not in its canonical form")


def _canonical_integer(content: bytes) -> bool:
    """Shortest two's complement: the first nine bits are neither all zero nor all one."""
    return len(content) == 1 or (len(content) > 1 and (content[0] << 1 | content[1] >> 7) not in (0x000, 0x1FF))


def _canonical_bits(content: bytes) -> bool:
    """The first byte counts the unused bits of the last one, and these are zero."""
    unused = content[0] if content else 8
    return unused == 0 or (unused < 8 and len(content) > 1 and content[-1] & ((1 << unused) - 1) == 0)


_CANONICAL: dict[int, Callable[[bytes], bool]] = {
    _END_OF_CONTENTS: lambda _content: False,
    BOOLEAN: lambda content: content in (b"\x00", b"\xff"),
    INTEGER: _canonical_integer,
    BIT_STRING: _canonical_bits,
    NULL: lambda content: content == b"",
    OBJECT_IDENTIFIER: lambda content: _ARCS.fullmatch(content) is not None,
}
