# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which disk of a Windows host is which disk of Azure, from the rows of MSFT_Disk and MSFT_Partition. Pure.

Windows shows no IDs of controllers, so all rules start at the disk that Windows was started from. Twin of ``Disks`` in
``_ImdsDevices.cs``, in the place of ``_imds/block_devices.py``, which reads the files of Linux.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.imds.azure.plugins.module_utils._imds.disks import Disk, UnreadableError, fits

# FriendlyName in lower case. The driver has changed how it calls remote NVMe disks.
VIRTUAL = ("msft virtual disk", "microsoft virtual disk", "virtual hd")
REMOTE_NVME = ("virtual_disk nvme premium", "msft nvme accelerator v1.0")
LOCAL_NVME = ("microsoft nvme direct disk", "microsoft nvme direct disk v2")
# The same in the path, which cuts names off.
REMOTE_NVME_PATH = "prod_msft_nvme_accele"
LOCAL_NVME_PATH = "prod_microsoft_nvme_d"

# What CIM returns is a number, and a word where PowerShell's module Storage is loaded.
ATA, SCSI, NVME = ("3", "11", "ata", "sata"), ("1", "10", "scsi", "sas"), ("17", "nvme")
STYLES = {"0": "RAW", "1": "MBR", "2": "GPT", "raw": "RAW", "mbr": "MBR", "gpt": "GPT", "unknown": "RAW"}

# Of disks.UNREADABLE and disks.CONTRADICTIONS, those that a Windows host can have.
UNREADABLE = ("no_azure_disks", "unreadable")
CONTRADICTIONS = ("missing_device", "unknown_to_imds", "unplaced_device", "size_mismatch", "ambiguous_device")

# "Integrated : Bus 0 : Device 63667 : Function 30747 : Adapter 1 : Port 0 : Target 0 : LUN 1", in several forms
_PAIR = re.compile(r"([a-z]+) +([0-9]{1,9})")
# Port, target and LUN at the end of the path, two digits each.
_UNIT = re.compile(r"[#&]([0-9a-f]{4})([0-9a-f]{2})(?:#|$)")

_UNPLACED = ("unplaced", None, False)


class WindowsDisk(Disk):
    """A disk that Azure may have provided.

    kind: virtual, remote or local, the latter two NVMe. digits: the last two of the path's six, in lower case. ide:
    whether its place is not on a SCSI controller.
    """

    def __init__(self, row: Mapping[str, Any], letters: Sequence[str]) -> None:
        self.number = int(row["Number"])
        super().__init__(f"disk {self.number}", "")
        self.path = text(row, "Path") or ""
        self.size = whole(row, "Size")
        self.controller = text(row, "FriendlyName") or ""
        self.serial = text(row, "SerialNumber")
        self.boot = row.get("IsBoot") is True
        self.members = {self.name} if self.boot else set()
        self._row = row
        self._letters = sorted(letters)
        self._place: tuple[str, int | None, bool] = _UNPLACED

        path, bus = self.path.lower(), word(row, "BusType")
        unit = _UNIT.search(path)
        self.digits = unit[2] if unit else ""
        location = {pair[1]: int(pair[2]) for pair in _pairs(text(row, "Location") or "")}
        self.adapter, self.lun = location.get("adapter"), location.get("lun")
        self.target = location.get("target", 0)
        self.ide = bus in ATA or self.lun is None
        self.kind = _kind(self.controller.lower(), path, bus)

    @property
    def label(self) -> str:
        return f"Disk {self.number}"

    def place(self) -> tuple[str, int | None, bool]:
        return self._place

    def find_place(self, boot: WindowsDisk | None, base: int, proven: bool) -> None:
        """
        :param boot: what Windows was started from, None where that is not one disk of Azure
        :param base: of the digits
        :param proven: whether it is known
        """
        if self.kind == "local":
            self._place = ("local", None, True)
        elif boot and self.kind == "remote":
            self._place = self._beside_nvme(boot, base, proven)
        elif boot and self.kind == "virtual":
            self._place = self._beside_scsi(boot)

    def _beside_nvme(self, boot: WindowsDisk, base: int, proven: bool) -> tuple[str, int | None, bool]:
        """Namespaces count from 0, the OS disk."""
        if boot.kind != "remote" or boot.digits != "00":
            return _UNPLACED
        if self is boot:
            return "os", None, True
        unit = int(self.digits or "0", base)
        return ("data", unit - 1, proven or self.digits[:1] == "0") if unit else _UNPLACED

    def _beside_scsi(self, boot: WindowsDisk) -> tuple[str, int | None, bool]:
        if boot.kind == "remote":  # then the data disks are NVMe too
            return ("resource", None, False) if (self.target, self.lun) == (0, 1) else _UNPLACED
        if boot.kind != "virtual":
            return _UNPLACED
        if boot.ide and self.ide:
            return "os" if self is boot else "resource", None, True
        if boot.ide or (self.adapter is not None and boot.adapter not in (None, self.adapter)):
            # Azure has its data disks at target 0, and the path ends like the location.
            agree = self.lun is not None and self.digits in ("", f"{self.lun:02d}", f"{self.lun:02x}")
            started = boot.ide or (boot.target, boot.lun) == (0, 0)
            known = started and self.lun is not None
            return ("data", self.lun, self.target == 0 and agree) if known else _UNPLACED
        if (boot.target, boot.lun) != (0, 0) or self.adapter is None:
            return _UNPLACED
        if self is boot:
            return "os", None, True
        return ("resource", None, True) if (self.target, self.lun) in ((0, 1), (1, 0)) else _UNPLACED

    def shown(self, _lun: int | None, confidence: str) -> dict[str, Any]:
        return {
            "number": self.number,
            "path": self.path or None,
            "unique_id": text(self._row, "UniqueId"),
            "partition_style": STYLES.get(word(self._row, "PartitionStyle")),
            "offline": self._row.get("IsOffline") is True,
            "drive_letters": self._letters,
            "confidence": confidence,
        }


