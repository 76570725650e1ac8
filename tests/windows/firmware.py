# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""SMBIOS tables for the tests, byte by byte as DMTF DSP0134 describes them."""

from __future__ import annotations

import struct
from typing import Optional

from ansible_collections.imds.azure.plugins.module_utils._imds.platform import AZURE_CHASSIS_ASSET_TAG


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


TAG = AZURE_CHASSIS_ASSET_TAG.encode()
UUID = bytes.fromhex("543a0d8e3c6a0e4b9a435f6f3c1f0e77")
BIOS = structure(0, b"\x01\x02\x00\xf0\x03\x00", b"American Megatrends", b"090008")
AZURE = table(BIOS, system(UUID), enclosure(TAG))
LONG = structure(200, b"\x00" * 251)

# name: (table, tag, UUID)
SHAPES: dict[str, tuple[Optional[bytes], Optional[bytes], Optional[bytes]]] = {
    "an Azure VM": (AZURE, TAG, UUID),
    "another order": (table(enclosure(TAG), system(UUID), BIOS), TAG, UUID),
    "elsewhere": (table(system(UUID), enclosure(b"Default string")), b"Default string", UUID),
    "a tag among blanks": (table(enclosure(b"  " + TAG + b" ")), TAG, None),
    "a tag of blanks": (table(enclosure(b"   ")), None, None),
    "a tag in UTF-8": (table(enclosure("größer".encode())), "größer".encode(), None),
    "a tag that is long": (table(enclosure(b"x" * 5000)), b"x" * 256, None),
    "no tag: string number 0": (table(enclosure(TAG, number=0)), None, None),
    "a string number beyond the last": (table(enclosure(TAG, number=5)), None, None),
    "the highest string number": (table(enclosure(TAG, number=255)), None, None),
    "an enclosure that ends before its tag": (table(enclosure(TAG, size=8)), None, None),
    "an enclosure that ends with its tag": (table(enclosure(TAG, size=9)), TAG, None),
    "an enclosure of SMBIOS 2.0": (table(enclosure(TAG, size=13)), TAG, None),
    "an enclosure without strings": (table(structure(3, b"\x00" * 18)), None, None),
    "several enclosures, the first without a tag": (table(enclosure(TAG, number=0), enclosure(TAG)), TAG, None),
    "several enclosures with tags": (table(enclosure(b"first"), enclosure(TAG)), b"first", None),
    "a system of SMBIOS 2.0, without UUID": (table(system(UUID, size=8), enclosure(TAG)), TAG, None),
    "a system whose UUID is cut": (table(system(UUID, size=23)), None, None),
    "a system whose UUID is the end": (table(system(UUID, size=24)), None, UUID),
    "a UUID of zeros": (table(system(b"\x00" * 16)), None, None),
    "a UUID of ones": (table(system(b"\xff" * 16)), None, None),
    "several systems": (table(system(UUID), system(b"x" * 16)), None, UUID),
    "the longest structure": (table(LONG, enclosure(TAG)), TAG, None),
    "unknown types": (table(structure(126, b"abc"), structure(255, b"", b"x"), enclosure(TAG)), TAG, None),
    "behind the end": (raw(END + enclosure(TAG)), None, None),
    "no end": (raw(enclosure(TAG) + system(UUID)), TAG, UUID),
    "the length says less": (raw(enclosure(TAG) + END, length=20), None, None),
    "the length says more": (raw(enclosure(TAG) + END, length=0xFFFFFFFF), TAG, None),
    "the length says nothing": (raw(enclosure(TAG) + END, length=0), None, None),
    "more behind the length": (raw(BIOS, length=len(BIOS)) + enclosure(TAG), None, None),
    "a structure shorter than its header": (raw(b"\x03\x03\x00\x00\x00\x00" + enclosure(TAG)), None, None),
    "a structure of no length": (raw(b"\x00" * 40 + enclosure(TAG)), None, None),
    "cut within the strings": (raw(enclosure(TAG)[:-10]), None, None),
    "cut before the last NUL": (raw(enclosure(TAG)[:-1]), TAG, None),
    "cut within the structure": (raw(enclosure(TAG)[:12]), None, None),
    "cut within a header": (raw(BIOS + b"\x03\x16"), None, None),
    "only a head": (raw(b""), None, None),
    "half a head": (b"\x00\x03\x01", None, None),
    "nothing": (b"", None, None),
    "no Windows": (None, None, None),
    "garbage": (bytes(range(256)) * 8, None, None),
}
