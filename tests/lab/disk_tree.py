# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Linux shows of a VM's disks in /sys and /dev, made from their description."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from .disk_spec import NVME, SCSI, Disk, Stack, partition_names

# Directories of /sys that hold disks, so that a VM with disks of its own has them for itself.
OWN = (
    *("block", "class/block", "dev/block"),
    *("devices/LNXSYSTM:00", "devices/virtual/block", "devices/virtual/nvme-subsystem"),
)

_VMBUS = "devices/LNXSYSTM:00/LNXSYBUS:00/ACPI0004:00/VMBUS:00"
_GUIDS = {
    "ide0": "00000000-0000-8899-0000-000000000000",
    "ide1": "00000000-0001-8899-0000-000000000000",
    "scsi0": "f8b3781a-1e82-4818-a1c3-63d806ec15bb",
    "scsi1": "f8b3781b-1e82-4818-a1c3-63d806ec15bb",
    "scsi2": "f8b3781c-1e82-4818-a1c3-63d806ec15bb",
    "scsi3": "f8b3781d-1e82-4818-a1c3-63d806ec15bb",
    "scsi-unknown": "3dbca1a6-0d1c-4b7f-9a53-7f2f0c1f5f11",
}
_SECTOR = 512


class Tree:
    """Below /sys, texts of files and targets of links; in /dev, names of nodes; below /dev/disk, links -> node."""

    def __init__(
        self, disks: Sequence[Disk], stacks: Sequence[Stack], numbers: Mapping[str, str] | None = None
    ) -> None:
        """:param numbers: device -> its number, of those that exist; others get one as the kernel gives them"""
        self.files: dict[str, str] = {}
        self.symlinks: dict[str, str] = {}
        self.nodes: list[str] = []
        self.links: dict[str, str] = {}
        self._numbers = dict(numbers or {})
        self._folders: dict[str, str] = {}
        for place, disk in enumerate(disks):
            self._disk(disk, place)
        for place, stack in enumerate(stacks):
            self._stack(stack, place)

    def number(self, device: str) -> str:
        """major:minor"""
        return self._numbers[device]

    def _disk(self, disk: Disk, place: int) -> None:
        if disk.controller in SCSI:
            folder = self._scsi(disk)
        elif disk.controller in NVME:
            folder = self._nvme(disk)
        else:
            folder = f"devices/LNXSYSTM:00/LNXSYBUS:00/PNP0A08:00/virtio{place}/block/{disk.device}"
        major, minor = (259, 64 * place) if disk.controller in NVME else (8, 16 * place)
        self._show(disk.device, folder, disk.size, f"{major}:{minor}")
        self.symlinks[f"block/{disk.device}"] = f"../{folder}"
        names = partition_names(disk)
        for number, (name, size) in enumerate(zip(names, disk.partitions), start=1):
            self._show(name, f"{folder}/{name}", size, f"{major}:{minor + number}")
            self.files[f"{folder}/{name}/partition"] = f"{number}\n"
        for link in disk.links:
            self.links[link] = disk.device
            self.links.update((f"{link}-part{number}", name) for number, name in enumerate(names, start=1))
        if disk.node:
            self.nodes += [disk.device, *names]

    def _scsi(self, disk: Disk) -> str:
        guid = _GUIDS[disk.controller]
        host = list(_GUIDS).index(disk.controller)
        self.files[f"{_VMBUS}/{guid}/device_id"] = f"{{{guid}}}\n"
        unit = f"{_VMBUS}/{guid}/host{host}/target{host}:0:0/{host}:0:0:{disk.lun}"
        self.files.update({f"{unit}/vendor": "Msft    \n", f"{unit}/model": "Virtual Disk    \n"})
        if disk.wwid:
            self.files[f"{unit}/wwid"] = f"{disk.wwid}\n"
        self.symlinks[f"{unit}/block/{disk.device}/device"] = f"../../../{host}:0:0:{disk.lun}"
        return f"{unit}/block/{disk.device}"

    def _nvme(self, disk: Disk) -> str:
        controller = re.sub(r"n\d+$", "", disk.device)
        number = int(controller[len("nvme") :])
        path = f"{_VMBUS}/{number:08x}-15c4-0000-0000-000000000000/pci15c4:00/15c4:00:0{number}.0/nvme/{controller}"
        head = path
        if disk.multipath:
            head = f"devices/virtual/nvme-subsystem/nvme-subsys{number}"
            hidden = f"{controller}c{number}{disk.device[len(controller) :]}"
            self.files[f"{path}/{hidden}/size"] = f"{disk.size // _SECTOR}\n"
            self.symlinks[f"class/block/{hidden}"] = f"../../{path}/{hidden}"
        for folder in sorted({path, head}):
            self.files[f"{folder}/model"] = f"{NVME[disk.controller]:<40}\n"
            self.files[f"{folder}/serial"] = f"{disk.serial:<20}\n"
        folder = f"{head}/{disk.device}"
        self.symlinks[f"{folder}/device"] = f"../../{head.rpartition('/')[2]}"
        if disk.nsid is not None:
            self.files[f"{folder}/nsid"] = f"{disk.nsid}\n"
        if disk.wwid:
            self.files[f"{folder}/wwid"] = f"{disk.wwid}\n"
        return folder

    def _stack(self, stack: Stack, place: int) -> None:
        folder = f"devices/virtual/block/{stack.device}"
        self._show(stack.device, folder, 1 << 30, f"{253 if stack.device.startswith('dm') else 9}:{place}")
        self.symlinks[f"block/{stack.device}"] = f"../{folder}"
        self.nodes.append(stack.device)
        if stack.name:
            self.files[f"{folder}/dm/name"] = f"{stack.name}\n"
        for below in stack.on:
            self.symlinks[f"{folder}/slaves/{below}"] = _relative(self._folders[below], f"{folder}/slaves")
            self.symlinks[f"{self._folders[below]}/holders/{stack.device}"] = _relative(
                folder, f"{self._folders[below]}/holders"
            )

    def _show(self, name: str, folder: str, size: int, number: str) -> None:
        number = self._numbers.setdefault(name, number)
        self._folders[name] = folder
        self.files.update({f"{folder}/size": f"{size // _SECTOR}\n", f"{folder}/dev": f"{number}\n"})
        for link in (f"class/block/{name}", f"dev/block/{number}"):
            self.symlinks[link] = f"../../{folder}"


def write_sys(tree: Tree, sys: Path) -> None:
    """Write /sys at ``sys``, which may exist already.

    :raises OSError: if the system refuses
    """
    for name in OWN[:3]:
        (sys / name).mkdir(parents=True, exist_ok=True)
    for name, text in tree.files.items():
        (sys / name).parent.mkdir(parents=True, exist_ok=True)
        (sys / name).write_text(text, encoding="ascii")
    for name, target in tree.symlinks.items():
        (sys / name).parent.mkdir(parents=True, exist_ok=True)
        (sys / name).symlink_to(target)


def write_dev(tree: Tree, dev: Path) -> None:
    """Write /dev at ``dev``: an empty file for each node that isn't there yet, as a true one would be a real disk's.

    :raises OSError: if the system refuses
    """
    dev.mkdir(exist_ok=True)
    for name in tree.nodes:
        (dev / name).touch()
    for link, name in tree.links.items():
        place = dev / "disk" / link
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(os.path.relpath(dev / name, place.parent))


def _relative(target: str, folder: str) -> str:
    return os.path.relpath(f"/{target}", f"/{folder}")
