# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A VM's /sys: the kernel's own view of this network namespace, with the firmware tables of an Azure VM."""

from __future__ import annotations

import os
from pathlib import Path

from . import disk_tree, namespaces
from .spec import Vm

_DMI = "devices/virtual/dmi"
# Directories that are ours, not the machine's.
_OWN = (_DMI, "class/dmi", "firmware")

# What an Azure VM of generation 1 shows, and what some other virtual machine shows.
_AZURE = {
    "bios_vendor": "American Megatrends Inc.",
    "bios_version": "090008",
    "board_name": "Virtual Machine",
    "board_vendor": "Microsoft Corporation",
    "chassis_type": "3",
    "chassis_vendor": "Microsoft Corporation",
    "product_name": "Virtual Machine",
    "product_version": "7.0",
    "sys_vendor": "Microsoft Corporation",
}
_OTHER = {
    "bios_vendor": "SeaBIOS",
    "bios_version": "1.16.2",
    "chassis_type": "1",
    "chassis_vendor": "QEMU",
    "product_name": "Standard PC (Q35 + ICH9, 2009)",
    "product_version": "pc-q35-8.0",
    "sys_vendor": "QEMU",
}
_SECRET = 0o400
_PUBLIC = 0o444


def dmi(vm: Vm) -> dict[str, tuple[str, int]]:
    """The files of /sys/class/dmi/id: text and mode by name. Pure."""
    vendor = _OTHER if vm.chassis_asset_tag is None else _AZURE
    files = {name: (text, _PUBLIC) for name, text in vendor.items()}
    files["chassis_asset_tag"] = (vm.chassis_asset_tag or "", _PUBLIC)
    files["product_uuid"] = (vm.product_uuid, _SECRET)
    files["product_serial"] = ("0000-0000-0000-0000-0000-0000-00", _SECRET)
    return files


def build(sys: Path, vm: Vm, disks: disk_tree.Tree | None) -> None:
    """Build /sys at ``sys``, an empty directory. Must run in the VM's network namespace.

    :param disks: the VM's own; without them it shows the machine's
    :raises OSError: if the system refuses
    """
    namespaces.mount("tmpfs", sys, "tmpfs", options="mode=755")
    kernel = sys / ".kernel"
    kernel.mkdir()
    namespaces.mount("sysfs", kernel, "sysfs", flags=namespaces.READ_ONLY | namespaces.HARMLESS)
    _show(kernel, sys, "", (*_OWN, *(disk_tree.OWN if disks else ())))
    namespaces.detach(kernel)
    kernel.rmdir()

    tables = sys / _DMI / "id"
    tables.mkdir(parents=True)
    for name, (text, mode) in dmi(vm).items():
        (tables / name).write_text(text + "\n", encoding="ascii")
        (tables / name).chmod(mode)
    (sys / "class" / "dmi").mkdir(parents=True)
    (sys / "class" / "dmi" / "id").symlink_to(f"../../{_DMI}/id")
    (sys / "firmware").mkdir()
    if disks:
        disk_tree.write_sys(disks, sys)


def _show(kernel: Path, sys: Path, folder: str, ours: tuple[str, ...]) -> None:
    """Bind everything of ``kernel/folder`` to ``sys/folder``, except our own directories."""
    for entry in os.scandir(kernel / folder):
        path = f"{folder}/{entry.name}".lstrip("/")
        target = sys / path
        if path in ours:
            continue
        if entry.is_symlink():
            target.symlink_to(os.readlink(entry.path))
        elif not entry.is_dir():
            target.touch()
            namespaces.bind(entry.path, target)
        else:
            target.mkdir()
            if any(own.startswith(f"{path}/") for own in ours):
                _show(kernel, sys, path, ours)
            else:
                namespaces.bind(entry.path, target)
