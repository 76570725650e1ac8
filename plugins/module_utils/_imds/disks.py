# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of the guest's devices is which disk of IMDS: by controller and LUN, or by namespace ID. Pure.

Never by letter, host number, size or name: all of these change from boot to boot or are the same for two disks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

REMOTE_NVME = "MSFT NVMe Accelerator v1.0"
LOCAL_NVME = ("Microsoft NVMe Direct Disk", "Microsoft NVMe Direct Disk v2")

# VMBus IDs of the SCSI controllers, or how they begin. Generation 1 has its first two disks on IDE controllers;
# generation 2 has them on a SCSI controller of their own, at LUNs 0 and 1.
_IDE_OS, _IDE_RESOURCE = "{00000000-0000-", "{00000000-0001-"
_FIRST = "{f8b3781a-1e82-4818-a1c3-63d806ec15bb}"
_DATA = "{f8b3781b-1e82-4818-a1c3-63d806ec15bb}"
# Two more exist, but nobody has seen Azure use them, so their LUNs are an assumption.
_MORE_DATA = ("{f8b3781c-1e82-4818-a1c3-63d806ec15bb}", "{f8b3781d-1e82-4818-a1c3-63d806ec15bb}")

# Links that stay the same over boots and name one disk only, the best first.
_STABLE = (
    "/dev/disk/azure/data/by-lun/",
    "/dev/disk/azure/scsi1/",
    "/dev/disk/azure/os",
    "/dev/disk/azure/root",
    "/dev/disk/azure/resource",
    "/dev/disk/azure/local/",
    "/dev/disk/by-id/wwn-",
    "/dev/disk/by-id/nvme-eui.",
    "/dev/disk/by-id/scsi-",
    "/dev/disk/by-path/",
)
_LUN_LINK = re.compile(r"/dev/disk/azure/(?:data/by-lun/|scsi1/lun)(\d+)(?:-part\d+)?")
_LOCAL_LINK = re.compile(r"/dev/disk/azure/local/by-(index|name)/(.+)")

UNREADABLE = {
    "no_azure_disks": "None of the guest's devices is a disk of Azure.",
    "no_device_nodes": "The disks in /sys have no device node here, as in a container that sees its host's /sys.",
    "unreadable": "The guest's devices can't be listed.",
    "unsupported_system": "The devices of this operating system are not read.",
}

CONTRADICTIONS = {
    "missing_device": "IMDS lists a data disk at LUN {lun}, and the guest has no such device. It may need a rescan.",
    "unknown_to_imds": "{disk} is an Azure disk that IMDS doesn't list. IMDS may be minutes behind.",
    "unplaced_device": "{disk} is an Azure disk, but nothing tells reliably at which LUN.",
    "size_mismatch": "IMDS says that the disk has {expected} GiB, and {disk} has {found} bytes.",
    "ambiguous_device": "More than one device may be the disk, so none is chosen: {disk}.",
    "link_mismatch": "The link {link} leads to {disk}, which is not the disk at that LUN.",
    "root_elsewhere": "/ is not on the OS disk {disk}, but on {found}.",
}


