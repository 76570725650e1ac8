# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Is this an Azure VM? The firmware tells, without sending a packet."""

from __future__ import annotations

import sys
from typing import Callable

from .options import Settings
from .reasons import ImdsError

AZURE_CHASSIS_ASSET_TAG = "7783-7084-3265-9085-8269-3286-77"

_DMI = "/sys/class/dmi/id/"


class Detection:
    """azure: the verdict, None where the tag can't be read; chassis_asset_tag: the tag, if any; source: its place."""

    def __init__(self, azure: bool | None, chassis_asset_tag: str | None, source: str) -> None:
        self.azure = azure
        self.chassis_asset_tag = chassis_asset_tag
        self.source = source


def detect(known_tag: str | None = None, look: Callable[[], Detection] | None = None) -> Detection:
    """Compare the chassis asset tag with the one that all Azure VMs have.

    :param known_tag: the tag, if it has already been read (ansible_facts.chassis_asset_tag)
    :param look: how to read it otherwise, if not from this system's firmware
    """
    # The setup module reports NA if it cannot read the tag.
    if known_tag and known_tag != "NA":
        return judge(known_tag, "option chassis_asset_tag")
    return (look or _look)()


def _look() -> Detection:
    if sys.platform.startswith("freebsd"):
        return judge(_kenv("smbios.chassis.tag"), "kenv smbios.chassis.tag")
    return judge(_read_dmi("chassis_asset_tag"), _DMI + "chassis_asset_tag")


def require_azure(settings: Settings) -> Detection:
    """Detect the platform, and insist on Azure unless the settings force the request.

    :raises ImdsError: not_azure or unknown_platform
    """
    detection = detect(settings.chassis_asset_tag)
    if not detection.azure and settings.detect != "force":
        raise ImdsError(*miss(detection))
    return detection


def miss(detection: Detection) -> tuple[str, str]:
    """(reason, detail) for a detection that did not find an Azure VM."""
    if detection.azure is None:
        return "unknown_platform", f"{detection.source} cannot be read"
    return "not_azure", f"chassis asset tag: {detection.chassis_asset_tag or 'none'}"


def same_machine(vm_id: str) -> bool | None:
    """Whether the firmware's UUID matches the vmId from IMDS. None if the UUID cannot be read, which takes root."""
    uuid = _kenv("smbios.system.uuid") if sys.platform.startswith("freebsd") else _read_dmi("product_uuid")
    return same_uuid(vm_id, uuid)


def same_uuid(vm_id: str, uuid: str | None) -> bool | None:
    """Whether a firmware's UUID matches a vmId, None without two UUIDs.

    Generation 1 VMs show the first three groups of the UUID in the opposite byte order.
    """
    try:
        own, told = bytes.fromhex((uuid or "").replace("-", "")), bytes.fromhex(vm_id.replace("-", ""))
    except ValueError:
        return None
    if len(own) != 16 or len(told) != 16:
        return None
    swapped = own[3::-1] + own[5:3:-1] + own[7:5:-1] + own[8:]
    return told in (own, swapped)


def judge(tag: str | None, source: str) -> Detection:
    """The verdict on a tag; None for one that cannot be read, empty for none."""
    return Detection(None if tag is None else tag == AZURE_CHASSIS_ASSET_TAG, tag or None, source)


def _read_dmi(name: str) -> str | None:
    try:
        with open(_DMI + name, encoding="utf-8", errors="replace") as file:
            return file.read(256).strip()
    except OSError:
        return None


def _kenv(name: str) -> str | None:
    """A variable of FreeBSD's kernel environment, through the system call; 0 is KENV_GET."""
    import ctypes  # costs start-up time, and only FreeBSD needs it

    value = ctypes.create_string_buffer(256)
    try:
        length = ctypes.CDLL(None).kenv(0, name.encode("ascii"), value, len(value))
    except (OSError, AttributeError):
        return None
    return value.value.decode("ascii", "replace").strip() if length > 0 else None
