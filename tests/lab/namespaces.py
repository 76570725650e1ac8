# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel's side: namespaces, mounts, ``ip``. Only this file and `redirect` speak to libc."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import traceback
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Callable, NoReturn

from .errors import LabError

# linux/sched.h
NEW_MOUNT = 0x00020000
NEW_UTS = 0x04000000
NEW_IPC = 0x08000000
NEW_USER = 0x10000000
NEW_PID = 0x20000000
NEW_NET = 0x40000000
NEW_GUEST = NEW_MOUNT | NEW_UTS | NEW_IPC | NEW_PID | NEW_NET

# linux/mount.h
READ_ONLY = 0x1
HARMLESS = 0x2 | 0x4 | 0x8  # nosuid, nodev, noexec
REMOUNT = 0x20
BIND = 0x1000
RECURSIVE = 0x4000
PRIVATE = 0x40000
_DETACH = 2

_COMMAND_SECONDS = 10.0

_libc = ctypes.CDLL(None, use_errno=True)


def _call(function: str, *arguments: object) -> None:
    if getattr(_libc, function)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    """Leave the namespaces named by ``flags`` for new ones.

    :raises OSError: if the system refuses
    """
    _call("unshare", flags)


def mount(source: str, target: Path | str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """mount(2).

    :raises OSError: if the system refuses
    """
    try:
        _call(
            "mount",
            source.encode(),
            os.fsencode(target),
            kind.encode() or None,
            ctypes.c_ulong(flags),
            options.encode() or None,
        )
    except OSError as error:
        raise OSError(error.errno, f"mount {kind or 'bind'} on {target}: {os.strerror(error.errno or 0)}") from None


def bind(source: Path | str, target: Path | str, read_only: bool = False) -> None:
    """Show ``source``, a directory or a file, at ``target`` as well, which must exist.

    :raises OSError: if the system refuses
    """
    mount(str(source), target, flags=BIND | RECURSIVE)
    if read_only:
        # A user namespace may not take these flags away, so they are given again.
        mount("none", target, flags=BIND | REMOUNT | READ_ONLY | os.statvfs(target).f_flag & HARMLESS)


def detach(target: Path | str) -> None:
    """Detach a mount; it ends when it is no longer used.

    :raises OSError: if the system refuses
    """
    _call("umount2", os.fsencode(target), _DETACH)


def enter_root(root: Path) -> None:
    """Make the mount at ``root`` this mount namespace's root and let go of the old one.

    :raises OSError: if the system refuses
    """
    os.chdir(root)
    # With "." for both, the old root ends on top of the new one, and is then taken off.
    _call("pivot_root", b".", b".")
    detach(".")
    os.chdir("/")


def fork(main: Callable[[], NoReturn]) -> int:
    """Run ``main`` in a child that ends with it, whatever happens. Returns the child's pid."""
    pid = os.fork()
    if pid == 0:
        try:
            main()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    return pid


def rest() -> NoReturn:
    """What process 1 of a namespace does once all is built: nothing, while the kernel clears its dead children away."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        signal.pause()


def sysctl(settings: Iterable[tuple[str, str]]) -> None:
    """Set kernel parameters of this network namespace, such as ``("net.ipv4.ip_forward", "1")``.

    :raises OSError: if the system refuses
    """
    for name, value in settings:
        Path("/proc/sys", *name.split(".")).write_text(value, encoding="ascii")


def ip(commands: Sequence[Sequence[str]], keep: Sequence[int] = ()) -> None:
    """Run ``ip`` commands in one process, in order, in this network namespace.

    :param commands: the arguments of each, without "ip" itself
    :param keep: file descriptors that ``ip`` inherits
    :raises IpError: if one of them failed
    """
    if not commands:
        return
    batch = "".join(" ".join(words) + "\n" for words in commands)
    done = subprocess.run(
        ["ip", "-batch", "-"],
        input=batch,
        capture_output=True,
        text=True,
        timeout=_COMMAND_SECONDS,
        pass_fds=keep,
        check=False,
    )
    if done.returncode != 0:
        message, _ignored, place = done.stderr.strip().rpartition("Command failed -:")
        number = int(place) - 1 if place.isdigit() else 0
        raise IpError(number, commands[number], message.strip() or done.stderr.strip())


class IpError(LabError):
    """One ``ip`` command was refused. ``number`` counts from 0."""

    def __init__(self, number: int, words: Sequence[str], message: str) -> None:
        super().__init__(f"ip {' '.join(words)}: {message}")
        self.number = number