class UnreadableError(Exception):
    """This guest can't be read; code and detail say why."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class Disk:
    """One whole disk.

    controller: of a SCSI disk, the VMBus ID of its controller, or "" where there is none; of an NVMe disk, its model.
    unit: LUN, or namespace ID. certain: whether unit was read, and not taken from the name. has_node: whether it is in
    /dev, where a container may not have it. size: bytes. links: below /dev/disk. members: names of the disk, its
    partitions and everything on top of them.
    """

    transport = ""
    controller = ""
    unit = 0
    certain = True
    has_node = True
    serial: str | None = None
    wwid: str | None = None

    def __init__(self, name: str, folder: str) -> None:
        self.name = name
        self.folder = folder
        self.path = f"/dev/{name}"
        self.size = 0
        self.links: list[str] = []
        self.partitions: list[dict[str, Any]] = []
        self.mounts: list[dict[str, str]] = []
        self.holders: list[str] = []
        self.members: set[str] = set()

    @property
    def label(self) -> str:
        """What messages call it."""
        return self.path

    def place(self) -> tuple[str, int | None, bool]:
        """(os, data, resource, local, unknown or unplaced, LUN of a data disk, whether the rule is certain)."""
        return role_of(self)

    def shown(self, lun: int | None, confidence: str) -> dict[str, Any]:
        """The fact device."""
        return {
            "path": self.path,
            "stable_path": _stable(self.links, lun),
            "links": sorted(self.links, key=_rank),
            "wwid": self.wwid,
            "size_bytes": self.size,
            "transport": self.transport,
            "partitions": [
                {
                    "path": part["path"],
                    "stable_path": _stable(part["links"], lun),
                    "number": part["number"],
                    "size_bytes": part["size_bytes"],
                }
                for part in self.partitions
            ],
            "mounts": self.mounts,
            "holders": self.holders,
            "confidence": confidence,
        }


class _Pairing:
    def __init__(self, disks: Sequence[Disk], root: str | None) -> None:
        self.disks = disks
        self.roots = [disk for disk in disks if root in disk.members]
        self.contradictions: list[dict[str, Any]] = []
        self.roles: dict[str, tuple[str, int | None, bool]] = {}
        self.places: dict[tuple[str, int | None], list[Disk]] = {}  # role and LUN -> disks
        for disk in disks:
            self.roles[disk.name] = role, lun, _certain = disk.place()
            self.places.setdefault((role, lun), []).append(disk)

    def among(self, role: str, lun: int | None = None) -> list[Disk]:
        """The disks with a role; only the certain ones where there are any."""
        found = self.places.get((role, lun), [])
        return [disk for disk in found if self.roles[disk.name][2]] or found

    def only(self, found: list[Disk], lun: int | None = None) -> Disk | None:
        """The one candidate; with several there is a contradiction instead of a choice."""
        if len(found) > 1:
            self.report("ambiguous_device", lun, *found)
        return found[0] if len(found) == 1 else None

    def report(self, code: str, lun: int | None, *disks: Disk, **seen: Any) -> None:
        message = CONTRADICTIONS[code].format(lun=lun, disk=", ".join(disk.label for disk in disks), **seen)
        path = ", ".join(disk.path for disk in disks) or None
        self.contradictions.append({"code": code, "lun": lun, "path": path, "message": message})

    def device(self, disk: Disk | None, lun: int | None = None, size: Any = None, guessed: bool = False) -> Any:
        """What a fact shows of a disk.

        :param size: GiB, as IMDS tells
        """
        if disk is None or not disk.has_node:
            return None
        guessed = guessed or not self.roles[disk.name][2]
        if not fits(disk, size):
            self.report("size_mismatch", lun, disk, expected=size, found=disk.size)
            guessed = True
        for link in disk.links:
            if not _names(link, lun):
                self.report("link_mismatch", lun, disk, link=link)
        return disk.shown(lun, "guessed" if guessed else "exact")

    def os_disk(self, fact: Mapping[str, Any]) -> Any:
        size, found, local = fact.get("disk_size_gb"), self.among("os"), self.among("local")
        if not found and len(self.roots) == 1 and self.roots[0] in local and _is_ephemeral(fact):
            # On which of the local disks an ephemeral OS disk was placed, only its use tells.
            self.places["local", None] = [disk for disk in local if disk not in self.roots]
            return self.device(self.roots[0], size=size, guessed=True)
        disk = self.only(found)
        elsewhere = disk is not None and self.roots != [] and disk not in self.roots
        if disk and elsewhere:
            self.report("root_elsewhere", None, disk, found=", ".join(root.label for root in self.roots))
        return self.device(disk, size=size, guessed=elsewhere)

    def data_disks(self, facts: Sequence[dict[str, Any]]) -> None:
        luns = [fact.get("lun") for fact in facts]
        candidates: list[Disk] = []
        for fact, lun in zip(facts, luns):
            if not isinstance(lun, int) or isinstance(lun, bool) or luns.count(lun) > 1:
                continue
            found = self.among("data", lun)
            candidates += found
            if not found and ("unplaced", None) not in self.places:
                self.report("missing_device", lun)
            fact["device"] = self.device(self.only(found, lun), lun, fact.get("disk_size_gb"))
        for disk in self.disks:
            role, lun, _certain = self.roles[disk.name]
            if role in ("data", "unknown") and disk.has_node and disk not in candidates:
                self.report("unknown_to_imds", lun, disk)
            elif role == "unplaced":
                self.report("unplaced_device", None, disk)

    def local_disks(self) -> list[dict[str, Any]]:
        """Local NVMe disks. Their index and name are inside a structure that only root may read; udev's links tell."""
        found = []
        for disk in self.among("local"):
            told: dict[str, str] = {match[1]: match[2] for match in map(_LOCAL_LINK.fullmatch, disk.links) if match}
            index = told.get("index", "")
            found.append(
                {
                    "index": int(index) if index.isdecimal() else None,
                    "name": told.get("name"),
                    "model": disk.controller,
                    "serial": disk.serial,
                    "device": self.device(disk),
                }
            )
        return sorted(found, key=lambda one: (one["index"] is None, one["index"] or 0))


