# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The disks of a Linux guest that Azure provides, read from /sys, /dev and /proc: no root, no command, no ioctl."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator

from .disks import LOCAL_NVME, REMOTE_NVME, Disk, UnreadableError, role_of

_SCSI = re.compile(r"(.+?)/host\d+/.+/\d+:\d+:\d+:(\d+)/block/sd[a-z]+")
# Skips partitions, and the hidden paths of a multipath device such as nvme0c0n1.
_NVME = re.compile(r"(.+)/nvme\d+n(\d+)")
# Virtual devices that are never on top of a disk in a way the kernel tells.
_BARE = ("loop", "ram", "zram", "nbd")


def read(root: str = "") -> tuple[list[Disk], str | None]:
    """(the disks that Azure may have provided, the name of the device that holds / where that can be told).

    :param root: the directory that /sys, /dev and /proc are in
    :raises UnreadableError: where the guest doesn't show its disks
    """
    if not sys.platform.startswith("linux"):
        raise UnreadableError("unsupported_system", sys.platform)
    return _Reader(root).read()


class _Reader:
    def __init__(self, root: str) -> None:
        self.root = root
        self.names: dict[str, str] = {}  # device number -> name
        self.folders: dict[str, str] = {}  # name -> its directory in /sys
        self.partitions: dict[str, list[str]] = {}  # name -> names
        self.above: dict[str, list[str]] = {}  # name -> names of devices that stand on it
        self.controllers: dict[str, str] = {}  # directory -> what Disk calls controller

    def read(self) -> tuple[list[Disk], str | None]:
        nodes = set(self._list("/dev"))
        self._find_devices()
        found = sorted(self._disks(), key=lambda disk: _natural(disk.name))
        # Hyper-V has disks like Azure's elsewhere too, on controllers with other IDs.
        if all(role_of(disk)[0] == "unknown" for disk in found):
            raise UnreadableError("no_azure_disks", "/sys/dev/block")
        for disk in found:
            disk.has_node = disk.name in nodes
        if not any(disk.has_node for disk in found):
            raise UnreadableError("no_device_nodes", ", ".join(disk.path for disk in found[:3]))
        return found, self._complete(found)

    def _find_devices(self) -> None:
        for number in self._list("/sys/dev/block"):
            link = _link(f"{self.root}/sys/dev/block/{number}")
            name = link.rpartition("/")[2]
            if name:
                self.names[number] = name
                self.folders[name] = f"{self.root}/sys/{link.lstrip('./')}"

    def _disks(self) -> Iterator[Disk]:
        """The disks that Azure may have provided; notes on the way what is a part of them or on top."""
        for name, folder in self.folders.items():
            parent = folder.rpartition("/")[0]
            whole = parent.rpartition("/")[2]
            if whole in self.folders:
                self.partitions.setdefault(whole, []).append(name)
            elif "/virtual/block/" in folder and not name.startswith(_BARE):
                for below in _entries(f"{folder}/slaves"):
                    self.above.setdefault(below, []).append(name)
            else:
                disk = self._disk(name, folder, parent)
                if disk:
                    yield disk

    def _disk(self, name: str, folder: str, parent: str) -> Disk | None:
        scsi = _SCSI.fullmatch(folder)
        if scsi:
            disk = Disk(name, folder)
            disk.transport, disk.unit = "scsi", int(scsi[2])
            disk.controller = self._vmbus(scsi[1])
            disk.wwid = _text(f"{parent[: -len('/block')]}/wwid")
            return disk if disk.controller else None
        nvme = _NVME.fullmatch(folder)
        if nvme:
            if nvme[1] not in self.controllers:
                self.controllers[nvme[1]] = _text(f"{folder}/device/model") or ""
            model = self.controllers[nvme[1]]
            if model != REMOTE_NVME and model not in LOCAL_NVME:
                return None
            disk = Disk(name, folder)
            disk.transport, disk.controller = "nvme", model
            nsid = _text(f"{folder}/nsid") or ""
            disk.certain = nsid.isdecimal()
            disk.unit = int(nsid if disk.certain else nvme[2])
            disk.wwid = _text(f"{folder}/wwid")
            disk.serial = _text(f"{folder}/device/serial") if model in LOCAL_NVME else None
            return disk
        return None

    def _vmbus(self, folder: str) -> str:
        """device_id of the nearest directory that has one."""
        if folder not in self.controllers:
            found, place = None, folder
            while not found and len(place) > len(self.root) + len("/sys/devices"):
                found, place = _text(f"{place}/device_id"), place.rpartition("/")[0]
            self.controllers[folder] = (found or "").lower()
        return self.controllers[folder]

    def _complete(self, disks: list[Disk]) -> str | None:
        """Add what only the disks that are reported need; return the device that holds /."""
        links = self._links()
        mounts, root_device = self._mounts()
        for disk in disks:
            disk.size = _sectors(disk.folder)
            disk.links = links.get(disk.name, [])
            for name in sorted(self.partitions.get(disk.name, []), key=_natural):
                size = _sectors(self.folders[name])
                number = int(re.sub(r".*\D", "", name) or 0)
                disk.partitions.append(
                    {"path": f"/dev/{name}", "number": number, "size_bytes": size, "links": links.get(name, [])}
                )
            self._climb(disk, disk.name)
            disk.mounts = [mount for name in sorted(disk.members, key=_natural) for mount in mounts.get(name, [])]
        return root_device

    def _climb(self, disk: Disk, name: str) -> None:
        if name in disk.members:
            return
        disk.members.add(name)
        for above in self.above.get(name, []):
            label = _text(f"{self.folders[above]}/dm/name")
            path = f"/dev/mapper/{label}" if label else f"/dev/{above}"
            if path not in disk.holders:
                disk.holders.append(path)
            self._climb(disk, above)
        for partition in self.partitions.get(name, []):
            self._climb(disk, partition)

    def _links(self) -> dict[str, list[str]]:
        """Name of a device -> the links to it below /dev/disk."""
        found: dict[str, list[str]] = {}
        folders = [f"{self.root}/dev/disk"]
        while folders:
            folder = folders.pop()
            for entry in _entries(folder):
                path = f"{folder}/{entry}"
                target = _link(path)
                if target:
                    shown = os.fsencode(path[len(self.root) :]).decode("utf-8", "replace")
                    found.setdefault(target.rpartition("/")[2], []).append(shown)
                else:
                    folders.append(path)
        return found

    def _mounts(self) -> tuple[dict[str, list[dict[str, str]]], str | None]:
        """(name of a device -> where it is mounted, the device that holds /)."""
        found: dict[str, list[dict[str, str]]] = {}
        holds_root = None
        for line in _lines(f"{self.root}/proc/self/mountinfo"):
            head, _dash, tail = line.partition(" - ")
            words, (kind, source, *_options) = head.split(" "), [*tail.split(" "), "", ""]
            if len(words) < 5:
                continue
            name = self.names.get(words[2])
            # Btrfs has a number of its own for each of its file systems.
            if not name and source.startswith("/dev/"):
                name = os.path.realpath(self.root + source).rpartition("/")[2]
            if name not in self.folders:
                continue
            path = _unescaped(words[4])
            if path == "/":
                holds_root = name
            # A directory of a file system that is shown elsewhere too is no mount of the disk; a subvolume is one.
            if words[3] == "/" or kind == "btrfs":
                found.setdefault(name, []).append({"path": path, "src": _unescaped(source), "fstype": kind})
        return found, holds_root

    def _list(self, folder: str) -> list[str]:
        try:
            return os.listdir(self.root + folder)
        except OSError as error:
            raise UnreadableError("unreadable", f"{folder}: {error.strerror}") from None


def _entries(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def _text(path: str) -> str | None:
    """The text of a file in /sys without blanks around it; None where it can't be read, or is empty.

    The system calls themselves, because open() takes several times as long, and there are hundreds of files.
    """
    try:
        file = os.open(path, os.O_RDONLY)
        try:
            return os.read(file, 4096).decode("utf-8", "replace").strip() or None
        finally:
            os.close(file)
    except OSError:
        return None


def _lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().split("\n")
    except OSError:
        return []


def _sectors(folder: str) -> int:
    """size in bytes; the kernel counts sectors of 512."""
    text = _text(f"{folder}/size") or ""
    return int(text) * 512 if text.isdecimal() else 0


def _natural(name: str) -> tuple[int, str]:
    """Sorts sdz before sdaa, and nvme0n2 before nvme0n10."""
    return len(name), name


def _unescaped(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)
