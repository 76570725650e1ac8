# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The SMBIOS table in every shape, and what the platform makes of it."""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._imds import platform
from ansible_collections.imds.azure.tests.windows.core import Core, encoded
from ansible_collections.imds.azure.tests.windows.firmware import END, enclosure, raw, structure, system, table
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

TAG = platform.AZURE_CHASSIS_ASSET_TAG.encode()
UUID = bytes.fromhex("543a0d8e3c6a0e4b9a435f6f3c1f0e77")
BIOS = structure(0, b"\x01\x02\x00\xf0\x03\x00", b"American Megatrends", b"090008")
AZURE = table(BIOS, system(UUID), enclosure(TAG))
LONG = structure(200, b"\x00" * 251)

# name: (table, tag, UUID)
SHAPES: dict[str, tuple[bytes | None, bytes | None, bytes | None]] = {
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


@pytest.mark.parametrize("name", SHAPES)
def test_smbios_tables_of_every_shape_are_read(core: Core, name: str) -> None:
    given, tag, uuid = SHAPES[name]
    found = core("smbios", raw=encoded(given) if given is not None else None)
    assert found["tag"] == (tag.decode() if tag else None)
    assert found["uuid"] == (encoded(uuid) if uuid else None)


def test_every_structure_is_walked(core: Core) -> None:
    found = core("smbios", raw=encoded(table(BIOS, LONG, structure(3, b"", b"a", b"\xff", b"c"))))
    assert found["structures"] == [
        [0, 10, ["American Megatrends", "090008"]],
        [200, 255, []],
        [3, 4, ["a", "\ufffd", "c"]],
        [127, 4, []],
    ]


@pytest.mark.parametrize("length", range(len(AZURE)))
def test_a_table_cut_anywhere_invents_nothing(core: Core, length: int) -> None:
    found = core("smbios", raw=encoded(AZURE[:length]))
    assert found["tag"] in (None, TAG.decode())
    assert found["uuid"] in (None, encoded(UUID))


@given(
    st.binary(max_size=300) | st.binary(max_size=200).map(raw) | st.binary(max_size=99).map(lambda data: AZURE + data)
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes(core: Core, data: bytes) -> None:
    found = core("smbios", raw=encoded(data))
    assert found["uuid"] is None or len(base64.b64decode(found["uuid"])) == 16
    assert sum(length for _kind, length, _strings in found["structures"]) <= len(data)


SWAPPED = bytes.fromhex("8e0d3a546a3c4b0e9a435f6f3c1f0e77")
VM_ID = "8e0d3a54-6a3c-4b0e-9a43-5f6f3c1f0e77"


@pytest.mark.parametrize("own", [UUID, SWAPPED, UUID[::-1], SWAPPED[:-1] + b"\x00", b"\x00" * 16, None])
@pytest.mark.parametrize(
    "vm_id", [VM_ID, VM_ID.upper(), VM_ID.replace("-", ""), "", "web-1", "\xe9" * 36, VM_ID[:-1], "g" * 32]
)
def test_the_same_machine(core: Core, monkeypatch: Any, tmp_path: Path, own: bytes | None, vm_id: str) -> None:
    monkeypatch.setattr(platform, "_DMI", f"{tmp_path}/")
    monkeypatch.setattr(sys, "platform", "linux")
    if own and any(own):  # Linux shows no UUID of zeros either
        (tmp_path / "product_uuid").write_text(own.hex())
    firmware = encoded(table(system(own))) if own else None
    assert core("same_machine", vm_id=vm_id, firmware=firmware) is platform.same_machine(vm_id)


def test_off_windows_there_is_no_such_table(core: Core) -> None:
    assert core("firmware") is None
