# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._imds import platform
from ansible_collections.imds.azure.plugins.module_utils._imds.options import Settings
from ansible_collections.imds.azure.plugins.module_utils._imds.reasons import ImdsError
from hypothesis import given
from hypothesis import strategies as st

TAG = "7783-7084-3265-9085-8269-3286-77"


@pytest.fixture
def dmi(monkeypatch: Any, tmp_path: Path) -> Path:
    """The directory in which the firmware's strings are files; empty."""
    monkeypatch.setattr(platform, "_DMI", f"{tmp_path}/")
    monkeypatch.setattr(sys, "platform", "linux")
    return tmp_path


def verdict(found: platform.Detection) -> tuple[bool | None, str | None, str]:
    return found.azure, found.chassis_asset_tag, found.source


@pytest.mark.parametrize(
    ("content", "azure", "tag"),
    [
        (TAG + "\n", True, TAG),
        (TAG, True, TAG),
        ("Default string\n", False, "Default string"),
        (TAG[:-1] + "\n", False, TAG[:-1]),
        (TAG + "0\n", False, TAG + "0"),
        ("\n", False, None),
        ("", False, None),
        ("\xff\xfe\n", False, "\ufffd\ufffd"),
        ("x" * 5000, False, "x" * 256),
    ],
)
def test_the_chassis_asset_tag_decides(dmi: Path, content: str, azure: bool, tag: str | None) -> None:
    file = dmi / "chassis_asset_tag"
    file.write_bytes(content.encode("latin-1"))
    assert verdict(platform.detect()) == (azure, tag, str(file))


def test_an_unreadable_tag_leaves_the_platform_unknown(dmi: Path) -> None:
    file = dmi / "chassis_asset_tag"
    assert verdict(platform.detect()) == (None, None, str(file))
    file.mkdir()  # not to be read, whoever runs the test
    assert verdict(platform.detect()) == (None, None, str(file))


@pytest.mark.parametrize(("known", "azure"), [(TAG, True), ("Default string", False)])
def test_a_tag_that_is_known_already(dmi: Path, known: str, azure: bool) -> None:
    (dmi / "chassis_asset_tag").write_text(TAG if not azure else "other")
    assert verdict(platform.detect(known)) == (azure, known, "option chassis_asset_tag")


@pytest.mark.parametrize("known", ["", None, "NA"])
def test_without_a_known_tag_the_firmware_is_read(dmi: Path, known: str | None) -> None:
    (dmi / "chassis_asset_tag").write_text(TAG)
    assert platform.detect(known).azure


@pytest.mark.parametrize(("value", "azure"), [(TAG, True), ("Other", False), (None, None)])
def test_freebsd_asks_its_kernel(monkeypatch: Any, value: str | None, azure: bool | None) -> None:
    monkeypatch.setattr(sys, "platform", "freebsd14")
    monkeypatch.setattr(platform, "_kenv", {"smbios.chassis.tag": value}.__getitem__)
    assert verdict(platform.detect()) == (azure, value, "kenv smbios.chassis.tag")


def test_a_system_without_kenv_knows_nothing() -> None:
    assert platform._kenv("smbios.chassis.tag") is None or sys.platform.startswith("freebsd")


@pytest.mark.parametrize(
    ("tag", "detect", "reason", "detail"),
    [
        (TAG, "auto", None, ""),
        (TAG, "force", None, ""),
        ("other", "auto", "not_azure", "chassis asset tag: other"),
        ("", "auto", "not_azure", "chassis asset tag: none"),
        (None, "auto", "unknown_platform", "chassis_asset_tag cannot be read"),
        ("other", "force", None, ""),
        (None, "force", None, ""),
    ],
)
def test_require_azure(dmi: Path, tag: str | None, detect: str, reason: str | None, detail: str) -> None:
    if tag is not None:
        (dmi / "chassis_asset_tag").write_text(tag)
    if reason:
        with pytest.raises(ImdsError, match=detail) as caught:
            platform.require_azure(Settings(detect=detect))
        assert caught.value.reason.code == reason
    else:
        assert platform.require_azure(Settings(detect=detect)).chassis_asset_tag == tag


VM_ID = "8e0d3a54-6a3c-4b0e-9a43-5f6f3c1f0e77"


@pytest.mark.parametrize(
    ("product_uuid", "vm_id", "same"),
    [
        ("8e0d3a54-6a3c-4b0e-9a43-5f6f3c1f0e77\n", VM_ID, True),
        ("8E0D3A54-6A3C-4B0E-9A43-5F6F3C1F0E77\n", VM_ID, True),
        # generation 1: the first three groups are in the other byte order
        ("543a0d8e-3c6a-0e4b-9a43-5f6f3c1f0e77\n", VM_ID, True),
        # but all three of them, and no other
        ("543a0d8e-6a3c-4b0e-9a43-5f6f3c1f0e77\n", VM_ID, False),
        ("543a0d8e-3c6a-0e4b-439a-5f6f3c1f0e77\n", VM_ID, False),
        ("00000000-0000-0000-0000-000000000000\n", VM_ID, False),
        ("", VM_ID, None),
        ("not a UUID\n", VM_ID, None),
        ("8e0d3a54\n", VM_ID, None),
        ("8e0d3a54-6a3c-4b0e-9a43-5f6f3c1f0e77\n", "", None),
        ("8e0d3a54-6a3c-4b0e-9a43-5f6f3c1f0e77\n", "web-1", None),
        ("8e0d3a54-6a3c-4b0e-9a43-5f6f3c1f0e77\n", "\xe9" * 36, None),
    ],
)
def test_same_machine(dmi: Path, product_uuid: str, vm_id: str, same: bool | None) -> None:
    (dmi / "product_uuid").write_text(product_uuid)
    assert platform.same_machine(vm_id) is same


def test_same_machine_is_not_known_where_the_uuid_is_not_readable(dmi: Path) -> None:
    assert platform.same_machine(VM_ID) is None
    (dmi / "product_uuid").mkdir()
    assert platform.same_machine(VM_ID) is None


def test_same_machine_on_freebsd(monkeypatch: Any) -> None:
    monkeypatch.setattr(sys, "platform", "freebsd14")
    monkeypatch.setattr(platform, "_kenv", lambda name: VM_ID if name == "smbios.system.uuid" else None)
    assert platform.same_machine(VM_ID) is True


@given(st.text(max_size=50))
def test_any_vm_id_has_a_verdict(vm_id: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "platform", "freebsd14")
        patch.setattr(platform, "_kenv", lambda _name: VM_ID)
        assert platform.same_machine(vm_id) in (None, False)
