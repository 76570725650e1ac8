# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A VM's own writable root: what it reads is the machine's, what it writes stays in a tmpfs that ends with the lab.

Every top-level directory gets an overlay of its own, because an ordinary user's namespace may not overlay "/" itself.
Where it may not overlay a directory either, because something is mounted below, that directory's children are tried one
by one.

In an ordinary user's namespace there is only one user. The machine's files belong to nobody there, so not even root may
change them. `skeleton` therefore copies what a VM must be able to change; the copy lies on top of the machine's
directory and below what the VM writes.
"""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from . import disk_tree, loop, namespaces, sysfs
from .errors import RefusedError
from .spec import VAULT, Vm

_COPIED = "etc"
_OPENED = ("usr", "usr/lib", "usr/local", "var", "var/cache", "var/lib", "var/log", "var/tmp", "opt", "srv", "home")
_FRESH = ("dev", "media", "mnt", "proc", "run", "sys")
_DEVICES = ("full", "null", "random", "tty", "urandom", "zero")
_LINKS = {"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2", "ptmx": "pts/ptmx"}
_DEEPEST = 3


def skeleton(target: Path) -> None:
    """Copy /etc, as far as it can be read, and make the directories in which a VM may want to create something."""
    _copy(Path("/", _COPIED), target / _COPIED)
    for opened in _OPENED:
        for folder in [Path("/", opened), *_children(Path("/", opened))]:
            if not folder.is_symlink() and folder.is_dir() and os.access(folder, os.R_OK | os.X_OK):
                (target / str(folder).lstrip("/")).mkdir(parents=True, exist_ok=True)


def _children(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _copy(source: Path, target: Path) -> None:
    target.mkdir(parents=True)
    for entry in _children(source):
        try:
            if entry.is_symlink():
                (target / entry.name).symlink_to(os.readlink(entry))
            elif entry.is_dir():
                _copy(entry, target / entry.name)
            elif entry.is_file():
                shutil.copy(entry, target / entry.name)
        except PermissionError:
            continue  # Not for this user's eyes, so not for the VM's.


class Root:
    """Builds one VM's root at ``place``, in the VM's own namespaces. All methods raise OSError."""

    def __init__(self, place: Path, skeleton: Path | None) -> None:
        """``skeleton`` is what `skeleton` made, or None for the machine's own root user."""
        self._skeleton = skeleton
        self._scratch = place
        namespaces.mount("tmpfs", place, "tmpfs", options="mode=755")
        self.path = place / "root"
        self.path.mkdir()
        namespaces.mount("tmpfs", self.path, "tmpfs", options="mode=755")

    def inside(self, path: Path) -> Path:
        """Where the VM's ``path``, an absolute one, lies for now. Its directory is made."""
        target = self.path / str(path).lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        return target

    def fill(self, vm: Vm) -> None:
        """The machine's directories, /proc, /sys, /dev, the host name."""
        for entry in _children(Path("/")):
            if entry.is_symlink():
                self.inside(entry).symlink_to(os.readlink(entry))
            elif entry.name in _FRESH:
                self.inside(entry).mkdir()
            elif entry.is_dir():
                self._overlay(entry, _DEEPEST)
        for name in ("proc", "run", "sys", "tmp", "root"):
            (self.path / name).mkdir(exist_ok=True)
        namespaces.mount("tmpfs", self.path / "run", "tmpfs", options="mode=755")
        self._kernel(self.path / "proc")
        loops = self._loops(vm)
        numbers = {device: number for device, (_path, number) in loops.items()}
        disks = disk_tree.Tree(vm.disks, vm.stacks, numbers) if vm.disks else None
        sysfs.build(self.path / "sys", vm, disks)
        self._devices(self.path / "dev")
        if disks:
            for device, (path, _number) in loops.items():
                self._show_device(path, self.path / "dev" / device)
            disk_tree.write_dev(disks, self.path / "dev")
        self._names(vm)

    def _overlay(self, folder: Path, depth: int) -> None:
        target = self.inside(folder)
        target.mkdir()
        target.chmod(0o1777 if folder.stat().st_mode & 0o1000 else 0o755)
        if not os.access(folder, os.R_OK | os.X_OK):
            return
        layers = [folder]
        if self._skeleton and (self._skeleton / str(folder).lstrip("/")).is_dir():
            layers.insert(0, self._skeleton / str(folder).lstrip("/"))
        tag = str(folder).strip("/").replace("/", "+")
        upper, work = self._scratch / f"{tag}.upper", self._scratch / f"{tag}.work"
        upper.mkdir()
        work.mkdir()
        options = f"lowerdir={':'.join(map(str, layers))},upperdir={upper},workdir={work}"
        upper.chmod(target.stat().st_mode & 0o7777)
        try:
            namespaces.mount("overlay", target, "overlay", options=options + (",userxattr" if self._skeleton else ""))
        except OSError as error:
            if error.errno == errno.EPERM:
                raise RefusedError(
                    "this kernel lets no ordinary user mount overlayfs; Linux 5.11 and newer do"
                ) from None
            if error.errno != errno.EINVAL or depth == 0:
                raise
            for child in _children(folder):
                if not child.is_symlink() and child.is_dir():
                    self._overlay(child, depth - 1)

    def _kernel(self, proc: Path) -> None:
        """/proc, without what would change the whole machine: of its parameters, a VM may set those of its network."""
        namespaces.mount("proc", proc, "proc", flags=namespaces.HARMLESS)
        namespaces.bind(proc / "sys" / "net", proc / "sys" / "net")
        namespaces.bind(proc / "sys", proc / "sys", read_only=True)
        if (proc / "sysrq-trigger").exists():
            namespaces.bind("/dev/null", proc / "sysrq-trigger")

    def _devices(self, dev: Path) -> None:
        namespaces.mount("tmpfs", dev, "tmpfs", options="mode=755")
        for name in _DEVICES:
            if not Path("/dev", name).exists():
                continue
            self._show_device(f"/dev/{name}", dev / name)
        for name, target in _LINKS.items():
            (dev / name).symlink_to(target)
        (dev / "pts").mkdir()
        namespaces.mount("devpts", dev / "pts", "devpts", options="newinstance,ptmxmode=0666,mode=620")
        (dev / "shm").mkdir()
        namespaces.mount("tmpfs", dev / "shm", "tmpfs", options="mode=1777")

    @staticmethod
    def _show_device(source: str, target: Path) -> None:
        target.touch()
        namespaces.bind(source, target)

    def _loops(self, vm: Vm) -> dict[str, tuple[str, str]]:
        """Device -> path and number of the loop device behind it."""
        return {
            disk.device: loop.attach(self._scratch / f"{disk.device}.disk", disk.size) for disk in vm.disks if disk.loop
        }

    def _names(self, vm: Vm) -> None:
        etc = self.path / "etc"
        vaults = "".join(f"{VAULT} {host}\n" for host in vm.vault_hosts)
        for name, text in {
            "hostname": f"{vm.name}\n",
            "hosts": f"127.0.0.1 localhost\n{vm.nics[0].address} {vm.name}\n{vaults}",
            "resolv.conf": "nameserver 168.63.129.16\n",
        }.items():
            (etc / name).unlink(missing_ok=True)
            (etc / name).write_text(text, encoding="ascii")
