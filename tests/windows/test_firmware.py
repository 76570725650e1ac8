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
from ansible_collections.imds.azure.plugins.plugin_utils import _smbios
from ansible_collections.imds.azure.tests.windows.core import Core, encoded
from ansible_collections.imds.azure.tests.windows.firmware import (
    AZURE,
    BIOS,
    LONG,
    SHAPES,
    TAG,
    UUID,
    raw,
    structure,
    system,
    table,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


@pytest.mark.parametrize("name", SHAPES)
def test_smbios_tables_of_every_shape_are_read(core: Core, name: str) -> None:
    given, tag, uuid = SHAPES[name]
    found = core("smbios", raw=encoded(given) if given is not None else None)
    assert found["tag"] == (tag.decode() if tag else None)
    assert found["uuid"] == (encoded(uuid) if uuid else None)
    assert (_smbios.chassis_asset_tag(given) or None, _smbios.system_uuid(given)) == (found["tag"], uuid)


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
    assert found["structures"] == [[one.kind, len(one.formatted), one.strings] for one in _smbios.structures(data)]
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