def read(rows: Any, partitions: Any, storage: Mapping[str, Any]) -> tuple[list[WindowsDisk], str | None]:
    """(the disks that Azure may have provided, the name of the one that Windows was started from).

    :param rows: of MSFT_Disk, or a message instead
    :param partitions: rows of MSFT_Partition, or a message instead
    :param storage: the facts of what IMDS lists
    :raises UnreadableError: there are no rows, or no disks of Azure
    """
    if not isinstance(rows, list):
        raise UnreadableError("unreadable", rows if isinstance(rows, str) else "MSFT_Disk was not read")
    letters = _letters(partitions if isinstance(partitions, list) else [])
    numbered: dict[int, Mapping[str, Any]] = {}
    for row in rows:
        if isinstance(row, dict) and whole(row, "Number", -1) >= 0:
            numbered.setdefault(row["Number"], row)
    found = [WindowsDisk(row, letters.get(number, ())) for number, row in sorted(numbered.items())]
    found = [disk for disk in found if disk.kind]
    if not found:
        raise UnreadableError("no_azure_disks", "MSFT_Disk")
    boots = [disk for disk in found if disk.boot]
    boot = boots[0] if len(boots) == 1 else None
    base, proven = _base([disk for disk in found if disk.kind == "remote"], storage)
    for disk in found:
        disk.find_place(boot, base, proven)
    return found, boot.name if boot else None


def _base(disks: Sequence[WindowsDisk], storage: Mapping[str, Any]) -> tuple[int, bool]:
    """(16 or 10, whether that is known): Windows builds such IDs in hexadecimal, but nobody has seen one above 9."""
    if any(re.search("[a-f]", disk.digits) for disk in disks):
        return 16, True
    listed = [fact for fact in storage["data_disks"] if isinstance(fact.get("lun"), int)]
    sizes = {fact["lun"]: fact.get("disk_size_gb") for fact in listed}

    def agrees(base: int) -> bool:
        luns = [(disk, int(disk.digits, base) - 1) for disk in disks if disk.digits not in ("", "00")]
        return all(lun in sizes and fits(disk, sizes[lun]) for disk, lun in luns)

    return 10 if not agrees(16) and agrees(10) else 16, False


def _kind(name: str, path: str, bus: str) -> str:
    """virtual, remote or local; empty for a disk that is not Azure's."""
    if bus in NVME and (name in LOCAL_NVME or LOCAL_NVME_PATH in path):
        return "local"
    if bus in NVME and (name in REMOTE_NVME or REMOTE_NVME_PATH in path):
        return "remote"
    return "virtual" if name in VIRTUAL and bus in (*ATA, *SCSI) else ""


def _letters(partitions: Sequence[Any]) -> dict[int, list[str]]:
    """Number of a disk -> drive letters."""
    found: dict[int, list[str]] = {}
    for row in partitions:
        letter = word(row, "DriveLetter").upper() if isinstance(row, dict) else ""
        if re.fullmatch("[A-Z]", letter):
            found.setdefault(whole(row, "DiskNumber", -1), []).append(letter)
    return found


def _pairs(location: str) -> list[re.Match[str]]:
    parts = (_PAIR.fullmatch(part.strip(" ").lower()) for part in location.split(":"))
    return [part for part in parts if part]


def text(row: Mapping[str, Any], name: str) -> str | None:
    """A text without blanks around it, None for an empty one."""
    value = row.get(name)
    return (value.strip(" ") or None) if isinstance(value, str) else None


def whole(row: Mapping[str, Any], name: str, default: int = 0) -> int:
    value = row.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        return default
    return value if 0 <= value < 1 << 63 else default


def word(row: Mapping[str, Any], name: str) -> str:
    """A number or a word of an enumeration, in lower case."""
    value = row.get(name)
    return str(value).lower() if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
