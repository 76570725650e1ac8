# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the firmware of a Windows host says about the machine: its raw SMBIOS table (DMTF DSP0134). Pure.

Twin of ``Smbios`` in ``_ImdsPlatform.cs``. Linux hosts need neither: their kernel shows the same in sysfs.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

_HEAD = struct.Struct("<4xI")  # of RawSMBIOSData: calling method, version (3 bytes), length of what follows
_STRUCTURE_HEAD = 4  # type, length, handle (2 bytes)

_SYSTEM, _ENCLOSURE, _END = 1, 3, 127
_UUID = slice(8, 24)
_ASSET_TAG = 8
_LONGEST_TAG = 256


class Structure(NamedTuple):
    """formatted: the fixed part, with its header of 4 bytes; strings: those that follow it."""

    formatted: bytes
    strings: list[str]

    @property
    def kind(self) -> int:
        return self.formatted[0]

    def text(self, offset: int) -> str:
        """The string whose number is at an offset; empty if there is none."""
        number = self.formatted[offset] if offset < len(self.formatted) else 0
        return self.strings[number - 1].strip() if 0 < number <= len(self.strings) else ""


def chassis_asset_tag(raw: bytes | None) -> str | None:
    """The tag of the first enclosure that has one; "" if none has, None if there is no enclosure to read it from.

    :param raw: RawSMBIOSData; None, or anything else, holds no structures
    """
    enclosures = [one for one in structures(raw) if one.kind == _ENCLOSURE]
    tags = (one.text(_ASSET_TAG)[:_LONGEST_TAG] for one in enclosures)
    return next(filter(None, tags), "") if enclosures else None


def system_uuid(raw: bytes | None) -> bytes | None:
    """Its 16 bytes, unchanged. None without one: all zeros and all ones stand for that."""
    system = next((one for one in structures(raw) if one.kind == _SYSTEM), None)
    uuid = system.formatted[_UUID] if system else b""
    return uuid if len(uuid) == 16 and uuid not in (b"\x00" * 16, b"\xff" * 16) else None


def structures(raw: bytes | None) -> Iterator[Structure]:
    """All structures up to the end of the table, or to the first that is cut off."""
    if raw is None or len(raw) < _HEAD.size:
        return
    end = min(_HEAD.size + _HEAD.unpack_from(raw)[0], len(raw))
    at = _HEAD.size
    while at + _STRUCTURE_HEAD <= end and raw[at + 1] >= _STRUCTURE_HEAD and at + raw[at + 1] <= end:
        formatted = raw[at : at + raw[at + 1]]
        strings, at = _strings(raw, at + len(formatted), end)
        yield Structure(formatted, strings)
        if formatted[0] == _END:
            return


def _strings(raw: bytes, at: int, end: int) -> tuple[list[str], int]:
    """The strings from a position on, and the position behind them.

    Each ends with a NUL, and all of them with one more. A structure without strings has two.
    """
    found: list[str] = []
    while at < end and raw[at]:
        stop = raw.find(0, at, end)
        if stop < 0:
            return found, end
        found.append(raw[at:stop].decode("utf-8", "replace"))
        at = stop + 1
    return found, at + (1 if found else 2)
