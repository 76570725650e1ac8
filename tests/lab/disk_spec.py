# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The disks of a VM as a topology describes them: read, checked and completed with defaults. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from .errors import SpecError
from .fields import Fields

SCSI = ("ide0", "ide1", "scsi0", "scsi1", "scsi2", "scsi3", "scsi-unknown")
NVME = {
    "nvme": "MSFT NVMe Accelerator v1.0",
    "local": "Microsoft NVMe Direct Disk",
    "local-v2": "Microsoft NVMe Direct Disk v2",
    "nvme-unknown": "Somebody's NVMe",
}
OTHER = ("virtio",)

_NAMES = {"scsi": r"sd[a-z]{1,3}", "nvme": r"nvme\d+n\d+", "other": r"vd[a-z]"}
_STACKS = r"dm-\d+|md\d+"
_LARGEST = 64 * 1024 * 1024  # MiB: 64 TiB


@dataclass(frozen=True)
class Disk:
    """A whole disk. Sizes are in bytes; nsid is None where the kernel doesn't tell it; links are below /dev/disk."""

    device: str
    controller: str
    lun: int
    nsid: int | None
    size: int
    partitions: tuple[int, ...]
    links: tuple[str, ...]
    wwid: str | None
    serial: str
    node: bool
    multipath: bool
    loop: bool


@dataclass(frozen=True)
class Stack:
    """A device made of others, by LVM or md. name: what device mapper calls it."""

    device: str
    name: str | None
    on: tuple[str, ...]


def disks(fields: Fields) -> tuple[Disk, ...]:
    """The field ``disks`` of a VM.

    :raises SpecError: if something in it is wrong
    """
    found: list[Disk] = []
    for number, document in enumerate(fields.take("disks", (list,), [])):
        disk = _disk(Fields(document, f"{fields.at('disks')}[{number}]"), number)
        if disk.device in [one.device for one in found]:
            raise SpecError(f"{fields.at('disks')}[{number}].device: {disk.device} is there twice")
        found.append(disk)
    return tuple(found)


def stacks(fields: Fields, below: tuple[Disk, ...]) -> tuple[Stack, ...]:
    """The field ``stacks`` of a VM.

    :raises SpecError: if something in it is wrong
    """
    known = {name for disk in below for name in (disk.device, *partition_names(disk))}
    found = []
    for number, document in enumerate(fields.take("stacks", (list,), [])):
        own = Fields(document, f"{fields.at('stacks')}[{number}]")
        stack = Stack(own.take("device", (str,), ""), own.take("name", (str, type(None))), own.strings("on"))
        own.done()
        if not re.fullmatch(_STACKS, stack.device):
            raise SpecError(f"{own.at('device')}: {stack.device!r} is not a device such as dm-0 or md127")
        for name in stack.on:
            if name not in known:
                raise SpecError(f"{own.at('on')}: there is no device {name!r} before this one")
        known.add(stack.device)
        found.append(stack)
    if found and not below:
        raise SpecError(f"{fields.at('stacks')}: a VM with stacks needs disks")
    return tuple(found)


def partition_names(disk: Disk) -> list[str]:
    """As the kernel calls them."""
    between = "p" if disk.device[-1].isdigit() else ""
    return [f"{disk.device}{between}{number}" for number in range(1, len(disk.partitions) + 1)]


def _disk(fields: Fields, number: int) -> Disk:
    controller = fields.take("controller", (str,), "scsi1")
    if controller not in (*SCSI, *NVME, *OTHER):
        raise SpecError(f"{fields.at('controller')}: {controller!r} is not one of {', '.join((*SCSI, *NVME, *OTHER))}")
    kind = "scsi" if controller in SCSI else "nvme" if controller in NVME else "other"
    device = fields.take("device", (str,), "")
    if not re.fullmatch(_NAMES[kind], device):
        raise SpecError(f"{fields.at('device')}: {device!r} is not a device of controller {controller}")
    own_number = int(device.rpartition("n")[2]) if kind == "nvme" else 0
    disk = Disk(
        device=device,
        controller=controller,
        lun=_between(fields, "lun", 0, 255, 0),
        nsid=fields.take("nsid", (int, type(None)), own_number),
        size=_between(fields, "size_mib", 1, _LARGEST, 32 * 1024) << 20,
        partitions=tuple(_sizes(fields)),
        links=fields.strings("links"),
        wwid=fields.take(
            "wwid", (str, type(None)), f"eui.{number:016x}" if kind == "nvme" else f"naa.60022480{number:024x}"
        ),
        serial=fields.take("serial", (str,), "SN: 000001" if controller == "nvme" else f"{number:010x}"),
        node=fields.take("node", (bool,), True),
        multipath=fields.take("multipath", (bool,), False),
        loop=fields.take("loop", (bool,), False),
    )
    fields.done()
    for link in disk.links:
        if link.startswith("/") or ".." in link.split("/"):
            raise SpecError(f"{fields.at('links')}: {link!r} is not a path below /dev/disk")
    return disk


def _sizes(fields: Fields) -> list[int]:
    value: list[Any] = fields.take("partitions_mib", (list,), [])
    for number, size in enumerate(value):
        if not isinstance(size, int) or isinstance(size, bool) or size < 1:
            raise SpecError(f"{fields.at('partitions_mib')}[{number}]: {size!r} is not a size in MiB")
    return [size << 20 for size in value]


def _between(fields: Fields, field: str, least: int, most: int, default: int) -> int:
    value: int = fields.take(field, (int,), default)
    if not least <= value <= most:
        raise SpecError(f"{fields.at(field)}: {value} is not between {least} and {most}")
    return value
