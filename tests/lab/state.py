# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab's files, and whether it is still running.

LAB_DIR/NAME/spec.json      the topology as it was given
LAB_DIR/NAME/inventory.json the VMs as an Ansible inventory
LAB_DIR/NAME/vms.json       what the emulator was started with; vaults.json beside it, if there are key vaults
LAB_DIR/NAME/members/VM     "PID BIRTH OPTIONS": process 1 of each member, the fabric included; more options for nsenter
LAB_DIR/NAME/shell/VM       the command that is /bin/sh inside the VM
LAB_DIR/NAME/tmp/VM         the one directory that controller and VM share
LAB_DIR/NAME/lab.log, emulator.log
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import shutil
import signal
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .errors import LabError
from .spec import FABRIC, check_name

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
_REMEDY = "set LAB_DIR to a directory that you may write to"


def lab_dir() -> Path:
    """Where all labs live: $LAB_DIR, or imds.azure/lab in the user's state directory ($XDG_STATE_HOME).

    Symbolic links in it are resolved: the VMs have this path too, and must not follow a link out of their root.

    :raises LabError: if the user has no home directory
    """
    if os.environ.get("LAB_DIR"):
        return Path(os.environ["LAB_DIR"]).resolve()
    state = Path(os.environ.get("XDG_STATE_HOME", ""))
    if not state.is_absolute():  # the XDG specification has relative paths ignored
        try:
            state = Path.home() / ".local" / "state"
        except RuntimeError:
            raise LabError(f"LAB_DIR: this user has no home directory; {_REMEDY}") from None
    return (state / "imds.azure" / "lab").resolve()


def birth(pid: int) -> str:
    """When a process started, in clock ticks since boot: together with the pid that names one process for good.

    Empty if there is no such process, or if it is a zombie.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    # The name, in parentheses, may hold anything. Behind it come the state (field 3) and, later, the start time (22).
    fields = stat.rpartition(") ")[2].split()
    return "" if fields[0] in "ZX" else fields[19]


@dataclass(frozen=True)
class Place:
    """One lab's place on disk."""

    name: str
    path: Path

    @classmethod
    def named(cls, name: str) -> Place:
        """The place of the lab with this name.

        :raises SpecError: if that is not a valid name
        """
        check_name(name, "NAME")
        path = lab_dir() / name
        # Mount options are separated by these; no path of ours may hold them.
        if any(character in str(path) for character in ",:\\ \n\"'"):
            raise LabError(
                f"LAB_DIR: {path} contains a character that mount options or shells treat specially; set LAB_DIR to a "
                "path without spaces, commas, colons, quotes and backslashes"
            )
        return cls(name, path)

    @property
    def spec(self) -> Path:
        return self.path / "spec.json"

    @property
    def vms(self) -> Path:
        return self.path / "vms.json"

    @property
    def vaults(self) -> Path:
        return self.path / "vaults.json"

    @property
    def inventory(self) -> Path:
        return self.path / "inventory.json"

    @property
    def log(self) -> Path:
        return self.path / "lab.log"

    @property
    def skeleton(self) -> Path:
        """An empty directory, for the same purpose."""
        return self.path / "skeleton"

    @property
    def mount_point(self) -> Path:
        """An empty directory; what is mounted there is seen by the lab only."""
        return self.path / "root"

    def member(self, name: str) -> Path:
        return self.path / "members" / name

    def shell(self, name: str) -> Path:
        return self.path / "shell" / name

    def shared(self, name: str) -> Path:
        return self.path / "tmp" / name

    @contextlib.contextmanager
    def locked(self) -> Iterator[int]:
        """Prevent others from starting or ending labs meanwhile.

        Yields the lock, which is held until every process that inherited it has ended.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            folder = os.open(self.path.parent, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise LabError(f"LAB_DIR: cannot use {self.path.parent}: {error.strerror}; {_REMEDY}") from None
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield folder
        finally:
            os.close(folder)

    def create(self, members: Iterable[str]) -> None:
        """Make the directories of a lab that is about to start."""
        self.clear()
        for folder in ("members", "shell", "tmp", "root", "skeleton"):
            (self.path / folder).mkdir(parents=True)
        for name in members:
            self.shell(name).symlink_to(HERE / "enter")
            self.shared(name).mkdir(mode=0o700)

    def remember(self, name: str, pid: int) -> None:
        """Write down process 1 of a member."""
        own_user = os.stat(f"/proc/{pid}/ns/user").st_ino != os.stat("/proc/self/ns/user").st_ino
        options = " --user --preserve-credentials" if own_user else ""
        self.member(name).write_text(f"{pid} {birth(pid)}{options}\n", encoding="ascii")

    def alive(self, name: str = FABRIC) -> int | None:
        """The pid of a member's process 1 if that very process still runs."""
        try:
            pid, born, *_ignored = self.member(name).read_text(encoding="ascii").split()
        except (OSError, ValueError):
            return None
        return int(pid) if pid.isdigit() and birth(int(pid)) == born else None

    def members(self) -> list[str]:
        """The names of all members, the fabric included; empty if the lab was never started."""
        folder = self.path / "members"
        return sorted(os.listdir(folder)) if folder.is_dir() else []

    def end(self, seconds: float = 10.0) -> bool:
        """End the lab's process 1, with which the kernel ends every process of the lab, and wait for that.

        Returns whether there was anything to end.
        """
        pid = self.alive()
        if pid is None:
            return False
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            return False
        try:
            # The handle names one process for ever: check once more that it is ours, then the signal can't go astray.
            if self.alive() != pid:
                return False
            signal.pidfd_send_signal(handle, signal.SIGKILL)
            if not select.select([handle], [], [], seconds)[0]:
                raise LabError(f"lab {self.name}: process {pid} does not end")
        finally:
            os.close(handle)
        return True

    def clear(self) -> None:
        """Remove what is on disk."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self.path.exists():
            raise LabError(f"lab {self.name}: cannot remove {self.path}; remove it as the user who owns it")