def pair(storage: dict[str, Any], disks: Sequence[Disk], root: str | None, listed: bool) -> None:
    """Add the guest's devices to the facts below storage, and what contradicts.

    :param root: the name of the device that holds /
    :param listed: whether IMDS has listed the data disks, which older API versions don't
    """
    pairing = _Pairing(disks, root)
    storage["os_disk"]["device"] = pairing.os_disk(storage["os_disk"])
    if listed:
        pairing.data_disks(storage["data_disks"])
    storage["resource_disk"]["device"] = pairing.device(pairing.only(pairing.among("resource")))
    storage["local_disks"] = pairing.local_disks()
    storage["contradictions"] = pairing.contradictions


def fits(disk: Disk, size: Any) -> bool:
    """Whether the size that IMDS tells, in GiB, doesn't contradict; rounded, as an image need not have whole ones."""
    if not disk.size or not isinstance(size, int) or isinstance(size, bool) or size <= 0:
        return True
    return disk.size >> 30 <= size <= -(-disk.size >> 30)


def role_of(disk: Disk) -> tuple[str, int | None, bool]:
    """(os, data, resource, local or unknown, LUN of a data disk, whether the rule is certain)."""
    if disk.controller in LOCAL_NVME:
        return "local", None, True
    if disk.controller == REMOTE_NVME and disk.unit > 0:
        return ("os", None, disk.certain) if disk.unit == 1 else ("data", disk.unit - 2, disk.certain)
    if disk.controller.startswith(_IDE_OS):
        return "os", None, True
    if disk.controller.startswith(_IDE_RESOURCE):
        return "resource", None, True
    if disk.controller == _FIRST and disk.unit < 2:
        return ("os", "resource")[disk.unit], None, True
    if disk.controller in (_DATA, *_MORE_DATA):
        return "data", disk.unit, disk.controller == _DATA
    return "unknown", None, False


def _is_ephemeral(os_disk: Mapping[str, Any]) -> bool:
    settings = os_disk.get("diff_disk_settings")
    return isinstance(settings, dict) and settings.get("option") == "Local"


def _rank(link: str) -> tuple[int, str]:
    """Sorts links by how stable they are, the best first."""
    for number, start in enumerate(_STABLE):
        if link.startswith(start):
            return number, link
    return len(_STABLE), link


def _names(link: str, lun: int | None) -> bool:
    """Whether a link doesn't name another LUN."""
    told = _LUN_LINK.fullmatch(link)
    return not told or int(told[1]) == lun


def _stable(links: Sequence[str], lun: int | None) -> str | None:
    """The best of the links. A link that names another LUN is wrong, so it is none."""
    best = min((_rank(link) for link in links if _names(link, lun)), default=(len(_STABLE), ""))
    return best[1] if best[0] < len(_STABLE) else None
